"""Claims about moving the resources of an org and merging orgs: slugs, bytes, members, locks, and all or none."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import db
from app.config import Settings
from app.db import tables
from app.db.tables import col
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from app.services.resource_moves import numbered_slug
from tests.db.test_at_once import TIMES
from tests.support.changes import another, answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person, rows_of
from tests.support.fetching import fetch
from tests.support.storing import LIMITED, Storing, limit, sizes, summed

MOVE = change("moveResources", "org { slug } results { index resource { slug org { slug } } errors { code path } }")
MERGE = change("mergeOrgs", "org { slug } deletedOrgId movedResources renamedResources")


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Enforce quotas."""
    return LIMITED


@pytest.fixture
async def root(make: Make) -> Person:
    return await make.admin()


@pytest.fixture
async def here(make: Make) -> Entity:
    return await make.org("here")


@pytest.fixture
async def there(make: Make) -> Entity:
    return await make.org("there")


def between(**more: Any) -> dict[str, Any]:
    return {"source": {"slug": "here"}, "destination": {"slug": "there"}, **more}


async def paths(database: db.Database) -> dict[str, int]:
    """Return the id of each resource by its path."""
    rows = await fetch(database, select(col(tables.Resource.path), col(tables.Resource.id)))
    return {path: key for path, key, *_ in rows}


async def members(database: db.Database, org: Entity) -> dict[int, tuple[int, Any]]:
    columns = col(tables.OrgMember.user_id), col(tables.OrgMember.level), col(tables.OrgMember.expires_at)
    rows = await fetch(database, select(*columns).where(col(tables.OrgMember.org_id) == org.id))
    return {user: (level, end) for user, level, end in rows}


async def test_moved_resources_keep_all_but_their_org(
    api: Api, make: Make, database: db.Database, root: Person, here: Entity, there: Entity
) -> None:
    ann, writer = await make.user(), await make.user()
    await make.member(there, writer, MemberLevel.READ_WRITE)
    reef = await make.resource(here, slug="reef", owner=ann, general=0, size_bytes=5)
    model = await make.resource(here, "MODEL", slug="model", general=0)
    stays = await make.resource(here, slug="stays", size_bytes=7)
    await make.grant(reef, ann)
    ticket = await Storing(api).ticket(reef, root, 3)
    grants = await rows_of(database, tables.Grant)

    moved = answered(await api(MOVE, as_=root, input=between(slugs=["REEF", "model"])), "moveResources")

    assert moved["results"] == [
        {"index": at, "resource": {"slug": slug, "org": {"slug": "there"}}, "errors": []}
        for at, slug in enumerate(("reef", "model"))
    ]
    assert await paths(database) == {"there/reef": reef.id, "there/model": model.id, "here/stays": stays.id}
    assert await rows_of(database, tables.Grant) == grants
    assert await sizes(database, tables.Org) == await summed(database) == {here.id: 7, there.id: 5}
    assert await Storing(api).state(ticket) == "OPEN"
    used = '{ org(by: {slug: "there"}) { storage { usedBytes } resources { totalCount } } }'
    assert (await api(used, as_=root))["data"]["org"]["storage"] == {"usedBytes": 8}
    assert (await api(used, as_=writer))["data"]["org"]["resources"] == {"totalCount": 2}


CONFLICTS: dict[str, tuple[dict[str, str], list[str]]] = {
    "HALT": ({"here/a1": "own", "here/b1": "own", "there/a1": "other"}, ["CONFLICT"]),
    "OVERWRITE": ({"there/a1": "own", "there/b1": "own"}, []),
    "RENAME": ({"there/a1_1": "own", "there/b1": "own", "there/a1": "other"}, []),
}


@pytest.mark.parametrize("on_conflict", CONFLICTS)
async def test_a_taken_slug_is_handled_as_asked(
    api: Api,
    make: Make,
    database: db.Database,
    root: Person,
    here: Entity,
    there: Entity,
    on_conflict: str,
) -> None:
    after, refused = CONFLICTS[on_conflict]
    for slug in ("a1", "b1"):
        await make.resource(here, slug=slug, name="own", size_bytes=5)
    await make.resource(there, slug="a1", name="other", size_bytes=7)

    for mutation, more in ((MOVE, {"slugs": ["a1", "b1"]}), (MERGE, {})):
        async with unchanged(database):
            tried = await api(mutation, as_=root, input=between(onConflict=on_conflict, validateOnly=True, **more))
            assert codes(tried) == refused
    reply = await api(MOVE, as_=root, input=between(onConflict=on_conflict, slugs=["a1", "b1"]))

    assert codes(reply) == refused
    rows = await fetch(database, select(col(tables.Resource.path), col(tables.Resource.name)))
    assert {path: name for path, name, *_ in rows} == after
    assert await sizes(database, tables.Org) == await summed(database)
    if refused:
        results = reply["data"]["moveResources"]["results"]
        assert [each["errors"] for each in results] == [[{"code": "CONFLICT", "path": ["input", "slugs", "0"]}], []]


async def test_overwriting_replaces_only_a_resource_of_the_same_type(
    api: Api, make: Make, database: db.Database, root: Person, here: Entity, there: Entity
) -> None:
    await make.resource(here, slug="reef")
    await make.resource(there, "MODEL", slug="reef")

    async with unchanged(database):
        for mutation, more in ((MOVE, {"slugs": ["reef"]}), (MERGE, {})):
            assert codes(await api(mutation, as_=root, input=between(onConflict="OVERWRITE", **more))) == ["CONFLICT"]


async def test_a_new_slug_is_free_in_both_orgs_and_not_too_long(
    api: Api, make: Make, database: db.Database, root: Person, here: Entity, there: Entity
) -> None:
    long = "x" * 128
    for slug in ("a1", "a1_1", long):
        await make.resource(here, slug=slug)
    for slug in ("a1", "a1_2", long):
        await make.resource(there, slug=slug)

    merged = answered(await api(MERGE, as_=root, input=between(onConflict="RENAME")), "mergeOrgs")

    assert (merged["movedResources"], merged["renamedResources"]) == (3, 2)
    slugs = {"a1", "a1_1", "a1_2", "a1_3", long, "x" * 126 + "_1"}
    assert set(await paths(database)) == {f"there/{slug}" for slug in slugs}


def test_a_number_behind_a_slug_fits() -> None:
    assert [len(numbered_slug("x" * 128, number)) for number in (1, 10, 12_345)] == [128] * 3


async def test_a_locked_resource_stops_the_whole_change(
    api: Api, make: Make, database: db.Database, root: Person, here: Entity, there: Entity
) -> None:
    """The problem names the org of the locked resource."""
    await make.resource(here, slug="a1")
    await make.locked(await make.resource(here, slug="b1"))
    await make.locked(await make.resource(there, slug="a1"))
    refused = (
        (MOVE, {"slugs": ["a1"], "onConflict": "OVERWRITE"}, "destination"),
        (MOVE, {"slugs": ["a1", "b1"], "onConflict": "OVERWRITE"}, "source"),
        (MERGE, {"onConflict": "RENAME"}, "source"),
    )

    async with unchanged(database):
        for mutation, more, place in refused:
            assert problems(await api(mutation, as_=root, input=between(**more))) == {f"LOCKED input.{place}"}
    assert codes(await api(MOVE, as_=root, input=between(slugs=["a1"], onConflict="RENAME"))) == []


REFUSED: list[tuple[dict[str, Any], set[str]]] = [
    ({"slugs": []}, {"INVALID_INPUT input.slugs"}),
    ({"slugs": ["a1", "-"]}, {"INVALID_INPUT input.slugs.1"}),
    ({"slugs": ["a1", "a1", "A1"]}, {"INVALID_INPUT input.slugs.1", "INVALID_INPUT input.slugs.2"}),
    ({"slugs": ["a1", "ghost"]}, {"NOT_FOUND input.slugs.1"}),
    ({"slugs": ["a1"], "destination": {"slug": "here"}}, {"INVALID_INPUT input.destination"}),
    ({"slugs": ["a1"], "destination": {"slug": "ghost"}}, {"NOT_FOUND input.destination"}),
    ({"slugs": ["a1"], "source": {"slug": "ghost"}}, {"NOT_FOUND input.source"}),
]


async def test_all_are_moved_or_none(
    api: Api, make: Make, database: db.Database, root: Person, here: Entity, there: Entity
) -> None:
    await make.resource(here, slug="a1")

    async with unchanged(database):
        for values, wanted in REFUSED:
            assert problems(await api(MOVE, as_=root, input=between(**values))) == wanted, values


async def test_a_merge_unites_the_members_and_deletes_the_source(
    api: Api, make: Make, database: db.Database, root: Person
) -> None:
    owner, host, low, high, new, ended, back = [await make.user() for _ in range(7)]
    here, there = await make.org("here", owner=owner), await make.org("there", owner=host)
    soon = database.clock() + timedelta(days=1)
    past = database.clock() - timedelta(days=1)
    await make.member(here, host, MemberLevel.READ_WRITE)
    await make.member(here, low, MemberLevel.READ_ONLY)
    await make.member(there, low, MemberLevel.READ_WRITE)
    await make.member(here, high, MemberLevel.READ_WRITE_DELETE)
    await make.member(there, high, MemberLevel.READ_WRITE, expires_at=soon)
    await make.member(here, new, MemberLevel.READ_ONLY, expires_at=soon)
    await make.member(here, ended, MemberLevel.ADMIN, expires_at=past)
    await make.member(here, back, MemberLevel.READ_ONLY)
    await make.member(there, back, MemberLevel.ADMIN, expires_at=past)
    await make.resource(here, slug="reef", owner=owner)

    merged = answered(await api(MERGE, as_=root, input=between()), "mergeOrgs")

    assert merged == {
        "org": {"slug": "there"},
        "deletedOrgId": here.node,
        "movedResources": 1,
        "renamedResources": 0,
        "errors": [],
    }
    assert await members(database, there) == {
        owner.id: (3, None),
        low.id: (1, None),
        high.id: (2, None),
        new.id: (0, soon),
        back.id: (0, None),
    }
    assert await rows_of(database, tables.Org) == 1
    assert (await api('{ resource(by: {path: {orgSlug: "there", slug: "reef"}}) { slug } }', as_=new))["data"][
        "resource"
    ] == {"slug": "reef"}


async def test_a_merge_can_keep_the_source(
    api: Api, make: Make, database: db.Database, root: Person, here: Entity, there: Entity
) -> None:
    await make.member(here, await make.user())
    await make.resource(here, slug="reef", size_bytes=3)

    merged = answered(await api(MERGE, as_=root, input=between(deleteSource=False)), "mergeOrgs")

    assert merged["deletedOrgId"] is None
    assert await sizes(database, tables.Org) == {here.id: 0, there.id: 3}
    assert [len(await members(database, org)) for org in (here, there)] == [1, 1]


async def test_what_does_not_fit_into_a_quota_stays(
    api: Api, make: Make, database: db.Database, here: Entity, there: Entity
) -> None:
    """For those who manage orgs and have no exemption; who manages resources has one."""
    manager, root = await make.holder(Permission.ORGS_MANAGE), await make.admin()
    reef = await make.resource(here, slug="reef", size_bytes=5)
    await make.resource(there, slug="reef", size_bytes=4)
    await Storing(api).ticket(reef, root, 3)
    quota = {"org": {"slug": "there"}, "quotaBytes": 11}
    answered(await api(change("setOrgQuota"), as_=manager, input=quota), "setOrgQuota")

    for mutation, more in ((MOVE, {"slugs": ["reef"]}), (MERGE, {})):
        async with unchanged(database):
            reply = await api(mutation, as_=manager, input=between(onConflict="RENAME", **more))
            assert problems(reply) == {"QUOTA_EXCEEDED input.destination"}
    assert codes(await api(MERGE, as_=manager, input=between(onConflict="OVERWRITE", validateOnly=True))) == []
    assert codes(await api(MERGE, as_=root, input=between(onConflict="RENAME"))) == []
    assert await sizes(database, tables.Org) == {there.id: 9}


async def test_the_new_owner_pays_for_what_moves(api: Api, make: Make, database: db.Database) -> None:
    manager, ann = await make.holder(Permission.ORGS_MANAGE), await make.user()
    here, _ = await make.org("here", owner=ann), await make.org("there", owner=ann)
    poor = await make.user()
    await make.org("poor", owner=poor)
    await limit(database, poor, 0)
    await limit(database, ann, 0)
    await make.resource(here, slug="reef", size_bytes=5)

    reply = await api(MERGE, as_=manager, input=between(destination={"slug": "poor"}))

    assert problems(reply) == {"QUOTA_EXCEEDED input.destination"}
    assert codes(await api(MERGE, as_=manager, input=between())) == []  # whose it was before: nothing is more


async def test_the_log_tells_both_orgs_and_every_resource(
    api: Api, make: Make, root: Person, here: Entity, there: Entity
) -> None:
    ann = await make.user("ann")
    await make.member(here, ann)
    await make.resource(here, slug="reef")
    answered(await api(MERGE, as_=root, input=between()), "mergeOrgs")

    events = "{ auditEvents(first: 1) { nodes { action changes { nodes { objectType objectName before after } } } } }"
    (event,) = (await api(events, as_=root))["data"]["auditEvents"]["nodes"]

    assert event["action"] == "mergeOrgs"
    changed = {(each["objectType"], each["objectName"]) for each in event["changes"]["nodes"]}
    assert {("ORG", "here"), ("ORG", "there"), ("USER", "ann")} <= changed


@pytest.mark.parametrize("name", ["mergeOrgs", "moveResources"])
async def test_what_happens_at_the_same_time_does_not_break_it(
    api: Api, settings: Settings, make: Make, database: db.Database, root: Person, name: str
) -> None:
    async with another(settings) as other:
        for at in range(TIMES):
            here, there = await make.org(f"here{at}"), await make.org(f"there{at}")
            things = [await make.resource(here, slug=f"r{each}", size_bytes=5) for each in range(3)]
            ticket = await Storing(api).ticket(things[0], root, 1)
            orgs = {"source": {"slug": here.slug}, "destination": {"slug": there.slug}}
            back = {"source": {"slug": there.slug}, "destination": {"slug": here.slug}}
            more: dict[str, Any] = {"slugs": ["r0", "r1"]} if name == "moveResources" else {"deleteSource": False}
            new = {"org": {"slug": there.slug}, "type": "DATASET", "slug": "r1", "name": "New"}

            replies = await asyncio.gather(
                api(change(name), as_=root, input={**orgs, **more, "onConflict": "RENAME"}),
                other(change(name), as_=root, input={**back, **more, "onConflict": "RENAME"}),
                other(change("createResource"), as_=root, input=new),
                Storing(other).finish(ticket, 1),
                other(change("deleteResource"), as_=root, input={"resource": {"id": things[2].node}}),
            )

            assert {code for reply in replies for code in codes(reply)} <= {"NOT_FOUND", "CONFLICT"}
            assert await sizes(database, tables.Org) == await summed(database)
