"""Claims about signing in over REST."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app import db
from app.domain.errors import RateLimited
from app.security.passwords import PasswordHasher
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make, everything
from tests.support.rest_toy import refusal

LOGIN = "/users/authenticate"
REFRESH = "/users/authenticate/refresh"
VIEWER = "{ viewer { user { userName roles { name } } } }"
MEMBERS = ["token", "expires", "expiresAt", "username", "userName", "email", "roles"]


async def log_in(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    client.cookies.clear()
    return await client.post(LOGIN, data={"username": "Ann", "password": PASSWORD} | fields)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_a_login_answers_a_token_and_whose_it_is(client: httpx.AsyncClient, make: Make) -> None:
    await make.user("Ann", "user", "admin", email="ann@example.com")

    reply = await log_in(client, username="aNN")

    said = reply.json()
    expires = datetime.strptime(said["expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    assert list(said) == MEMBERS
    assert abs(expires - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=1)
    assert said | {"token": "", "expires": "", "expiresAt": ""} == {
        "token": "",
        "expires": "",
        "expiresAt": "",
        "username": "Ann",
        "userName": "Ann",
        "email": "ann@example.com",
        "roles": ["admin", "user"],
    }


@pytest.mark.parametrize("path", [LOGIN, f"{LOGIN}/", "/Users/Authenticate", "/USERS/AUTHENTICATE/"])
async def test_a_login_is_a_form_or_multipart_or_json_with_any_letters(
    client: httpx.AsyncClient, make: Make, path: str
) -> None:
    await make.user("Ann")
    fields = {"UserName": "ann", "PASSWORD": PASSWORD, "token": " ", "more": "ignored"}

    replies = [
        await client.post(path, data=fields),
        await client.post(path, files={name: (None, value) for name, value in fields.items()}),
        await client.post(path, json=fields),
        await client.post(path, json=fields | {"token": None, "more": [1]}),
    ]

    assert [(reply.status_code, reply.json()["userName"]) for reply in replies] == [(200, "Ann")] * 4


async def test_the_token_of_a_login_asks_graphql(client: httpx.AsyncClient, make: Make) -> None:
    await make.user("Ann", "user")
    token = (await log_in(client)).json()["token"]

    reply = await client.post("/graphql", json={"query": VIEWER}, headers=bearer(token))

    assert reply.json() == {"data": {"viewer": {"user": {"userName": "Ann", "roles": [{"name": "user"}]}}}}


@pytest.mark.parametrize("overrides", [{"OSTIARY_DRONE_DB_CLIENTS": "true"}])
async def test_drone_dbs_clients_get_the_end_in_seconds_and_a_401_for_a_403(
    client: httpx.AsyncClient, api: Api, make: Make
) -> None:
    ann = await make.user("Ann")

    said = (await log_in(client)).json()
    foreign = await client.post(REFRESH, headers={"cookie": f"jwtToken={api.token(ann)}"})

    assert list(said) == MEMBERS
    assert type(said["expires"]) is int
    assert datetime.fromtimestamp(said["expires"], UTC) == datetime.fromisoformat(said["expiresAt"])
    assert refusal(foreign) == (401, True)


@pytest.mark.parametrize(
    "fields", [{"username": "nobody"}, {"password": "wrong"}, {"username": "Bob"}, {"token": "x"}, {"username": "ä\0b"}]
)
async def test_every_wrong_login_is_refused_alike(
    client: httpx.AsyncClient, make: Make, database: db.Database, fields: dict[str, str]
) -> None:
    await make.user("Ann")
    await make.user("Bob", "deactivated")
    before = await everything(database)

    reply = await log_in(client, **fields)

    assert (reply.status_code, reply.json()) == (401, {"error": "Unauthorized", "noRetry": False})
    assert "set-cookie" not in reply.headers
    assert await everything(database) == before


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "`username` is missing.|`password` is missing."),
        ({"username": "Ann"}, "`password` is missing."),
        ({"username": "", "password": "x"}, "`username` is missing."),
        ({"username": None, "password": "x"}, "`username` is missing."),
        ({"username": 5, "password": "x"}, "`username` must be text."),
        ({"username": "Ann", "password": ["x"]}, "`password` must be text."),
        ({"username": "Ann", "password": "x", "token": {}}, "`token` must be text."),
        ({"username": "Ann", "password": "x", "Password": "y"}, "The body has a name more than once."),
    ],
)
async def test_a_login_without_its_fields_is_a_400(
    client: httpx.AsyncClient, fields: dict[str, Any], text: str
) -> None:
    reply = await client.post(LOGIN, json=fields)

    assert (reply.status_code, reply.json()) == (400, {"error": text, "noRetry": False})


async def test_a_login_that_says_nothing_or_twice_is_a_400(client: httpx.AsyncClient) -> None:
    twice = await client.post(LOGIN, data={"username": ["Ann", "Bob"], "password": "x"})
    nothing = await client.post(LOGIN)

    assert twice.json()["error"] == "`username` is sent more than once."
    assert [refusal(twice), refusal(nothing)] == [(400, False)] * 2


async def test_a_rate_limited_login_gets_a_waiting_time(
    client: httpx.AsyncClient, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise RateLimited("Too many.", 3)

    await make.user("Ann")
    monkeypatch.setattr(PasswordHasher, "verify", full)

    reply = await log_in(client)

    assert refusal(reply) == (429, False)
    assert reply.headers["retry-after"] == "3"


async def test_an_old_token_does_not_block_a_login(client: httpx.AsyncClient, make: Make) -> None:
    await make.user("Ann")

    reply = await client.post(LOGIN, data={"username": "Ann", "password": PASSWORD}, headers=bearer("old"))

    assert reply.status_code == 200


@pytest.mark.parametrize(("scheme", "ending"), [("http", ""), ("https", "; Secure")])
async def test_a_login_leaves_a_cookie_that_only_our_pages_send(
    client: httpx.AsyncClient, make: Make, scheme: str, ending: str
) -> None:
    await make.user("Ann")

    reply = await client.post(f"{scheme}://testserver{LOGIN}", data={"username": "Ann", "password": PASSWORD})

    value = f"jwtToken={reply.json()['token']}; HttpOnly; Max-Age=604800; Path=/; SameSite=strict{ending}"
    assert reply.headers.get_list("set-cookie") == [value]


@pytest.mark.parametrize(
    ("headers", "is_set"),
    [
        ({"origin": "http://testserver"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"origin": "http://elsewhere"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "http://testserver"}, False),
    ],
)
async def test_no_other_site_signs_a_visitor_in(
    client: httpx.AsyncClient, make: Make, headers: dict[str, str], is_set: bool
) -> None:
    await make.user("Ann")

    reply = await client.post(LOGIN, data={"username": "Ann", "password": PASSWORD}, headers=headers)

    assert (reply.status_code, "set-cookie" in reply.headers) == (200, is_set)


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"{", b"\xff" * 2_000_000])
async def test_a_refresh_answers_a_new_token_whatever_its_body_says(
    client: httpx.AsyncClient, api: Api, make: Make, content: bytes
) -> None:
    ann = await make.user("Ann", "user")
    headers = {**api.headers(ann), "content-type": "application/json"}

    reply = await client.post(REFRESH, content=content, headers=headers)

    assert reply.status_code == 200
    assert list(reply.json()) == MEMBERS
    assert reply.json()["token"] != api.token(ann)
    assert "set-cookie" in reply.headers
    again = await client.post("/graphql", json={"query": VIEWER}, headers=bearer(reply.json()["token"]))
    assert again.json()["data"]["viewer"]["user"]["userName"] == "Ann"


@pytest.mark.parametrize("headers", [{}, bearer(""), bearer("garbage"), {"cookie": "jwtToken=garbage"}])
async def test_anonymous_gets_no_new_token(client: httpx.AsyncClient, make: Make, headers: dict[str, str]) -> None:
    await make.user("Ann")

    reply = await client.post(REFRESH, headers=headers)

    assert refusal(reply) == (401, True)
    is_sent = "garbage" in headers.get("authorization", "")
    assert reply.headers["www-authenticate"] == ('Bearer error="invalid_token"' if is_sent else "Bearer")
    assert "set-cookie" not in reply.headers


CHANGES = {
    "a deactivation": 'assignRoles(input: {user: {userName: "ann"}, roles: ["deactivated"]})',
    "a deletion": 'deleteUser(input: {user: {userName: "ann"}})',
    "a new password": 'resetPassword(input: {user: {userName: "ann"}, newPassword: "a wholly new password"})',
    "a sign-out": 'signOutEverywhere(input: {user: {userName: "ann"}})',
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_token_ends_on_the_very_next_request(
    client: httpx.AsyncClient, api: Api, make: Make, change: str
) -> None:
    root = await make.admin()
    await make.user("Ann")
    token = (await log_in(client)).json()["token"]
    before = await client.post(REFRESH, headers=bearer(token))

    reply = await api(f"mutation {{ {CHANGES[change]} {{ errors {{ code }} }} }}", as_=root)
    after = await client.post(REFRESH, headers=bearer(token))

    assert codes(reply) == []
    assert before.status_code == 200
    assert refusal(after) == (401, True)


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"origin": "http://testserver"}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({}, 403),
        ({"origin": "http://elsewhere"}, 403),
    ],
)
async def test_a_refresh_by_cookie_comes_from_our_own_pages(
    client: httpx.AsyncClient, api: Api, make: Make, headers: dict[str, str], wanted: int
) -> None:
    ann = await make.user("Ann")

    reply = await client.post(REFRESH, headers={"cookie": f"jwtToken={api.token(ann)}", **headers})

    assert reply.status_code == wanted
    assert wanted == 200 or refusal(reply) == (403, True)


async def test_an_unknown_path_or_method_is_refused_in_json(client: httpx.AsyncClient) -> None:
    replies = [await client.get(path) for path in ("/nothing", "/users/authenticate/refresh/more", "/health")]
    method = await client.get(REFRESH)
    health = await client.post("/health/live")

    assert [refusal(reply) for reply in replies] == [(404, False)] * 3
    assert [refusal(method), refusal(health)] == [(405, False)] * 2
    assert method.headers["allow"] == "POST"
    assert set(health.headers["allow"].split(", ")) == {"GET", "HEAD"}
