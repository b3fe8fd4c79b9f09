"""Claims about changing and deleting users over REST, and about the administrators who must stay."""

from typing import Any

import pytest

from app import db
from app.db import tables
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.support.changes import unchanged
from tests.support.client import Api
from tests.support.factories import Make, Person, rows_of
from tests.support.rest_client import Rest, is_empty, parts
from tests.support.rest_toy import refusal

USER = '{ user(by: {userName: "ann"}) { email roles { name } } }'


async def _email_and_roles(api: Api, make: Make) -> tuple[str | None, list[str]]:
    watch = await make.holder(Permission.USERS_VIEW)
    user = (await api(USER, as_=watch))["data"]["user"]
    return user["email"], [role["name"] for role in user["roles"]]


EMAIL = "ann@example.com"
OLD = ["editor", "user"]


@pytest.mark.parametrize(
    ("body", "email", "roles"),
    [
        ({"email": "new@example.com", "roles": ["user"]}, "new@example.com", ["user"]),
        ({"EMAIL": "Ann@Example.com", "Roles": ["EDITOR", "editor"]}, "Ann@Example.com", ["editor"]),
        ({"email": "new@example.com"}, "new@example.com", OLD),
        ({"email": ""}, None, OLD),
        ({"email": " "}, None, OLD),
        ({"email": None}, EMAIL, OLD),
        ({"roles": []}, EMAIL, []),
        ({"roles": None}, EMAIL, OLD),
        ({}, EMAIL, OLD),
    ],
)
async def test_an_edit_changes_the_sent_fields_of_a_user_and_leaves_the_rest(
    rest: Rest, api: Api, make: Make, body: dict[str, Any], email: str | None, roles: list[str]
) -> None:
    root = await make.admin()
    await make.role("editor")
    await make.user("Ann", *OLD, email=EMAIL)

    reply = await rest("PUT", "/Users/aNN/", root, json=body)

    assert is_empty(reply)
    assert await _email_and_roles(api, make) == (email, roles)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"email": "new@example.com", "roles": ["none"]}, "There is no role `none`."),
        ({"email": "nowhere", "roles": ["user", "none"]}, "There is no role `none`."),
        (
            {"email": "nowhere", "roles": []},
            "An email address must have the form name@host, with at most 254 characters.",
        ),
        (
            {"email": "BEA@example.com", "roles": []},
            "The email address `BEA@example.com` is taken. Letter case makes no difference.",
        ),
        ({"roles": "user"}, "`roles` must be a list of texts."),
        ({"email": 5}, "`email` must be text."),
    ],
)
async def test_a_partly_invalid_change_changes_nothing(
    rest: Rest, make: Make, database: db.Database, body: dict[str, Any], text: str
) -> None:
    root = await make.admin()
    await make.user("ann", "user", email=EMAIL)
    await make.user("bea", email="bea@example.com")

    async with unchanged(database):
        reply = await rest("PUT", "/users/ann", root, json=body)

    assert refusal(reply) == (400, False)
    assert reply.json()["error"] == text


async def test_a_user_without_the_permission_changes_no_user(rest: Rest, make: Make, database: db.Database) -> None:
    ann, clerk, _ = await make.user("ann"), await make.holder(Permission.USERS_MANAGE), await make.admin()
    tries: list[tuple[Person, str, dict[str, Any]]] = [
        (ann, "ann", {"email": "mine@example.com"}),
        (ann, "ghost", {}),
        (clerk, "root", {"email": ""}),
    ]
    tries += [(clerk, "ann", {"email": "", "roles": ["admin"]})]

    async with unchanged(database):
        replies = [await rest("PUT", f"/users/{name}", who, json=body) for who, name, body in tries]
        replies += [await rest("DELETE", f"/users/{name}", who) for who, name, _ in tries[:3]]

    assert [refusal(reply) for reply in replies] == [(403, True)] * 7


DELETES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "by path": ("DELETE", "/users/aNN", {}),
    "with a slash": ("DELETE", "/Users/ann/", {}),
    "with Hub's query and body": ("DELETE", "/users/ann?conflictResolution=Rename", {"json": {}}),
    "with a body that is none": ("DELETE", "/users/ann", {"content": b"{", "headers": {"content-type": "text/x"}}),
    "by form": ("DELETE", "/users", {"data": {"USERNAME": "Ann", "conflictResolution": "1"}}),
    "by multipart": ("DELETE", "/users/", {"files": parts(("userName", "ann"))}),
    "by JSON": ("DELETE", "/users", {"json": {"userName": "ann", "conflictResolution": 2, "successor": None}}),
}
NOTHING = {
    "organizationsTransferred": 0,
    "organizationsDeleted": 0,
    "datasetsTransferred": 0,
    "datasetsDeleted": 0,
    "batchesDeleted": 0,
    "datasetResults": [],
}


@pytest.mark.parametrize("case", DELETES)
async def test_a_deleted_user_leaves_orgs_and_resources_without_an_owner(
    rest: Rest, make: Make, database: db.Database, case: str
) -> None:
    root, ann = await make.admin(), await make.user("Ann", "user")
    org = await make.org("acme", ann)
    await make.resource(org, owner=ann)
    await make.member(await make.org(), ann)
    method, path, sent = DELETES[case]

    reply = await rest(method, path, root, **sent)

    assert (reply.status_code, reply.json()) == (200, {"userName": "Ann", "successor": None, **NOTHING})
    assert refusal(await rest("GET", "/users/meta", ann)) == (401, True)
    assert (await rest("GET", "/orgs/acme", root)).json()["owner"] is None
    left = [await rows_of(database, table) for table in (tables.User, tables.Org, tables.Resource, tables.OrgMember)]
    assert left == [1, 2, 1, 0]


@pytest.mark.parametrize("source", ["query", "form", "json"])
async def test_a_successor_takes_over(rest: Rest, make: Make, source: str) -> None:
    root, ann, bea = await make.admin(), await make.user("Ann"), await make.user("Bea")
    org = await make.org("acme", ann)
    await make.member(org, bea, MemberLevel.READ_ONLY)
    for _ in range(2):
        await make.resource(org, owner=ann)
    named = {"userName": "ann", "Successor": "bEA"}
    requests: dict[str, tuple[str, dict[str, Any]]] = {
        "query": ("/users/ann?SUCCESSOR=bEA&conflictResolution=0", {}),
        "form": ("/users", {"data": named}),
        "json": ("/users", {"json": named}),
    }
    path, sent = requests[source]

    reply = await rest("DELETE", path, root, **sent)

    transferred = {"organizationsTransferred": 1, "datasetsTransferred": 2}
    assert reply.json() == {"userName": "Ann", "successor": "Bea", **NOTHING, **transferred}
    assert (await rest("GET", "/orgs/acme", bea)).json()["owner"] == "Bea"
    assert (await rest("GET", "/orgs/acme/members", bea)).json() == []


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("DELETE", "/users/ghost", {}),
        ("DELETE", "/users/anonymous", {}),
        ("DELETE", "/users/ann?successor=ghost", {}),
        ("DELETE", "/users/ann?successor=ANN", {}),
        ("DELETE", "/users/ann?successor=bea&successor=root", {}),
        ("DELETE", "/users/ann?conflictResolution=3", {}),
        ("DELETE", "/users/ann?conflictResolution=Keep", {}),
        ("DELETE", "/users", {}),
        ("DELETE", "/users", {"data": {}}),
        ("DELETE", "/users", {"data": {"userName": ""}}),
        ("DELETE", "/users", {"data": {"userName": "ghost"}}),
        ("DELETE", "/users", {"data": {"userName": "ann", "successor": "ann"}}),
        ("DELETE", "/users", {"json": {"userName": "ann", "conflictResolution": 1.5}}),
    ],
)
async def test_a_deletion_without_a_user_or_with_an_invalid_option_is_a_400(
    rest: Rest, make: Make, database: db.Database, method: str, path: str, sent: dict[str, Any]
) -> None:
    root = await make.admin()
    await make.users(["ann", "bea"])

    async with unchanged(database):
        reply = await rest(method, path, root, **sent)

    assert refusal(reply) == (400, False)


ENDS: dict[str, tuple[str, str, Any]] = {
    "deleted": ("DELETE", "/users/{}", None),
    "deleted by name": ("DELETE", "/users", lambda name: {"userName": name}),
    "deleted for a successor": ("DELETE", "/users/{}?successor=heir", None),
    "without roles": ("PUT", "/users/{}", {"roles": []}),
    "deactivated": ("PUT", "/users/{}", {"roles": ["admin", "DEACTIVATED"], "email": "new@example.com"}),
    "by metadata": ("POST", "/users/{}/meta", {"roles": ["user"], "new": 1}),
    "by empty metadata": ("POST", "/users/{}/meta", {"roles": []}),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", ["root", "Root", "ROOT"])
async def test_the_last_active_administrator_stays_in_any_letter_case_of_their_name(
    rest: Rest, make: Make, database: db.Database, end: str, name: str
) -> None:
    root = await make.admin()
    await make.user("asleep", "admin", "deactivated")
    await make.user("heir")
    method, path, body = ENDS[end]
    body = body(name) if callable(body) else body

    async with unchanged(database):
        reply = await rest(method, path.format(name), root, json=body)

    assert refusal(reply) == (409, False)
    assert reply.json()["error"] == "The registry would be left without an active administrator."


@pytest.mark.parametrize("end", ENDS)
async def test_the_last_administrator_but_one_goes(rest: Rest, make: Make, end: str) -> None:
    root = await make.admin()
    await make.user("heir", "user")
    await make.admin("other")
    method, path, body = ENDS[end]
    body = body("other") if callable(body) else body

    assert (await rest(method, path.format("other"), root, json=body)).status_code == 200
