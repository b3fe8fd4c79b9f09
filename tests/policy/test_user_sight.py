"""Claims about the users and fields that each viewer sees, in every query."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain import refs
from app.domain.viewer import ALL_PERMISSIONS, Permission
from tests.support.client import Api
from tests.support.factories import Make, Person

USER = "id userName createdAt email metadata lastLoginAt roles { name users { totalCount nodes { userName } } }"
BY_NAME = f"query ($name: String!) {{ user(by: {{userName: $name}}) {{ {USER} }} }}"
BY_ID = f"query ($id: ID!) {{ user(by: {{id: $id}}) {{ {USER} }} }}"
NODE = f"query ($id: ID!) {{ node(id: $id) {{ ... on User {{ {USER} }} }} }}"
NODES = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on User {{ {USER} }} }} }}"
USERS = "query ($filter: UserFilter) { users(filter: $filter) { totalCount nodes { userName } edges { cursor } } }"
ROLES = "{ roles { totalCount nodes { name permissions isBuiltIn users { totalCount } } } }"

LAST = datetime(2031, 1, 2, 3, 4, 5, tzinfo=UTC)
SEES_ALL = [Permission.USERS_VIEW, Permission.USERS_MANAGE]


async def _ways(api: Api, asker: Person | None, user: Person) -> list[Any]:
    """Return the response of every lookup of a user."""
    replies = [
        (await api(BY_NAME, as_=asker, name=user.user_name.upper()))["data"]["user"],
        (await api(BY_ID, as_=asker, id=user.node))["data"]["user"],
        (await api(NODE, as_=asker, id=user.node))["data"]["node"],
    ]
    return [*replies, *(await api(NODES, as_=asker, ids=[user.node]))["data"]["nodes"]]


async def _ann(make: Make) -> Person:
    return await make.user("Ann", "user", email="ann@b.example", details={"b": 1, "a": 2})


async def test_a_stranger_sees_only_themselves(api: Api, make: Make) -> None:
    ann, eve = await _ann(make), await make.user("eve", "user")

    listed = await api(USERS, as_=eve)
    filtered = await api(USERS, as_=eve, filter={"userName": {"in": ["ann", "eve"]}})

    assert await _ways(api, eve, ann) == [None] * 4
    for reply in (listed, filtered):
        assert reply["data"]["users"]["totalCount"] == 1
        assert reply["data"]["users"]["nodes"] == [{"userName": "eve"}]


async def test_who_is_hidden_looks_like_who_never_was(api: Api, make: Make) -> None:
    ann, eve = await _ann(make), await make.user("eve")
    names = [await api(BY_NAME, as_=eve, name=name) for name in ("Ann", "ghost", "", "a\0", "x" * 1_000)]
    keys = [
        await api(BY_ID, as_=eve, id=key) for key in (ann.node, refs.encode("User", 999), "x", refs.encode("Role", 1))
    ]

    assert [reply == {"data": {"user": None}} for reply in [*names, *keys]] == [True] * 9


async def test_nobody_sees_no_user(api: Api, make: Make) -> None:
    ann = await _ann(make)

    assert await _ways(api, None, ann) == [None] * 4
    assert (await api(USERS))["data"]["users"] == {"totalCount": 0, "nodes": [], "edges": []}


async def test_a_user_sees_everything_about_themselves_but_no_other_holder_of_their_roles(api: Api, make: Make) -> None:
    ann = await _ann(make)

    replies = await _ways(api, ann, ann)

    assert all(each == replies[0] for each in replies)
    assert {name: replies[0][name] for name in ("email", "metadata", "lastLoginAt", "roles")} == {
        "email": "ann@b.example",
        "metadata": {"b": 1, "a": 2},
        "lastLoginAt": None,
        "roles": [{"name": "user", "users": None}],
    }


@pytest.mark.parametrize("permission", SEES_ALL)
async def test_who_views_or_manages_users_sees_everything_about_everybody(
    api: Api, make: Make, permission: Permission
) -> None:
    ann, viewer = await _ann(make), await make.holder(permission, "viewer")

    replies = await _ways(api, viewer, ann)

    assert all(each == replies[0] for each in replies)
    assert (replies[0]["email"], replies[0]["metadata"]) == ("ann@b.example", {"b": 1, "a": 2})
    assert replies[0]["roles"] == [{"name": "user", "users": {"totalCount": 1, "nodes": [{"userName": "Ann"}]}}]
    listed = (await api(USERS, as_=viewer))["data"]["users"]
    assert (listed["totalCount"], [node["userName"] for node in listed["nodes"]]) == (2, ["Ann", "viewer"])


MANAGES_PEOPLE = Permission.ORGS_MANAGE | Permission.GROUPS_MANAGE | Permission.RESOURCES_MANAGE
MANAGES_PEOPLE |= Permission.ACCESS_VIEW  # a user who checks the access of all users looks all of them up


async def test_every_other_permission_shows_no_other_user(api: Api, make: Make) -> None:
    """Users who manage members, or check access of all users, look users up by exact name: see the tests of those."""
    ann = await _ann(make)
    eve = await make.holder(
        ALL_PERMISSIONS & ~Permission.USERS_VIEW & ~Permission.USERS_MANAGE & ~MANAGES_PEOPLE, "eve"
    )

    assert await _ways(api, eve, ann) == [None] * 4
    assert (await api(USERS, as_=eve))["data"]["users"]["totalCount"] == 1


PROBES: list[dict[str, Any]] = [
    {"email": {"eq": "ann@b.example"}},
    {"email": {"startsWith": "a"}},
    {"email": {"contains": "@"}},
    {"email": {"in": ["ann@b.example"]}},
    {"roleName": {"eq": "user"}},
    {"roleName": {"contains": ""}},
    {"lastLoginAt": {"gt": "2000-01-01T00:00:00Z"}},
    {"not": {"email": {"eq": "x"}}},
    {"not": {"roleName": {"eq": "x"}}},
    {"or": [{"isDeactivated": False}, {"userName": {"eq": "ann"}}]},
]


async def test_no_filter_tells_a_stranger_about_others(api: Api, make: Make) -> None:
    await _ann(make)
    eve = await make.user("eve")

    for probe in PROBES:
        seen = (await api(USERS, as_=eve, filter=probe))["data"]["users"]
        assert [node["userName"] for node in seen["nodes"]] in ([], ["eve"]), probe
        assert seen["totalCount"] == len(seen["nodes"]), probe


async def test_the_same_filters_match_the_user_for_a_viewer_of_users(api: Api, make: Make) -> None:
    await _ann(make)
    viewer = await make.holder(Permission.USERS_VIEW)

    for probe in [*PROBES[:5], {"and": [{"email": {"contains": "B.EX"}}, {"roleName": {"eq": "USER"}}]}]:
        seen = (await api(USERS, as_=viewer, filter=probe))["data"]["users"]
        assert [node["userName"] for node in seen["nodes"]] == ["Ann"], probe


async def test_a_stranger_sees_every_role_but_no_holder(api: Api, make: Make) -> None:
    await _ann(make)

    reply = await api(ROLES, as_=await make.user("eve"))

    names = [role["name"] for role in reply["data"]["roles"]["nodes"]]
    assert names == ["admin", "deactivated", "user"]
    assert [role["users"] for role in reply["data"]["roles"]["nodes"]] == [None] * 3


async def test_nobody_sees_no_role(api: Api, make: Make) -> None:
    reply = await api(
        f'{ROLES[:-1]} role(by: {{name: "admin"}}) {{ id }} node(id: "{refs.encode("Role", 1)}") {{ id }} }}'
    )

    assert reply == {"data": {"roles": {"totalCount": 0, "nodes": []}, "role": None, "node": None}}


async def test_a_role_lookup_ignores_letter_case(api: Api, make: Make) -> None:
    eve = await make.user("eve")
    query = "query ($name: String!) { role(by: {name: $name}) { name isBuiltIn permissions } }"

    reply = await api(query, as_=eve, name="aDMIN")

    assert reply["data"]["role"] == {
        "name": "admin",
        "isBuiltIn": True,
        "permissions": [str(each.name) for each in ALL_PERMISSIONS],
    }
    assert (await api(query, as_=eve, name="a\0"))["data"] == {"role": None}
