"""A small HTTP client that costs less than any server, and its measurements: one request at a time, then many."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import orjson

CONNECTIONS = 8
LEAST = 5
"""Requests that are timed in a turn, even if they take longer than the turn."""

MOST = 5_000
WARMING = 3
OK = 200

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Refused(Exception):
    """The server sent an unexpected answer."""


class Connection(asyncio.Protocol):
    """A connection that is kept alive. Requests are bytes that were built before."""

    def __init__(self) -> None:
        self._got = bytearray()
        self._end = 0
        self._reply: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport: Any = transport  # that of uvloop is no asyncio.Transport by its class

    def data_received(self, data: bytes) -> None:
        """Collect until the reply is complete."""
        self._got += data
        if not self._end:
            head = self._got.find(b"\r\n\r\n")
            if head < 0:
                return
            length = _LENGTH.search(self._got, 0, head)
            self._body = head + 4
            self._end = self._body + int(length[1] if length else 0)
        if len(self._got) >= self._end and self._reply is not None:
            self._reply.set_result((int(self._got[9:12]), bytes(self._got[self._body : self._end])))
            self._got.clear()
            self._end = 0

    def connection_lost(self, error: Exception | None) -> None:
        """Report the loss to the waiting request."""
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(error or ConnectionResetError("the server closed the connection"))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and take its status and body."""
        self._reply = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._reply

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()


def get(path: str) -> bytes:
    """Return a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def graphql(query: str, variables: dict[str, Any] | None = None, token: str | None = None) -> bytes:
    """Return a GraphQL request, with a token if there is one."""
    body = orjson.dumps({"query": query, "variables": variables or {}})
    sender = f"Authorization: Bearer {token}\r\n" if token else ""
    head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
    return f"{head}{sender}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def answer(connection: Connection, request: bytes) -> Any:
    """Return the data of a GraphQL reply; raises Refused for errors of any kind."""
    status, body = await connection.ask(request)
    accept(status, body)
    return orjson.loads(body)["data"]


def accept(status: int, body: bytes) -> None:
    """Raise Refused unless an answer is a success."""
    if status != OK or b'"errors":[{' in body:
        raise Refused(f"{status}: {body[:500].decode(errors='replace')}")


@dataclass(slots=True)
class Measured:
    """Seconds of single requests, and the number of answers in the elapsed time of concurrent ones."""

    seconds: list[float] = field(default_factory=list)
    answered: int = 0
    elapsed: float = 0.0

    @property
    def median(self) -> float:
        """Return the median, in seconds."""
        return self._at(0.5)

    @property
    def p99(self) -> float:
        """Return the 99th percentile, in seconds."""
        return self._at(0.99)

    @property
    def rate(self) -> float:
        """Return the requests per second."""
        return self.answered / self.elapsed

    def _at(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


@asynccontextmanager
async def opened(port: int, number: int) -> AsyncIterator[list[Connection]]:
    """Open connections to a server on this machine; the server closes those that are idle for some seconds."""
    loop = asyncio.get_running_loop()
    connections = [(await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(number)]
    yield connections
    for connection in connections:
        connection.close()


WRITES = 100
"""Commits in a second of the writer beside a measurement."""


@asynccontextmanager
async def writing(port: int, changes: Iterator[bytes]) -> AsyncIterator[None]:
    """Send changes on a connection of their own, `WRITES` a second, while the block runs; raises Refused."""

    async def write(connection: Connection) -> None:
        due = time.perf_counter()
        while True:
            accept(*await connection.ask(next(changes)))
            due = max(due + 1 / WRITES, time.perf_counter() - 1)  # catches up on at most a second
            await asyncio.sleep(due - time.perf_counter())

    async with opened(port, 1) as (connection,), asyncio.TaskGroup() as tasks:
        writer = tasks.create_task(write(connection))
        yield
        writer.cancel()


async def measure(
    port: int, requests: Sequence[bytes], seconds: float, into: Measured, beside: Iterator[bytes] | None = None
) -> None:
    """Send requests on one connection for some time, then on many at once; raises Refused.

    With `beside`, a writer commits these changes at the same time.
    """
    if beside is not None:
        async with writing(port, beside):
            await measure(port, requests, seconds, into)
        return
    async with opened(port, 1) as (connection,):
        for request in requests[:WARMING]:
            accept(*await connection.ask(request))
        await _time_each(connection, requests, seconds, into)
    async with opened(port, CONNECTIONS) as connections:
        await _time_many(connections, requests, seconds, into)


async def _time_each(connection: Connection, requests: Sequence[bytes], seconds: float, into: Measured) -> None:
    give_up = time.perf_counter() + seconds
    for timed, request in enumerate(cycle(requests)):
        began = time.perf_counter()
        if timed >= MOST or (timed >= LEAST and began > give_up):
            return
        status, body = await connection.ask(request)
        into.seconds.append(time.perf_counter() - began)
        accept(status, body)


async def _time_many(
    connections: Sequence[Connection], requests: Sequence[bytes], seconds: float, into: Measured
) -> None:
    middle = len(requests) // 2
    waiting = cycle([*requests[middle:], *requests[:middle]])  # not those that were just asked
    await keep_busy(connections, waiting, seconds, into)


async def keep_busy(
    connections: Sequence[Connection], waiting: Iterator[bytes], seconds: float, into: Measured
) -> None:
    """Send the next request on each connection after each answer, for some time; raises Refused."""
    began = time.perf_counter()

    async def worker(connection: Connection) -> int:
        number = 0
        while not number or (number < MOST and time.perf_counter() < began + seconds):
            accept(*await connection.ask(next(waiting)))
            number += 1
        return number

    into.answered += sum(await asyncio.gather(*map(worker, connections)))
    into.elapsed += time.perf_counter() - began
