"""Claims about GraphQL over HTTP with valid requests."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.config import RequestLimits
from tests.support import toy
from tests.support.toy import BROWSER, GRAPHQL, JSON, SDL, code, media, post


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with toy.client(limits=RequestLimits(body_bytes=200_000), page=toy.page) as client:
        yield client


async def test_a_query_is_answered_by_post_and_by_get(http: httpx.AsyncClient) -> None:
    query = "query Q($name: String) { hello(name: $name) }"
    by_post = await post(http, {"query": query, "variables": {"name": "Ann"}, "operationName": "Q"})
    by_get = await http.get("/graphql", params={"query": query, "variables": '{"name": "Ann"}', "operationName": "Q"})

    assert by_post.json() == by_get.json() == {"data": {"hello": "Hello Ann"}}
    assert by_post.status_code == by_get.status_code == 200
    assert by_post.headers["x-content-type-options"] == "nosniff"
    assert by_post.headers["cache-control"] == "no-store"
    assert by_post.headers["x-own"] == "yes"


async def test_empty_and_null_parameters_are_absent(http: httpx.AsyncClient) -> None:
    by_get = await http.get("/graphql?query={hello}&variables=&extensions=&operationName=")
    nulls = {"variables": None, "extensions": None, "operationName": None, "more": 1}
    by_post = await post(http, {"query": "{hello}"} | nulls)
    by_empty_name = await post(http, {"query": "{hello}", "operationName": ""})

    assert by_get.json() == by_post.json() == by_empty_name.json() == {"data": {"hello": "Hello you"}}


async def test_head_is_like_get(http: httpx.AsyncClient) -> None:
    assert (await http.head("/graphql?query={hello}")).status_code == 200
    assert (await http.head("/graphql", headers={"accept": BROWSER})).headers["content-type"].startswith("text/html")


async def test_a_mutation_by_get_is_refused(http: httpx.AsyncClient) -> None:
    reply = await http.get("/graphql", params={"query": "mutation { hello }"})

    assert reply.status_code == 405
    assert reply.headers["allow"] == "POST"
    assert code(reply) == "BAD_REQUEST"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])
async def test_other_methods_are_named_and_refused(http: httpx.AsyncClient, method: str) -> None:
    reply = await http.request(method, "/graphql", headers={"accept": "image/png"})

    assert reply.status_code == 405
    assert reply.headers["allow"] == "GET, HEAD, POST"
    assert code(reply) == "BAD_REQUEST"


async def test_a_persisted_operation_may_come_without_a_text(http: httpx.AsyncClient) -> None:
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": "a" * 64}}
    by_post = await post(http, {"extensions": persisted})
    by_get = await http.get("/graphql", params={"extensions": json.dumps(persisted)}, headers={"accept": BROWSER})

    assert by_post.json() == by_get.json() == {"data": {"persisted": ""}}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/*;q=0.5, */*", JSON),
        (JSON, JSON),
        ("Application/JSON; charset=utf-8", JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{JSON}, {GRAPHQL};q=0.5", JSON),
        (f"{JSON};q=0, */*", GRAPHQL),
        (f"{GRAPHQL};q=0, */*", JSON),
        (f"{JSON};q=strange", JSON),
        (f"text/html, {JSON};q=0.1", JSON),
        (BROWSER, JSON),
    ],
)
async def test_the_client_chooses_the_type(http: httpx.AsyncClient, accept: str | None, expected: str) -> None:
    reply = await post(http, {"query": "{hello}"}, **({} if accept is None else {"accept": accept}))

    assert reply.status_code == 200
    assert reply.headers["content-type"] == f"{expected}; charset=utf-8"
    assert reply.headers["vary"] == "Accept"


@pytest.mark.parametrize("accept", ["text/html", "image/*", f"{JSON};q=0", "garbage", ",,;q=nan", "*/*;q=0"])
async def test_a_type_that_we_do_not_write_is_406(http: httpx.AsyncClient, accept: str) -> None:
    reply = await post(http, {"query": "{hello}"}, accept=accept)

    assert reply.status_code == 406
    assert code(reply) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "query", ["{", "{ nothing }", "query ($of: Int!) { count(of: $of) }", "query A {hello} query B {hello}"]
)
async def test_a_request_error_is_400_for_new_clients_and_200_for_old_ones(http: httpx.AsyncClient, query: str) -> None:
    new = await post(http, {"query": query}, accept=GRAPHQL)
    old = await post(http, {"query": query}, accept=JSON)

    assert (new.status_code, old.status_code) == (400, 200)
    assert new.json() == old.json()
    assert code(new) in {
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "BAD_USER_INPUT",
        "OPERATION_RESOLUTION_FAILURE",
    }


@pytest.mark.parametrize("accept", [BROWSER, "text/html", f"text/html, {JSON};q=0.9", "text/*", "text/html, */*"])
@pytest.mark.parametrize("url", ["/graphql", "/graphql?operationName=A", "/graphql?theme=dark"])
async def test_a_browser_without_an_operation_gets_the_page(http: httpx.AsyncClient, url: str, accept: str) -> None:
    reply = await http.get(url, headers={"accept": accept})

    assert (reply.status_code, reply.text) == (200, "<!doctype html>")
    assert media(reply) == "text/html"
    assert reply.headers["vary"] == "Accept"


@pytest.mark.parametrize(
    ("url", "accept"),
    [
        ("/graphql?query={hello}", BROWSER),
        ("/graphql", f"{JSON}, text/html;q=0.9"),
        ("/graphql", f"text/html;q=0, {JSON}"),
        ("/graphql", "*/*"),
    ],
)
async def test_the_api_answers_everything_else(http: httpx.AsyncClient, url: str, accept: str) -> None:
    reply = await http.get(url, headers={"accept": accept})

    assert media(reply) == JSON
    assert reply.status_code == (200 if "query" in url else 400)


async def test_without_html_in_accept_a_query_is_missing(http: httpx.AsyncClient) -> None:
    reply = await http.get("/graphql", headers={"accept": "*/*"})

    assert reply.status_code == 400
    assert code(reply) == "BAD_REQUEST"


async def test_without_a_page_a_browser_gets_the_api() -> None:
    async with toy.client() as http:
        assert (await http.get("/graphql", headers={"accept": "text/html"})).status_code == 406
        assert media(await http.get("/graphql", headers={"accept": BROWSER})) == JSON


@pytest.mark.parametrize("value", [2**53, 2**63, -(2**63), 2**64 - 1, 1e300, [{"a": None}], "\U0001f3ca\u0000"])
async def test_values_come_back_as_they_went(http: httpx.AsyncClient, value: Any) -> None:
    reply = await post(http, {"query": "query ($v: Any) { echo(value: $v) }", "variables": {"v": value}})

    assert reply.json() == {"data": {"echo": value}}


async def test_a_number_beyond_64_bit_becomes_a_float_in_variables_and_stays_an_integer_in_a_literal(
    http: httpx.AsyncClient,
) -> None:
    big = 10**30
    body = b'{"query":"query ($v: Any) { echo(value: $v) }","variables":{"v":%d}}' % big
    by_variable = await post(http, body)
    by_literal = await post(http, {"query": f"{{ echo(value: [{big}, 1e999]) }}"})

    assert by_variable.json() == {"data": {"echo": 1e30}}
    assert by_literal.content == b'{"data":{"echo":[%d,null]}}' % big


async def test_the_schema_is_served_and_cached_by_the_client(http: httpx.AsyncClient) -> None:
    reply = await http.get("/schema.graphql")
    again = await http.get("/schema.graphql", headers={"if-none-match": reply.headers["etag"]})

    assert reply.text == SDL
    assert media(reply) == "text/plain"
    assert (again.status_code, again.content) == (304, b"")
