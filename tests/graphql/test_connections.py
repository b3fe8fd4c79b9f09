"""Claims about one connection, sent to the protocol without a socket: its costs and its end."""

import asyncio
import logging
import resource
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from httptools import HttpRequestParser
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from app import http
from app.config import RequestLimits
from app.domain.errors import Refusal
from app.http import file_descriptors
from app.http.budget import BUDGET, Budget
from app.http.fastpath.buffered_response import BufferedResponse
from app.http.fastpath.protocol import MIN_PIECE, Protocol
from app.http.headers import parse_headers
from app.observability.metrics import WorkerMetrics
from tests.http.test_protocol import Transport, asgi
from tests.support.wire import head

LIMITS = RequestLimits(header_seconds=1, body_seconds=1, header_bytes=1_048_576)


class Slow(Transport):
    """A transport whose client reads nothing, so that its buffer fills."""

    def __init__(self) -> None:
        super().__init__()
        self.is_aborted = self.has_ended = False
        self.read = 0
        self.protocol: Any = None

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.get_write_buffer_size() > 65_536:
            self.protocol.pause_writing()

    def write_eof(self) -> None:
        self.has_ended = True

    def abort(self) -> None:
        self.is_aborted = True

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.writes)) - self.read


def connected(budget: Budget, app: ASGIApp, transport: Transport) -> Any:
    """Return a protocol that is connected to an application."""
    config = uvicorn.Config(app, http=Protocol, lifespan="off", log_config=None, proxy_headers=False, interface="asgi3")
    config.load()
    protocol = Protocol(config=config, server_state=ServerState(), app_state={BUDGET: budget})
    protocol.connection_made(transport)  # type: ignore[arg-type]  # as much of it as is used
    return protocol


async def echo(request: Request) -> Response:
    try:
        read = await http.body(parse_headers(request.scope), request.receive, 1_000_000)
    except Refusal as refusal:
        return BufferedResponse(b"", refusal.status, "text/plain", http.headers(refusal))
    return BufferedResponse(read, 200, "text/plain")


async def long(request: Request) -> Response:
    return BufferedResponse(b"x" * 1_000_000, 200, "text/plain")


async def endless(request: Request) -> Response:
    return StreamingResponse(iter([b"x" * 10_000] * 1_000))


@pytest.mark.parametrize("size", [10_000, 100_000, 500_000])
async def test_a_header_in_single_bytes_is_parsed_in_pieces(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """The parser copies its part of a line for each piece that it receives."""
    fed = []

    class Counting:
        def __init__(self, parser: HttpRequestParser) -> None:
            self._parser = parser

        def feed_data(self, data: bytes) -> None:
            fed.append(len(data))
            self._parser.feed_data(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._parser, name)

    transport = Transport()
    connection = connected(Budget(LIMITS), asgi(echo), transport)
    connection.parser = Counting(connection.parser)
    for byte in head("GET /", "X: " + "x" * size):
        connection.data_received(bytes([byte]))
    await asyncio.sleep(0.01)
    connection.connection_lost(None)

    assert transport.writes[0].startswith(b"HTTP/1.1 200")
    assert len([each for each in fed if each]) <= size / MIN_PIECE + 5


@pytest.mark.parametrize("answer", [long, endless])
async def test_a_client_that_reads_nothing_is_left(answer: Callable[[Request], Awaitable[Response]]) -> None:
    transport = Slow()
    connection = transport.protocol = connected(Budget(LIMITS), asgi(answer), transport)
    connection.data_received(head("GET /"))
    async with asyncio.timeout(10):
        while not transport.is_aborted:  # noqa: ASYNC110 - an event would be part of what is tested
            await asyncio.sleep(0.05)
    connection.connection_lost(ConnectionAbortedError())
    await asyncio.sleep(0.01)

    assert transport.get_write_buffer_size() <= 1_100_000


async def test_a_client_that_reads_slowly_is_not_left() -> None:
    transport = Slow()
    connection = transport.protocol = connected(Budget(LIMITS), asgi(long), transport)
    connection.data_received(head("GET /"))
    for _ in range(20):
        await asyncio.sleep(0.1)
        transport.read += 1_000
    connection.connection_lost(None)

    assert not transport.is_aborted


async def test_newer_requests_displace_the_oldest_unfinished_one() -> None:
    budget = Budget(RequestLimits(), WorkerMetrics())
    maximum = 33_554_432 // 1_000_000
    transports = [Transport() for _ in range(maximum + 2)]
    connections = [connected(budget, asgi(echo), transport) for transport in transports]
    for connection in connections:
        connection.data_received(head("POST /", "Content-Length: 1000000"))
        connection.data_received(b"x" * 999_999)
        await asyncio.sleep(0.001)
    refused = [b"".join(transport.writes)[:12] for transport in transports]
    for connection in connections[5:]:
        connection.data_received(b"x")
        await asyncio.sleep(0.001)
    answered = [b"".join(transport.writes)[:12] for transport in transports[5:]]
    for connection in connections:
        connection.connection_lost(None)

    assert refused[:2] == [b"HTTP/1.1 503"] * 2
    assert set(refused[5:]) == {b""}
    assert set(answered) == {b"HTTP/1.1 200"}
    assert budget._unfinished == {}
    assert budget._unfinished_bytes == 0


async def test_a_pipelining_client_that_hangs_up_leaves_no_trace_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.02)
        return StreamingResponse(iter([b"x"]))

    transport = Transport()
    connection = connected(Budget(), asgi(slow), transport)
    connection.data_received(head("GET /") * 3)
    await asyncio.sleep(0)
    connection.connection_lost(None)
    await asyncio.sleep(0.05)

    assert transport.writes == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_stop_accepts_a_request_in_transit_and_closes_idle_connections() -> None:
    coming, idle, halfway = Slow(), Slow(), Slow()
    budget = Budget()
    connections = [connected(budget, asgi(echo), transport) for transport in (coming, idle, halfway)]
    halfway_head = head("GET /")
    for transport, connection in zip((coming, idle, halfway), connections, strict=True):
        transport.protocol = connection
        connection.data_received(head("GET /"))
        await asyncio.sleep(0.001)
    connections[2].data_received(halfway_head[:10])
    for connection in connections:
        connection.shutdown()
    assert not any(transport.is_closed or transport.has_ended for transport in (coming, idle, halfway))
    connections[0].data_received(head("GET /"))
    await asyncio.sleep(1.0)
    connections[2].data_received(halfway_head[10:])
    await asyncio.sleep(0.05)
    for connection in connections:
        connection.connection_lost(None)

    assert [b"".join(each.writes).count(b"200 OK") for each in (coming, idle, halfway)] == [2, 1, 2]
    assert [b"connection: close" in each.writes[-1] for each in (coming, halfway)] == [False, False]
    assert [b"connection: close" in b"".join(each.writes) for each in (coming, idle, halfway)] == [True, False, True]
    assert idle.has_ended


@pytest.mark.parametrize(
    ("limits", "raised", "bound"),
    [((1_024, 4_096), 1_256, 1_000), ((1_024, 1_024), 1_024, 768), ((4_096, 4_096), 4_096, 1_000), ((64, 64), 64, 10)],
)
def test_there_is_always_a_file_descriptor_for_the_next_connection(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    limits: tuple[int, int],
    raised: int,
    bound: int,
) -> None:
    now = [limits]
    monkeypatch.setattr(resource, "getrlimit", lambda _: now[0])
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: now.__setitem__(0, wanted))

    file_descriptors.raise_limit(1_000, 64)

    assert now == [(raised, limits[1])]
    assert file_descriptors.allowed_connections(1_000, 64) == bound
    assert bool(caplog.records) == (bound < 1_000)
