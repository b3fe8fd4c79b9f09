"""Claims about the limits of a request on the wire: a request at a limit is answered, one above it is refused.

The limits do not depend on the database, so the tests use one.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import rest
from app.rest.request_bodies import Body
from app.rest.routing import Route
from tests.support.server import METRICS, Server
from tests.support.wire import Reply, Wire, chunked, close_all, exchange, head

HEADER_BYTES, FIELDS, BODY_BYTES = 4_096, 20, 65_536
LIMITS = {
    "OSTIARY_REQUEST_LIMITS__HEADER_BYTES": str(HEADER_BYTES),
    "OSTIARY_REQUEST_LIMITS__HEADER_FIELDS": str(FIELDS),
    "OSTIARY_REQUEST_LIMITS__HEADER_SECONDS": "1",
    "OSTIARY_REQUEST_LIMITS__BODY_SECONDS": "1",
    "OSTIARY_REQUEST_LIMITS__BODY_BYTES": str(BODY_BYTES),
}
PASSWORD = "a password for these tests"
JSON = "Content-Type: application/json"
CLOSE = "Connection: close"
QUERY = b'{"query":"{ __typename }"}'
FORM = json.dumps({"username": "admin", "password": PASSWORD}).encode()
APIS = {"/graphql": QUERY, "/users/authenticate": FORM}
"""A request with a body for each API."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("budget"), **LIMITS, OSTIARY_DEFAULT_ADMIN__PASSWORD=PASSWORD) as server:
        server.ready()
        yield server


@pytest.fixture(autouse=True)
async def closed() -> AsyncIterator[None]:
    yield
    close_all()
    await asyncio.sleep(0)


def is_refusal(reply: Reply, path: str, status: int, code: str) -> bool:
    """Return True if a refusal has the form of the requested API."""
    assert (reply.status, reply.headers["connection"]) == (status, "close")
    assert reply.headers["x-request-id"]
    assert reply.headers["content-type"].startswith("application/json")
    if path == "/graphql":
        return reply.code == code
    return set(reply.json) == {"error", "noRetry"} and reply.json["noRetry"] is False


async def counted(server: Server, limit: str) -> float:
    """Return the number of exceeded limits in /metrics."""
    async with server.client() as client:
        lines = (await client.get("/metrics", headers={"authorization": f"Bearer {METRICS}"})).text.splitlines()
    name = f'ostiary_limits_exceeded_total{{limit="{limit}"}} '
    return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), 0)


def padded(path: str, size: int) -> bytes:
    """Return the head of a request with this number of bytes."""
    bare = head(f"GET {path}", CLOSE, "X: ")
    return head(f"GET {path}", CLOSE, f"X: {'x' * (size - len(bare))}")


@pytest.mark.parametrize("path", ["/graphql", "/users", "/health/live"])
async def test_a_head_of_too_many_bytes_is_a_431(server: Server, path: str) -> None:
    before = await counted(server, "header_bytes")

    exact = await exchange(server.address, padded(path, HEADER_BYTES))
    above = await exchange(server.address, padded(path, HEADER_BYTES + 1))
    endless = await exchange(server.address, *[head(f"GET {path}", "X: ")[:-4], *[b"x" * 512] * 20])
    single = await exchange(server.address, *[bytes([byte]) for byte in padded(path, HEADER_BYTES + 1)])

    assert len(padded(path, HEADER_BYTES)) == HEADER_BYTES
    assert exact.status != 431
    assert all(is_refusal(each, path, 431, "HEADERS_TOO_LARGE") for each in (above, endless, single))
    assert await counted(server, "header_bytes") == before + 3


@pytest.mark.parametrize("path", ["/graphql", "/users"])
async def test_too_many_header_fields_are_a_431(server: Server, path: str) -> None:
    before = await counted(server, "header_fields")

    fullest = await exchange(server.address, head(f"GET {path}", CLOSE, *["X: x"] * (FIELDS - 2)))
    above = await exchange(server.address, head(f"GET {path}", CLOSE, *["X: x"] * (FIELDS - 1)))

    assert fullest.status != 431
    assert is_refusal(above, path, 431, "HEADERS_TOO_LARGE")
    assert await counted(server, "header_fields") == before + 1


NOT_HEAD = {
    "between requests": [b"\r\n" * (HEADER_BYTES // 2 + 1)],
    "before a request": [b"\r\n" * (HEADER_BYTES // 2), b"GET / HTTP/1.1\r\nHost:"],
    "an extension": [head("POST /graphql", JSON, "Transfer-Encoding: chunked"), b"2;", *[b"x" * 64] * 70],
    "a size": [head("POST /graphql", JSON, "Transfer-Encoding: chunked"), *[b"0" * 64] * 70],
    "trailers": [head("POST /graphql", JSON, "Transfer-Encoding: chunked"), *chunked(QUERY, ["X: x"] * 700)],
    "a trailer": [head("POST /graphql", JSON, "Transfer-Encoding: chunked"), *chunked(QUERY, ["X: " + "x" * 4_096])],
    "very small chunks": [head("POST /graphql", JSON, "Transfer-Encoding: chunked"), *[b"1\r\n \r\n" * 10] * 100],
    "very small chunks at once": [head("POST /graphql", JSON, "Transfer-Encoding: chunked"), b"1\r\n \r\n" * 1_000],
    "small extensions": [
        head("POST /graphql", JSON, "Transfer-Encoding: chunked"),
        *[b"1;%b\r\n \r\n" % (b"x" * 40)] * 200,
    ],
}


@pytest.mark.parametrize("pieces", NOT_HEAD.values(), ids=NOT_HEAD)
async def test_what_is_neither_head_nor_body_is_bounded_too(server: Server, pieces: list[bytes]) -> None:
    before = await counted(server, "header_bytes")

    reply = await exchange(server.address, *pieces)

    assert reply.status == 431
    assert await counted(server, "header_bytes") == before + 1


@pytest.mark.parametrize("path", APIS)
@pytest.mark.parametrize("fields", [[], ["X: " + "x" * 3_000], ["X: x"] * 100])
async def test_a_body_in_small_chunks_with_some_trailers_is_read(server: Server, path: str, fields: list[str]) -> None:
    begin = head(f"POST {path}", JSON, CLOSE, "Transfer-Encoding: chunked")

    reply = await exchange(server.address, begin, *chunked(APIS[path].ljust(20_000), fields))

    assert reply.status == 200


@pytest.mark.parametrize("path", APIS)
async def test_a_body_of_too_many_bytes_is_a_413(server: Server, path: str) -> None:
    before = await counted(server, "body_bytes")
    exact_body, above = (APIS[path].ljust(BODY_BYTES + more) for more in (0, 1))

    exact = await exchange(
        server.address, head(f"POST {path}", JSON, CLOSE, f"Content-Length: {len(exact_body)}"), exact_body
    )
    single = await exchange(server.address, head(f"POST {path}", JSON, CLOSE, f"Content-Length: {len(above)}"), above)
    begin = head(f"POST {path}", JSON, CLOSE, "Transfer-Encoding: chunked")
    parts = await exchange(server.address, begin, *[b"800\r\n%b\r\n" % (b" " * 0x800)] * (BODY_BYTES // 0x800 + 1))

    assert exact.status == 200
    assert all(is_refusal(each, path, 413, "BODY_TOO_LARGE") for each in (single, parts))
    assert await counted(server, "body_bytes") == before + 2


STARTED = {
    "a line": b"GET /health/live HT",
    "a field": b"GET /health/live HTTP/1.1\r\nHost: a\r\nX: ",
    "all but the end": b"GET /health/live HTTP/1.1\r\nHost: a\r\n",
}


@pytest.mark.parametrize("begun", STARTED.values(), ids=STARTED)
async def test_a_head_that_does_not_end_is_a_408(server: Server, begun: bytes) -> None:
    before = await counted(server, "header_seconds")

    first = await exchange(server.address, begun)
    wire = await Wire.opened(server.address)
    await wire.send(head("GET /health/live"))
    alive = await wire.reply()
    await wire.send(begun)
    second = await wire.reply()
    assert await wire.rest() == b""

    assert alive is not None
    assert second is not None
    assert (alive.status, second.status) == (200, 408)
    assert is_refusal(first, "/health/live", 408, "REQUEST_TIMEOUT")
    assert await counted(server, "header_seconds") == before + 2


async def test_a_head_in_slow_pieces_has_no_more_time_than_one_that_stops(server: Server) -> None:
    wire = await Wire.opened(server.address)

    async def drip() -> None:
        await wire.send(b"GET / HTTP/1.1\r\n")
        while True:
            await wire.send(b"X: x\r\n")
            await asyncio.sleep(0.3)

    dripping = asyncio.create_task(drip())
    reply = await wire.reply()
    dripping.cancel()

    assert reply is not None
    assert reply.status == 408


async def test_a_connection_that_sends_nothing_is_closed_without_a_word(server: Server) -> None:
    wire = await Wire.opened(server.address)

    assert await wire.rest() == b""


async def test_a_connection_that_is_idle_after_an_answer_is_closed_without_a_word(server: Server) -> None:
    wire = await Wire.opened(server.address)
    await wire.send(head("GET /health/live"))
    first = await wire.reply()
    await asyncio.sleep(1.5)  # longer than a head may take, and less than the five seconds of an idle connection
    await wire.send(head("GET /health/live"))
    second = await wire.reply()

    assert first is not None
    assert second is not None
    assert (first.status, second.status) == (200, 200)
    assert await wire.rest() == b""


async def test_no_route_waits_for_ever_for_a_body_that_does_not_end(server: Server) -> None:
    """Send a request to every route at once, as an administrator, with a declared body that is never sent."""
    token = await server.token("admin", PASSWORD)

    async def unended(method: str, path: str, body: Body) -> tuple[str, int, Any]:
        kind = JSON if Body.FORM not in body else "Content-Type: application/x-www-form-urlencoded"
        begin = head(f"{method} {path}", kind, f"Authorization: Bearer {token}", "Content-Length: 50")
        reply = await exchange(server.address, begin, b"a=")
        return f"{method} {path}", reply.status, reply.json if reply.status == 408 else None

    routes = [(each.method, _path(each), each.body) for each in rest.TABLE]
    others = [(method, path, Body.JSON) for method in ("POST",) for path in ("/graphql",)]
    replies = await asyncio.gather(*(unended(*each) for each in [*routes, *others]))

    reading = {f"{method} {path}" for method, path, body in [*routes, *others] if body}
    assert {name for name, status, _ in replies if status == 408} == reading
    *rest_errors, graphql = [said for _, status, said in replies if status == 408]
    assert all(set(said) == {"error", "noRetry"} for said in rest_errors)
    assert graphql["errors"][0]["extensions"]["code"] == "REQUEST_TIMEOUT"
    assert not any(status >= 500 for _, status, _ in replies)


def _path(route: Route) -> str:
    """Return the path of a route, with a text for each parameter that names no object."""
    return "/".join("nobody" if part.startswith("{") else part for part in route.path.split("/"))


async def test_a_body_after_the_answer_is_bounded_in_bytes(server: Server) -> None:
    before = await counted(server, "body_bytes")
    wire = await Wire.opened(server.address)
    await wire.send(head("GET /health/live", f"Content-Length: {BODY_BYTES * 4}"))
    reply = await wire.reply()
    await wire.send(*[b"x" * 8_192] * (BODY_BYTES // 8_192 + 1))

    assert reply is not None
    assert reply.status == 200
    assert await wire.rest() == b""
    assert await counted(server, "body_bytes") == before + 1


async def test_requests_that_wait_for_the_answer_before_are_bounded(server: Server) -> None:
    wire = await Wire.opened(server.address)
    await wire.send(head("GET /health/live") * 500)

    answers = (await wire.rest()).count(b"HTTP/1.1 200 OK")

    assert 1 <= answers < 100


async def test_above_the_bound_on_connections_only_health_checks_are_answered(tmp_path: Path) -> None:
    maximum = 10
    own = LIMITS | {"OSTIARY_REQUEST_LIMITS__CONNECTIONS": str(maximum), "OSTIARY_REQUEST_LIMITS__HEADER_SECONDS": "30"}
    with Server(tmp_path, **own) as server:
        server.ready()
        wires = [await Wire.opened(server.address) for _ in range(maximum)]
        silent = [await Wire.opened(server.address) for _ in range(200)]
        await asyncio.sleep(0.1)
        health = [await exchange(server.address, head(f"GET {path}")) for path in ("/health/live", "/health/ready?a")]
        refused = {path: await exchange(server.address, head(f"GET {path}")) for path in ("/graphql", "/users", "/")}
        given_up = [await wire.rest() for wire in silent]
        for wire in wires:
            await wire.send(head("GET /health/live", CLOSE))
        replies = [await wire.reply() for wire in wires]
        after = await exchange(server.address, head("GET /users", CLOSE))
        number = await counted(server, "connections")

    assert [each.status for each in health] == [200, 200]
    assert all(is_refusal(each, path, 503, "SERVICE_UNAVAILABLE") for path, each in refused.items())
    assert {each.headers["retry-after"] for each in refused.values()} == {"1"}
    assert {each is not None and each.status for each in replies} == {200}
    assert {each[:12] for each in given_up} == {b"HTTP/1.1 503"}
    assert after.status == 401
    assert number == len(refused) + len(silent)
