"""Measure the cost of expensive documents for the server, and for the users with normal requests."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from scripts.benchmark.cases import Asking, Case
from scripts.benchmark.load import Connection, Measured, Refused, graphql, opened
from scripts.benchmark.server import Server
from scripts.benchmark.world import STRANGER, World
from tests.support.hostile import HOSTILE

LOOKS = 5
"""Times that each document is measured alone; the median counts."""

TURNS = 6
ATTACKERS = 4
"""Connections that send such documents without a pause, half of them signed in."""

MAX_SECONDS = 0.05
"""The longest time that a worker may spend on one of them."""

MAX_RISE = 1.5
PAUSE_FACTOR = 16
"""The pause after a refusal, as a multiple of its time: the server itself rests fifteen times as long."""

NORMAL = ("the empty query", "page of resources: in 1 group, first", "100 resources with access: in 20 groups")

_fresh = count()


class Look(NamedTuple):
    """One refusal: the seconds that the server computed, and those that passed."""

    busy: float
    passed: float


@dataclass(slots=True)
class Results:
    """Each refusal alone; normal cases, quiet and under attack; the number of refusals in the elapsed time."""

    alone: dict[str, list[Look]] = field(default_factory=dict)
    quiet: dict[str, Measured] = field(default_factory=dict)
    attacked: dict[str, Measured] = field(default_factory=dict)
    refused: int = 0
    elapsed: float = 0.0

    def slowest(self) -> float:
        """Return the seconds for which the most expensive document keeps the server busy."""
        return max(_middle(looks).busy for looks in self.alone.values())

    def rises(self) -> list[float]:
        """Return the median of each normal case under attack, as a multiple of the quiet one."""
        return [self.attacked[name].median / self.quiet[name].median for name in self.quiet]

    @property
    def holds(self) -> bool:
        """Return True if both promises are kept."""
        return self.slowest() < MAX_SECONDS and max(self.rises()) < MAX_RISE


async def measure(world: World, server: Server, seconds: float) -> Results:
    """Time every refusal alone, then normal cases with and without an attack, in turns."""
    results, port = Results(), server.port
    async with opened(port, 1) as (connection,):
        asking = Asking(world, connection)
        cases = [case for case in await asking.cases() if case.name in NORMAL]
        await _each_alone(connection, server, results)
    token = asking.token(STRANGER)
    for _ in range(TURNS):
        for case in cases:
            await _time(port, case, seconds / TURNS, results.quiet.setdefault(case.name, Measured()))
            await _under_attack(port, case, seconds / TURNS, token, results)
    return results


async def _each_alone(connection: Connection, server: Server, results: Results) -> None:
    for _ in range(LOOKS):
        for name in HOSTILE:
            request, busy, began = _hostile(name), server.busy(), time.perf_counter()
            await _refused(connection, request, name)
            look = Look(server.busy() - busy, time.perf_counter() - began)
            results.alone.setdefault(name, []).append(look)
            await asyncio.sleep(PAUSE_FACTOR * look.passed)


async def _under_attack(port: int, case: Case, seconds: float, token: str, results: Results) -> None:
    over = asyncio.Event()
    senders = [token if at % 2 else None for at in range(ATTACKERS)]
    attack = [asyncio.create_task(_attack(port, at, sender, over)) for at, sender in enumerate(senders)]
    began = time.perf_counter()
    await _time(port, case, seconds, results.attacked.setdefault(case.name, Measured()))
    results.elapsed += time.perf_counter() - began
    over.set()
    results.refused += sum(await asyncio.gather(*attack))


async def _attack(port: int, first: int, token: str | None, over: asyncio.Event) -> int:
    """Send one after another, each attacker from another place of the list; return the number of refusals."""
    names = list(HOSTILE)
    async with opened(port, 1) as (connection,):
        for sent in count():
            if over.is_set():
                return sent
            name = names[(first * len(names) // ATTACKERS + sent) % len(names)]
            await _refused(connection, _hostile(name, token), name)
    raise AssertionError("counting has no end")


async def _time(port: int, case: Case, seconds: float, into: Measured) -> None:
    async with opened(port, 1) as (connection,):
        await case.prove(connection)
        began = time.perf_counter()
        for at in count():
            began_request = time.perf_counter()
            if began_request > began + seconds:
                return
            await connection.ask(case.requests[at % len(case.requests)])
            into.seconds.append(time.perf_counter() - began_request)


def _hostile(name: str, token: str | None = None) -> bytes:
    """Return a request with a text that is new to the server."""
    return graphql(f"{HOSTILE[name][0]}#{next(_fresh)}", None, token)


async def _refused(connection: Connection, request: bytes, name: str) -> None:
    _, body = await connection.ask(request)
    if f'"{HOSTILE[name][1]}"'.encode() not in body:
        raise Refused(f"{name}: not refused as it should be: {body[:300].decode(errors='replace')}")


def _middle(looks: Sequence[Look]) -> Look:
    return sorted(looks)[len(looks) // 2]


def table(runs: dict[str, Results], about: str) -> str:
    """Return everything as Markdown, for each database."""
    lines = [about, ""]
    for database, results in runs.items():
        lines += [f"| {database}: refused document | by | computed ms | passed ms |", "| --- | --- | ---: | ---: |"]
        for name, looks in results.alone.items():
            busy, passed = _middle(looks)
            lines.append(f"| {name} | {HOSTILE[name][1]} | {busy * 1000:.1f} | {passed * 1000:.1f} |")
        lines += ["", f"| {database}: normal client | quiet: median, p99 (ms) | attacked: median, p99 (ms) | × |"]
        lines += ["| --- | ---: | ---: | ---: |"]
        for (name, quiet), rise in zip(results.quiet.items(), results.rises(), strict=True):
            lines.append(f"| {name} | {_both(quiet)} | {_both(results.attacked[name])} | {rise:.2f} |")
        lines += ["", *_verdict(database, results), ""]
    return "\n".join(lines)


def _both(measured: Measured) -> str:
    return f"{measured.median * 1000:.2f}, {measured.p99 * 1000:.2f}"


def _verdict(database: str, results: Results) -> list[str]:
    slow, rise = results.slowest(), max(results.rises())
    rate = results.refused / results.elapsed
    return [
        f"- {database}: the most expensive document keeps a worker busy for {slow * 1000:.1f} ms: "
        f"{'kept' if slow < MAX_SECONDS else 'NOT kept'} (less than {MAX_SECONDS * 1000:.0f}).",
        f"- {database}: while {ATTACKERS} connections send them without a pause ({rate:.0f} refused a second), "
        f"the median of a normal client is at most {rise:.2f} times the quiet one: "
        f"{'kept' if rise < MAX_RISE else 'NOT kept'} (less than {MAX_RISE}).",
    ]
