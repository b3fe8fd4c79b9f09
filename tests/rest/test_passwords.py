"""Claims about passwords over REST: one's own, and those that administrators set."""

from typing import Any

import pytest

from app import db
from app.domain.viewer import Permission
from tests.support.changes import unchanged
from tests.support.client import Api
from tests.support.factories import PASSWORD, Make
from tests.support.rest_client import Rest, is_empty, parts
from tests.support.rest_toy import refusal

OWN = "/users/changepwd"
OF_ANN = "/users/ann/changepwd"
FRESH = "another horse another staple"
CHANGE = {"oldPassword": PASSWORD, "newPassword": FRESH}
MEMBERS = ["token", "expires", "expiresAt", "username", "userName", "email", "roles"]


async def _opens(rest: Rest, password: str, user_name: str = "ann") -> bool:
    reply = await rest("POST", "/users/authenticate", data={"username": user_name, "password": password})
    return reply.status_code == 200


WAYS: list[dict[str, Any]] = [
    {"data": CHANGE},
    {"files": parts(*CHANGE.items())},
    {"json": CHANGE},
    {"data": {"OLDPASSWORD": PASSWORD, "newpassword": FRESH}},
]


@pytest.mark.parametrize("sent", WAYS)
async def test_one_changes_ones_own_password_and_gets_a_new_token(
    rest: Rest, api: Api, make: Make, sent: dict[str, Any]
) -> None:
    ann = await make.user("ann", "user", email="ann@example.com")
    old = api.token(ann)

    reply = await rest("POST", "/users/changePwd", ann, **sent)

    said = reply.json()
    assert (reply.status_code, list(said)) == (200, MEMBERS)
    assert (said["userName"], said["email"], said["roles"]) == ("ann", "ann@example.com", ["user"])
    assert reply.headers["set-cookie"].startswith(f"jwtToken={said['token']}; HttpOnly")
    replies = [
        await rest("GET", "/users/meta", headers={"authorization": f"Bearer {each}"}) for each in (old, said["token"])
    ]
    assert [each.status_code for each in replies] == [401, 200]
    assert [await _opens(rest, PASSWORD), await _opens(rest, FRESH)] == [False, True]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "`oldPassword` is missing.|`newPassword` is missing."),
        ({"oldPassword": PASSWORD, "newPassword": ""}, "`newPassword` is missing."),
        ({"oldPassword": "wrong", "newPassword": FRESH}, "The old password is incorrect."),
        ({"oldPassword": PASSWORD, "newPassword": "short"}, "A password needs at least 12 characters."),
        ({"oldPassword": PASSWORD, "newPassword": "x" * 1_025}, "A password has at most 1,024 characters."),
    ],
)
async def test_a_change_of_ones_own_password_that_is_wrong_changes_nothing(
    rest: Rest, make: Make, database: db.Database, body: dict[str, str], text: str
) -> None:
    ann = await make.user("ann")

    async with unchanged(database):
        reply = await rest("POST", OWN, ann, data=body)

    assert refusal(reply) == (400, False)
    assert reply.json()["error"] == text


@pytest.mark.parametrize("current", [{}, {"currentPassword": None}, {"CURRENTPASSWORD": PASSWORD}])
async def test_an_administrator_sets_a_password_with_or_without_the_old_one(
    rest: Rest, make: Make, current: dict[str, Any]
) -> None:
    root, ann = await make.admin(), await make.user("ann")

    reply = await rest("PUT", "/Users/ANN/changePwd/", root, json={**current, "newPassword": FRESH})

    assert is_empty(reply)
    assert refusal(await rest("GET", "/users/meta", ann)) == (401, True)
    assert [await _opens(rest, PASSWORD), await _opens(rest, FRESH)] == [False, True]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "`newPassword` is missing."),
        ({"newPassword": None}, "`newPassword` is missing."),
        ({"newPassword": "short"}, "A password needs at least 12 characters."),
        ({"currentPassword": "", "newPassword": FRESH}, "The current password is incorrect."),
        ({"currentPassword": "wrong", "newPassword": FRESH}, "The current password is incorrect."),
        ({"currentPassword": PASSWORD, "newPassword": "short"}, "A password needs at least 12 characters."),
        ({"currentPassword": 5, "newPassword": FRESH}, "`currentPassword` must be text."),
    ],
)
async def test_an_administrator_sets_no_password_with_invalid_fields(
    rest: Rest, make: Make, database: db.Database, body: dict[str, Any], text: str
) -> None:
    root = await make.admin()
    await make.user("ann")

    async with unchanged(database):
        reply = await rest("PUT", OF_ANN, root, json=body)

    assert refusal(reply) == (400, False)
    assert reply.json()["error"] == text


@pytest.mark.parametrize("current", [{}, {"currentPassword": PASSWORD}])
async def test_the_password_of_an_unknown_user_cannot_be_set(
    rest: Rest, make: Make, database: db.Database, current: dict[str, Any]
) -> None:
    root = await make.admin()

    async with unchanged(database):
        reply = await rest("PUT", "/users/ghost/changepwd", root, json={**current, "newPassword": FRESH})

    assert refusal(reply) == (400, False)
    assert reply.json()["error"] == "There is no such user."


@pytest.mark.parametrize("current", [{}, {"currentPassword": PASSWORD}, {"currentPassword": "wrong"}])
async def test_a_user_with_fewer_permissions_learns_nothing_of_a_password(
    rest: Rest, make: Make, database: db.Database, current: dict[str, Any]
) -> None:
    clerk, ann = await make.holder(Permission.USERS_MANAGE), await make.user("ann")
    await make.admin()
    sent = {"json": {**current, "newPassword": FRESH}}

    async with unchanged(database):
        replies = [
            await rest("PUT", OF_ANN, ann, **sent),
            await rest("PUT", "/users/root/changepwd", ann, **sent),
            await rest("PUT", "/users/ghost/changepwd", ann, **sent),
            await rest("PUT", "/users/root/changepwd", clerk, **sent),
        ]

    assert [refusal(reply) for reply in replies] == [(403, True)] * 4


async def test_a_user_without_a_password_has_none_that_is_current(
    rest: Rest, make: Make, database: db.Database
) -> None:
    root = await make.admin()
    await make.user("ann", password_hash=None)

    async with unchanged(database):
        reply = await rest("PUT", OF_ANN, root, json={"currentPassword": "", "newPassword": FRESH})

    assert refusal(reply) == (400, False)
    assert is_empty(await rest("PUT", OF_ANN, root, json={"newPassword": FRESH}))
    assert await _opens(rest, FRESH)
