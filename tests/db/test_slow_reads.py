"""Claims about slow reads of SQLite: no other task waits for them, they see one moment, and they can be stopped."""

import asyncio
import gc
import threading
from time import perf_counter
from typing import Any

import pytest
from sqlalchemy import Integer, bindparam, func, insert, literal, select

from app import db
from app.config import Limits
from app.db import Freshness, tables
from app.db.sqlite import database as sqlite
from app.db.sqlite import slow_reads
from app.domain.errors import TimedOut, Unavailable
from app.observability import request_stats
from tests.conftest import open_db
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.fetching import fetch
from tests.support.waiting import until

ROLES = select(func.count()).select_from(tables.Role)
BUILT_IN = 3
MOST = bindparam("maximum", type_=Integer())
_steps = select(literal(1).label("n")).cte("steps", recursive=True)
_steps = _steps.union_all(select(_steps.c.n + 1).where(_steps.c.n < MOST))
COUNTED = select(func.count(), ROLES.scalar_subquery()).select_from(_steps)
"""As long as one wants it to be; with the number of roles at that moment."""

LONG, ENDLESS = 1_000_000, 2**31 - 1


pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
"""PostgreSQL reads elsewhere in any case."""


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_reads, "LOOP_BUDGET", 0.002)


async def _with_role(database: db.Database, name: str) -> None:
    values = {"name": name, "name_key": name, "description": "", "permissions": 0, "is_built_in": False}
    async with database.write() as tx:
        await tx.rows(insert(tables.Role).values(**values, created_at=tx.now))


async def test_others_are_answered_meanwhile(own_db: db.Database) -> None:
    long = asyncio.create_task(fetch(own_db, COUNTED, maximum=LONG))
    await asyncio.sleep(0)
    for at in range(5):
        await _with_role(own_db, f"r{at}")
        assert await fetch(own_db, ROLES) == [(BUILT_IN + 1 + at,)]
    assert not long.done(), "it was to take longer than all of these"
    assert (await long)[0][0] == LONG


async def test_a_snapshot_stays_what_it_was(own_db: db.Database) -> None:
    counted = own_db.prepare(COUNTED)
    async with own_db.snapshot(freshness=Freshness.PRIMARY) as read:
        first = await read([(own_db.prepare(ROLES), {})])
        await _with_role(own_db, "late")
        second = await read([(counted, {"maximum": LONG}), (own_db.prepare(ROLES), {})])
        third = await read([(counted, {"maximum": 1})])
    assert first == [[(BUILT_IN,)]]
    assert second == [[(LONG, BUILT_IN)], [(BUILT_IN,)]]
    assert third == [[(1, BUILT_IN)]]
    assert await fetch(own_db, ROLES) == [(BUILT_IN + 1,)]


async def test_what_takes_too_long_is_refused_and_leaves_nothing_behind(url: str) -> None:
    async with open_db(url, longest=0.02) as own_db:
        for _ in range(sqlite.READERS + 1):
            with pytest.raises(TimedOut):
                await fetch(own_db, COUNTED, maximum=ENDLESS)
        assert await fetch(own_db, ROLES) == [(BUILT_IN,)]


async def test_the_wait_for_a_thread_counts(url: str) -> None:
    number = 3 * slow_reads.THREADS
    async with open_db(url, longest=0.2) as own_db:
        began = perf_counter()
        reads = [asyncio.create_task(fetch(own_db, COUNTED, maximum=ENDLESS)) for _ in range(number)]
        await asyncio.wait(reads)
        ends = perf_counter() - began
        assert {type(each.exception()) for each in reads} == {TimedOut}
        assert number <= slow_reads.MAX_WAITING
        assert ends < 30


async def test_one_request_of_as_many_slow_root_fields_as_are_allowed_is_answered(
    api: Api, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make.user("ann")
    monkeypatch.setattr(slow_reads.SlowReadPool, "expects", lambda *_: True)
    fields = " ".join(f"a{at}: orgs {{ totalCount }}" for at in range(Limits().root_fields))
    for _ in range(2):
        reply = await api(f"{{ {fields} }}")
        assert "errors" not in reply


async def test_a_cancelled_task_stops_its_query(own_db: db.Database) -> None:
    tasks = [asyncio.create_task(fetch(own_db, COUNTED, maximum=ENDLESS)) for _ in range(slow_reads.THREADS + 2)]
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    assert all(
        isinstance(each, asyncio.CancelledError) for each in await asyncio.gather(*tasks, return_exceptions=True)
    )
    assert (await fetch(own_db, COUNTED, maximum=LONG))[0][0] == LONG


async def test_a_task_that_is_cancelled_again_stops_its_query_too(
    own_db: db.Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fetch_all, running = slow_reads.ReadConnection.fetch_all, list[bool]()

    def counted(*arguments: Any) -> Any:
        running.append(True)
        try:
            return fetch_all(*arguments)
        finally:
            running.pop()

    monkeypatch.setattr(slow_reads.ReadConnection, "fetch_all", counted)
    tasks = [asyncio.create_task(fetch(own_db, COUNTED, maximum=ENDLESS)) for _ in range(slow_reads.THREADS)]
    await until(lambda: len(running) == slow_reads.THREADS)
    for _ in range(3):
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0)
    replies = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(each) for each in replies} == {asyncio.CancelledError}
    assert running == []
    del tasks, task, replies
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


async def test_so_many_wait_and_no_more_and_quick_reads_not_at_all(own_db: db.Database) -> None:
    tasks = [asyncio.create_task(fetch(own_db, COUNTED, maximum=ENDLESS)) for _ in range(slow_reads.MAX_WAITING + 3)]
    await until(lambda: sum(task.done() for task in tasks) == 3)

    assert [type(task.exception()) for task in tasks if task.done()] == [Unavailable] * 3
    async with own_db.snapshot(freshness=Freshness.PRIMARY) as read:
        assert await read([(own_db.prepare(ROLES), {})]) == [[(BUILT_IN,)]]

    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert (await fetch(own_db, COUNTED, maximum=LONG))[0][0] == LONG


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each time that a read begins, whether it does so in the event loop."""
    fetch_all, loop, places = slow_reads.ReadConnection.fetch_all, threading.current_thread(), list[bool]()

    def noted(*arguments: Any) -> Any:
        places.append(threading.current_thread() is loop)
        return fetch_all(*arguments)

    monkeypatch.setattr(slow_reads.ReadConnection, "fetch_all", noted)
    return places


@pytest.mark.parametrize("is_snapshot", [False, True])
async def test_what_was_slow_begins_in_a_thread_and_is_never_begun_twice(
    own_db: db.Database, begun: list[bool], is_snapshot: bool
) -> None:
    async def count(maximum: int) -> int:
        if not is_snapshot:
            return int((await fetch(own_db, COUNTED, maximum=maximum))[0][0])
        async with own_db.snapshot(freshness=Freshness.PRIMARY) as read:
            return int((await read([(own_db.prepare(COUNTED), {"maximum": maximum})]))[0][0][0])

    assert [await count(LONG) for _ in range(3)] == [LONG] * 3
    assert begun == [True, False, False, False]

    assert await count(1) == 1  # in the thread for the last time, unless the machine was too slow for it
    while not begun[-1]:
        assert await count(1) == 1
    assert await fetch(own_db, ROLES) == [(BUILT_IN,)]
    assert begun[-1]


async def test_a_slow_statement_with_no_thread_to_begin_in_is_read_as_any_other(
    own_db: db.Database, begun: list[bool]
) -> None:
    tasks = [asyncio.create_task(fetch(own_db, COUNTED, maximum=ENDLESS)) for _ in range(slow_reads.THREADS)]
    await asyncio.sleep(0.1)
    begun.clear()

    assert (await fetch(own_db, COUNTED, maximum=1))[0][0] == 1
    assert begun == [True]

    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_it_counts_as_one_statement(own_db: db.Database) -> None:
    about = request_stats.RequestStats("", "")
    before = request_stats.CURRENT.set(about)
    try:
        await fetch(own_db, COUNTED, maximum=LONG)
    finally:
        request_stats.CURRENT.reset(before)
    assert about.statements == 1


async def test_time_that_is_over_holds_for_its_own_read_alone(own_db: db.Database) -> None:
    """Steps are counted for as long as a statement is prepared, so that any of them may be asked for the time."""
    await fetch(own_db, ROLES)
    await asyncio.sleep(2 * slow_reads.LOOP_BUDGET)
    for _ in range(slow_reads.STEPS):
        async with own_db.snapshot(freshness=Freshness.PRIMARY):
            pass


async def test_a_query_that_takes_too_long_is_a_timeout(
    api: Api, make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await make.user("ann")
    assert isinstance(database, sqlite.SqliteDatabase)
    monkeypatch.setattr(database._slow_reads, "_longest", 0.0)
    monkeypatch.setattr(slow_reads, "LOOP_BUDGET", -1.0)
    monkeypatch.setattr(slow_reads, "STEPS", 1)
    monkeypatch.setattr(database, "_readers", [])
    for _ in range(3):  # by the reference executor, then by a plan
        reply = await api("{ users { nodes { userName } } }", as_=ann)
        assert [error["extensions"]["code"] for error in reply["errors"]] == ["TIMEOUT"]
