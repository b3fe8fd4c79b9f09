"""Claims about GraphQL over HTTP with malformed requests: each is refused with a code."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app import db
from app.config import RequestLimits
from app.graphql.http import routes
from tests.support import toy
from tests.support.changes import unchanged
from tests.support.toy import GRAPHQL, JSON, SDL, code, media, post


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with toy.client(limits=RequestLimits(body_bytes=200_000)) as client:
        yield client


DEEP = b'{"query":"{hello}","variables":{"a":' + b"[" * 500 + b"]" * 500 + b"}}"

MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "a number": b"123",
    "a string": b'"x"',
    "a batch": b"[]",
    "a full batch": b'[{"query":"{hello}"}]',
    "half": b'{ "not a JSON',
    "invalid UTF-8": b'{"query":"{hello}\xff"}',
    "UTF-16": '{"query":"{hello}"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"query":"{hello}"}',
    "brackets": b"[" * 100_000,
    "braces": b'{"a":' * 30_000,
    "deep variables": DEEP,
    "a lone surrogate": b'{"query":"{hello}","variables":{"name":"\\ud800"}}',
    "a lone surrogate in a name": b'{"query":"{hello}","\\udfff":1}',
    "NaN": b'{"query":"{hello}","variables":{"name":NaN}}',
    "infinity": b'{"query":"{hello}","variables":{"name":1e999}}',
    "no query": b"{}",
    "a misspelt query": b'{"qeury":"{hello}"}',
    "an empty query": b'{"query":""}',
    "a null query": b'{"query":null}',
    **{f"query {value!r}": b'{"query":%s}' % value for value in (b"0", b"false", b"{}", b"[]")},
    **{
        f"name {value!r}": b'{"query":"{hello}","operationName":%s}' % value for value in (b"5", b"false", b"{}", b"[]")
    },
    **{
        f"variables {value!r}": b'{"query":"{hello}","variables":%s}' % value
        for value in (b"5", b"false", b'"x"', b"[]")
    },
    **{
        f"extensions {value!r}": b'{"query":"{hello}","extensions":%s}' % value
        for value in (b"5", b"false", b'""', b"[]")
    },
    **{
        f"a persisted query {value!r}": b'{"query":"{hello}","extensions":{"persistedQuery":%s}}' % value
        for value in (b"5", b'"x"', b"[]", b"false")
    },
    **{
        f"a hash {value!r}": b'{"query":"{hello}","extensions":{"persistedQuery":{"version":1,"sha256Hash":%s}}}'
        % value
        for value in (b"5", b"null", b'""', b'"' + b"g" * 64 + b'"', b'"' + b"a" * 65 + b'"', b'"' + b"a" * 64 + b'"')
    },
    "a hash that is null": b'{"extensions":{"persistedQuery":null}}',
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_body_is_a_coded_400(http: httpx.AsyncClient, name: str) -> None:
    for accept in (JSON, GRAPHQL):
        reply = await post(http, MALFORMED[name], accept=accept)

        assert reply.status_code == 400
        assert code(reply) == "BAD_REQUEST"
        assert media(reply) == accept


async def test_the_complete_server_refuses_the_same_and_writes_nothing(
    client: httpx.AsyncClient, database: db.Database, caplog: pytest.LogCaptureFixture
) -> None:
    async with unchanged(database):
        for name, body in MALFORMED.items():
            reply = await client.post("/graphql", content=body, headers={"content-type": JSON})
            assert (name, reply.status_code, code(reply)) == (name, 400, "BAD_REQUEST")
            assert reply.headers["x-content-type-options"] == "nosniff"
    assert not caplog.records


@pytest.mark.parametrize("persisted", ["{}", '{"version":2}', '{"version":"1"}', '{"version":null}'])
async def test_a_hash_of_another_version_is_not_supported(http: httpx.AsyncClient, persisted: str) -> None:
    by_post = await post(http, f'{{"extensions":{{"persistedQuery":{persisted}}}}}'.encode())
    by_get = await http.get("/graphql", params={"extensions": f'{{"persistedQuery":{persisted}}}'})

    for reply in (by_post, by_get):
        assert (reply.status_code, code(reply)) == (400, "PERSISTED_QUERY_NOT_SUPPORTED")


@pytest.mark.parametrize(
    "url",
    [
        "query=%ff",
        "query={hello}&query={hello}",
        "query={hello}&variables=%5B%5D",
        "query={hello}&variables={",
        "query={hello}&variables=5",
        "query={hello}&extensions=%22x%22",
        "query={hello}&variables=" + "[" * 5000,
        "query={hello}&variables=%22%5Cud800%22",
        "query=",
        "operationName=A",
        "&".join(f"a{i}=1" for i in range(100)),
    ],
)
async def test_a_malformed_address_is_a_coded_400(http: httpx.AsyncClient, url: str) -> None:
    reply = await http.get(f"/graphql?{url}")

    assert reply.status_code == 400
    assert code(reply) == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (JSON, 200),
        ("application/json;charset=utf-8", 200),
        ('Application/JSON ; Charset="UTF-8"', 200),
        ("application/json; charset=utf8; odd", 200),
        ("application/json; charset=latin-1", 400),
        ("application/json; charset=utf-8; charset=utf-16", 400),
        ("application/json; charset=", 400),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/plain", 415),
        ("application/graphql", 415),
        ("application/jsonx", 415),
        ("", 415),
        ("application/json, text/plain", 415),
    ],
)
async def test_only_json_in_utf8_is_read(http: httpx.AsyncClient, kind: str, status: int) -> None:
    reply = await post(http, {"query": "{hello}"}, content_type=kind)

    assert reply.status_code == status
    assert status == 200 or code(reply) == "BAD_REQUEST"


async def test_a_body_without_a_type_or_with_two_or_packed_is_refused(http: httpx.AsyncClient) -> None:
    body = b'{"query":"{hello}"}'
    twice = [("content-type", JSON), ("content-type", "text/plain")]

    assert (await http.post("/graphql", content=body)).status_code == 415
    assert (await http.post("/graphql", content=body, headers=twice)).status_code == 400
    assert (await post(http, body, content_encoding="gzip")).status_code == 415


async def test_a_body_beyond_the_limit_is_413_before_it_is_parsed(http: httpx.AsyncClient) -> None:
    above = await post(http, b"x" * 200_001)
    exact = await post(http, b'{"query":"{hello}"}'.ljust(200_000))

    assert above.status_code == 413
    assert above.headers["connection"] == "close"
    assert code(above) == "BODY_TOO_LARGE"
    assert exact.status_code == 200


async def test_an_endless_body_is_left_as_soon_as_it_is_too_long(http: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 10_000

    reply = await http.post("/graphql", content=endless(), headers={"content-type": JSON})

    assert reply.status_code == 413
    assert sent < 25


async def test_a_client_that_hangs_up_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    (api, *_) = routes(toy.answer, SDL)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await api(scope, receive, send)

    assert sent == ["http.response.start", "http.response.body"]
    assert not caplog.records
