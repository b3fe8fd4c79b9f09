"""Claims about changes that come at one time: they share the wait for the disk, and nothing else."""

import asyncio
import sqlite3
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from app import db
from app.db import tables, waits
from app.db.sqlite import group_commit
from app.db.tables import col
from app.domain.errors import Retry
from app.observability import counters
from tests.db.test_db import ALL, NOW
from tests.support.fetching import fetch

EMBEDDED = pytest.mark.parametrize("backend", ["sqlite"])
"""Only SQLite has one writer at a time; with PostgreSQL it is the server that shares commits."""


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list of the number of changes in each commit so far."""
    monkeypatch.setattr(group_commit, "MAX_SECONDS", 60.0)  # a slow machine shall not end them
    sizes: list[int] = []
    end = group_commit.CommitBatch.end

    def noted(commit: group_commit.CommitBatch, error: BaseException | None) -> None:
        sizes.append(commit.changes)
        end(commit, error)

    monkeypatch.setattr(group_commit.CommitBatch, "end", noted)
    return sizes


def _user(name: str) -> Any:
    row = {"user_name": name, "user_key": name, "token_generation": 0, "details": {}, "created_at": NOW}
    return insert(tables.User).values(**row)


async def _add(database: db.Database, *names: str, dry: bool = False) -> None:
    async with database.write(dry_run=dry) as tx:
        for name in names:
            await tx.rows(_user(name))


async def _refused(database: db.Database, name: str) -> None:
    async with database.write() as tx:
        await tx.rows(_user(name))
        raise ZeroDivisionError


def _opened() -> set[str]:
    """The files that this process has open."""
    return {str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()}


async def _names(database: db.Database) -> list[str]:
    return [name for (name,) in await fetch(database, ALL)]


async def _outcomes(*changes: Coroutine[Any, Any, None]) -> list[type[BaseException] | None]:
    """Return the outcome of each of several concurrent changes: an exception type, or None on success."""
    results = await asyncio.gather(*changes, return_exceptions=True)
    return [None if each is None else type(each) for each in results]


@EMBEDDED
async def test_changes_of_one_moment_share_a_commit(own_db: db.Database, ended: list[int]) -> None:
    await asyncio.gather(*(_add(own_db, f"user{number}") for number in range(32)))

    assert ended == [32]
    assert len(await _names(own_db)) == 32


@EMBEDDED
@pytest.mark.skipif(sys.platform != "linux", reason="only there one can see which files a process has open")
async def test_what_may_have_to_be_undone_is_written_to_no_file(own_db: db.Database) -> None:
    await _add(own_db, *(f"user{number}" for number in range(2_000)))
    async with own_db.write() as tx:
        await tx.rows(update(tables.User).values(created_at=NOW, token_generation=1))
        opened = _opened()
    assert [name for name in opened if "etilqs" in name] == []
    assert any(name.endswith("-wal") for name in opened)


@EMBEDDED
async def test_what_came_while_the_disk_was_waited_for_shares_the_next(
    own_db: db.Database, ended: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_CHANGES", 20)

    await asyncio.gather(*(_add(own_db, f"user{number}") for number in range(50)))

    assert ended == [20, 20, 10]


@EMBEDDED
async def test_no_change_joins_a_commit_that_has_been_open_for_long(
    own_db: db.Database, ended: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "MAX_SECONDS", -1.0)

    await asyncio.gather(*(_add(own_db, f"user{number}") for number in range(3)))

    assert ended == [1, 1, 1]


async def test_one_that_fails_leaves_the_others(own_db: db.Database) -> None:
    outcomes = await _outcomes(
        _add(own_db, "ann"),
        _refused(own_db, "bea"),
        _add(own_db, "cleo", "cleo"),
        _add(own_db, "dora", dry=True),
        _add(own_db, "emma"),
    )

    assert outcomes == [None, ZeroDivisionError, db.UniqueViolation, None, None]
    assert await _names(own_db) == ["ann", "emma"]


@EMBEDDED
async def test_a_trial_sees_what_was_changed_before_it_and_leaves_nothing(own_db: db.Database) -> None:
    seen: list[Any] = []

    async def look(name: str) -> None:
        async with own_db.write(dry_run=True) as tx:
            await tx.rows(_user(name))
            seen.append([row[0] for row in await tx.rows(ALL)])

    await asyncio.gather(_add(own_db, "ann"), look("bea"), look("cleo"), _add(own_db, "dora"))

    assert seen == [["ann", "bea"], ["ann", "cleo"]]
    assert await _names(own_db) == ["ann", "dora"]


@EMBEDDED
async def test_without_a_commit_no_change_waits_for_the_disk(own_db: db.Database, ended: list[int]) -> None:
    outcomes = await _outcomes(_add(own_db, "ann", dry=True), _refused(own_db, "bea"), _add(own_db, "cleo", dry=True))
    await _add(own_db, "dora")

    assert outcomes == [None, ZeroDivisionError, None]
    assert ended in ([1], [0, 1])
    assert await _names(own_db) == ["dora"]


async def test_a_change_returns_after_all_can_see_it_and_is_never_seen_in_part(
    own_db: db.Database, second_db: db.Database
) -> None:
    async def pair(number: int) -> None:
        async with own_db.write() as tx:
            await tx.rows(_user(f"a{number}"))
            seen = await _names(second_db)
            assert {name[1:] for name in seen if name[0] == "a"} == {name[1:] for name in seen if name[0] == "b"}
            await asyncio.sleep(0)
            await tx.rows(_user(f"b{number}"))
        assert {f"a{number}", f"b{number}"} <= {*await _names(second_db)} & {*await _names(own_db)}

    await asyncio.gather(*(pair(number) for number in range(40)))

    assert len(await _names(own_db)) == 80


async def _spoil(database: db.Database) -> None:
    """A change that seems good and cannot be committed: SQLite finds out at the end that its role is none."""
    async with database.write() as tx:
        await tx.rows(text("PRAGMA defer_foreign_keys = ON"))
        await tx.rows(_user("spoiler"))
        await tx.rows(insert(tables.UserRole).values(user_id=1, role_id=999))


async def _lose(database: db.Database) -> None:
    """A change in which SQLite gives up the whole transaction, as it does when the disk is full."""
    async with database.write() as tx:
        await tx.rows(_user("loser"))
        await tx.rows(text("ROLLBACK"))
        raise sqlite3.OperationalError("database or disk is full")


@EMBEDDED
@pytest.mark.parametrize("spoil", [_spoil, _lose])
async def test_a_failed_commit_reports_no_change_as_stored(
    own_db: db.Database, spoil: Callable[[db.Database], Coroutine[Any, Any, None]]
) -> None:
    before = counters.samples()[waits.COMMITS_FAILED]
    outcomes = await _outcomes(
        _refused(own_db, "first"),
        _add(own_db, "ann"),
        spoil(own_db),
        _refused(own_db, "bea"),
        _add(own_db, "ann", dry=True),
    )
    after = await _names(own_db)
    await _add(own_db, "cleo")

    lost = outcomes[1:3] if spoil is _lose else outcomes[1:]
    assert outcomes[0] is ZeroDivisionError  # nothing was changed before this one, so it keeps its own exception
    assert set(lost) == {db.CommitFailed}
    assert after == []
    assert await _names(own_db) == ["cleo"]
    assert counters.samples()[waits.COMMITS_FAILED] == before + 1


async def test_a_cancelled_change_cancels_no_other(own_db: db.Database) -> None:
    async def slow(name: str) -> None:
        async with own_db.write() as tx:
            await tx.rows(_user(f"{name}1"))
            for _ in range(3):
                await asyncio.sleep(0)
            await tx.rows(_user(f"{name}2"))

    for steps in range(12):
        tasks = [asyncio.create_task(slow(f"s{steps}x{at}x")) for at in range(6)]
        for _ in range(steps):
            await asyncio.sleep(0)
        for leaving in tasks[::2]:
            leaving.cancel()
        await asyncio.wait(tasks)
        assert [task.cancelled() for task in tasks[1::2]] == [False] * 3
        await _add(own_db, f"after{steps}")

    names = await _names(own_db)
    halves = [{name[:-1] for name in names if name.startswith("s") and name.endswith(end)} for end in ("1", "2")]
    assert halves[0] == halves[1] >= {f"s{steps}x{at}x" for steps in range(12) for at in (1, 3, 5)}


WRITERS = """
import asyncio, sys
from sqlalchemy import select, update
from app import db
from app.db import tables
from app.db.tables import col

GENERATION = select(col(tables.User.token_generation))

async def main():
    database = await db.open_database(sys.argv[1])

    async def add():
        for _ in range(8):
            async with database.write() as tx:
                await tx.lock("counter")
                number = await tx.value(GENERATION)
                await asyncio.sleep(0)
                await tx.rows(update(tables.User).values(token_generation=number + 1))

    await asyncio.gather(*(add() for _ in range(32)))
    await database.close()

asyncio.run(main())
"""


async def test_two_processes_with_many_writers_each_lose_nothing(own_db: db.Database, url: str) -> None:
    await _add(own_db, "ann")
    home = Path(__file__).parents[2]

    processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", WRITERS, url, cwd=home) for _ in range(2)]

    assert [await process.wait() for process in processes] == [0, 0]
    assert await fetch(own_db, select(col(tables.User.token_generation))) == [(2 * 32 * 8,)]


@EMBEDDED
async def test_a_writer_of_another_process_is_waited_for(own_db: db.Database, second_db: db.Database) -> None:
    async with second_db.write() as tx:
        await tx.rows(_user("zoe"))
        waiting = [asyncio.create_task(_add(own_db, f"user{number}")) for number in range(3)]
        await asyncio.sleep(0.01)
        assert not any(task.done() for task in waiting)
    await asyncio.gather(*waiting)

    assert await _names(second_db) == ["user0", "user1", "user2", "zoe"]


@EMBEDDED
async def test_a_change_that_waits_too_long_for_another_process_fails_with_all_behind_it(
    own_db: db.Database, second_db: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "BUSY_SECONDS", 0.05)

    async with second_db.write() as tx:
        await tx.rows(update(tables.User).values(token_generation=1))
        outcomes = await _outcomes(*(_add(own_db, f"user{number}") for number in range(5)))
    await _add(own_db, "ann")

    assert outcomes == [Retry] * 5
    assert await _names(own_db) == ["ann"]


@EMBEDDED
async def test_closing_waits_for_all_queued_changes(url: str, second_db: db.Database) -> None:
    own_db = await db.open_database(url)
    tasks = [asyncio.create_task(_add(own_db, f"user{number}")) for number in range(5)]
    await asyncio.sleep(0)
    await own_db.close()

    await asyncio.gather(*tasks)
    assert len(await _names(second_db)) == 5


@EMBEDDED
async def test_the_database_closes_right_after_a_refused_change(url: str) -> None:
    opened_db = await db.open_database(url)
    with pytest.raises(ValueError, match="no"):
        async with opened_db.write():
            raise ValueError("no")

    async with asyncio.timeout(10):
        await opened_db.close()
