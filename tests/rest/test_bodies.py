"""Claims about REST bodies: each kind is read into the same fields, and a body that cannot be read is refused."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.config import RequestLimits
from app.rest.parameters import TEXT, TEXTS, Field
from app.rest.request_bodies import Body
from app.rest.routing import RestRouter
from tests.support import rest_toy
from tests.support.rest_toy import FORM, JSON, MALFORMED, MULTIPART, named, refusal, route

LIMIT = RequestLimits().body_bytes
FIELDS = (Field("userName", TEXT, ""), Field("password", TEXT, ""), Field("a", TEXTS, ""))
TYPED = b"--x\r\nContent-Type: text/plain\r\nCONTENT-DISPOSITION: form-data; name=password\r\n\r\na&b\r\n"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    table = [
        route("POST", "/any", Body.ANY, FIELDS),
        route("POST", "/json", Body.JSON, FIELDS),
        route("POST", "/form", Body.FORM, FIELDS),
        route("POST", "/document", Body.DOCUMENT),
    ]
    async with rest_toy.client(*table, route("POST", "/none")) as client:
        yield client


async def post(http: httpx.AsyncClient, kind: str | None, body: Any, path: str = "/any") -> httpx.Response:
    return await http.post(path, content=body, headers={} if kind is None else {"content-type": kind})


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b"userName=J%C3%BCrg+M&PASSWORD=a%26b"),
        (FORM, "userName=Jürg+M&PASSWORD=a%26b".encode()),
        (f"{FORM}; charset=UTF-8", b"username=J%c3%bcrg%20M&password=a%26b"),
        (MULTIPART, named([("UserName", "Jürg M"), ("password", "a&b")])),
        (MULTIPART, TYPED + named([("username", "Jürg M")])),
        (JSON, '{"USERNAME": "Jürg M", "passWord": "a&b"}'.encode()),
        ("Application/JSON; charset=utf-8", b'{"username": "J\\u00fcrg M", "password": "a&b"}'),
    ],
)
async def test_every_kind_of_body_says_the_same(http: httpx.AsyncClient, kind: str, body: bytes) -> None:
    reply = await post(http, kind, body)

    assert reply.json()["given"] == {"userName": "Jürg M", "password": "a&b"}


@pytest.mark.parametrize(("kind", "body"), [(FORM, b"a=1&A=2"), (MULTIPART, named([("a", "1"), ("A", "2")]))])
async def test_a_form_may_say_a_name_several_times(http: httpx.AsyncClient, kind: str, body: bytes) -> None:
    assert (await post(http, kind, body)).json()["given"] == {"a": ["1", "2"]}


@pytest.mark.parametrize(("kind", "body"), [(None, b""), (FORM, b""), (JSON, b"{}"), (MULTIPART, b"--x--\r\n")])
async def test_a_body_may_say_nothing(http: httpx.AsyncClient, kind: str | None, body: bytes) -> None:
    assert (await post(http, kind, body)).json()["given"] == {}


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_body_is_a_400(http: httpx.AsyncClient, name: str, caplog: pytest.LogCaptureFixture) -> None:
    reply = await post(http, *MALFORMED[name])

    assert refusal(reply) == (400, False)
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("number", [0, -0.0, 2**64 - 1, -(2**63), 1e300, 0.1])
async def test_a_document_keeps_its_numbers(http: httpx.AsyncClient, number: float) -> None:
    reply = await post(http, JSON, json.dumps({"a": [number]}), "/document")

    assert json.dumps(reply.json()["document"]) == json.dumps({"a": [number]})


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**300, -(10**4_000)])
async def test_a_document_with_a_whole_number_that_it_would_not_keep_is_a_400(
    http: httpx.AsyncClient, number: int
) -> None:
    assert refusal(await post(http, JSON, json.dumps({"a": {"b": number}}), "/document")) == (400, False)


async def test_numbers_beyond_any_measure_are_read_in_no_time(http: httpx.AsyncClient) -> None:
    body = b'{"a":' + b"9" * 300 + b',"b":' + b"9" * 500_000 + b"}"

    assert (await post(http, JSON, body)).status_code in (200, 400)


@pytest.mark.parametrize(
    ("path", "kind", "status"),
    [
        ("/any", None, 415),
        ("/any", "text/plain", 415),
        ("/any", "", 415),
        ("/json", FORM, 415),
        ("/json", MULTIPART, 415),
        ("/form", JSON, 415),
        ("/none", "text/plain", 200),
        ("/none", JSON, 200),
    ],
)
async def test_only_the_kinds_of_the_route_are_read(
    http: httpx.AsyncClient, path: str, kind: str | None, status: int
) -> None:
    reply = await post(http, kind, b"no body of any kind", path)

    assert reply.status_code == status
    assert status == 200 or refusal(reply) == (415, False)


async def test_a_packed_body_is_a_415_and_two_types_are_a_400(http: httpx.AsyncClient) -> None:
    packed = await http.post("/any", content=b"{}", headers={"content-type": JSON, "content-encoding": "gzip"})
    twice = await http.post("/any", content=b"{}", headers=[("content-type", JSON), ("content-type", FORM)])

    assert (refusal(packed), refusal(twice)) == ((415, False), (400, False))


@pytest.mark.parametrize("kind", [JSON, FORM, MULTIPART, None])
async def test_a_body_beyond_the_limit_is_a_413(http: httpx.AsyncClient, kind: str | None) -> None:
    reply = await post(http, kind, b"x" * (LIMIT + 1))

    assert refusal(reply) == (413, False)
    assert reply.headers["connection"] == "close"


async def test_a_body_of_the_limit_is_read(http: httpx.AsyncClient) -> None:
    assert (await post(http, JSON, b"{}".ljust(LIMIT))).status_code == 200


async def test_a_body_that_a_route_ignores_is_not_even_read(http: httpx.AsyncClient) -> None:
    assert (await post(http, JSON, b"x" * (LIMIT + 1), "/none")).status_code == 200


async def test_a_disconnected_client_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    router = RestRouter([route("POST", "/any", Body.ANY)], lambda _: rest_toy.CONTEXT)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/any",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    _, child_scope = router.matches(scope)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await router.handle({**scope, **child_scope}, receive, send)

    assert sent == ["http.response.start", "http.response.body"]
    assert not caplog.records
