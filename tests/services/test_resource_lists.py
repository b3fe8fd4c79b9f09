"""Claims about lists of resources: filters, orders, and pages that stay complete while others write."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from app import db
from app.db import BoundStatement, Freshness
from app.db.statements import Row
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person
from tests.support.planning import plan_of

LIST = """query ($filter: ResourceFilter, $orderBy: [ResourceOrder!], $first: Int, $after: String, $last: Int,
  $before: String) {
  resources(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    nodes { slug } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""


async def listed(api: Api, as_: Person | None, **variables: Any) -> Any:
    reply = await api(LIST, as_=as_, **variables)
    assert "errors" not in reply, reply
    return reply["data"]["resources"]


async def slugs(api: Api, as_: Person | None, **narrowed: Any) -> list[str]:
    """Return the slugs that match a filter, and check that `totalCount` is their number."""
    page = await listed(api, as_, filter=narrowed or None)
    names = [node["slug"] for node in page["nodes"]]
    assert page["totalCount"] == len(names)
    return names


async def _world(make: Make) -> Person:
    """Create five resources that Ann sees and one that they do not; return Ann."""
    ann, bob = await make.user("ann"), await make.user("Bob")
    sea, land = await make.org("sea", is_public=True), await make.org("land")
    await make.member(land, ann, MemberLevel.READ_WRITE)
    await make.locked(await make.resource(sea, slug="reef", name="Great Reef", owner=bob))
    await make.resource(sea, slug="tide", name="tide model", type="MODEL", owner=ann)
    await make.resource(land, slug="hill", name="Hill", general=0, owner=bob)
    await make.resource(land, slug="lake", name="LAKE", type="STUDY", general=0)
    await make.grant(await make.resource(sea, slug="gulf", name="Gulf", general=0), ann, resource_roles.METADATA_WRITE)
    await make.resource(sea, slug="deep", name="Deep", general=0, owner=bob)
    return ann


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["reef", "gulf", "hill", "lake", "tide"]),
    ({"type": {"eq": "MODEL"}}, ["tide"]),
    ({"type": {"in": ["MODEL", "STUDY", "NONE"]}}, ["lake", "tide"]),
    ({"orgSlug": {"eq": "land"}}, ["hill", "lake"]),
    ({"orgSlug": {"startsWith": "s"}}, ["reef", "gulf", "tide"]),
    ({"ownerUserName": {"eq": "bOB"}}, ["reef", "hill"]),
    ({"ownerUserName": {"in": ["ann", "nobody"]}}, ["tide"]),
    ({"name": {"contains": "L"}}, ["gulf", "hill", "lake", "tide"]),
    ({"name": {"startsWith": "great "}}, ["reef"]),
    ({"slug": {"eq": "gulf"}}, ["gulf"]),
    ({"slug": {"in": []}}, []),
    ({"isLocked": True}, ["reef"]),
    ({"isLocked": False}, ["gulf", "hill", "lake", "tide"]),
    ({"viewerRole": "METADATA_READ"}, ["reef", "gulf", "hill", "lake", "tide"]),
    ({"viewerRole": "METADATA_WRITE"}, ["gulf", "hill", "lake", "tide"]),
    ({"viewerRole": "DATASET_DATA_READ"}, ["reef", "hill"]),
    ({"viewerRole": "DATASET_DATA_WRITE"}, ["hill"]),
    ({"viewerRole": "ADMIN"}, ["tide"]),
    ({"not": {"viewerRole": "ADMIN"}}, ["reef", "gulf", "hill", "lake"]),
    ({"not": {"ownerUserName": {"eq": "bob"}}}, ["gulf", "lake", "tide"]),
    ({"or": [{"slug": {"eq": "reef"}}, {"type": {"eq": "STUDY"}, "isLocked": False}]}, ["reef", "lake"]),
    (
        {"and": [{"orgSlug": {"eq": "sea"}}, {"not": {"isLocked": True}}], "viewerRole": "METADATA_WRITE"},
        ["gulf", "tide"],
    ),
    ({"and": [], "or": []}, []),
]


async def test_a_filter_keeps_rows_that_match_every_condition(api: Api, make: Make) -> None:
    ann = await _world(make)

    assert [(narrowed, await slugs(api, ann, **narrowed)) for narrowed, _ in FILTERS] == FILTERS


async def test_a_role_filter_keeps_rows_with_all_roles_of_the_viewer(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    reef = await make.resource(
        await make.org(), slug="reef", general=resource_roles.METADATA_READ | resource_roles.DATA_READ
    )
    await make.grant(reef, ann, resource_roles.METADATA_WRITE)
    question = """query ($filter: ResourceFilter) { resources(filter: $filter) {
      nodes { viewerAccess { grantedRoles effectiveRoles } access { revision } } } }"""
    role = {"viewerRole": "METADATA_WRITE"}

    beside, within = [await api(question, as_=ann, filter=narrowed) for narrowed in (role, {"not": {"not": role}})]

    roles = ["METADATA_READ", "METADATA_WRITE", "DATASET_DATA_READ"]
    expected = {"viewerAccess": {"grantedRoles": roles, "effectiveRoles": roles}, "access": None}
    assert beside == within == {"data": {"resources": {"nodes": [expected]}}}


async def test_a_filter_of_an_org_or_an_owner_tells_nothing_of_what_is_hidden(api: Api, make: Make) -> None:
    eve, ann = await make.user("eve"), await make.user("ann")
    hidden = await make.org("hidden")
    await make.resource(hidden, slug="shown")
    await make.resource(hidden, slug="deep", owner=ann, general=0)

    for matching in ({"eq": "hidden"}, {"startsWith": "hid"}, {"contains": "dde"}, {"in": ["hidden"]}):
        assert await slugs(api, eve, orgSlug=matching) == []
        assert await slugs(api, eve, **{"not": {"orgSlug": matching}}) == ["shown"]
    assert await slugs(api, eve, **{"not": {"orgSlug": {"eq": "never"}}}) == ["shown"]
    for owner in ("ann", "never"):
        assert await slugs(api, eve, ownerUserName={"eq": owner}) == []
    for slug in ("deep", "never"):
        assert await slugs(api, eve, slug={"eq": slug}) == []


async def test_nobody_lists_what_anyone_may_see(api: Api, make: Make) -> None:
    await _world(make)

    assert await slugs(api, None) == []


ORDERS = [
    [{"field": field, "direction": direction}]
    for field, direction in product(("NAME", "CREATED_AT", "UPDATED_AT"), ("ASC", "DESC"))
] + [[{"field": "NAME", "direction": "ASC"}, {"field": "CREATED_AT", "direction": "DESC"}]]
START = datetime(2030, 1, 1, tzinfo=UTC)


async def _crowd(make: Make) -> tuple[Person, Entity, list[dict[str, Any]]]:
    """Twelve resources with ties in all that they are sorted by, most reached in several ways."""
    ann, org = await make.user("ann"), await make.org()
    group = await make.group(None, ann)
    await make.member(org, ann, MemberLevel.READ_ONLY)
    rows = []
    for at in range(12):
        row: dict[str, Any] = {
            "slug": f"r{at:02}",
            "name": f"Name {at * 7 % 5}",
            "created_at": START + timedelta(days=at * 5 % 4),
            "updated_at": START + timedelta(days=10 + at * 3 % 7),
        }
        thing = await make.resource(org, general=resource_roles.METADATA_READ if at % 2 else 0, **row)
        await make.grant(thing, group if at % 3 else ann, resource_roles.METADATA_WRITE)
        rows.append({**row, "id": thing.id})
    return ann, org, rows


def _sorted(rows: list[dict[str, Any]], order: list[dict[str, str]]) -> list[str]:
    """The slugs in an order, worked out plainly: ties go by the id, in the direction of the last term."""
    terms = [(term["field"].lower(), term["direction"] == "DESC") for term in order]
    for name, down in reversed([*terms, ("id", terms[-1][1])]):
        rows = sorted(rows, key=lambda row: row[name], reverse=down)
    return [row["slug"] for row in rows]


async def _read_pages(api: Api, make: Make, ann: Person, org: Entity, order: Any, *, back: bool) -> list[str]:
    """Read all pages in turn, and add a resource at either end after the first page."""
    size, cursor, place = ("last", "before", "startCursor") if back else ("first", "after", "endCursor")
    variables: dict[str, Any] = {size: 7, "orderBy": order}
    read: list[str] = []
    while cursor not in variables or variables[cursor]:
        page = await listed(api, ann, **variables)
        nodes = [node["slug"] for node in page["nodes"]]
        read = nodes + read if back else read + nodes
        if cursor not in variables:
            await _add(make, org)
        variables[cursor] = page["pageInfo"][place]
    return [slug for slug in read if not slug.startswith("resource")]


async def _add(make: Make, org: Entity) -> None:
    for name, moved in (("AAA", -99), ("zzz", 99)):
        when = START + timedelta(days=moved)
        await make.resource(org, name=name, created_at=when, updated_at=when)


async def test_pages_in_every_order_show_each_row_once_while_others_are_added(api: Api, make: Make) -> None:
    ann, org, rows = await _crowd(make)

    for order, back in product(ORDERS, (False, True)):
        assert (order, await _read_pages(api, make, ann, org, order, back=back)) == (order, _sorted(rows, order))


async def test_page_info_marks_the_edges_of_a_list(api: Api, make: Make) -> None:
    ann, _, rows = await _crowd(make)
    ordered = _sorted(rows, ORDERS[0])

    first = await listed(api, ann, first=5)
    end = await listed(api, ann, last=5)
    complete = await listed(api, ann, first=12)
    beyond = await listed(api, ann, first=5, after=complete["pageInfo"]["endCursor"])

    assert [node["slug"] for node in first["nodes"]] == ordered[:5]
    assert [node["slug"] for node in end["nodes"]] == ordered[-5:]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    assert (end["pageInfo"]["hasNextPage"], end["pageInfo"]["hasPreviousPage"]) == (False, True)
    assert (complete["pageInfo"]["hasNextPage"], complete["totalCount"], beyond["totalCount"]) == (False, 12, 12)
    assert (beyond["nodes"], beyond["pageInfo"]["endCursor"]) == ([], None)


async def test_a_page_that_cannot_be_is_refused(api: Api, make: Make) -> None:
    ann, _, _ = await _crowd(make)
    cursor = (await listed(api, ann, first=2))["pageInfo"]["endCursor"]
    requests: list[dict[str, Any]] = [
        {"first": 0},
        {"first": 101},
        {"first": 1, "last": 1},
        {"after": "nonsense"},
        {"after": cursor, "orderBy": ORDERS[1]},
        {"before": cursor, "first": 1},
        {"orderBy": [*ORDERS[0], *ORDERS[1]]},
        {"filter": {"slug": {"in": ["x"] * 101}}},
        {"filter": {"name": {"eq": "a\0"}}},
    ]

    assert [codes(await api(LIST, as_=ann, **each)) for each in requests] == [["BAD_USER_INPUT"]] * len(requests)


async def test_a_page_of_an_org_and_of_a_user_agree_with_the_list(api: Api, make: Make, database: db.Database) -> None:
    ann, org, rows = await _crowd(make)
    ask = """query ($org: String!, $orderBy: [ResourceOrder!]) {
      org(by: {slug: $org}) { resources(first: 100, orderBy: $orderBy) { nodes { slug } totalCount } }
      viewer { user { accessibleResources(first: 100, orderBy: $orderBy) { nodes { slug } totalCount } } }
    }"""

    for order in ORDERS:
        data = (await api(ask, as_=ann, org=org.slug, orderBy=order))["data"]
        expected = {"nodes": [{"slug": slug} for slug in _sorted(rows, order)], "totalCount": 12}
        assert data["org"]["resources"] == data["viewer"]["user"]["accessibleResources"] == expected


BEGINNINGS = (
    ("orgSlug", "land", "ix_resources_org_id_name_key_id"),
    ("ownerUserName", "bob", "ix_resources_owner_id"),
    ("name", "hill", "ix_resources_name_key_id"),
)


@pytest.mark.direct  # it explains statements with settings of its session
async def test_a_list_of_one_org_one_owner_or_one_name_begins_there(
    api: Api, make: Make, database: db.Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For every viewer and any amount of other data, the plan of the page starts with an index of the resources."""
    ann, root, statements = await _world(make), await make.admin(), list[BoundStatement]()
    read = type(database).read

    async def noted(self: db.Database, questions: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        statements.extend(questions)
        return await read(self, questions, freshness=freshness)

    monkeypatch.setattr(type(database), "read", noted)
    for who, (field, value, index) in product((ann, root), BEGINNINGS):
        statements.clear()
        assert "hill" in await slugs(api, who, **{field: {"eq": value}})
        pages = [each for each in statements if "limit" in each[0].names]
        plans = [await plan_of(url, prepared, values) for prepared, values in pages]
        assert [index in plan for plan in plans] == [True], plans[0]
