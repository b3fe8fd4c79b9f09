"""Tests of what people ask lists: missing values, sizes, memberships, words, and orders with missing values."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.support.client import Api, codes
from tests.support.factories import Make, Person

LATE = datetime(2300, 1, 1, tzinfo=UTC)
USERS = """
query ($filter: UserFilter, $order: [UserOrder!]) { users(filter: $filter, orderBy: $order) { nodes { userName } } }
"""


async def _names(api: Api, viewer: Person, **variables: Any) -> list[str]:
    reply = await api(USERS, as_=viewer, **variables)
    return [each["userName"] for each in reply["data"]["users"]["nodes"]]


@pytest.fixture
async def root(make: Make) -> Person:
    """An administrator who has signed in, beside users of whom some never have."""
    for at, name in enumerate(["ann", "bob", "cem", "dan"]):
        moment = None if name in {"bob", "dan"} else LATE - timedelta(days=at)
        email = None if name == "dan" else f"{9 - at}{name}@example.org"
        await make.user(name, "user", last_login_at=moment, email=email)
    return await make.user("root", "admin", last_login_at=LATE - timedelta(days=9), email=None)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"lastLoginAt": {"isNull": True}}, ["bob", "dan"]),
        ({"lastLoginAt": {"isNull": False}}, ["ann", "cem", "root"]),
        ({"not": {"lastLoginAt": {"gte": "2000-01-01T00:00:00Z"}}}, ["bob", "dan"]),
        ({"not": {"email": {"eq": "9ann@example.org"}}}, ["bob", "cem", "dan", "root"]),
        ({"email": {"isNull": False, "startsWith": "9"}}, ["ann"]),
        ({"isServiceAccount": True}, []),
        ({"search": "EXAMPLE b"}, ["bob"]),
        ({"search": "  "}, ["ann", "bob", "cem", "dan", "root"]),
        ({"search": "%"}, []),
        ({"search": "_"}, []),
        ({"search": "\\"}, []),
        ({"not": {"search": "a"}}, ["root"]),  # every address contains the letter
    ],
)
async def test_users_are_found_by_what_is_missing_and_by_words(
    api: Api, root: Person, condition: Any, found: list[str]
) -> None:
    condition = {"and": [condition, {"userName": {"in": ["ann", "bob", "cem", "dan", "root"]}}]}
    assert await _names(api, root, filter=condition) == found


@pytest.mark.parametrize("text", ["a" * 201, "a b c d e f g h i", "a\0"])
async def test_a_search_has_limits(api: Api, root: Person, text: str) -> None:
    assert codes(await api(USERS, as_=root, filter={"search": text})) == ["BAD_USER_INPUT"]


async def test_hidden_values_are_missing_to_filters_searches_and_orders(api: Api, make: Make, root: Person) -> None:
    """A user who sees others, but not their details, learns nothing from the halves or from the order."""
    org = await make.org("reef")
    plain = await make.user("plain", "user", email="plain@example.org", last_login_at=LATE)
    for name in ("yes", "zoe"):
        seen = await make.user(name, "user", email=f"{name}@secret.example", last_login_at=LATE + timedelta(days=1))
        await make.member(org, seen)
    await make.member(org, plain)
    everybody = ["plain", "yes", "zoe"]

    async def ask(**condition: Any) -> list[str]:
        return await _names(api, plain, filter=condition)

    assert await ask() == everybody
    for value in ("yes@secret.example", "nobody@secret.example"):
        assert await ask(email={"eq": value}) == []
        assert await ask(**{"not": {"email": {"eq": value}}}) == everybody
    assert await ask(email={"isNull": True}) == ["yes", "zoe"]
    assert await ask(email={"isNull": False}) == ["plain"]
    assert await ask(search="secret") == []
    assert await ask(search="plain example") == ["plain"]
    assert await ask(**{"not": {"search": "secret"}}) == everybody
    for field in ("EMAIL", "LAST_LOGIN_AT"):
        assert await _names(api, plain, order=[{"field": field}]) == ["yes", "zoe", "plain"]
        assert await _names(api, plain, order=[{"field": field, "direction": "DESC"}]) == ["plain", "zoe", "yes"]


WALK = """
query ($first: Int, $after: String, $last: Int, $before: String, $order: [UserOrder!]) {
  users(first: $first, after: $after, last: $last, before: $before, orderBy: $order) {
    nodes { userName } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


@pytest.mark.parametrize("field", ["LAST_LOGIN_AT", "EMAIL"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("more", [[], [{"field": "USER_NAME", "direction": "DESC"}]], ids=["alone", "mixed"])
async def test_pages_lead_through_missing_values_both_ways(
    api: Api, make: Make, root: Person, field: str, direction: str, more: list[Any]
) -> None:
    order = [{"field": field, "direction": direction}, *more]
    whole = await _names(api, root, order=order)
    missing = {"LAST_LOGIN_AT": {"bob", "dan"}, "EMAIL": {"dan", "root"}}[field]

    assert set(whole[: len(missing)] if direction == "ASC" else whole[-len(missing) :]) == missing
    assert await _walk(api, root, order, "first", "after") == whole
    assert (await _walk(api, root, order, "last", "before"))[::-1] == whole


async def _walk(api: Api, viewer: Person, order: list[Any], size: str, at: str) -> list[str]:
    """Read all pages of one row in one direction."""
    names: list[str] = []
    cursor: str | None = None
    for _ in range(20):
        reply = await api(WALK, as_=viewer, order=order, **{size: 1, at: cursor})
        page = reply["data"]["users"]
        names += [each["userName"] for each in page["nodes"]]
        cursor = page["pageInfo"]["endCursor" if size == "first" else "startCursor"]
        if not page["pageInfo"]["hasNextPage" if size == "first" else "hasPreviousPage"]:
            return names
    raise AssertionError(names)


async def test_members_are_found_by_their_membership(api: Api, make: Make) -> None:
    root, org = await make.admin(), await make.org("reef")
    for name, level, end in (("ann", 0, None), ("bob", 3, LATE), ("cem", 1, LATE - timedelta(days=1))):
        await make.member(org, await make.user(name), MemberLevel(level), end)
    lists: dict[str, list[str]] = {
        "filter: {level: {gte: READ_WRITE}}": ["bob", "cem"],
        "filter: {level: {in: [READ_ONLY, ADMIN]}}": ["ann", "bob"],
        "filter: {not: {level: {eq: ADMIN}}}": ["ann", "cem"],
        "filter: {expiresAt: {isNull: true}}": ["ann"],
        'filter: {expiresAt: {lt: "2300-01-01T00:00:00Z"}}': ["cem"],
        'filter: {not: {expiresAt: {lt: "2300-01-01T00:00:00Z"}}}': ["ann", "bob"],
        "orderBy: [{field: LEVEL, direction: DESC}]": ["bob", "cem", "ann"],
        "orderBy: [{field: EXPIRES_AT}]": ["cem", "bob", "ann"],
        "orderBy: [{field: EXPIRES_AT, direction: DESC}]": ["ann", "bob", "cem"],
        "orderBy: [{field: ADDED_AT}]": ["ann", "bob", "cem"],
    }
    for arguments, found in lists.items():
        reply = await api(
            f'{{ org(by: {{slug: "reef"}}) {{ members({arguments}) {{ nodes {{ userName }} }} }} }}', root
        )
        nodes = reply["data"]["org"]["members"]["nodes"]
        assert [each["userName"] for each in nodes] == found, arguments


async def test_resources_are_found_by_owner_size_and_id(api: Api, make: Make) -> None:
    root, org = await make.admin(), await make.org("reef", name="Ägäis Reef")
    ann = await make.user("ann", "user")
    made = [
        await make.resource(org, slug=f"r{size}", owner=ann if size == 7 else None, size_bytes=size)
        for size in (7, 2**40, 0)
    ]
    small, big, empty = "r7", f"r{2**40}", "r0"
    lists: dict[str, list[str]] = {
        "filter: {ownerUserName: {isNull: true}}": [empty, big],
        "filter: {not: {ownerUserName: {isNull: true}}}": [small],
        'filter: {not: {ownerUserName: {eq: "ann"}}}': [empty, big],
        "filter: {sizeBytes: {gt: 0}}": [big, small],
        f"filter: {{sizeBytes: {{gte: {2**40}}}}}": [big],
        f'filter: {{id: {{in: ["{made[0].node}", "{ann.node}", "x"]}}}}': [small],
        "orderBy: [{field: SIZE, direction: DESC}]": [big, small, empty],
        'filter: {search: "R7"}': [small],
    }
    for arguments, found in lists.items():
        for viewer in (root, ann):
            reply = await api(f"{{ resources({arguments}) {{ nodes {{ slug }} totalCount }} }}", viewer)
            page = reply["data"]["resources"]
            assert [each["slug"] for each in page["nodes"]] == found, (arguments, reply)
            assert page["totalCount"] == len(found)
    owned = "{ viewer { user { ownedResources(orderBy: [{field: SIZE}]) { nodes { slug } } } } }"
    assert (await api(owned, ann))["data"]["viewer"]["user"]["ownedResources"]["nodes"] == [{"slug": small}]
    orgs = '{ orgs(filter: {search: "agais reef", ownerUserName: {isNull: true}}) { nodes { slug } } }'
    assert (await api(orgs, root))["data"]["orgs"]["nodes"] == [{"slug": "reef"}]


async def test_the_largest_resources_are_found_through_any_access(api: Api, make: Make) -> None:
    """Pages by size along the access index, which does not contain the size."""
    org, ann = await make.org("reef"), await make.user("ann", "user")
    for size in range(7):
        await make.resource(org, slug=f"r{size}", size_bytes=size % 4, owner=ann if size % 2 else None)
    slugs: list[str] = []
    cursor = None
    text = """query ($after: String) { resources(first: 2, after: $after, orderBy: [{field: SIZE, direction: DESC}]) {
      nodes { slug } pageInfo { endCursor hasNextPage } } }"""
    for _ in range(4):
        page = (await api(text, ann, after=cursor))["data"]["resources"]
        slugs, cursor = [*slugs, *(each["slug"] for each in page["nodes"])], page["pageInfo"]["endCursor"]

    assert slugs == ["r3", "r6", "r2", "r5", "r1", "r4", "r0"]


async def test_roles_are_found_by_name_and_kind(api: Api, make: Make) -> None:
    root = await make.admin()
    await make.role("Reviewers", Permission.NONE)
    for condition in ("{isBuiltIn: false}", '{name: {startsWith: "REV"}}'):
        reply = await api(f"{{ roles(filter: {condition}) {{ nodes {{ name }} }} }}", root)
        assert reply["data"]["roles"]["nodes"] == [{"name": "Reviewers"}]
