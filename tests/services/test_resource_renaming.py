"""Claims about new slugs of resources: paths, who may rename, and what a refusal tells."""

import asyncio
from typing import Any

import pytest

from app import db
from app.config import Settings
from app.db import tables
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.db.test_at_once import TIMES, outcomes
from tests.support.changes import another, answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person, rows_of

RENAME = change("renameResource", "resource { slug org { slug } }")
AT = "query ($org: String!, $slug: String!) { resource(by: {path: {orgSlug: $org, slug: $slug}}) { name } }"


async def rename(api: Api, as_: Person | None, resource: Entity, slug: str, **more: Any) -> dict[str, Any]:
    return await api(RENAME, as_=as_, input={"resource": {"id": resource.node}, "slug": slug, **more})


@pytest.fixture
async def ann(make: Make) -> Person:
    return await make.user("ann")


@pytest.fixture
async def lab(make: Make, ann: Person) -> Entity:
    return await make.org("lab", owner=ann)


async def test_the_new_path_leads_to_the_resource_and_the_old_one_nowhere(
    api: Api, make: Make, lab: Entity, ann: Person
) -> None:
    reef = await make.resource(lab, slug="reef", name="Reef")

    renamed = answered(await rename(api, ann, reef, "corals"), "renameResource")["resource"]

    assert renamed == {"slug": "corals", "org": {"slug": "lab"}}
    assert (await api(AT, as_=ann, org="lab", slug="corals"))["data"]["resource"] == {"name": "Reef"}
    assert (await api(AT, as_=ann, org="lab", slug="reef"))["data"]["resource"] is None
    await make.resource(lab, slug="reef")


async def test_the_list_by_time_of_change_has_it_first(api: Api, make: Make, lab: Entity, ann: Person) -> None:
    reef, later = await make.resource(lab, slug="reef"), await make.resource(lab, slug="later")
    answered(await rename(api, ann, later, "other"), "renameResource")
    answered(await rename(api, ann, reef, "corals"), "renameResource")

    query = "{ resources(orderBy: [{field: UPDATED_AT, direction: DESC}]) { nodes { slug } } }"
    nodes = (await api(query, as_=ann))["data"]["resources"]["nodes"]

    assert [node["slug"] for node in nodes] == ["corals", "other"]


async def test_the_same_slug_changes_nothing(
    api: Api, make: Make, lab: Entity, ann: Person, database: db.Database
) -> None:
    reef = await make.resource(lab, slug="reef")
    before = await rows_of(database, tables.AuditChange)

    answered(await rename(api, ann, reef, "reef"), "renameResource")

    assert await rows_of(database, tables.AuditChange) == before


async def test_a_slug_is_valid_and_free(api: Api, make: Make, lab: Entity, ann: Person, database: db.Database) -> None:
    reef, _ = await make.resource(lab, slug="reef"), await make.resource(lab, "MODEL", slug="taken")
    await make.resource(await make.org(owner=ann), slug="free")

    async with unchanged(database):
        for slug in ("-", "a", "A b", "a--b", "x" * 129):
            assert problems(await rename(api, ann, reef, slug)) == {"INVALID_INPUT input.slug"}
        assert problems(await rename(api, ann, reef, "taken")) == {"CONFLICT input.slug"}
        assert problems(await rename(api, ann, reef, "other", validateOnly=True)) == set()
    assert codes(await rename(api, ann, reef, "free")) == []


async def test_a_locked_resource_keeps_its_slug(
    api: Api, make: Make, lab: Entity, ann: Person, database: db.Database
) -> None:
    reef = await make.resource(lab, slug="reef")
    await make.locked(reef)
    people = ann, await make.admin()

    async with unchanged(database):
        for person in people:
            assert codes(await rename(api, person, reef, "corals")) == ["LOCKED"]


async def test_who_does_not_see_the_org_learns_nothing_of_its_slugs(
    api: Api, make: Make, lab: Entity, database: db.Database
) -> None:
    """Otherwise a CONFLICT would tell of resources that the viewer may not see."""
    owner, admin = await make.user(), await make.user()
    reef = await make.resource(lab, slug="reef", owner=owner)
    await make.grant(reef, admin, resource_roles.ADMIN)
    await make.resource(lab, slug="hidden", general=0)

    async with unchanged(database):
        for person in (owner, admin):
            replies = [await rename(api, person, reef, slug) for slug in ("hidden", "free")]
            assert [codes(reply) for reply in replies] == [["FORBIDDEN"]] * 2
            assert replies[0] == replies[1]


async def test_a_writer_of_the_org_and_who_manages_resources_rename(api: Api, make: Make, lab: Entity) -> None:
    writer, reader = await make.user(), await make.user()
    await make.member(lab, writer, MemberLevel.READ_WRITE)
    await make.member(lab, reader, MemberLevel.READ_ONLY)
    reef = await make.resource(lab, slug="reef")

    assert codes(await rename(api, reader, reef, "a1")) == ["FORBIDDEN"]
    assert codes(await rename(api, writer, reef, "a2")) == []
    assert codes(await rename(api, await make.holder(Permission.RESOURCES_MANAGE), reef, "a3")) == []


async def test_of_two_that_take_the_same_slug_one_gets_it(
    api: Api, settings: Settings, make: Make, lab: Entity, ann: Person
) -> None:
    async with another(settings) as other:
        for at in range(TIMES):
            pair = [await make.resource(lab, slug=f"r{at}-{each}") for each in range(2)]
            replies = await asyncio.gather(
                *(rename(worker, ann, each, f"same-{at}") for worker, each in zip((api, other), pair, strict=True))
            )
            assert outcomes(*replies) == [[], ["CONFLICT"]]
