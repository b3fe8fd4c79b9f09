"""Pages: the arguments of a list, and that its pages give each row once, even if rows change meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import col

from app import db
from app.db import tables
from tests.oracle.naive.lists import cursor_of
from tests.support.client import Api, codes
from tests.support.factories import Make, Person

PAGE = """
query ($first: Int, $after: String, $last: Int, $before: String, $orderBy: [UserOrder!], $filter: UserFilter) {
  users(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter) {
    nodes { userName } edges { cursor } totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
BELOW = """
query ($first: Int, $after: String, $last: Int, $before: String, $orderBy: [UserOrder!]) {
  role(by: {name: "user"}) {
    users(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy) {
      nodes { userName } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""
BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)

UP: list[dict[str, str]] = []
DOWN = [{"field": "USER_NAME", "direction": "DESC"}]
OLDEST = [{"field": "CREATED_AT"}]
MIXED = [{"field": "CREATED_AT", "direction": "DESC"}, {"field": "USER_NAME"}]
ORDERS = {"up": UP, "down": DOWN, "oldest": OLDEST, "mixed": MIXED}

BY_NAME = [("user_name", False)]


@pytest.fixture
async def root(make: Make) -> Person:
    """An administrator among twenty others; several were made at the same moment."""
    for day in range(4):
        names = [f"{letter}{day}" for letter in "aGbFc"]
        await make.users(names, ["user"], created_at=BEGINNING + timedelta(days=day))
    return await make.admin("zoe")


OUT_OF_BOUNDS: list[dict[str, Any]] = [
    {"first": 0},
    {"first": -1},
    {"first": 101},
    {"last": 0},
    {"last": 101},
    {"first": 1, "last": 1},
    {"last": 1, "after": cursor_of(BY_NAME, ("a0", 1))},
    {"first": 1, "before": cursor_of(BY_NAME, ("a0", 1))},
    {"before": cursor_of(BY_NAME, ("a0", 1))},
    {"orderBy": [{"field": "USER_NAME"}, {"field": "USER_NAME", "direction": "DESC"}]},
]


async def test_sizes_and_directions_have_bounds(api: Api, root: Person) -> None:
    for arguments in OUT_OF_BOUNDS:
        reply = await api(PAGE, as_=root, **arguments)

        assert (reply["data"], codes(reply)) == (None, ["BAD_USER_INPUT"]), arguments
        assert reply["errors"][0]["path"] == ["users"]


STRANGE = [
    "",
    "x",
    "%%%",
    "é",
    "bnVsbA",
    "W10",
    "A" * 5000,
    cursor_of([("name", False)], ("admin", 1)),
    cursor_of([("user_name", True)], ("a0", 1)),
    cursor_of([("created_at", False)], ("2024-01-01T00:00:00+00:00", 1)),
    cursor_of(BY_NAME, ("a0",)),
    cursor_of(BY_NAME, ("a0", 1, 1)),
    cursor_of(BY_NAME, ("a0", -1)),
    cursor_of(BY_NAME, ("a0", 2**63)),
    cursor_of(BY_NAME, ("a0", 10**30)),
    cursor_of(BY_NAME, ("a0", True)),
    cursor_of(BY_NAME, ("a0", "1")),
    cursor_of(BY_NAME, (1, 1)),
    cursor_of(BY_NAME, (None, 1)),
    cursor_of(BY_NAME, ("a\0", 1)),
]


@pytest.mark.parametrize("names", [("first", "after"), ("last", "before")])
async def test_a_cursor_of_something_else_is_refused(api: Api, root: Person, names: tuple[str, str]) -> None:
    for cursor in STRANGE:
        reply = await api(PAGE, as_=root, **{names[0]: 1, names[1]: cursor})

        assert (reply["data"], codes(reply)) == (None, ["BAD_USER_INPUT"]), cursor


NO_MOMENTS = [
    "",
    "yesterday",
    "2024-01-01",
    "2024-01-01T00:00:00",
    "2024-13-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    1,
]


async def test_a_moment_in_a_cursor_is_one(api: Api, root: Person) -> None:
    for moment in NO_MOMENTS:
        cursor = cursor_of([("created_at", False)], (moment, 1))

        assert codes(await api(PAGE, as_=root, orderBy=OLDEST, after=cursor)) == ["BAD_USER_INPUT"], moment


async def test_a_bad_page_below_something_leaves_the_rest(api: Api, root: Person) -> None:
    reply = await api(
        '{ viewer { user { userName } } role(by: {name: "user"}) { name users(first: 0) { totalCount } } }', root
    )

    assert reply["data"] == {"viewer": {"user": {"userName": "zoe"}}, "role": {"name": "user", "users": None}}
    assert (codes(reply), reply["errors"][0]["path"]) == (["BAD_USER_INPUT"], ["role", "users"])


def _deep(levels: int) -> dict[str, Any]:
    return {"not": _deep(levels - 1)} if levels > 1 else {"isDeactivated": False}


FILTERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (_deep(4), _deep(5)),
    ({"or": [{"isDeactivated": False}] * 50}, {"or": [{"isDeactivated": False}] * 51}),
    ({"or": [{}] * 50}, {"or": [{}] * 51}),
    ({"userName": {"in": ["a0"] * 100}}, {"userName": {"in": ["a0"] * 101}}),
    ({"userName": {"eq": "a0"}}, {"userName": {"eq": "a\0"}}),
    ({"roleName": {"in": ["user"]}}, {"roleName": {"in": ["\0"]}}),
]


async def test_filters_have_bounds(api: Api, root: Person) -> None:
    for inside, outside in FILTERS:
        assert codes(await api(PAGE, as_=root, filter=inside)) == []
        assert codes(await api(PAGE, as_=root, filter=outside)) == ["BAD_USER_INPUT"], outside


async def test_a_page_knows_its_ends(api: Api, root: Person) -> None:
    reply = (await api(PAGE, as_=root, first=21))["data"]["users"]

    assert (len(reply["nodes"]), reply["totalCount"]) == (21, 21)
    assert reply["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": reply["edges"][0]["cursor"],
        "endCursor": reply["edges"][-1]["cursor"],
    }


async def test_an_empty_page_has_no_cursors(api: Api, root: Person) -> None:
    reply = await api(PAGE, as_=root, filter={"userName": {"eq": "nobody"}})

    info = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert reply["data"]["users"] == {"nodes": [], "edges": [], "totalCount": 0, "pageInfo": info}


async def test_names_are_in_order_whatever_their_letter_case(api: Api, root: Person) -> None:
    reply = await api(PAGE, as_=root, first=5, filter={"userName": {"in": ["g0", "B0", "A0", "F0"]}})

    assert [node["userName"] for node in reply["data"]["users"]["nodes"]] == ["a0", "b0", "F0", "G0"]


async def test_a_page_has_twenty_rows_by_default(api: Api, root: Person) -> None:
    assert len((await api(PAGE, as_=root))["data"]["users"]["nodes"]) == 20


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("question", [PAGE, BELOW], ids=["all", "below a key"])
async def test_walking_gives_each_row_once(api: Api, root: Person, question: str, order: Any) -> None:
    forward = await _read_all_pages(api, root, question, order)
    backward = await _read_all_pages(api, root, question, order, backward=True)

    assert len(forward) == len(set(forward)) == (21 if question == PAGE else 20)
    assert forward == backward
    assert forward == sorted(forward, key=str.lower, reverse=order == DOWN) or order in (OLDEST, MIXED)


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("question", [PAGE, BELOW], ids=["all", "below a key"])
async def test_rows_created_meanwhile_move_no_other(
    api: Api, make: Make, root: Person, question: str, order: Any
) -> None:
    before = await _read_all_pages(api, root, question, order)

    async def disturb(page: int) -> None:
        await make.users([f"{letter}new{page}" for letter in "0bmz"], ["user"], created_at=BEGINNING)

    names = await _read_all_pages(api, root, question, order, meanwhile=disturb)

    assert [name for name in names if "new" not in name] == before
    assert len(names) == len(set(names))


async def test_paging_continues_behind_a_deleted_row(api: Api, database: db.Database, root: Person) -> None:
    before = await _read_all_pages(api, root, PAGE, UP)

    async def disturb(page: int) -> None:
        """Delete the last row that was seen."""
        gone = tables.casefold_key(before[page * 6 + 5])
        async with database.write() as tx:
            await tx.rows(delete(tables.User).where(col(tables.User.user_key) == gone))

    names = await _read_all_pages(api, root, PAGE, UP, meanwhile=disturb)

    assert names == before


async def _read_all_pages(
    api: Api, as_: Person, question: str, order: Any, *, backward: bool = False, meanwhile: Any = None
) -> list[str]:
    """The names on all pages of six, in the order of the list."""
    names: list[str] = []
    cursor = None
    for page in range(50):
        arguments = {"last": 6, "before": cursor} if backward else {"first": 6, "after": cursor}
        data = (await api(question, as_=as_, orderBy=order, **arguments))["data"]
        connection = data["users"] if "users" in data else data["role"]["users"]
        here = [node["userName"] for node in connection["nodes"]]
        names = [*here, *names] if backward else [*names, *here]
        if not connection["pageInfo"]["hasPreviousPage" if backward else "hasNextPage"]:
            return names
        cursor = connection["pageInfo"]["startCursor" if backward else "endCursor"]
        if meanwhile is not None:
            await meanwhile(page)
    raise AssertionError("the list does not end")


GROUPS_OF_USERS = """
query ($first: Int, $after: String, $last: Int, $before: String, $orderBy: [GroupOrder!], $filter: GroupFilter) {
  users(first: 50) { nodes { userName groups(
    first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy, filter: $filter
  ) { nodes { slug } edges { cursor } pageInfo { hasNextPage hasPreviousPage } } } }
}
"""
DESCENDING = [{"field": "DISPLAY_NAME", "direction": "DESC"}]


@pytest.mark.parametrize("order", [[], DESCENDING], ids=["up", "down"])
async def test_each_user_has_a_page_of_their_own(api: Api, make: Make, order: Any) -> None:
    root, slugs = await make.admin("zoe"), [f"g{number}" for number in range(6)]
    people = await make.users([f"u{count}" for count in range(7)])
    for number, slug in enumerate(slugs):
        await make.group(slug, *people[number + 1 :], display_name=slug.upper())
    ended = await make.group("ended", display_name="A")
    await make.group_member(ended, people[6], expires_at=BEGINNING)

    expected = {person.user_name: sorted(slugs[:count], reverse=bool(order)) for count, person in enumerate(people)}
    expected["zoe"] = []
    for arguments, first, last in (({"first": 2}, 0, 2), ({"last": 2}, -2, None), ({"first": 6}, 0, 6)):
        pages = await _groups_of_users(api, root, order, **arguments)
        assert {name: [node["slug"] for node in page["nodes"]] for name, page in pages.items()} == {
            name: groups[first:last] for name, groups in expected.items()
        }
        has_more = {name: len(groups) > len(groups[first:last]) for name, groups in expected.items()}
        ends = "hasPreviousPage" if "last" in arguments else "hasNextPage"
        assert {name: page["pageInfo"][ends] for name, page in pages.items()} == has_more

    seen = expected["u6"][0]
    after = pages["u6"]["edges"][0]["cursor"]
    pages = await _groups_of_users(api, root, order, first=2, after=after)
    for name, groups in expected.items():
        assert [node["slug"] for node in pages[name]["nodes"]] == [slug for slug in groups if slug != seen][:2]
    pages = await _groups_of_users(api, root, order, first=2, filter={"displayName": {"in": ["G1", "G3"]}})
    for name, groups in expected.items():
        assert [node["slug"] for node in pages[name]["nodes"]] == [slug for slug in groups if slug in {"g1", "g3"}]


async def _groups_of_users(api: Api, as_: Person, order: Any, **arguments: Any) -> dict[str, Any]:
    """The page of groups of each user, by their name."""
    data = (await api(GROUPS_OF_USERS, as_=as_, orderBy=order, **arguments))["data"]
    return {user["userName"]: user["groups"] for user in data["users"]["nodes"]}
