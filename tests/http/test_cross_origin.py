"""Claims about pages of other origins, and about the security headers of every answer."""

import json
from typing import Any

import httpx
import pytest

from tests.support.changes import change
from tests.support.client import Api
from tests.support.factories import PASSWORD, Make

APP = "https://app.example.org"
OTHER = "https://elsewhere.example"
PLACES = ["/graphql", "/users", "/schema.graphql", "/health/live"]
LOGIN = change("login", "session { token }")


@pytest.fixture
def allowed() -> list[str]:
    return [APP, "http://localhost:3000"]


@pytest.fixture
def overrides(allowed: list[str]) -> dict[str, Any]:
    return {"OSTIARY_ALLOWED_ORIGINS": json.dumps(allowed)}


async def _preflight(client: httpx.AsyncClient, path: str, origin: str, method: str, headers: str) -> httpx.Response:
    sent = {
        "origin": origin,
        "access-control-request-method": method,
        "access-control-request-headers": headers,
    }
    return await client.options(path, headers=sent)


def _grants(response: httpx.Response) -> dict[str, str]:
    return {name: text for name, text in response.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", PLACES)
async def test_a_preflight_of_an_allowed_origin_is_answered(client: httpx.AsyncClient, path: str, method: str) -> None:
    reply = await _preflight(client, path, APP, method, "authorization,content-type,ostiary-stats")

    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == APP
    assert method in reply.headers["access-control-allow-methods"].split(", ")
    assert "Origin" in reply.headers["vary"].split(", ")
    assert "access-control-allow-credentials" not in reply.headers


async def test_pages_may_send_and_read_every_header_of_the_description(client: httpx.AsyncClient) -> None:
    description = (await client.get("/openapi.json")).json()
    operations = [operation for path in description["paths"].values() for operation in path.values()]
    parameters = [each for operation in operations for each in operation.get("parameters", ())]
    sent = {each["name"] for each in parameters if each["in"] == "header"}
    answers = [answer for operation in operations for answer in operation["responses"].values()]
    read = {name for answer in answers for name in answer.get("headers", ())} - {"Set-Cookie"}
    assert {"If-Match", "If-None-Match", "Idempotency-Key"} <= sent
    assert {"ETag", "Location"} <= read

    for name in sent:
        assert (await _preflight(client, "/users", APP, "PUT", name.lower())).status_code == 200, name
    reply = await client.get("/users", headers={"origin": APP})
    assert read <= {*reply.headers["access-control-expose-headers"].split(", ")}


@pytest.mark.parametrize(
    ("origin", "method", "headers"),
    [
        (OTHER, "POST", "content-type"),
        ("null", "POST", "content-type"),
        ("https://app.example.org.evil.example", "POST", "content-type"),
        ("http://app.example.org", "POST", "content-type"),
        ("https://app.example.org:8443", "POST", "content-type"),
        (APP, "TRACE", "content-type"),
        (APP, "POST", "x-unheard-of"),
    ],
)
async def test_any_other_preflight_is_refused(
    client: httpx.AsyncClient, origin: str, method: str, headers: str
) -> None:
    reply = await _preflight(client, "/graphql", origin, method, headers)

    assert reply.status_code == 400
    assert origin == APP or "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize("origin", [APP, "http://localhost:3000", OTHER, "null"])
@pytest.mark.parametrize("path", PLACES)
async def test_an_answer_may_be_read_by_pages_of_allowed_origins_alone(
    client: httpx.AsyncClient, allowed: list[str], path: str, origin: str
) -> None:
    reply = await client.get(path, headers={"origin": origin})

    assert reply.headers.get("access-control-allow-origin") == (origin if origin in allowed else None)
    assert "access-control-allow-credentials" not in reply.headers
    assert "Origin" in ", ".join(reply.headers.get_list("vary")).split(", ")


async def test_refusals_may_be_read_too_with_what_they_say_in_headers(client: httpx.AsyncClient) -> None:
    headers = {"origin": APP, "authorization": "Bearer x"}

    for path in ("/graphql?query={__typename}", "/users", "/nowhere"):
        reply = await client.get(path, headers=headers)
        assert reply.status_code in {401, 404}
        assert reply.headers["access-control-allow-origin"] == APP
        assert "WWW-Authenticate" in reply.headers["access-control-expose-headers"]


@pytest.mark.parametrize("allowed", [[]])
async def test_without_the_setting_no_other_origin_is_allowed_anything(client: httpx.AsyncClient) -> None:
    for path in PLACES:
        assert _grants(await client.get(path, headers={"origin": APP})) == {}
    preflight = await _preflight(client, "/graphql", APP, "POST", "content-type")

    assert (preflight.status_code, preflight.headers["allow"]) == (405, "GET, HEAD, POST")
    assert _grants(preflight) == {}


async def test_a_page_of_another_origin_signs_in_with_a_token_and_without_a_cookie(api: Api, make: Make) -> None:
    await make.user("ann")
    body = {"query": LOGIN, "variables": {"input": {"userName": "ann", "password": PASSWORD}}}
    form = {"username": "ann", "password": PASSWORD}

    for origin, has_cookie in [(APP, False), (OTHER, False), ("http://testserver", True)]:
        by_graphql = await api.client.post("/graphql", json=body, headers={"origin": origin})
        by_rest = await api.client.post("/users/authenticate", data=form, headers={"origin": origin})
        assert by_graphql.json()["data"]["login"]["session"]["token"]
        assert [("set-cookie" in each.headers) for each in (by_graphql, by_rest)] == [has_cookie] * 2


async def test_a_cookie_proves_nothing_to_an_allowed_origin(api: Api, make: Make) -> None:
    root = await make.admin()
    headers = {"cookie": f"jwtToken={api.token(root)}", "origin": APP}
    text = 'mutation { createUser(input: {userName: "new"}) { errors { code } } }'

    reply = await api.client.post("/graphql", json={"query": text}, headers=headers)
    users = await api("{ users { totalCount } }", as_=root)

    assert reply.status_code == 403
    assert users["data"]["users"]["totalCount"] == 1


@pytest.mark.parametrize("allowed", [[], [APP]])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/health/live"),
        ("GET", "/graphql"),
        ("POST", "/graphql"),
        ("PUT", "/graphql"),
        ("GET", "/favicon.svg"),
        ("GET", "/assets/none.js"),
        ("GET", "/openapi/favicon.svg"),
        ("GET", "/schema.graphql"),
        ("GET", "/orgs"),
        ("GET", "/users"),
        ("PATCH", "/users"),
        ("GET", "/version"),
        ("GET", "/nowhere"),
        ("OPTIONS", "/graphql"),
    ],
)
async def test_every_answer_says_how_a_browser_may_use_it(client: httpx.AsyncClient, method: str, path: str) -> None:
    reply = await client.request(method, path, headers={"origin": APP, "access-control-request-method": "POST"})

    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] in {"same-origin", "strict-origin-when-cross-origin"}
    assert reply.headers["x-frame-options"] in {"DENY", "SAMEORIGIN"}


async def test_the_page_says_more(client: httpx.AsyncClient) -> None:
    reply = await client.get("/graphql", headers={"accept": "text/html", "origin": APP})

    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["vary"] == "Accept, Origin"
