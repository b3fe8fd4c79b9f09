"""Measure Ostiary beside a textbook server, in alternating rounds, after a comparison of their answers."""

import gc
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple

import asyncpg
import jwt

from app.domain import refs
from scripts.benchmark import textbook, world
from scripts.benchmark.cases import CHECK, RESOURCES, ROLES, USERS, login
from scripts.benchmark.executors import SMALL
from scripts.benchmark.filling import say
from scripts.benchmark.load import Measured, Refused, answer, graphql, keep_busy, opened
from scripts.benchmark.server import Server, processor_seconds
from scripts.benchmark.world import NAMES, World

ROUNDS = 5
CONNECTIONS = (1, 16)
COMPARED = 200
"""Checks whose answers are compared."""

TEXTBOOK = ("-m", "scripts.benchmark.textbook")
"""The command of the textbook server."""

OUR_USERS = "{ users(first: 50) { nodes { userName email roles { name } orgs { nodes { slug name } } } } }"
THEIR_USERS = "{ users(first: 50) { userName email roles orgs { slug name } } }"
OUR_RESOURCES = """{ resources(first: 100) { nodes { name viewerAccess { effectiveRoles } org { slug name }
  access { groups { group { displayName } roles } } } } }"""
THEIR_RESOURCES = """{ resources(first: 100) { name effectiveRoles org { slug name }
  grants { group { displayName } roles } } }"""
THEIR_SMALL = "{ viewer { userName } }"
THEIR_CHECK = """query ($user: Int!, $resource: Int!, $role: ResourceRole!) {
  checkAccess(user: $user, resource: $resource, role: $role) }"""

Triple = tuple[int, int, str]
"""A user id, a resource id and the name of a role."""


class Side(NamedTuple):
    """One of the servers, and the token of the administrator there."""

    server: Server
    token: str


@dataclass(frozen=True, slots=True)
class Case:
    """The same question to both servers: endless requests for a token, and the facts of an answer.

    `compared` is the number of requests whose facts are compared.
    """

    name: str
    ours: Callable[[str], Iterator[bytes]]
    theirs: Callable[[str], Iterator[bytes]]
    our_facts: Callable[[Any], Any]
    their_facts: Callable[[Any], Any]
    compared: int = 1


@dataclass(slots=True)
class Rounds:
    """Of each round: requests per second, and processor seconds a request of the server and of its PostgreSQL."""

    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    def cells(self) -> list[str]:
        """Return the medians as cells of the table."""
        return [f"{median(self.rates):,.0f}", f"{median(self.costs) * 1000:.3f}"]


class Comparison(NamedTuple):
    """A case at a number of connections, at Ostiary and at the textbook server."""

    database: str
    case: str
    connections: int
    ours: Rounds
    theirs: Rounds

    def line(self) -> str:
        """Return a line of the table."""
        faster = median(self.ours.rates) / median(self.theirs.rates)
        cheaper = median(self.theirs.costs) / median(self.ours.costs)
        cells = [self.case, self.database, str(self.connections), *self.ours.cells(), *self.theirs.cells()]
        return f"| {' | '.join([*cells, f'{faster:.1f}', f'{cheaper:.1f}'])} |"


HEAD = [
    "case",
    "database",
    "connections",
    "Ostiary requests/s",
    "CPU ms",
    "textbook requests/s",
    "CPU ms",
    "× requests/s",
    "× less CPU",
]


def table(comparisons: Sequence[Comparison], said: str) -> str:
    """Return everything as Markdown."""
    text = (
        f"{said} Ostiary beside a textbook server: Strawberry, SQLAlchemy and DataLoaders. Both gave the same answers. "
        f"Medians of {ROUNDS} alternating rounds. CPU: a request's processor time in the server and in PostgreSQL."
    )
    lines = [f"| {' | '.join(HEAD)} |", f"| --- | --- |{' ---: |' * (len(HEAD) - 2)}"]
    return "\n".join([text, "", *lines, *(each.line() for each in comparisons)])


async def measure(bench_world: World, database: str, url: str, folder: Path, seconds: float) -> list[Comparison]:
    """Measure every case at both servers; raises Refused if an answer differs."""
    key = secrets.token_urlsafe(48)
    with (
        Server(url, folder) as ours,
        Server(url, folder, {textbook.KEY: key}, command=TEXTBOOK) as theirs,
    ):
        async with opened(ours.port, 1) as (connection,):
            token = (await answer(connection, login(NAMES[world.ADMIN])))["login"]["session"]["token"]
        claims = {"sub": str(world.ADMIN), "exp": int(time.time()) + 86_400}
        sides = Side(ours, token), Side(theirs, jwt.encode(claims, key, textbook.ALGORITHM))
        cases = _cases(bench_world)
        for case in cases:
            say(f"comparing the answers, {database}: {case.name}")
            await compare(case, *sides)
        measured = [await _rounds(case, sides, database, url, seconds / ROUNDS) for case in cases]
        return [each for comparisons in measured for each in comparisons]


async def compare(case: Case, ours: Side, theirs: Side) -> None:
    """Compare the facts of the first answers of both servers; raises Refused if they differ."""
    our_facts = await _facts(ours, case.ours, case.our_facts, case.compared)
    their_facts = await _facts(theirs, case.theirs, case.their_facts, case.compared)
    for first, second in zip(our_facts, their_facts, strict=True):
        require_same(case.name, first, second)


async def _facts(
    side: Side, requests: Callable[[str], Iterator[bytes]], facts: Callable[[Any], Any], number: int
) -> list[Any]:
    async with opened(side.server.port, 1) as (connection,):
        return [facts(await answer(connection, request)) for request in islice(requests(side.token), number)]


def require_same(name: str, ours: Any, theirs: Any) -> None:
    """Raise Refused unless the facts of both answers are the same."""
    if ours != theirs:
        raise Refused(f"{name}: the answers differ: {str(ours)[:500]} and {str(theirs)[:500]}")


async def _rounds(case: Case, sides: tuple[Side, Side], database: str, url: str, seconds: float) -> list[Comparison]:
    """Return a comparison for each number of connections. The requests go on, so that fresh checks stay fresh."""
    requests = case.ours(sides[0].token), case.theirs(sides[1].token)
    comparisons = []
    for number in CONNECTIONS:
        say(f"measuring, {database}: {case.name}, {number} at once")
        gc.collect()
        gc.freeze()
        rounds = Rounds(), Rounds()
        for turn in range(1 + ROUNDS):
            for side, waiting, into in zip(sides, requests, rounds, strict=True):
                rate, cost = await _round(side.server, waiting, number, url, seconds)
                if turn > 0:  # the first round is for warming up
                    into.rates.append(rate)
                    into.costs.append(cost)
        comparisons.append(Comparison(database, case.name, number, *rounds))
    return comparisons


async def _round(
    server: Server, waiting: Iterator[bytes], number: int, url: str, seconds: float
) -> tuple[float, float]:
    """Return the requests per second, and the processor seconds of one."""
    before, load = server.busy() + await _database_busy(url), Measured()
    async with opened(server.port, number) as connections:
        await keep_busy(connections, waiting, seconds, load)
    used = server.busy() + await _database_busy(url) - before
    return load.rate, used / load.answered


async def _database_busy(url: str) -> float:
    """Return the processor seconds of all processes of PostgreSQL that serve this database; 0 on SQLite.

    The servers keep their connections, so no process with work of a round ends before its end.
    """
    if url.startswith("sqlite"):
        return 0.0
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()
    return sum(processor_seconds(row["pid"]) for row in rows)


def _cases(bench_world: World) -> list[Case]:
    return [
        _same(f"{USERS} users with roles and orgs", OUR_USERS, THEIR_USERS, _our_users, _their_users),
        _same(
            f"{RESOURCES} resources with org, own roles, grants",
            OUR_RESOURCES,
            THEIR_RESOURCES,
            _our_resources,
            _their_resources,
        ),
        _same("one user", SMALL, THEIR_SMALL, lambda data: data["viewer"]["user"], lambda data: data["viewer"]),
        Case(
            "one check",
            lambda token: (_our_check(triple, token) for triple in _triples(bench_world)),
            lambda token: (_their_check(triple, token) for triple in _triples(bench_world)),
            dict,
            dict,
            COMPARED,
        ),
    ]


def _same(
    name: str, ours: str, theirs: str, our_facts: Callable[[Any], Any], their_facts: Callable[[Any], Any]
) -> Case:
    """Return a case with a single request."""
    return Case(
        name,
        lambda token: cycle([graphql(ours, None, token)]),
        lambda token: cycle([graphql(theirs, None, token)]),
        our_facts,
        their_facts,
    )


def _our_users(data: Any) -> list[Any]:
    return [
        {**node, "roles": [role["name"] for role in node["roles"]], "orgs": node["orgs"]["nodes"]}
        for node in data["users"]["nodes"]
    ]


def _their_users(data: Any) -> Any:
    return data["users"]


def _our_resources(data: Any) -> list[Any]:
    return [
        (node["name"], node["viewerAccess"]["effectiveRoles"], node["org"], _by_group(node["access"]["groups"]))
        for node in data["resources"]["nodes"]
    ]


def _their_resources(data: Any) -> list[Any]:
    return [
        (node["name"], node["effectiveRoles"], node["org"], _by_group(node["grants"])) for node in data["resources"]
    ]


def _by_group(grants: Sequence[Any]) -> list[Any]:
    return sorted((grant["group"]["displayName"], grant["roles"]) for grant in grants)


def _triples(bench_world: World) -> Iterator[Triple]:
    """Yield endless triples, the same ones for both servers, so that hardly any repeats."""
    chance, spec = Random(bench_world.spec.seed), bench_world.spec
    while True:
        yield chance.randint(1, spec.users), chance.randint(1, spec.resources), chance.choice(ROLES)


def _our_check(triple: Triple, token: str) -> bytes:
    user, resource, role = triple
    variables = {"user": refs.encode("User", user), "resource": refs.encode("Resource", resource), "role": role}
    return graphql(CHECK, variables, token)


def _their_check(triple: Triple, token: str) -> bytes:
    user, resource, role = triple
    return graphql(THEIR_CHECK, {"user": user, "resource": resource, "role": role}, token)
