"""What changes cost: many clients that each change one thing, past HTTP and through it, beside what the disk allows."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
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
"""How many change something, each one thing again and again."""

SHARE = 0.4
"""The part of the time in which the disk alone is measured."""

UPDATE_USER = """mutation ($input: UpdateUserInput!) {
  updateUser(input: $input) { user { id } errors { message } } }"""
UPDATE_RESOURCE = """mutation ($input: UpdateResourceInput!) {
  updateResource(input: $input) { resource { id } errors { message } } }"""

Change = Callable[[db.Transaction, int, int], Awaitable[Any]]

ROOT = Viewer(world.ADMIN, ALL_PERMISSIONS)


@dataclass(frozen=True, slots=True)
class Case:
    """A change by its name, for the client of a number and the how manieth time: as a service, and as a request."""

    name: str
    make: Change
    query: str
    given: Callable[[int, int], dict[str, Any]]


@dataclass(slots=True)
class Found:
    """How many changes were made in how long, and what that cost whoever made them."""

    made: int = 0
    elapsed: float = 0.0
    busy: float = 0.0
    waits: list[float] = field(default_factory=list)

    def shown(self) -> str:
        """Cells of the table."""
        p99 = sorted(self.waits)[int(len(self.waits) * 0.99)]
        return f"{self.made / self.elapsed:,.0f} | {self.busy / self.made * 1000:.2f} | {p99 * 1000:.0f}"


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
            "roles": ["METADATA_READ", "METADATA_WRITE"][: 1 + turn % 2],
        },
    ),
)


def _user(client: int) -> int:
    return world.FIRST_ORDINARY + client


def _resource(client: int) -> int:
    """Every fiftieth is locked, and none of these."""
    return 101 + client % 49


def _node(client: int) -> dict[str, str]:
    return {"id": refs.encode("Resource", _resource(client))}


def _address(client: int, turn: int) -> str:
    return f"u{client}x{turn}@example.org"


async def measured(made: World, database: str, url: str, folder: Path, seconds: float) -> list[str]:
    """Measure one database, every case past HTTP and through it; answers lines of Markdown."""
    if made.spec.users < _user(CLIENTS) or made.spec.resources < _resource(CLIENTS):
        raise ValueError("the world is too small for so many clients")
    lines = []
    for case in CASES:
        found = await _as_a_service(case, url, seconds)
        lines.append(f"| {case.name} | {database} | service | {found.shown()} |")
    with Server(url, folder) as server:
        async with opened(server.port, CLIENTS) as connections:
            token = (await answer(connections[0], _login()))["login"]["session"]["token"]
            for case in CASES:
                found = await _over_http(case, server, connections, token, url, seconds)
                lines.append(f"| {case.name} | {database} | HTTP | {found.shown()} |")
    return lines


async def _as_a_service(case: Case, url: str, seconds: float) -> Found:
    """In this process: the audited transaction and nothing around it."""
    door = await db.open_database(url)
    turns = count()

    async def change(client: int) -> None:
        async with audit.transaction(door, ROOT, case.name) as tx:
            await case.make(tx, client, next(turns))

    async with _told(door) as told:
        before = time.process_time()
        found = await _many(change, seconds)
        found.busy = time.process_time() - before
        await told(found.made)
    await door.close()
    return found


async def _over_http(
    case: Case, server: Server, connections: Sequence[Connection], token: str, url: str, seconds: float
) -> Found:
    """One worker in a process of its own, a connection for each client."""
    door = await db.open_database(url)
    turns = count(10**6)

    async def change(client: int) -> None:
        given = {"input": case.given(client, next(turns))}
        data = await answer(connections[client], graphql(case.query, given, token))
        if data[case.name]["errors"]:
            raise Refused(str(data))

    async with _told(door) as told:
        await change(0)
        before = server.busy()
        found = await _many(change, seconds)
        found.busy = server.busy() - before
        await told(found.made + 1)
    await door.close()
    return found


class _told:  # noqa: N801 - reads as the statement it is
    """Around changes, of which each must stand in the audit log."""

    def __init__(self, door: db.Database) -> None:
        self._door = door

    async def _events(self) -> int:
        counted = select(func.count()).select_from(tables.AuditEvent)
        return int((await self._door.ask(counted, freshness=db.Freshness.PRIMARY))[0][0])

    async def __aenter__(self) -> Callable[[int], Awaitable[None]]:
        before = await self._events()

        async def told(made: int) -> None:
            if await self._events() != before + made:
                raise Refused("the audit log does not tell of every change")

        return told

    async def __aexit__(self, *error: object) -> None: ...


async def _many(change: Callable[[int], Awaitable[None]], seconds: float) -> Found:
    found = Found()
    began = time.perf_counter()

    async def again_and_again(client: int) -> None:
        while (asked := time.perf_counter()) < began + seconds or not found.made:
            await change(client)
            found.waits.append(time.perf_counter() - asked)
            found.made += 1

    await asyncio.gather(*map(again_and_again, range(CLIENTS)))
    found.elapsed = time.perf_counter() - began
    return found


def _login() -> bytes:
    return graphql(LOGIN, {"name": NAMES[world.ADMIN], "password": PASSWORD})


def disk(folder: Path, seconds: float) -> list[str]:
    """What the disk allows whoever waits for it after each change: lines of Markdown."""
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
    """Everything as Markdown."""
    head = [
        "| change | database | way | changes/s | processor ms each | p99 ms |",
        "| --- | --- | --- | ---: | ---: | ---: |",
    ]
    alone = ["| one after the other, synchronous=FULL | a second |", "| --- | ---: |", *of_the_disk]
    said = (
        f"{about} {CLIENTS} clients change one thing each, again and again, all audited and on the disk when answered."
    )
    return "\n".join([said, "", *head, *lines, "", *alone])
