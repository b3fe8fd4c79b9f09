"""Claims about `User.grants`: the entries of a user, and who may know of them."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app import db
from app.domain import resource_roles
from app.domain.viewer import Permission
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person

FIELDS = "totalCount edges { roles expiresAt isExpired node { slug } }"
OWN = f"{{ viewer {{ user {{ grants {{ {FIELDS} }} }} }} }}"
OF_ANN = f"""query ($filter: ResourceFilter, $orderBy: [ResourceOrder!], $first: Int) {{
  user(by: {{userName: "ann"}}) {{ grants(filter: $filter, orderBy: $orderBy, first: $first) {{ {FIELDS} }} }} }}"""


async def _scene(make: Make, now: datetime) -> tuple[Person, dict[str, Entity]]:
    """Give ann entries on four private resources; one entry has ended, and one is without roles."""
    ann, org = await make.user("ann", "user"), await make.org("reef")
    slugs = ("corals", "ended", "fish", "nothing")
    made = {slug: await make.resource(org, slug=slug, general=None) for slug in (*slugs, "of-group", "owned")}
    await make.grant(made["corals"], ann, resource_roles.METADATA_WRITE, now + timedelta(days=1))
    await make.grant(made["ended"], ann, resource_roles.ADMIN, now - timedelta(days=1))
    await make.grant(made["fish"], ann, resource_roles.DATA_READ)
    await make.grant(made["nothing"], ann, 0)
    await make.grant(made["of-group"], await make.group("divers", ann))
    return ann, made


async def _slugs(api: Api, as_: Person | str | None, text: str = OF_ANN, **variables: Any) -> list[str] | None:
    """Return the slugs of the grants of ann; both executors answer alike, since a plan answers the second time."""
    replies = [await api(text, as_=as_, **variables) for _ in range(3)]
    assert replies[0] == replies[1] == replies[2]
    user = replies[0]["data"]["user"] if "user" in replies[0]["data"] else replies[0]["data"]["viewer"]["user"]
    grants = None if user is None else user["grants"]
    assert grants is None or grants["totalCount"] == len(grants["edges"])
    return None if grants is None else [edge["node"]["slug"] for edge in grants["edges"]]


async def test_a_user_sees_their_own_entries_on_what_they_see(api: Api, make: Make, database: db.Database) -> None:
    """Not those that have ended, unless they see the resource otherwise."""
    ann, made = await _scene(make, database.clock())

    assert await _slugs(api, ann, OWN) == await _slugs(api, ann) == ["corals", "fish"]

    await make.grant(made["ended"], await make.group("readers", ann))
    edges = (await api(OWN, as_=ann))["data"]["viewer"]["user"]["grants"]["edges"]
    facts = [(each["node"]["slug"], each["roles"], each["isExpired"]) for each in edges]
    assert facts == [
        ("corals", ["METADATA_WRITE"], False),
        ("ended", ["ADMIN"], True),
        ("fish", ["DATASET_DATA_READ"], False),
    ]
    assert [each["expiresAt"] is None for each in edges] == [False, False, True]


async def test_an_administrator_sees_all_entries(api: Api, make: Make, database: db.Database) -> None:
    await _scene(make, database.clock())

    assert await _slugs(api, await make.admin()) == ["corals", "ended", "fish", "nothing"]


async def test_others_see_entries_where_they_see_the_configuration(api: Api, make: Make, database: db.Database) -> None:
    _, made = await _scene(make, database.clock())
    viewer = await make.holder(Permission.USERS_VIEW, "vera")
    for slug in ("corals", "fish"):
        await make.grant(made[slug], viewer, resource_roles.METADATA_READ)

    assert await _slugs(api, viewer) == []
    await make.grant(made["nothing"], viewer, resource_roles.ADMIN)
    assert await _slugs(api, viewer) == ["nothing"]


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        (Permission.USERS_VIEW | Permission.ACCESS_VIEW, ["corals"]),
        (Permission.USERS_VIEW | Permission.RESOURCES_VIEW, ["corals", "ended", "fish", "nothing"]),
        (Permission.USERS_MANAGE | Permission.RESOURCES_MANAGE, ["corals", "ended", "fish", "nothing"]),
        (Permission.ACCESS_VIEW | Permission.RESOURCES_MANAGE, None),
    ],
)
async def test_permissions_add_up(
    api: Api, make: Make, database: db.Database, permissions: Permission, expected: list[str] | None
) -> None:
    """To know the user's details is one thing, to know of the entries on a resource another."""
    _, made = await _scene(make, database.clock())
    viewer = await make.holder(permissions, "vera")
    await make.grant(made["corals"], viewer, resource_roles.METADATA_READ)

    assert await _slugs(api, viewer) == expected


async def test_who_knows_the_user_alone_gets_null(api: Api, make: Make, database: db.Database) -> None:
    ann, _ = await _scene(make, database.clock())
    bob = await make.user("bob")
    await make.group("friends", ann, bob)

    reply = await api(OF_ANN, as_=bob)

    assert reply == {"data": {"user": {"grants": None}}}
    assert await api(OF_ANN) == {"data": {"user": None}}


async def test_a_limited_token_shows_entries_in_its_scope(api: Api, make: Make, database: db.Database) -> None:
    ann, made = await _scene(make, database.clock())
    token, _ = await make.api_token(ann, limits=[made["fish"]])

    assert await _slugs(api, token, OWN) == ["fish"]


async def test_entries_are_filtered_sorted_and_paged(api: Api, make: Make, database: db.Database) -> None:
    await _scene(make, database.clock())
    root = await make.admin()
    down = [{"field": "NAME", "direction": "DESC"}]

    assert await _slugs(api, root, filter={"name": {"contains": "i"}}) == ["fish", "nothing"]
    assert await _slugs(api, root, orderBy=down) == ["nothing", "fish", "ended", "corals"]
    page = (await api(OF_ANN, as_=root, first=1))["data"]["user"]["grants"]
    assert (page["totalCount"], len(page["edges"])) == (4, 1)
    for first in (0, 101):
        assert codes(await api(OF_ANN, as_=root, first=first)) == ["BAD_USER_INPUT"]


async def test_statements_depend_on_neither_users_nor_entries(api: Api, make: Make, database: db.Database) -> None:
    _, made = await _scene(make, database.clock())
    root = await make.admin()
    query = "{ users(first: 100) { nodes { grants(first: 5) { totalCount edges { roles node { slug } } } } } }"
    few = {await api.statements(query, as_=root) for _ in range(2)}

    for user in await make.users([f"more{at}" for at in range(10)]):
        for slug in ("corals", "fish"):
            await make.grant(made[slug], user)

    assert {await api.statements(query, as_=root) for _ in range(2)} == few
