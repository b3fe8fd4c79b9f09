"""Claims about changes that are cut off anywhere: each response agrees with the database, and nothing is left behind.

`scripts/faults ROUNDS` tries each point so many times.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

import asyncpg
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from app import db
from app.db import tables
from app.db.tables import AuditEvent, col
from app.http.deadlines import CHANGE_MADE
from tests.support.client import Api
from tests.support.factories import Make, Person
from tests.support.faults import POINTS, Faults, Victim, cases
from tests.support.fetching import fetch

ROUNDS = int(os.environ.get("FAULT_ROUNDS", "1"))
SEED = int(os.environ.get("FAULT_SEED", "1"))

MAX_TRIES = 50
"""Number of times a round is tried, since not every change waits in the queue or shares a commit."""

ONE = "mutation($a: CreateGroupInput!){a: createGroup(input: $a){group{slug} errors{code}}}"
PLANNED_DEEP = (
    "mutation($a: CreateGroupInput!){a: createGroup(input: $a){group{slug members{totalCount}} errors{code}}}"
)
TWO = """mutation($a: CreateGroupInput!, $b: CreateGroupInput!){
    a: createGroup(input: $a){group{slug} errors{code}} b: createGroup(input: $b){group{slug} errors{code}}}"""

FORMS = ("one", "deep", "two", "trial", "rest")
READING = {"one", "deep", "two"}
"""Those whose answers are read by statements that a point wraps; REST reads by others."""

Verdicts = dict[str, str]
"""Outcome of each change by slug, as the response reports it: made, not made or unknown; empty without a response."""


@dataclass
class Request:
    """A request as uvicorn hands it over, and its response."""

    form: str
    request_id: str
    slugs: list[str]
    token: str
    victim: Victim | None = None
    on_send: Any = None
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        """Return the body of the request."""
        if self.form == "rest":
            return json.dumps({"slug": self.slugs[0], "name": "A name"}).encode()
        text = {"deep": PLANNED_DEEP, "two": TWO}.get(self.form, ONE)
        inputs = [{"slug": slug, "displayName": "A name"} for slug in self.slugs]
        if self.form == "trial":
            inputs[0]["validateOnly"] = True  # type: ignore[assignment]  # of all inputs
        variables = dict(zip("ab", inputs, strict=False))
        return json.dumps({"query": text, "variables": variables}).encode()

    async def run(self, app: Any) -> None:
        """Ask, in a task of its own; only a cancellation may come out of it."""
        path = "/orgs" if self.form == "rest" else "/graphql"
        headers = {"authorization": f"Bearer {self.token}", "x-request-id": self.request_id}
        headers |= {"content-type": "application/json", "content-length": str(len(self.body)), "host": "testserver"}
        scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
        scope |= {"headers": [(name.encode(), text.encode()) for name, text in headers.items()], "scheme": "http"}
        scope |= {"client": ("127.0.0.1", 1), "server": ("testserver", 80), "http_version": "1.1", "root_path": ""}
        await app(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if self.victim is not None and self.victim.has_hung_up:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def _send(self, message: Any) -> None:
        if self.on_send is not None:
            await self.on_send("while the answer is sent")
        if self.victim is None or not self.victim.has_hung_up:
            self.messages.append(message)

    def verdicts(self) -> Verdicts:
        """Return the outcomes that the response reports."""
        if len(self.messages) < 2:  # it was cut off before its end
            return {}
        body = json.loads(self.messages[1]["body"])
        if self.form == "rest":
            verdict = "made" if self.messages[0]["status"] == 201 or body.get("error") == CHANGE_MADE else "not made"
            return {self.slugs[0]: verdict}
        if self.form == "trial":  # it shows what is there, if anything
            return {self.slugs[0]: "not made"}
        return {slug: _verdict(body, key) for key, slug in zip("ab", self.slugs, strict=False)}


def _verdict(body: dict[str, Any], key: str) -> str:
    payload = (body.get("data") or {}).get(key)
    if payload is not None and payload.get("group") is not None:
        return "made"
    codes = {each["extensions"]["code"] for each in body.get("errors", ()) if each.get("path", [key])[0] == key}
    return "made" if "CHANGE_MADE" in codes else "unknown" if "OUTCOME_UNKNOWN" in codes else "not made"


@dataclass
class World:
    """One application with its database, and the number of hits of each point."""

    app: Starlette
    database: db.Database
    faults: Faults
    token: str
    random: Random
    numbers: Any = field(default_factory=lambda: count(1))
    hits: dict[tuple[str, str], int] = field(default_factory=dict)

    def request(self, form: str) -> Request:
        """Return a request that creates new objects."""
        number = next(self.numbers)
        slugs = [f"g{number}{end}" for end in ("a", "b")[: 2 if form == "two" else 1]]
        return Request(form, f"request-{number}", slugs, self.token)

    async def round(self, point: str, end: str) -> bool:
        """Cut off one of several changes and check all of them; return False if it did not reach the point."""
        form = self._form(point)
        others = [self.request(self.random.choice(FORMS)) for _ in range(self.random.choice((3, 4, 6)))]
        chosen = self.request(form)
        chosen.victim = self.faults.victim = victim = Victim(
            chosen.request_id, point, end, waits=self.random.random() < 0.5
        )
        chosen.on_send = self.faults.at
        requests = [*others]
        requests.insert(
            len(others) if point in ("in line", "when the turn comes") else self.random.randrange(len(others)), chosen
        )
        await self._run(requests, victim)
        self.faults.victim = None
        self.app.middleware_stack._log.shutdown.is_requested = False  # type: ignore[union-attr]
        self.hits[point, end] = self.hits.get((point, end), 0) + victim.is_hit
        for request in requests:
            await self._compare(request, f"{request.form}: {point}, {end}")
        await self._goes_on(f"{point}, {end}")
        return victim.is_hit

    def _form(self, point: str) -> str:
        if point == "between two fields":
            return "two"
        if point == "while the answer is read":
            return self.random.choice(sorted(READING))
        if point in (
            "before the turn",
            "in line",
            "when the turn comes",
            "before the first statement",
            "after the first statement",
        ):
            return self.random.choice(FORMS)
        return self.random.choice([form for form in FORMS if form != "trial"])

    async def _run(self, requests: list[Request], victim: Victim) -> None:
        tasks = []
        for request in requests:
            task = asyncio.create_task(request.run(self.app))
            if request.victim is not None:
                victim.task = task
            tasks.append(task)
            for _ in range(self.random.randrange(3)):
                await asyncio.sleep(0)
        async with asyncio.timeout(30):
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        left = [each for each in ended if each is not None]
        assert all(isinstance(each, asyncio.CancelledError) for each in left), left

    async def _compare(self, request: Request, where: str) -> None:
        rows = await self._rows(request.slugs)
        events = await fetch(
            self.database, select(col(AuditEvent.id)).where(col(AuditEvent.request_id) == request.request_id)
        )
        assert len(rows) == len(events), (where, rows, events)
        for slug, verdict in request.verdicts().items():
            assert verdict == ("made" if slug in rows else "not made"), (where, slug, verdict, request.messages)
        if request.victim is None:
            is_trial = request.form == "trial"
            assert set(request.verdicts().values()) <= {"not made" if is_trial else "made", "not made"}, where

    async def _rows(self, slugs: Collection[str]) -> set[str]:
        stored: set[str] = set()
        for table in (tables.Group, tables.Org):
            stored |= {slug for (slug,) in await fetch(self.database, select(col(table.slug))) if slug in slugs}
        return stored

    async def _goes_on(self, where: str) -> None:
        """Check that the next request succeeds and that nothing is left in use."""
        request = self.request("one")
        async with asyncio.timeout(10):
            await request.run(self.app)
            assert request.verdicts() == {request.slugs[0]: "made"}, (where, request.messages)
            while not self._is_quiet():  # noqa: ASYNC110 - a connection is given back by the way
                await asyncio.sleep(0.001)

    def _is_quiet(self) -> bool:
        if isinstance(self.database, db.SqliteDatabase):
            commits = self.database._writer.commits
            is_free = not commits._is_taken and not commits._queue and commits._open is None
            return is_free and not commits._connection.in_transaction
        used, _ = self.database.connections() or (0, 0)
        return used == 0


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"OSTIARY_DATABASE_POOL_SIZE": "3"}


@pytest.fixture
async def world(
    app: Starlette, api: Api, make: Make, database: db.Database, backend: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    root: Person = await make.admin()
    random = Random(SEED)

    def begin_to_stop() -> None:
        app.middleware_stack._log.shutdown.is_requested = True  # type: ignore[union-attr]

    killer = await asyncpg.connect(url) if backend == "postgresql" else None

    async def kill(pid: int) -> None:
        assert killer is not None
        await killer.execute("SELECT pg_terminate_backend($1::int, 5000)", pid)

    faults = Faults(backend, begin_to_stop, kill)
    started = World(app, database, faults, api.token(root), random)
    for _ in range(2):  # the second time there are plans
        for form in FORMS:
            await started.request(form).run(app)
    with monkeypatch.context() as patch:
        faults.install(patch)
        yield started
    if killer is not None:
        await killer.close()


@pytest.mark.parametrize("rounds", [ROUNDS])
async def test_what_was_told_is_what_is_wherever_a_change_is_cut_off(world: World, backend: str, rounds: int) -> None:
    wanted = cases(backend, rounds, world.random)
    for point, end in wanted:
        for _ in range(MAX_TRIES):
            if await world.round(point, end):
                break

    missed = {case for case in wanted if not world.hits[case]}
    assert missed == set()
    assert len({point for point, _ in wanted}) == len(POINTS) - (2 if backend == "postgresql" else 0)
