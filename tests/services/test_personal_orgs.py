"""Claims about the personal org that a new user gets if the settings say so."""

from typing import Any

import pytest

from app import db
from app.config import Settings
from app.db import tables
from app.services import bootstrap
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api
from tests.support.factories import PASSWORD, Make, Person, rows_of
from tests.support.rest_client import Rest

CREATE = change("createUser", "user { userName }")
CREATE_MANY = change("createUsers", "results { user { ownedOrgs { nodes { slug } } } }")
ORG = "query ($slug: String!) { org(by: {slug: $slug}) { name description isPublic owner { userName } } }"
ON: list[dict[str, Any]] = [
    {"OSTIARY_ENABLE_DEFAULT_USER_ORGANIZATION": "true"},
    {"OSTIARY_DRONE_DB_CLIENTS": "true"},
]
OFF: list[dict[str, Any]] = [
    {},
    {"OSTIARY_DRONE_DB_CLIENTS": "true", "OSTIARY_ENABLE_DEFAULT_USER_ORGANIZATION": "false"},
]


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Enable personal orgs, unless a test says otherwise."""
    return ON[0]


async def _create_user(rest: Rest, root: Person, name: str) -> list[str]:
    """Create a user and return the slugs of their orgs."""
    reply = await rest("POST", "/users", root, json={"userName": name, "password": PASSWORD})
    assert reply.status_code == 200, reply.text
    orgs: list[str] = reply.json()["organizations"]
    return orgs


@pytest.mark.parametrize("overrides", ON)
async def test_a_new_user_gets_a_private_org_that_is_named_after_them(rest: Rest, api: Api, make: Make) -> None:
    root = await make.admin()

    assert await _create_user(rest, root, "NewUser") == ["newuser"]

    org = (await api(ORG, as_=root, slug="newuser"))["data"]["org"]
    assert org == {"name": "NewUser", "description": "", "isPublic": False, "owner": {"userName": "NewUser"}}


@pytest.mark.parametrize("overrides", OFF)
async def test_a_new_user_gets_no_org_by_default(rest: Rest, api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()

    assert await _create_user(rest, root, "ann") == []
    answered(await api(CREATE, as_=root, input={"userName": "bea"}), "createUser")

    assert await rows_of(database, tables.Org) == 0


async def test_a_slug_that_is_taken_reserved_or_too_short_gets_a_number(rest: Rest, make: Make) -> None:
    root = await make.admin()
    for taken in ("ann", "ann-1", "ann-3", "ann-x", "annabel"):
        await make.org(taken)

    names = ["Ann", "annabel", "a", "public", "Features", "0", "z" * 127]
    assert [await _create_user(rest, root, name) for name in names] == [
        ["ann-2"],
        ["annabel-1"],
        ["a-1"],
        ["public-1"],
        ["features-1"],
        ["0-1"],
        ["z" * 120],
    ]
    assert await _create_user(rest, root, "z" * 126) == [f"{'z' * 120}-1"]


async def test_a_batch_of_users_gets_an_org_for_each(api: Api, make: Make) -> None:
    root = await make.admin()
    await make.org("bea")
    names = ["ann", "BEA", "x", "y" * 121, "y" * 122]

    reply = await api(CREATE_MANY, as_=root, input={"users": [{"userName": name} for name in names]})

    results = answered(reply, "createUsers")["results"]
    slugs = [[org["slug"] for org in each["user"]["ownedOrgs"]["nodes"]] for each in results]
    assert slugs == [["ann"], ["bea-1"], ["x-1"], ["y" * 120], [f"{'y' * 120}-1"]]


async def test_a_user_who_is_refused_leaves_no_org(rest: Rest, api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    await make.user("taken")
    many = {"users": [{"userName": "ann"}, {"userName": "Taken"}]}

    async with unchanged(database):
        one = await rest("POST", "/users", root, json={"userName": "taken", "password": PASSWORD})
        reply = await api(CREATE_MANY, as_=root, input=many)
        answered(await api(CREATE, as_=root, input={"userName": "ann", "validateOnly": True}), "createUser")

    assert one.status_code == 400
    assert problems(reply) == {"CONFLICT input.users.1.userName"}


@pytest.mark.usefixtures("from_this_machine")
async def test_the_first_administrator_gets_one_too(
    rest: Rest, api: Api, make: Make, settings: Settings, database: db.Database
) -> None:
    await bootstrap.ensure_admin(make.app, settings.default_admin)

    reply = await rest("POST", "/users/authenticate", data={"username": "admin", "password": "password"})

    token = {"authorization": f"Bearer {reply.json()['token']}"}
    listed = (await rest("GET", "/users", headers=token)).json()
    assert listed == [
        {"userName": "admin", "email": "admin@example.com", "roles": ["admin"], "organizations": ["admin"]}
    ]
    assert await rows_of(database, tables.Org) == 1
