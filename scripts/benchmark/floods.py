"""Requests of strangers that cost much and pass as requests, and what a signed-in client notices while they come.

Each flood is tried against a server of its own, so that what one leaves behind is not counted for the next.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import count

import orjson

from scripts.benchmark.cases import Asking, Case, login
from scripts.benchmark.load import Connection, Measured, get, graphql, opened
from scripts.benchmark.server import Server
from scripts.benchmark.world import FIRST_ORDINARY, World

SENDERS = 4
"""Connections that send a flood."""

CASE = "page of resources: in 1 group, first"
BEAT_SECONDS = 0.005
"""Seconds between two liveness requests."""

TURNS = 4
MAX_RISE = 1.3
MAX_MEGABYTES = 64.0

BACKSLASHES = '\\"' * 30_000

_fresh = count()

VALUES = "query($f:UserFilter){users(filter:$f){totalCount}}"
NODES = "query($ids:[ID!]!){nodes(ids:$ids){id}}"


@dataclass(frozen=True, slots=True)
class Flood:
    """A kind of request: its builder, the pause of a sender after each, and the number of senders."""

    make: Callable[[], bytes]
    rest: float = 0.0
    senders: int = SENDERS
    sockets: int = 0
    """Raw connections that send `make` in one write and then a byte at a time, opened again when the server closes."""


def _posted(query: str, **more: object) -> bytes:
    body = orjson.dumps({"query": query, **more})
    head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@cache
def _many_values() -> bytes:
    return graphql(VALUES, {"f": {"or": [1] * 500_000}})


@cache
def _many_ids() -> bytes:
    return graphql(NODES, {"ids": ["VXNlcjox"] * 90_000})


def _blanks() -> bytes:
    return graphql("{__typename}" + " " * 199_900 + f"#{next(_fresh)}")


def _long_document() -> bytes:
    """A valid document of 65 KB, made of aliases and a long string."""
    at = next(_fresh)
    fields = " ".join(f"a{at}x{each}: __typename" for each in range(15))
    return graphql(f'{{ {fields} user(by: {{userName: "{"x" * 64_000}"}}) {{ id }} }}')


def _new_document() -> bytes:
    return graphql(f"{{ a{next(_fresh)}: __typename viewer {{ user {{ userName email }} }} }}")


def _dear_document() -> bytes:
    """A valid document near the limit of its tokens."""
    ids = '"a" ' * 90
    return graphql(f"{{ a{next(_fresh)}: nodes(ids: [{ids}]) {{ id }} {' '.join(map(_users, range(18)))} }}")


def _users(at: int) -> str:
    return f"u{at}: users(first: 1) {{ nodes {{ {'id userName email createdAt ' * 45} }} }}"


def _operations() -> bytes:
    """One document of many operations, of which another one is asked for each time, or one that is not there."""
    text = " ".join(f"query q{each} {{ viewer {{ user {{ id }} }} }}" for each in range(190))
    return _posted(text, operationName=f"q{next(_fresh)}")


def _cookies() -> bytes:
    """A cookie that takes quadratic time to unquote where it is not read in one pass."""
    head = "GET /graphql?query={__typename} HTTP/1.1\r\nHost: localhost\r\n"
    return f'{head}Cookie: jwtToken="{BACKSLASHES}\r\n\r\n'.encode()


def _sign_in() -> bytes:
    """A right sign-in, always of the same account."""
    return login(f"user{FIRST_ORDINARY}")


def _long_head() -> bytes:
    return b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-Long: " + b"x" * 1_000_000


def _endless_head() -> bytes:
    return b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


def _endless_body() -> bytes:
    head, _, _ = _posted("{__typename}").partition(b"\r\n\r\n")
    return head.replace(b"Content-Length: ", b"Content-Length: 9") + b"\r\n\r\n"


FLOODS = {
    "half a million values": Flood(_many_values, rest=0.2, senders=1),
    "ninety thousand ids": Flood(_many_ids, rest=0.2, senders=1),
    "blanks and a new comment, ten a second": Flood(_blanks, rest=0.1, senders=1),
    "new documents of 65 KB": Flood(_long_document),
    "small new documents": Flood(_new_document),
    "large new documents": Flood(_dear_document),
    "many operations, another name each time": Flood(_operations),
    "cookies of 60 KB": Flood(_cookies, rest=0.05),
    "right sign-ins of one account, 30 at once": Flood(_sign_in, senders=30),
    "heads of a megabyte": Flood(_long_head, rest=0.05, sockets=4),
    "heads that never end, 300 connections": Flood(_endless_head, rest=0.2, sockets=300),
    "bodies that never end, 300 connections": Flood(_endless_body, rest=0.2, sockets=300),
}


@dataclass(slots=True)
class Felt:
    """Times of a signed-in client and of liveness requests, quiet and under a flood; the worker's memory."""

    quiet: Measured = field(default_factory=Measured)
    flooded: Measured = field(default_factory=Measured)
    beats: Measured = field(default_factory=Measured)
    sent: int = 0
    megabytes: float = 0.0

    @property
    def rise(self) -> float:
        """Return the median under the flood, as a multiple of the quiet one."""
        return self.flooded.median / self.quiet.median

    @property
    def holds(self) -> bool:
        """Return True if both promises are kept."""
        return self.rise < MAX_RISE and self.megabytes < MAX_MEGABYTES


async def measure(world: World, server: Server, flood: Flood, seconds: float) -> Felt:
    """Time a signed-in client and the liveness with and without a flood, in turns."""
    felt, port = Felt(), server.port
    async with opened(port, 1) as (connection,):
        (case,) = [each for each in await Asking(world, connection).cases() if each.name == CASE]
        await case.prove(connection)
    await _ask(port, case, seconds / TURNS, Measured())
    memory = server.memory()
    for _ in range(TURNS):
        await _ask(port, case, seconds / TURNS, felt.quiet)
        over = asyncio.Event()
        send, number = (_trickle, flood.sockets) if flood.sockets else (_send, flood.senders)
        senders = [asyncio.create_task(send(port, flood, over)) for _ in range(number)]
        beats = asyncio.create_task(_beat(port, over, felt.beats))
        await _ask(port, case, seconds / TURNS, felt.flooded)
        over.set()
        felt.sent += sum(await asyncio.gather(*senders))
        await beats
    felt.megabytes = max(0, server.memory() - memory) / 1e6
    return felt


async def _ask(port: int, case: Case, seconds: float, into: Measured) -> None:
    async with opened(port, 1) as (connection,):
        began = time.perf_counter()
        for at in count():
            began_request = time.perf_counter()
            if began_request > began + seconds:
                return
            await connection.ask(case.requests[at % len(case.requests)])
            into.seconds.append(time.perf_counter() - began_request)


async def _send(port: int, flood: Flood, over: asyncio.Event) -> int:
    """Send until the flood is over; return the number of requests."""
    async with opened(port, 1) as (connection,):
        for sent in count():
            if over.is_set():
                return sent
            await _sent(connection, flood.make(), over)
            await asyncio.sleep(flood.rest)
    raise AssertionError("counting has no end")


async def _trickle(port: int, flood: Flood, over: asyncio.Event) -> int:
    """Send bytes until it is over, on one connection after another; returns how many were opened."""
    opened_times = 0
    while not over.is_set():
        opened_times += 1
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(flood.make())
            while not over.is_set() and not writer.transport.is_closing():
                await asyncio.sleep(flood.rest)
                writer.write(b"x")
            writer.transport.abort()
        await asyncio.sleep(flood.rest)
    return opened_times


async def _sent(connection: Connection, request: bytes, over: asyncio.Event) -> None:
    """Wait for any answer, or until the flood is over."""
    reply, ended = asyncio.ensure_future(connection.ask(request)), asyncio.ensure_future(over.wait())
    await asyncio.wait({reply, ended}, return_when=asyncio.FIRST_COMPLETED)
    for each in (reply, ended):
        each.cancel()


async def _beat(port: int, over: asyncio.Event, into: Measured) -> None:
    async with opened(port, 1) as (connection,):
        while not over.is_set():
            began = time.perf_counter()
            await connection.ask(get("/health/live"))
            into.seconds.append(time.perf_counter() - began)
            await asyncio.sleep(BEAT_SECONDS)


def lines(database: str, results: dict[str, Felt]) -> Sequence[str]:
    """Return the results, as lines of a report."""
    table = [
        f"| {database}: flood of strangers | sent | signed-in, quiet: median, p99 (ms) | flooded: median, p99 (ms) "
        "| × | longest beat (ms) | memory (MB) |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, felt in results.items():
        longest = max(felt.beats.seconds, default=0.0)
        table.append(
            f"| {name} | {felt.sent} | {_both(felt.quiet)} | {_both(felt.flooded)} | {felt.rise:.2f} "
            f"| {longest * 1000:.0f} | {felt.megabytes:.0f} |"
        )
    worst = max(felt.rise for felt in results.values())
    said = "kept" if all(felt.holds for felt in results.values()) else "NOT kept"
    return [
        *table,
        "",
        f"- {database}: a flood of strangers leaves the median of a signed-in client at most {worst:.2f} times as "
        f"high, and the worker's memory within {MAX_MEGABYTES:.0f} MB: {said} (less than {MAX_RISE}).",
    ]


def _both(measured: Measured) -> str:
    return f"{measured.median * 1000:.2f}, {measured.p99 * 1000:.2f}"
