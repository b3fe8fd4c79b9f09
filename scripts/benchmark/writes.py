"""Measure changes: many clients that each change one object, with and without HTTP, beside the limit of the disk."""

import asyncio
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app import db
from app.db import tables
from app.domain import refs, resource_roles
from app.domain.resource_roles import SubjectType
from app.domain.viewer import ALL_PERMISSIONS, Viewer
from app.services import access, audit, resources, users
from scripts.benchmark import world
from scripts.benchmark.cases import GRANT, LOGIN
from scripts.benchmark.load import Connection, Refused, answer, graphql, opened
from scripts.benchmark.server import Server
from scripts.benchmark.world import NAMES, PASSWORD, World, group_slug

CLIENTS = 32
"""Clients that change one object each, again and again."""

SHARE = 0.4
"""The share of the time in which the disk alone is measured."""

UPDATE_USER = """mutation ($input: UpdateUserInput!) {
  updateUser(input: $input) { user { id } errors { message } } }"""
UPDATE_RESOURCE = """mutation ($input: UpdateResourceInput!) {
  updateResource(input: $input) { resource { id } errors { message } } }"""

Change = Callable[[db.Transaction, int, int], Awaitable[Any]]

ROOT = Viewer(world.ADMIN, ALL_PERMISSIONS)


@dataclass(frozen=True, slots=True)
class Case:
    """A change by its name, for the number of a client and of its turn: as a service, and as a request.

    Each turn of a client changes something, and the first request differs from what the service left.
    """

    name: str
    make: Change
    query: str
    arguments: Callable[[int, int], dict[str, Any]]


@dataclass(slots=True)
class Results:
    """The number of changes in the elapsed time, and the time of the processor and of each client."""

    changes: int = 0
    elapsed: float = 0.0
    busy: float = 0.0
    waits: list[float] = field(default_factory=list)

    def cells(self) -> str:
        """Return the cells of the table."""
        p99 = sorted(self.waits)[int(len(self.waits) * 0.99)]
        return f"{self.changes / self.elapsed:,.0f} | {self.busy / self.changes * 1000:.2f} | {p99 * 1000:.0f}"


async def _email(tx: db.Transaction, client: int, turn: int) -> None:
    await users.update_user(tx, ROOT, ("id", _user(client)), users.UserUpdate(email=_address(client, turn)))


async def _details(tx: db.Transaction, client: int, turn: int) -> None:
    changes = resources.ResourceUpdate(metadata={"turn": turn})
    await resources.update_resource(tx, ROOT, ("id", _resource(client)), changes)


async def _entry(tx: db.Transaction, client: int, turn: int) -> None:
    entry = access.GrantEntry(
        SubjectType.GROUP,
        resource_roles.METADATA_READ | (turn % 2) * resource_roles.METADATA_WRITE,
        ref=("slug", _GROUP),
    )
    await access.grant_access(tx, ROOT, ("id", _resource(client)), entry)


_GROUP = group_slug(1)

CASES = (
    Case(
        "updateUser",
        _email,
        UPDATE_USER,
        lambda client, turn: {"user": {"id": refs.encode("User", _user(client))}, "email": _address(client, turn)},
    ),
    Case(
        "updateResource",
        _details,
        UPDATE_RESOURCE,
        lambda client, turn: {"resource": _node(client), "metadata": {"turn": turn}},
    ),
    Case(
        "grantAccess",
        _entry,
        GRANT,
        lambda client, turn: {
            "resource": _node(client),
            "subject": {"group": {"slug": _GROUP}},
            "roles": ["METADATA_WRITE", "ADMIN"][: 1 + turn % 2],
        },
    ),
)


def _user(client: int) -> int:
    return world.FIRST_ORDINARY + client


def _resource(client: int) -> int:
    """Return a resource that is not locked: each fiftieth is."""
    return 101 + client % 49


def _node(client: int) -> dict[str, str]:
    return {"id": refs.encode("Resource", _resource(client))}


def _address(client: int, turn: int) -> str:
    return f"u{client}x{turn}@example.org"


async def measured(bench_world: World, database: str, url: str, folder: Path, seconds: float) -> list[str]:
    """Measure each case on one database, with and without HTTP; return lines of Markdown."""
    if bench_world.spec.users < _user(CLIENTS) or bench_world.spec.resources < _resource(CLIENTS):
        raise ValueError("the world is too small for so many clients")
    lines = []
    for case in CASES:
        results = await _as_a_service(case, url, seconds)
        lines.append(f"| {case.name} | {database} | service | {results.cells()} |")
    with Server(url, folder) as server:
        async with opened(server.port, CLIENTS) as connections:
            token = (await answer(connections[0], _login()))["login"]["session"]["token"]
            for case in CASES:
                results = await _over_http(case, server, connections, token, url, seconds)
                lines.append(f"| {case.name} | {database} | HTTP | {results.cells()} |")
    return lines


async def _as_a_service(case: Case, url: str, seconds: float) -> Results:
    """Run the audited transaction in this process, and nothing around it."""
    database = await db.open_database(url)
    turns = Counter[int]()

    async def change(client: int) -> None:
        turns[client] += 1
        async with audit.transaction(database, ROOT, case.name) as tx:
            await case.make(tx, client, turns[client])

    async with _AuditCheck(database) as require_events:
        before = time.process_time()
        results = await _many(change, seconds)
        results.busy = time.process_time() - before
        await require_events(results.changes)
    await database.close()
    return results


async def _over_http(
    case: Case, server: Server, connections: Sequence[Connection], token: str, url: str, seconds: float
) -> Results:
    """Run one worker in its own process, with a connection for each client."""
    database = await db.open_database(url)
    turns = Counter[int]()

    async def change(client: int) -> None:
        turns[client] += 1
        variables = {"input": case.arguments(client, 10**6 + turns[client])}
        data = await answer(connections[client], graphql(case.query, variables, token))
        if data[case.name]["errors"]:
            raise Refused(str(data))

    async with _AuditCheck(database) as require_events:
        await change(0)
        before = server.busy()
        results = await _many(change, seconds)
        results.busy = server.busy() - before
        await require_events(results.changes + 1)
    await database.close()
    return results


class _AuditCheck:
    """A check around changes: each must be in the audit log."""

    def __init__(self, database: db.Database) -> None:
        self._database = database

    async def _events(self) -> int:
        counted = select(func.count()).select_from(tables.AuditEvent)
        return int((await self._database.ask(counted, freshness=db.Freshness.PRIMARY))[0][0])

    async def __aenter__(self) -> Callable[[int], Awaitable[None]]:
        before = await self._events()

        async def require_events(changes: int) -> None:
            if await self._events() != before + changes:
                raise Refused("the audit log does not tell of every change")

        return require_events

    async def __aexit__(self, *error: object) -> None: ...


async def _many(change: Callable[[int], Awaitable[None]], seconds: float) -> Results:
    results = Results()
    began = time.perf_counter()

    async def again_and_again(client: int) -> None:
        while (began_change := time.perf_counter()) < began + seconds or not results.changes:
            await change(client)
            results.waits.append(time.perf_counter() - began_change)
            results.changes += 1

    await asyncio.gather(*map(again_and_again, range(CLIENTS)))
    results.elapsed = time.perf_counter() - began
    return results


def _login() -> bytes:
    return graphql(LOGIN, {"name": NAMES[world.ADMIN], "password": PASSWORD})


def disk(folder: Path, seconds: float) -> list[str]:
    """Measure writes that wait for the disk after each change; return lines of Markdown."""
    return [
        f"| a page written and on the disk (fdatasync) | {_pages(folder / 'pages', seconds * SHARE):,.0f} |",
        f"| a row inserted and committed, by SQLite alone | {_commits(folder / 'rows.db', seconds * SHARE):,.0f} |",
    ]


def _pages(path: Path, seconds: float) -> float:
    page, done, began = b"x" * 4096, 0, time.perf_counter()
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        while time.perf_counter() < began + seconds:
            os.pwrite(file, page, done % 1000 * len(page))
            os.fdatasync(file)
            done += 1
    finally:
        os.close(file)
    return done / (time.perf_counter() - began)


def _commits(path: Path, seconds: float) -> float:
    sqlite3.connect(path).close()
    with closing(db.connect(path)) as connection:
        connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT)")
        done, began = 0, time.perf_counter()
        while time.perf_counter() < began + seconds:
            connection.execute("INSERT INTO rows (text) VALUES (?)", ["x" * 200])
            done += 1
    return done / (time.perf_counter() - began)


def table(lines: Sequence[str], of_the_disk: Sequence[str], about: str) -> str:
    """Return everything as Markdown."""
    head = [
        "| change | database | way | changes/s | processor ms each | p99 ms |",
        "| --- | --- | --- | ---: | ---: | ---: |",
    ]
    alone = ["| one after the other, synchronous=FULL | a second |", "| --- | ---: |", *of_the_disk]
    said = (
        f"{about} {CLIENTS} clients change one thing each, again and again, all audited and on the disk when answered."
    )
    return "\n".join([said, "", *head, *lines, "", *alone])
