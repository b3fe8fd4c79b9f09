"""Measure each optimization by itself: one server as it is beside one without it, in short alternating turns."""

import asyncio
import gc
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import NamedTuple

from scripts.benchmark import world
from scripts.benchmark.cases import Asking, Case
from scripts.benchmark.filling import say
from scripts.benchmark.load import CONNECTIONS, WARMING, Connection, accept, get, opened
from scripts.benchmark.server import Server
from scripts.benchmark.world import World

ROUNDS = 10

TURN_REQUESTS = {1: 12, CONNECTIONS: 40}
"""The requests of a turn, by the number of connections. A turn takes a few milliseconds, so that both servers meet the
same busy moments. The server that goes first changes with each pair of turns."""

LEAST_GAIN = 1.05
"""An optimization stays if it gives at least so many times the requests per second, in one case or more."""

EMPTY, PAGE, CHECK = "the empty query", "page of resources: in 20 groups, first", "one check"
AGAIN = "the same check again"
BROWSER, REST = "the empty query with a browser's headers", "REST: GET /users/roles"

ANYWHERE = ("SQLite",)
"""HTTP costs the same on both databases, and is a larger part on this one."""

DATABASES: Mapping[str, tuple[str, ...]] = {
    "nothing": ("SQLite", "PostgreSQL"),
    "header cache": ANYWHERE,
    "response header cache": ANYWHERE,
    "body cache": ANYWHERE,
    "viewer cache": ("SQLite",),
    "commit version": ("SQLite",),
    "own pool": ("PostgreSQL",),
    "protocol class": ("SQLite", "PostgreSQL"),
}
"""The optimizations, and the databases on which each is measured."""

BROWSER_HEADERS = b"""\
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r
Accept-Language: en-US,en;q=0.5\r
Accept-Encoding: gzip, deflate, br, zstd\r
Referer: http://localhost/app/resources\r
Origin: http://localhost\r
Connection: keep-alive\r
Sec-Fetch-Dest: empty\r
Sec-Fetch-Mode: cors\r
Sec-Fetch-Site: same-origin\r
Priority: u=4\r
DNT: 1\r
"""


@dataclass(slots=True)
class Turns:
    """The turns of one server: requests per second, median seconds, and processor seconds of the server a request.

    `rounds` has the median rate of each round.
    """

    rates: list[float] = field(default_factory=list)
    rounds: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)


class Comparison(NamedTuple):
    """One case at a number of connections, with the optimization and without it."""

    thing: str
    database: str
    case: str
    connections: int
    standard: Turns
    removed: Turns

    @property
    def gain(self) -> float:
        """The requests per second with the optimization, as a multiple of those without."""
        return median(self.standard.rates) / median(self.removed.rates)

    def line(self) -> str:
        """Return a line of the table."""
        standard, removed = self.standard, self.removed
        each = sorted(one / other for one, other in zip(standard.rounds, removed.rounds, strict=True))
        cells = [
            self.thing,
            self.database,
            self.case,
            str(self.connections),
            f"{median(standard.rates):,.0f}",
            f"{median(removed.rates):,.0f}",
            f"{self.gain:.3f}",
            f"{each[len(each) // 4]:.2f}-{each[-1 - len(each) // 4]:.2f}",
            f"{median(removed.latencies) / median(standard.latencies):.3f}",
            f"{_undisturbed(removed.latencies) / _undisturbed(standard.latencies):.3f}",
            f"{median(standard.costs) * 1e6:,.0f}",
            f"{median(removed.costs) * 1e6:,.0f}",
            f"{median(removed.costs) / median(standard.costs):.3f}",
            f"{_undisturbed(removed.costs) / _undisturbed(standard.costs):.3f}",
        ]
        return f"| {' | '.join(cells)} |"


HEAD = [
    "thing",
    "database",
    "case",
    "connections",
    "requests/s with",
    "without",
    "ratio",
    "of rounds",
    "latency ratio",
    "of quiet turns",
    "CPU µs with",
    "without",
    "CPU ratio",
    "of quiet turns",
]


def _undisturbed(values: Sequence[float]) -> float:
    """Return the upper end of the smallest tenth."""
    return sorted(values)[len(values) // 10]


def table(comparisons: Sequence[Comparison], said: str) -> str:
    """Return everything as Markdown."""
    lines = [f"| {' | '.join(HEAD)} |", f"| --- | --- | --- |{' ---: |' * (len(HEAD) - 3)}"]
    text = (
        f"{said} {ROUNDS} rounds of alternating turns of a few milliseconds; medians of all turns. "
        "A ratio above 1 speaks for the optimization. *Of rounds*: the middle half of the ratios of the rounds. "
        "*Of quiet turns*: the tenth of the turns with the smallest values, which other processes disturb least. "
        "The lines of *nothing* compare two equal servers: how far they are from 1 is noise."
    )
    gains: dict[str, float] = {}
    for each in comparisons:
        gains[each.thing] = max(each.gain, gains.get(each.thing, 0.0))
    verdicts = [
        f"- {thing}: at most {gain:.3f}: {'stays' if gain >= LEAST_GAIN else 'goes'}."
        for thing, gain in gains.items()
        if thing != "nothing"
    ]
    return "\n".join([text, "", *lines, *(each.line() for each in comparisons), "", *verdicts])


async def measure(
    thing: str, database: str, url: str, bench_world: World, folder: Path, seconds: float
) -> list[Comparison]:
    """Measure every case with one optimization and without it; raises Refused."""
    shared = {"OSTIARY_SECRET": secrets.token_urlsafe(48)}
    comparisons = []
    with (
        Server(url, folder, shared, command=_serve("nothing")) as standard,
        Server(url, folder, shared, command=_serve(thing)) as removed,
    ):
        await _cases(bench_world, removed)  # both servers have the same past
        cases = await _cases(bench_world, standard)
        for case in cases:
            for number in (1, CONNECTIONS):
                say(f"{thing}, {database}: {case.name}, {number} at once")
                turns = await _alternate(standard, removed, case, number, seconds / ROUNDS)
                comparisons.append(Comparison(thing, database, case.name, number, *turns))
                say(comparisons[-1].line())  # a run that fails later leaves what it has measured
    return comparisons


def _serve(thing: str) -> Sequence[str]:
    return ("-m", "scripts.benchmark.without", thing, "--", "serve", "--port", "0")


async def _cases(bench_world: World, server: Server) -> list[Case]:
    async with opened(server.port, 1) as (connection,):
        asking = Asking(bench_world, connection)
        by_name = {case.name: case for case in await asking.cases()}
        cases = [by_name[name] for name in (EMPTY, PAGE, CHECK, AGAIN)]
        for case in cases:
            await case.prove(connection)
        host = b"Host: localhost\r\n"
        browser = [each.replace(host, host + BROWSER_HEADERS, 1) for each in by_name[EMPTY].requests]
        sender = f"Authorization: Bearer {asking.token(world.TWENTY)}\r\n".encode()
        rest = get("/users/roles").replace(host, host + sender)
        return [*cases, Case(BROWSER, browser), Case(REST, [rest])]


async def _alternate(standard: Server, removed: Server, case: Case, number: int, seconds: float) -> tuple[Turns, Turns]:
    gc.collect()
    gc.freeze()
    turns = Turns(), Turns()
    async with opened(standard.port, number) as first, opened(removed.port, number) as second:
        sides = [(standard, first, turns[0]), (removed, second, turns[1])]
        for _, connections, _ in sides:
            for request in case.requests[:WARMING]:
                for connection in connections:
                    accept(*await connection.ask(request))
        requests = [cycle(case.requests), cycle(case.requests)]  # both are asked the same
        for _ in range(ROUNDS):
            before = [len(into.rates) for into in turns]
            end = time.perf_counter() + 2 * seconds
            first_side = 0
            while time.perf_counter() < end:
                for side in (first_side, 1 - first_side):
                    server, connections, into = sides[side]
                    await _turn(server, connections, requests[side], into)
                first_side = 1 - first_side
            for into, start in zip(turns, before, strict=True):
                into.rounds.append(median(into.rates[start:]))
    return turns


async def _turn(server: Server, connections: Sequence[Connection], requests: "cycle[bytes]", into: Turns) -> None:
    latencies: list[float] = []
    share = TURN_REQUESTS[len(connections)] // len(connections)
    busy, began = server.busy(), time.perf_counter()

    async def ask(connection: Connection) -> None:
        now = time.perf_counter()
        for _ in range(share):
            accept(*await connection.ask(next(requests)))
            before, now = now, time.perf_counter()
            latencies.append(now - before)

    await asyncio.gather(*map(ask, connections))
    into.rates.append(len(latencies) / (time.perf_counter() - began))
    into.latencies.append(median(latencies))
    into.costs.append((server.busy() - busy) / len(latencies))
