"""What documents that are made to be dear cost the server, and what they cost those who ask for something good."""

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
from tests.support.hostile import HOSTILE, MOST_SECONDS

LOOKS = 5
"""How often each document is timed alone; the middle counts."""

TURNS = 6
ATTACKERS = 4
"""Connections that send such documents without a pause, half of them as somebody."""

MOST_RISE = 1.5
PATIENCE = 16
"""How many times as long as a refusal took is waited for the next one alone: the server rests fifteen times as long."""

NORMAL = ("the empty query", "page of resources: in 1 group, first", "100 resources with access: in 20 groups")

_fresh = count()


class Look(NamedTuple):
    """One refusal: the seconds that the server computed, and those that passed."""

    busy: float
    passed: float


@dataclass(slots=True)
class Found:
    """Each refusal alone; what normal cases took, quiet and under attack; how many were refused then, in how long."""

    alone: dict[str, list[Look]] = field(default_factory=dict)
    quiet: dict[str, Measured] = field(default_factory=dict)
    attacked: dict[str, Measured] = field(default_factory=dict)
    refused: int = 0
    elapsed: float = 0.0

    def slowest(self) -> float:
        """What the dearest document keeps the server busy, in seconds."""
        return max(_middle(looks).busy for looks in self.alone.values())

    def rises(self) -> list[float]:
        """How many times the quiet median each normal case has under attack."""
        return [self.attacked[name].median / self.quiet[name].median for name in self.quiet]

    @property
    def holds(self) -> bool:
        """Whether both promises are kept."""
        return self.slowest() < MOST_SECONDS and max(self.rises()) < MOST_RISE


async def measure(world: World, server: Server, seconds: float) -> Found:
    """Time every refusal alone, then normal cases with and without an attack, in turns."""
    found, port = Found(), server.port
    async with opened(port, 1) as (connection,):
        asking = Asking(world, connection)
        cases = [case for case in await asking.cases() if case.name in NORMAL]
        await _each_alone(connection, server, found)
    token = asking.token(STRANGER)
    for _ in range(TURNS):
        for case in cases:
            await _time(port, case, seconds / TURNS, found.quiet.setdefault(case.name, Measured()))
            await _under_attack(port, case, seconds / TURNS, token, found)
    return found


async def _each_alone(connection: Connection, server: Server, found: Found) -> None:
    for _ in range(LOOKS):
        for name in HOSTILE:
            request, busy, began = _hostile(name), server.busy(), time.perf_counter()
            await _refused(connection, request, name)
            look = Look(server.busy() - busy, time.perf_counter() - began)
            found.alone.setdefault(name, []).append(look)
            await asyncio.sleep(PATIENCE * look.passed)


async def _under_attack(port: int, case: Case, seconds: float, token: str, found: Found) -> None:
    over = asyncio.Event()
    senders = [token if at % 2 else None for at in range(ATTACKERS)]
    attack = [asyncio.create_task(_attack(port, at, sender, over)) for at, sender in enumerate(senders)]
    began = time.perf_counter()
    await _time(port, case, seconds, found.attacked.setdefault(case.name, Measured()))
    found.elapsed += time.perf_counter() - began
    over.set()
    found.refused += sum(await asyncio.gather(*attack))


async def _attack(port: int, first: int, token: str | None, over: asyncio.Event) -> int:
    """Send one after another, each attacker from another place of the list; answers how many were refused."""
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
            asked = time.perf_counter()
            if asked > began + seconds:
                return
            await connection.ask(case.requests[at % len(case.requests)])
            into.seconds.append(time.perf_counter() - asked)


def _hostile(name: str, token: str | None = None) -> bytes:
    """A text that the server has not seen before."""
    return graphql(f"{HOSTILE[name][0]}#{next(_fresh)}", None, token)


async def _refused(connection: Connection, request: bytes, name: str) -> None:
    _, body = await connection.ask(request)
    if f'"{HOSTILE[name][1]}"'.encode() not in body:
        raise Refused(f"{name}: not refused as it should be: {body[:300].decode(errors='replace')}")


def _middle(looks: Sequence[Look]) -> Look:
    return sorted(looks)[len(looks) // 2]


def table(runs: dict[str, Found], about: str) -> str:
    """Everything as Markdown, for each database."""
    lines = [about, ""]
    for database, found in runs.items():
        lines += [f"| {database}: refused document | by | computed ms | passed ms |", "| --- | --- | ---: | ---: |"]
        for name, looks in found.alone.items():
            busy, passed = _middle(looks)
            lines.append(f"| {name} | {HOSTILE[name][1]} | {busy * 1000:.1f} | {passed * 1000:.1f} |")
        lines += ["", f"| {database}: normal client | quiet: median, p99 (ms) | attacked: median, p99 (ms) | × |"]
        lines += ["| --- | ---: | ---: | ---: |"]
        for (name, quiet), rise in zip(found.quiet.items(), found.rises(), strict=True):
            lines.append(f"| {name} | {_both(quiet)} | {_both(found.attacked[name])} | {rise:.2f} |")
        lines += ["", *_verdict(database, found), ""]
    return "\n".join(lines)


def _both(measured: Measured) -> str:
    return f"{measured.median * 1000:.2f}, {measured.p99 * 1000:.2f}"


def _verdict(database: str, found: Found) -> list[str]:
    slow, rise = found.slowest(), max(found.rises())
    rate = found.refused / found.elapsed
    return [
        f"- {database}: the dearest document keeps a worker busy for {slow * 1000:.1f} ms: "
        f"{'kept' if slow < MOST_SECONDS else 'NOT kept'} (less than {MOST_SECONDS * 1000:.0f}).",
        f"- {database}: while {ATTACKERS} connections send them without a pause ({rate:.0f} refused a second), "
        f"the median of a normal client is at most {rise:.2f} times the quiet one: "
        f"{'kept' if rise < MOST_RISE else 'NOT kept'} (less than {MOST_RISE}).",
    ]
