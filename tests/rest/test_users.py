"""Claims about users over REST: listing and making them."""

import json
from datetime import datetime
from typing import Any

import pytest

from app import db
from app.domain.viewer import Permission
from tests.support.changes import unchanged
from tests.support.client import Api
from tests.support.factories import PASSWORD, Make, everything
from tests.support.rest_client import Rest, parts
from tests.support.rest_toy import refusal

NEW = {"userName": "newUser", "password": PASSWORD, "email": "new@example.com", "roles": ["user", "editor"]}
NEW_USER = {"userName": "newUser", "email": "new@example.com", "roles": ["editor", "user"], "organizations": []}
USER = "query ($name: String!) { user(by: {userName: $name}) { userName email roles { name } } }"

FORM = [("USERNAME", "newUser"), ("Password", PASSWORD), ("eMail", "new@example.com")]
WAYS: list[dict[str, Any]] = [
    {"json": NEW},
    {"json": {name.upper(): value for name, value in NEW.items()}},
    {"files": parts(*FORM, ("roles", json.dumps(NEW["roles"])))},
    {"files": parts(*FORM, ("roles", "user"), ("Roles", "editor"))},
    {"data": {**dict(FORM), "roles": ["EDITOR", "user", "User"]}},
]


@pytest.mark.parametrize("sent", WAYS)
@pytest.mark.parametrize("path", ["/users", "/USERS/"])
async def test_an_administrator_makes_a_user(rest: Rest, api: Api, make: Make, path: str, sent: dict[str, Any]) -> None:
    root = await make.admin()
    await make.role("editor")

    reply = await rest("POST", path, root, **sent)

    assert (reply.status_code, reply.json()) == (200, NEW_USER)
    user = (await api(USER, as_=root, name="NEWUSER"))["data"]["user"]
    assert user == {
        "userName": "newUser",
        "email": "new@example.com",
        "roles": [{"name": "editor"}, {"name": "user"}],
    }
    login = await rest("POST", "/users/authenticate", data={"username": "newuser", "password": PASSWORD})
    assert login.status_code == 200


@pytest.mark.parametrize(
    ("fields", "email", "roles"),
    [
        ({}, None, ["user"]),
        ({"email": "", "roles": []}, None, []),
        ({"email": None, "roles": None}, None, ["user"]),
        ({"email": " a@b.example "}, "a@b.example", ["user"]),
        ({"email": "  ", "roles": ["Deactivated"]}, None, ["deactivated"]),
    ],
)
async def test_an_email_and_roles_are_optional(
    rest: Rest, make: Make, fields: dict[str, Any], email: str | None, roles: list[str]
) -> None:
    root = await make.admin()

    reply = await rest("POST", "/users", root, json={"userName": "a", "password": PASSWORD, **fields})

    assert reply.json() == {"userName": "a", "email": email, "roles": roles, "organizations": []}


NO_NAME = "A user name must be 1 to 127 letters (a to z) and digits, without spaces."
NO_ADDRESS = "An email address must have the form name@host, with at most 254 characters."
SHORT = "A password needs at least 12 characters."
INVALID_USERS: list[tuple[dict[str, Any], str]] = [
    ({"userName": None}, "`userName` is missing."),
    ({"userName": "", "password": ""}, "`userName` is missing.|`password` is missing."),
    ({"userName": " "}, NO_NAME),
    ({"userName": "two words"}, NO_NAME),
    ({"userName": "jürgen"}, NO_NAME),
    ({"userName": "a.b"}, NO_NAME),
    ({"userName": "a\0"}, NO_NAME),
    ({"userName": "a" * 128}, NO_NAME),
    ({"userName": "Anonymous"}, "The user name `Anonymous` is reserved. Choose another."),
    ({"userName": "aNN"}, "The user name `aNN` is taken. Letter case makes no difference."),
    ({"email": "nowhere"}, NO_ADDRESS),
    (
        {"email": "ANN@example.com"},
        "The email address `ANN@example.com` is taken. Letter case makes no difference.",
    ),
    ({"password": "short"}, SHORT),
    ({"password": "x" * 1_025}, "A password has at most 1,024 characters."),
    ({"password": "correct horse\0"}, "A password cannot contain NUL or an unpaired surrogate."),
    ({"roles": ["user", "nobody"]}, "There is no role `nobody`."),
    ({"roles": "user"}, "`roles` must be a list of texts."),
    ({"roles": [None]}, "`roles` must be a list of texts."),
    (
        {"userName": 5, "email": [], "roles": {}},
        "`userName` must be text.|`email` must be text.|`roles` must be a list of texts.",
    ),
    ({"userName": "", "email": "x", "password": "x"}, "`userName` is missing."),
    (
        {"userName": "a b", "email": "x", "password": "x", "roles": ["no"]},
        f"{NO_NAME}|{NO_ADDRESS}|There is no role `no`.|{SHORT}",
    ),
]


@pytest.mark.parametrize(("fields", "text"), INVALID_USERS)
async def test_an_invalid_new_user_is_a_400_that_names_the_problem(
    rest: Rest, make: Make, database: db.Database, fields: dict[str, Any], text: str
) -> None:
    root = await make.admin()
    await make.user("Ann", email="ann@example.com")

    async with unchanged(database):
        reply = await rest("POST", "/users", root, json={"userName": "new", "password": PASSWORD, **fields})

    assert refusal(reply) == (400, False)
    assert reply.json()["error"] == text


RESERVED = ["roles", "storage", "meta", "detailed", "authenticate", "changepwd", "management-enabled", "anonymous"]


async def test_no_user_is_named_like_a_word_of_a_path(rest: Rest, make: Make, database: db.Database) -> None:
    root = await make.admin()
    names = [spelled for word in RESERVED for spelled in (word, word.upper())]

    async with unchanged(database):
        replies = [await rest("POST", "/users", root, json={"userName": name, "password": PASSWORD}) for name in names]

    assert [refusal(reply) for reply in replies] == [(400, False)] * len(names)


@pytest.mark.parametrize("roles", ['["user"', "[1]", '{"a": 1}', '["\\ud800"]'])
async def test_roles_in_a_form_are_names_or_a_list_in_json(
    rest: Rest, make: Make, database: db.Database, roles: str
) -> None:
    root = await make.admin()

    async with unchanged(database):
        reply = await rest("POST", "/users", root, files=parts(*FORM, ("roles", roles)))

    assert refusal(reply) == (400, False)


async def test_a_user_who_creates_users_assigns_no_role_with_more_permissions_than_their_own(
    rest: Rest, make: Make, database: db.Database
) -> None:
    clerk = await make.holder(Permission.USERS_MANAGE)
    await make.role("label")
    fields = {"userName": "new", "password": PASSWORD}

    async with unchanged(database):
        replies = [await rest("POST", "/users", clerk, json={**fields, "roles": [name]}) for name in ("Admin", "user")]
    created = await rest("POST", "/users", clerk, json={**fields, "roles": ["label"]})

    assert [refusal(reply) for reply in replies] == [(403, True)] * 2
    assert created.json()["roles"] == ["label"]


async def _registry(make: Make) -> Any:
    """An administrator; ann, who owns one org and belongs to two; bea, who has nothing."""
    root, ann = await make.admin(), await make.user("Ann", "user", email="ann@example.com")
    await make.user("bea")
    own, other = await make.org("own", ann), await make.org("another", root)
    await make.member(other, ann)
    ended = await make.org("ended")
    await make.member(ended, ann, expires_at=make.app.database.clock())
    for org in (own, own, other):
        await make.resource(org, owner=root)
    await make.resource(own, "MODEL")
    return root


LISTED: list[dict[str, Any]] = [
    {"userName": "Ann", "email": "ann@example.com", "roles": ["user"], "organizations": ["another", "own"]},
    {"userName": "bea", "email": None, "roles": [], "organizations": []},
    {"userName": "root", "email": None, "roles": ["admin"], "organizations": ["another"]},
]


@pytest.mark.parametrize("path", ["/users", "/Users/"])
async def test_administrators_list_all_users(rest: Rest, make: Make, path: str) -> None:
    root = await _registry(make)

    reply = await rest("GET", path, root)

    assert (reply.status_code, reply.json()) == (200, LISTED)


async def test_the_detailed_list_has_counts_storage_and_the_day_of_creation(
    rest: Rest, make: Make, database: db.Database
) -> None:
    root = await _registry(make)

    said = (await rest("GET", "/users/Detailed", root)).json()

    names = ["id", *LISTED[0], "storageQuota", "storageUsed", "organizationCount", "datasetCount", "createdDate"]
    assert [list(each) for each in said] == [names] * 3
    assert [{name: each[name] for name in LISTED[0]} for each in said] == LISTED
    assert [(each["organizationCount"], each["datasetCount"]) for each in said] == [(2, 3), (0, 0), (1, 1)]
    assert [(each["storageQuota"], each["storageUsed"]) for each in said] == [(None, 0)] * 3
    created_at = [row[-2] for row in (await everything(database))["users"]]
    assert [datetime.fromisoformat(each["createdDate"]) for each in said] == [
        created_at[1],
        created_at[2],
        created_at[0],
    ]
    assert all(each["createdDate"].endswith("Z") for each in said)


async def test_a_list_has_no_pages(rest: Rest, make: Make) -> None:
    root = await make.admin()
    await make.users([f"user{number}" for number in range(250)])

    assert len((await rest("GET", "/users", root)).json()) == 251
