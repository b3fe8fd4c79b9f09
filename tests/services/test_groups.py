"""Claims about groups: their names, their members, and the effects of a deletion."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import db
from app.config import Settings
from app.db import tables
from app.db.tables import col
from app.domain import resource_roles
from app.domain.viewer import Permission
from tests.support.changes import another, answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, Person, rows_of, stale
from tests.support.fetching import fetch

GROUP = "group { slug displayName description }"
CREATE, UPDATE = change("createGroup", GROUP), change("updateGroup", GROUP)
DELETE = change("deleteGroup", "deletedGroupId revokedFrom")
EACH = "group { slug } results { index user { userName } errors { code path } }"
ADD, REMOVE = change("addGroupMembers", EACH), change("removeGroupMembers", EACH)
MANAGER = change("setGroupManager", "group { slug } user { userName }")
GROUPS = """
query ($id: ID!, $filter: GroupFilter) {
  node(id: $id) { id }
  group(by: {slug: "pilots"}) { slug displayName description members { totalCount } }
  groups(filter: $filter) { totalCount nodes { slug } }
}
"""
MEMBERS = """
query ($first: Int, $after: String) {
  group(by: {slug: "pilots"}) {
    members(first: $first, after: $after) {
      totalCount
      pageInfo { hasNextPage endCursor }
      edges { isManager addedAt addedBy { userName } expiresAt node { userName } }
    }
  }
}
"""
GROUPS_OF_USER = """
query ($user: String!) {
  user(by: {userName: $user}) { groups { totalCount edges { isManager addedAt expiresAt node { slug } } } }
}
"""
PILOTS = {"slug": "pilots"}
PAST = datetime(2020, 1, 1, tzinfo=UTC)


def _named(*users: str) -> list[dict[str, Any]]:
    return [{"userName": name} for name in users]


def _adding(*users: str, **more: Any) -> dict[str, Any]:
    return {"group": PILOTS, "members": [{"user": user} | more for user in _named(*users)]}


def _removing(*users: str) -> dict[str, Any]:
    return {"group": PILOTS, "members": _named(*users)}


async def _members(api: Api, as_: Person | None, **variables: Any) -> Any:
    return (await api(MEMBERS, as_=as_, **variables))["data"]["group"]["members"]


async def test_who_manages_groups_makes_changes_and_deletes_them(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.holder(Permission.GROUPS_MANAGE)

    created = await api(CREATE, as_=ann, input={"slug": "pilots", "displayName": " Pilots ", "description": "Fly."})
    changed = await api(UPDATE, as_=ann, input={"group": PILOTS, "displayName": "Flyers"})
    deleted = await api(DELETE, as_=ann, input={"group": PILOTS})

    expected = {"slug": "pilots", "displayName": "Pilots", "description": "Fly."}
    assert answered(created, "createGroup")["group"] == expected
    assert answered(changed, "updateGroup")["group"] == expected | {"displayName": "Flyers"}
    assert answered(deleted, "deleteGroup")["revokedFrom"] == 0
    assert await rows_of(database, tables.Group) == 0


@pytest.mark.parametrize("slug", ["general", "g", "a--b", "-a", "Ab", "a b", "a" * 129])
async def test_a_slug_out_of_form_is_refused(api: Api, make: Make, database: db.Database, slug: str) -> None:
    root = await make.admin()

    async with unchanged(database):
        reply = await api(CREATE, as_=root, input={"slug": slug, "displayName": "\t"})

    assert problems(reply) == {"INVALID_INPUT input.slug", "INVALID_INPUT input.displayName"}


async def test_a_slug_is_taken_once(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    await make.group("pilots")

    async with unchanged(database):
        reply = await api(CREATE, as_=root, input={"slug": "pilots", "displayName": "P"})

    assert problems(reply) == {"CONFLICT input.slug"}


async def test_names_are_for_all_who_signed_in_and_members_for_members(api: Api, make: Make) -> None:
    ann, eve, manager = await make.user(), await make.user(), await make.holder(Permission.GROUPS_MANAGE)
    group = await make.group("pilots", ann, display_name="Pilots")

    async def seen(asker: Person | None) -> list[Any]:
        data = (await api(GROUPS, as_=asker, id=group.node))["data"]
        details = data["group"]
        return [
            data["node"] is not None,
            data["groups"]["totalCount"],
            details and (details["slug"], details["members"]),
        ]

    assert await seen(None) == [False, 0, None]
    assert await seen(eve) == [True, 1, ("pilots", None)]
    assert await seen(ann) == await seen(manager) == [True, 1, ("pilots", {"totalCount": 1})]


async def test_groups_are_filtered_to_ones_own(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    await make.group("pilots", ann)
    await make.group_member(await make.group("past"), ann, expires_at=PAST)
    other = await make.group("other")

    async def slugs(**only: Any) -> list[str]:
        reply = await api(GROUPS, as_=ann, id=other.node, filter=only)
        return [node["slug"] for node in reply["data"]["groups"]["nodes"]]

    assert await slugs() == ["other", "past", "pilots"]
    assert await slugs(viewerBelongs=True) == ["pilots"]
    assert await slugs(viewerBelongs=False) == ["other", "past"]
    assert await slugs(displayName={"contains": "P"}) == ["past", "pilots"]


async def test_a_membership_shows_its_facts_from_both_ends(api: Api, make: Make, database: db.Database) -> None:
    ann, bea, eve = await make.user("ann"), await make.user("bea"), await make.user("eve")
    group = await make.group("pilots")
    await make.group_member(group, ann, is_manager=True)
    now = datetime.now(UTC).replace(microsecond=0)
    database.clock = lambda: now
    stamp = now.strftime("%Y-%m-%dT%H:%M:%S.000000Z")

    reply = await api(ADD, as_=ann, input=_adding("BEA", expiresAt="2999-01-01T00:00:00Z"))

    assert answered(reply, "addGroupMembers") == {
        "group": PILOTS,
        "results": [{"index": 0, "user": {"userName": "bea"}, "errors": []}],
        "errors": [],
    }
    facts = {"isManager": False, "addedAt": stamp, "expiresAt": "2999-01-01T00:00:00.000000Z"}
    page = await _members(api, bea)
    assert page["edges"][1] == facts | {"addedBy": {"userName": "ann"}, "node": {"userName": "bea"}}
    user = (await api(GROUPS_OF_USER, as_=bea, user="bea"))["data"]["user"]
    assert user["groups"] == {"totalCount": 1, "edges": [facts | {"node": PILOTS}]}
    assert (await api(GROUPS_OF_USER, as_=ann, user="bea"))["data"]["user"] == {"groups": None}
    assert (await api(GROUPS_OF_USER, as_=eve, user="bea"))["data"]["user"] is None


async def test_members_are_paged(api: Api, make: Make) -> None:
    people = await make.users([f"m{at}" for at in range(5)])
    await make.group("pilots", *people)

    first = await _members(api, people[0], first=3)
    rest = await _members(api, people[0], first=3, after=first["pageInfo"]["endCursor"])

    assert [edge["node"]["userName"] for edge in first["edges"] + rest["edges"]] == [f"m{at}" for at in range(5)]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (5, True, False)


async def test_all_are_added_or_none_and_each_offender_is_named(api: Api, make: Make, database: db.Database) -> None:
    boss, bea = await make.holder(Permission.GROUPS_MANAGE), await make.user("bea")
    await make.users(["cat", "dan"])
    await make.group("pilots", bea)
    data = _adding("cat", "nobody", "bea", "CAT", "dan")
    data["members"][4]["expiresAt"] = "2020-01-01T00:00:00Z"

    async with unchanged(database):
        reply = await api(ADD, as_=boss, input=data)

    assert problems(reply) == {
        "NOT_FOUND input.members.1.user",
        "CONFLICT input.members.2.user",
        "CONFLICT input.members.3",
        "INVALID_INPUT input.members.4.expiresAt",
    }
    results = reply["data"]["addGroupMembers"]["results"]
    assert [(each["index"], each["user"], len(each["errors"])) for each in results] == [
        (0, None, 0),
        (1, None, 1),
        (2, None, 1),
        (3, None, 1),
        (4, None, 1),
    ]


async def test_somebody_named_in_two_ways_is_still_one(api: Api, make: Make, database: db.Database) -> None:
    root, bea = await make.admin(), await make.user("bea")
    await make.group("pilots")
    ways = [{"user": {"id": bea.node}}, {"user": {"userName": "bea"}}]

    async with unchanged(database):
        reply = await api(ADD, as_=root, input={"group": PILOTS, "members": ways})

    assert problems(reply) == {"CONFLICT input.members.1"}


async def test_a_manager_finds_others_by_name_but_not_by_id(api: Api, make: Make, database: db.Database) -> None:
    ann, far = await make.user("ann"), await make.user("far")
    await make.group_member(await make.group("pilots"), ann, is_manager=True)
    ways = [{"user": {"userName": "far"}}, {"user": {"id": far.node}}]

    async with unchanged(database):
        reply = await api(ADD, as_=ann, input={"group": PILOTS, "members": ways})
    assert problems(reply) == {"NOT_FOUND input.members.1.user"}

    answered(await api(ADD, as_=ann, input=_adding("far")), "addGroupMembers")


async def test_a_thousand_are_added_and_removed_at_once_and_no_more(
    api: Api, make: Make, database: db.Database
) -> None:
    root, names = await make.admin(), [f"m{at}" for at in range(1000)]
    await make.users(names)
    await make.group("pilots")

    async with unchanged(database):
        for document, data in ((ADD, _adding(*names, "more")), (ADD, _adding()), (REMOVE, _removing(*names, "more"))):
            reply = await api(document, as_=root, input=data)
            assert problems(reply) == {"INVALID_INPUT input.members"}
    added = await api(ADD, as_=root, input=_adding(*names))
    assert len(answered(added, "addGroupMembers")["results"]) == 1000
    assert await rows_of(database, tables.GroupMember) == 1000
    removed = await api(REMOVE, as_=root, input=_removing(*names))
    assert answered(removed, "removeGroupMembers")["results"][999]["user"] == {"userName": "m999"}
    assert await rows_of(database, tables.GroupMember) == 0


async def test_all_are_removed_or_none(api: Api, make: Make, database: db.Database) -> None:
    root, people = await make.admin(), await make.users(["ann", "bea", "old"])
    group = await make.group("pilots", *people[:2])
    await make.group_member(group, people[2], expires_at=PAST)

    async with unchanged(database):
        reply = await api(REMOVE, as_=root, input=_removing("ann", "old", "ANN", "root"))
    assert problems(reply) == {
        "NOT_FOUND input.members.1",
        "CONFLICT input.members.2",
        "NOT_FOUND input.members.3",
    }

    answered(await api(REMOVE, as_=root, input=_removing("bea", "ann")), "removeGroupMembers")
    assert (await _members(api, root))["totalCount"] == 0


async def test_a_manager_changes_members_and_a_member_nothing(api: Api, make: Make, database: db.Database) -> None:
    ann, bea, eve = [await make.user(name) for name in ("ann", "bea", "eve")]
    group = await make.group("pilots", bea)
    await make.group_member(group, ann, is_manager=True)
    changes = [(ADD, _adding("eve")), (REMOVE, _removing("bea"))]
    changes += [(MANAGER, {"group": PILOTS, "user": {"userName": "bea"}, "isManager": True})]

    async with unchanged(database):
        for asker, code in ((bea, "FORBIDDEN"), (eve, "FORBIDDEN"), (None, "UNAUTHENTICATED")):
            assert [codes(await api(document, as_=asker, input=data)) for document, data in changes] == [[code]] * 3
            more = {"group": PILOTS, "displayName": "x"}
            assert codes(await api(UPDATE, as_=asker, input=more)) == [code]
            assert codes(await api(DELETE, as_=asker, input={"group": PILOTS})) == [code]
        assert codes(await api(DELETE, as_=ann, input={"group": PILOTS})) == ["FORBIDDEN"]
        never = {"group": {"slug": "never"}, "members": _named("bea")}
        assert problems(await api(REMOVE, as_=ann, input=never)) == {"NOT_FOUND input.group"}

    for document, data in (changes[2], changes[0], changes[1]):
        assert codes(await api(document, as_=ann, input=data)) == []


async def test_somebody_becomes_a_manager_and_ceases_to_be_one(api: Api, make: Make) -> None:
    boss, ann = await make.holder(Permission.GROUPS_MANAGE), await make.user("ann")
    await make.user("bea")
    await make.group("pilots", ann)
    data = {"group": PILOTS, "user": {"userName": "ann"}}

    assert codes(await api(ADD, as_=ann, input=_adding("bea"))) == ["FORBIDDEN"]
    answered(await api(MANAGER, as_=boss, input=data | {"isManager": True}), "setGroupManager")
    answered(await api(ADD, as_=ann, input=_adding("bea")), "addGroupMembers")
    answered(await api(MANAGER, as_=ann, input=data | {"isManager": False}), "setGroupManager")

    assert codes(await api(REMOVE, as_=ann, input=_removing("bea"))) == ["FORBIDDEN"]
    reply = await api(MANAGER, as_=boss, input={"group": PILOTS, "user": {"userName": "far"}, "isManager": True})
    assert problems(reply) == {"NOT_FOUND input.user"}


async def test_a_membership_ends_by_the_clock_and_may_begin_again(api: Api, make: Make, database: db.Database) -> None:
    ann, boss = await make.user("ann"), await make.holder(Permission.GROUPS_MANAGE)
    ends = datetime.now(UTC) + timedelta(hours=1)
    await make.group_member(await make.group("pilots"), ann, is_manager=True, expires_at=ends)

    assert (await _members(api, ann))["totalCount"] == 1
    database.clock = lambda: ends
    assert await _members(api, ann) is None
    assert codes(await api(ADD, as_=ann, input=_adding("ann"))) == ["FORBIDDEN"]
    answered(await api(ADD, as_=boss, input=_adding("ann")), "addGroupMembers")

    rows = await fetch(database, select(col(tables.GroupMember.is_manager), col(tables.GroupMember.expires_at)))
    assert rows == [(False, None)]


async def test_a_slug_used_again_starts_clean(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann")
    group, org = await make.group("pilots", ann), await make.org()
    resources = [await make.resource(org, general=0) for _ in range(3)]
    for resource in resources[:2]:
        await make.grant(resource, group, resource_roles.METADATA_WRITE)
    question = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    ids = [resource.node for resource in resources]

    before = await api(question, as_=ann, ids=ids)
    deleted = answered(await api(DELETE, as_=root, input={"group": PILOTS}), "deleteGroup")
    answered(await api(CREATE, as_=root, input={"slug": "pilots", "displayName": "Pilots"}), "createGroup")
    answered(await api(ADD, as_=root, input=_adding("ann")), "addGroupMembers")
    after = await api(question, as_=ann, ids=ids)

    assert [node is not None for node in before["data"]["nodes"]] == [True, True, False]
    assert (deleted["deletedGroupId"], deleted["revokedFrom"]) == (group.node, 2)
    assert after["data"]["nodes"] == [None, None, None]
    revisions = select(col(tables.Resource.revision)).order_by(col(tables.Resource.id))
    assert await fetch(database, revisions) == [(2,), (2,), (1,)]
    assert await rows_of(database, tables.Grant) == 3
    assert await stale(database) == set()


async def test_of_two_who_add_the_same_member_one_wins(
    api: Api, make: Make, settings: Settings, database: db.Database
) -> None:
    root, names = await make.admin(), [f"m{at}" for at in range(8)]
    await make.users(names)
    await make.group("pilots")

    async with another(settings) as other:
        for name in names:
            replies = await asyncio.gather(
                *(each(ADD, as_=root, input=_adding(name)) for each in (api, other)),
            )
            assert sorted(map(codes, replies)) == [[], ["CONFLICT"]]

    assert await rows_of(database, tables.GroupMember) == len(names)


NESTED = """
{ groups(first: 100) { nodes { slug
    members(first: 5) { totalCount edges { isManager addedBy { userName } node { userName
      groups(first: 2) { edges { addedAt node { slug } } } } } } } } }
"""


async def test_thirty_groups_cost_as_many_statements_as_one(api: Api, make: Make) -> None:
    root, people = await make.admin(), await make.users([f"m{at}" for at in range(6)])

    await make.group(None, *people)
    few = await api.statements(NESTED, as_=root)
    for _ in range(29):
        await make.group(None, *people)

    assert await api.statements(NESTED, as_=root) == few
    assert len((await api(NESTED, as_=root))["data"]["groups"]["nodes"]) == 30
