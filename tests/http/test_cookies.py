"""Claims about the cookie that a login sets: how it is stored, and which requests it authenticates."""

from http.cookies import Morsel, SimpleCookie
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from app import db
from tests.support.changes import change, unchanged
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make

LOGIN = change("login", "session { token }")
LOGOUT = "mutation { logout { errors { code } } }"
REFRESH = "mutation { refreshToken { session { token } errors { code } } }"
WHO = "{ viewer { user { userName } } }"
CREATE = 'mutation { createUser(input: {userName: "new"}) { errors { code } } }'
NAME = "jwtToken"
CREDENTIALS = {"input": {"userName": "ann", "password": PASSWORD}}


async def _post(client: httpx.AsyncClient, token: str, query: str, **headers: str) -> httpx.Response:
    """Send a query with a cookie alone."""
    sent = {"cookie": f"{NAME}={token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    client.cookies.clear()
    return await client.post("/graphql", json={"query": query}, headers=sent)


def _cookie(response: httpx.Response) -> Morsel[str]:
    return SimpleCookie(response.headers["set-cookie"])[NAME]


def _viewer(response: httpx.Response) -> Any:
    return response.json()["data"]["viewer"]["user"]


@pytest.mark.parametrize(("scheme", "is_secure"), [("http", False), ("https", True)])
async def test_a_login_sets_a_cookie_that_no_script_and_no_other_site_gets(
    app: Starlette, make: Make, scheme: str, is_secure: bool
) -> None:
    await make.user("ann")
    transport = httpx.ASGITransport(app=app)

    async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://testserver") as client:
        response = await client.post("/graphql", json={"query": LOGIN, "variables": CREDENTIALS})

    cookie = _cookie(response)
    assert cookie.value == response.json()["data"]["login"]["session"]["token"]
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "strict", "/")
    assert (bool(cookie["secure"]), cookie["max-age"], cookie["domain"]) == (is_secure, str(7 * 86_400), "")


async def test_behind_a_prefix_other_applications_of_the_site_get_no_token(app: Starlette, make: Make) -> None:
    await make.user("ann")
    transport = httpx.ASGITransport(app=app, root_path="/registry")
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver/registry") as client:
        began = await client.post("/graphql", json={"query": LOGIN, "variables": CREDENTIALS})
        form = {"username": "ann", "password": PASSWORD}
        began_by_rest = await client.post("/users/authenticate", data=form)
        headers = {"authorization": f"Bearer {began_by_rest.json()['token']}"}
        ended = await client.post("/graphql", json={"query": "mutation { logout { __typename } }"}, headers=headers)

    assert [_cookie(each)["path"] for each in (began, began_by_rest, ended)] == ["/registry"] * 3
    assert _cookie(ended)["max-age"] == "0"


async def test_a_cookie_reads_as_its_owner(api: Api, make: Make, client: httpx.AsyncClient) -> None:
    ann = await make.user("ann")

    posted = await _post(client, api.token(ann), WHO)
    got = await client.get("/graphql", params={"query": WHO}, headers={"cookie": f"{NAME}={api.token(ann)}"})

    assert _viewer(posted) == _viewer(got) == {"userName": "ann"}


FOREIGN: list[dict[str, str]] = [
    {},
    {"origin": "https://elsewhere.example"},
    {"origin": "null"},
    {"sec_fetch_site": "cross-site", "origin": "http://testserver"},
    {"sec_fetch_site": "same-site"},
]
OWN: list[dict[str, str]] = [{"origin": "http://testserver"}, {"sec_fetch_site": "same-origin"}]


async def test_a_change_by_cookie_that_does_not_prove_its_origin_is_refused(
    api: Api, make: Make, client: httpx.AsyncClient, database: db.Database
) -> None:
    root = await make.admin()
    requests = [(query, headers) for query in (CREATE, LOGOUT, REFRESH) for headers in FOREIGN]

    async with unchanged(database):
        responses = [await _post(client, api.token(root), query, **headers) for query, headers in requests]

    assert [(each.status_code, codes(each.json())) for each in responses] == [(403, ["FORBIDDEN"])] * len(requests)
    assert not any("set-cookie" in each.headers for each in responses)


@pytest.mark.parametrize("headers", OWN)
async def test_a_mutation_by_cookie_from_our_own_pages_succeeds(
    api: Api, make: Make, client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    response = await _post(client, api.token(await make.admin()), CREATE, **headers)

    assert response.json() == {"data": {"createUser": {"errors": []}}}


async def test_a_change_by_header_needs_no_origin_whatever_cookie_comes_along(
    api: Api, make: Make, client: httpx.AsyncClient
) -> None:
    token = api.token(await make.admin())

    response = await _post(client, token, CREATE, authorization=f"Bearer {token}", origin="https://elsewhere.example")

    assert response.json() == {"data": {"createUser": {"errors": []}}}


async def test_the_header_takes_precedence_over_the_cookie(api: Api, make: Make, client: httpx.AsyncClient) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")

    good = await _post(client, api.token(ann), WHO, authorization=f"Bearer {api.token(bea)}")
    bad = await _post(client, api.token(ann), WHO, authorization="Bearer x")

    assert _viewer(good) == {"userName": "bea"}
    assert bad.status_code == 401


async def test_an_invalid_cookie_is_anonymous_and_the_user_can_sign_in_again(
    make: Make, client: httpx.AsyncClient
) -> None:
    await make.user("ann")

    for token in ("", "x", "a.b.c"):
        assert _viewer(await _post(client, token, WHO)) is None
        headers = {"cookie": f"{NAME}={token}"}
        response = await client.post("/graphql", json={"query": LOGIN, "variables": CREDENTIALS}, headers=headers)
        assert _cookie(response).value == response.json()["data"]["login"]["session"]["token"]


async def test_the_cookie_of_a_deactivated_user_is_anonymous(api: Api, make: Make, client: httpx.AsyncClient) -> None:
    gone = await make.user("gone", "admin", "deactivated")

    reply = await _post(client, api.token(gone), "{ viewer { user { id } permissions } users { totalCount } }")

    assert reply.json() == {"data": {"viewer": {"user": None, "permissions": []}, "users": {"totalCount": 0}}}


async def test_a_refresh_and_a_logout_say_so_to_the_browser(api: Api, make: Make, client: httpx.AsyncClient) -> None:
    token = api.token(await make.user("ann"))

    refreshed = await _post(client, token, REFRESH, origin="http://testserver")
    left = await _post(client, token, LOGOUT, origin="http://testserver")

    assert _cookie(refreshed).value == refreshed.json()["data"]["refreshToken"]["session"]["token"]
    assert (_cookie(left).value, _cookie(left)["max-age"], _cookie(left)["path"]) == ("", "0", "/")


async def test_a_refused_login_leaves_the_cookie_alone(api: Api, make: Make) -> None:
    await make.user("ann")

    response = await api.post(LOGIN, input={"userName": "ann", "password": "wrong"})

    assert "set-cookie" not in response.headers


async def test_the_cookie_of_another_name_is_no_credential(api: Api, make: Make, client: httpx.AsyncClient) -> None:
    headers = {"cookie": f"other={api.token(await make.user('ann'))}"}

    reply = await client.post("/graphql", json={"query": WHO}, headers=headers)

    assert _viewer(reply) is None
