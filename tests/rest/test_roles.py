"""Claims about roles over REST."""

from typing import Any
from urllib.parse import quote

import pytest

from app import db
from app.domain.viewer import Permission
from tests.support.changes import unchanged
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.rest_client import Rest, is_empty
from tests.support.rest_toy import refusal

BUILT_IN = ["admin", "deactivated", "user"]


@pytest.mark.parametrize("path", ["/users/roles", "/Users/ROLES/"])
async def test_every_signed_in_user_lists_the_roles(rest: Rest, make: Make, path: str) -> None:
    ann = await make.user("ann")

    reply = await rest("GET", path, ann)

    assert (reply.status_code, reply.json()) == (200, BUILT_IN)


@pytest.mark.parametrize("body", [{"roleName": "Field editor"}, {"ROLENAME": "Field editor", "more": 1}])
async def test_an_administrator_makes_a_role_without_permissions(
    rest: Rest, api: Api, make: Make, body: dict[str, Any]
) -> None:
    root = await make.admin()

    reply = await rest("POST", "/users/roles", root, json=body)

    assert is_empty(reply)
    assert (await rest("GET", "/users/roles", root)).json() == ["admin", "deactivated", "Field editor", "user"]
    role = await api('{ role(by: {name: "field EDITOR"}) { permissions } }', as_=root)
    assert role["data"]["role"] == {"permissions": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"roleName": None},
        {"roleName": ""},
        {"roleName": " "},
        {"roleName": "a/b"},
        {"roleName": "a\0"},
        {"roleName": "x" * 65},
        {"roleName": 5},
        {"roleName": ["a"]},
        {"roleName": "EDITOR"},
        {"roleName": "Admin"},
    ],
)
async def test_a_role_without_a_good_name_of_its_own_is_a_400(
    rest: Rest, make: Make, database: db.Database, body: dict[str, Any]
) -> None:
    root = await make.admin()
    await make.role("editor")

    async with unchanged(database):
        reply = await rest("POST", "/users/roles", root, json=body)

    assert refusal(reply) == (400, False)


@pytest.mark.parametrize("name", ["editor", "EDITOR", "field editor", "größe 1", "storage", "100%"])
async def test_a_role_without_users_is_deleted(rest: Rest, make: Make, name: str) -> None:
    root = await make.admin()
    for each in ("editor", "Field Editor", "Größe 1", "storage", "100%"):
        await make.role(each)

    reply = await rest("DELETE", f"/users/roles/{quote(name)}", root)

    assert is_empty(reply, 204)
    left = [each.casefold() for each in (await rest("GET", "/users/roles", root)).json()]
    assert (len(left), name.casefold() in left) == (7, False)


@pytest.mark.parametrize("name", ["admin", "Admin", "ADMIN", "user", "Deactivated", "none", "a%00b", "a%2fb"])
async def test_a_built_in_role_stays_and_an_unknown_one_is_a_400_too(
    rest: Rest, make: Make, database: db.Database, name: str
) -> None:
    root = await make.admin()

    async with unchanged(database):
        reply = await rest("DELETE", f"/users/roles/{name}", root)

    assert refusal(reply) == (400, False)


async def test_a_role_with_users_is_a_409_and_stays_assigned(rest: Rest, make: Make, database: db.Database) -> None:
    root = await make.admin()
    await make.role("editor")
    await make.user("ann", "editor")

    async with unchanged(database):
        reply = await rest("DELETE", "/users/roles/Editor", root, json={})

    assert refusal(reply) == (409, False)
    assert reply.json()["error"] == "`editor` is assigned to 1 user. Remove it from them first."


async def test_a_manager_of_roles_deletes_none_with_more_permissions_than_their_own(
    rest: Rest, make: Make, database: db.Database
) -> None:
    clerk = await make.holder(Permission.ROLES_MANAGE)
    await make.role("auditor", Permission.AUDIT_VIEW)

    async with unchanged(database):
        reply = await rest("DELETE", "/users/roles/auditor", clerk)

    assert refusal(reply) == (403, True)
