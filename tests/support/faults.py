"""Cuts changes off at named points, by every kind of end, and compares what was told with what is in the database.

Nothing here sleeps: a point is a place in the code that is wrapped, and whatever is to happen there happens when the
change of the request that was chosen comes by.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random
from threading import Event
from typing import Any

import asyncpg
import pytest

from app.db import interface
from app.db.postgresql import connection as connections
from app.db.postgresql import database as postgresql
from app.db.postgresql import pool
from app.db.postgresql.transaction import PostgresTransaction
from app.db.sqlite import database as sqlite
from app.db.sqlite import group_commit
from app.db.tables import AuditChange
from app.http import deadlines
from app.observability import request_stats
from app.services.audit import recorder

SERVER_ENDS = "stop", "cancel", "deadline", "hang up"
"""Ends that come from outside of the change."""

POINTS: dict[str, tuple[str, ...]] = {
    "before the turn": SERVER_ENDS,
    "in line": SERVER_ENDS,
    "when the turn comes": SERVER_ENDS,
    "after the beginning": (*SERVER_ENDS, "error"),
    "before the first statement": (*SERVER_ENDS, "error", "kill"),
    "after the first statement": (*SERVER_ENDS, "error", "kill"),
    "in the audit record": (*SERVER_ENDS, "error", "kill"),
    "before the commit": (*SERVER_ENDS, "error", "kill"),
    "during the commit": (*SERVER_ENDS, "error", "kill"),
    "after the commit": (*SERVER_ENDS, "lost reply"),
    "while others share the commit": SERVER_ENDS,
    "when the end is told": SERVER_ENDS,
    "between two fields": SERVER_ENDS,
    "while the answer is read": (*SERVER_ENDS, "error"),
    "while the answer is sent": SERVER_ENDS,
}
"""The points of a change, each with the ends that are tried there."""

ELSEWHERE = {
    "sqlite": {("after the commit", "lost reply"), ("during the commit", "kill")},
    "postgresql": {
        (point, end) for point in ("when the turn comes", "while others share the commit") for end in SERVER_ENDS
    },
}
"""Cases that a backend does not have: SQLite loses no reply, and PostgreSQL groups commits by itself."""


@dataclass(eq=False)
class Victim:
    """The request that is cut off."""

    request_id: str
    point: str
    end: str
    waits: bool
    task: "asyncio.Task[None] | None" = None
    is_hit: bool = False
    has_hung_up: bool = False
    commit: group_commit.CommitBatch | None = None
    statements: int = 0
    fields: int = 0
    times: list[deadlines.Deadlines] = field(default_factory=list)
    limits: list[asyncio.Timeout] = field(default_factory=list)

    @property
    def is_current(self) -> bool:
        """Check that the current request is this one."""
        about = request_stats.CURRENT.get()
        return about is not None and about.request_id == self.request_id

    def is_due(self, point: str) -> bool:
        """Check that the fault occurs at this point; it occurs once."""
        if self.is_hit or self.point != point:
            return False
        self.is_hit = True
        return True

    def pass_deadlines(self) -> None:
        """Let every time that runs for the request be over."""
        for times in self.times:
            times.deadline = 0.0
        for limit in self.limits:
            if limit.when() is not None:
                with suppress(RuntimeError):  # it is over
                    limit.reschedule(0.0)


class Faults:
    """Wraps the points of one application for the length of a test."""

    def __init__(self, kind: str, begin_to_stop: Callable[[], None], kill: Callable[[int], Any]) -> None:
        self.kind, self._begin_to_stop, self._kill = kind, begin_to_stop, kill
        self.victim: Victim | None = None

    def end(self, victim: Victim) -> None:
        """Let the end come from outside."""
        assert victim.task is not None
        if victim.end == "stop":
            self._begin_to_stop()
        if victim.end in ("stop", "cancel"):
            victim.task.cancel()
        elif victim.end == "deadline":
            victim.pass_deadlines()
        elif victim.end == "hang up":
            victim.has_hung_up = True

    async def at(self, point: str, connection: Any = None) -> None:
        """Come to a point of the request that runs."""
        victim = self.victim
        if victim is None or not victim.is_current or not victim.is_due(point):
            return
        if victim.end in SERVER_ENDS:
            self.end(victim)
            if victim.waits:
                await asyncio.sleep(0)
        elif victim.end == "kill" and isinstance(connection, sqlite3.Connection):
            connection.execute("ROLLBACK")  # as SQLite does when the disk is full
            raise sqlite3.OperationalError("database or disk is full")
        elif victim.end == "kill":
            await self._kill(connection.get_server_pid())
        elif victim.end == "lost reply":
            connection.terminate()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")
        else:
            raise self.error()

    def error(self) -> Exception:
        """Return what a driver raises when something is wrong with the database."""
        if self.kind == "sqlite":
            return sqlite3.OperationalError("disk I/O error")
        return asyncpg.QueryCanceledError("canceling statement due to user request")

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Wrap everything."""
        self._wrap_times(patch)
        self._wrap_transactions(patch)
        self._wrap_records(patch)
        self._wrap_reads(patch)
        if self.kind == "sqlite":
            self._wrap_sqlite(patch)
        else:
            self._wrap_postgresql(patch)

    def _wrap_times(self, patch: pytest.MonkeyPatch) -> None:
        making, telling, timeout = deadlines.Deadlines.changing, deadlines.Deadlines.answering, asyncio.Timeout.__init__

        def noted(times: deadlines.Deadlines, **named: bool) -> Any:
            if (victim := self.victim) is not None and victim.is_current and times not in victim.times:
                victim.times.append(times)
            return telling(times, **named)

        async def before(times: deadlines.Deadlines, inner: Any) -> Any:
            if (victim := self.victim) is not None and victim.is_current:
                victim.fields += 1
                if victim.fields == 2:
                    await self.at("between two fields")
            return await inner.__aenter__()

        def init(limit: asyncio.Timeout, when: float | None) -> None:
            timeout(limit, when)
            if (victim := self.victim) is not None and victim.is_current:
                victim.limits.append(limit)

        patch.setattr(deadlines.Deadlines, "answering", noted)
        patch.setattr(deadlines.Deadlines, "changing", lambda times: _Around(making(times), partial(before, times)))
        patch.setattr(asyncio.Timeout, "__init__", init)

    def _wrap_transactions(self, patch: pytest.MonkeyPatch) -> None:
        database, transaction = _CLASSES[self.kind]
        write, fetch = database.write, transaction._fetch

        async def before(inner: Any) -> Any:
            await self.at("before the turn")
            tx = await inner.__aenter__()
            try:
                await self.at("after the beginning")
            except BaseException as error:
                await inner.__aexit__(type(error), error, error.__traceback__)
                raise
            return tx

        async def fetched(tx: Any, text: str, arguments: list[Any]) -> Any:
            victim = self.victim
            is_first = victim is not None and victim.is_current and not victim.statements
            if victim is None or not is_first:
                return await fetch(tx, text, arguments)
            victim.statements += 1
            await self.at("before the first statement", tx._connection)
            rows = await fetch(tx, text, arguments)
            await self.at("after the first statement", tx._connection)
            return rows

        patch.setattr(database, "write", lambda *arguments, **named: _Around(write(*arguments, **named), before))
        patch.setattr(transaction, "_fetch", fetched)

    def _wrap_records(self, patch: pytest.MonkeyPatch) -> None:
        put, record = interface.Transaction.insert, recorder._record

        async def has_put(tx: Any, table: Any, rows: Any, **named: Any) -> None:
            if table is AuditChange:
                await self.at("in the audit record", tx._connection)
            await put(tx, table, rows, **named)

        async def recorded(tx: Any, *noted: Any) -> bool:
            is_written = await record(tx, *noted)
            await self.at("before the commit", tx._connection)
            return is_written

        patch.setattr(interface.Transaction, "insert", has_put)
        patch.setattr(recorder, "_record", recorded)

    def _wrap_reads(self, patch: pytest.MonkeyPatch) -> None:
        database, _ = _CLASSES[self.kind]
        read, snapshot = database.read, database.snapshot

        async def has_read(of: Any, questions: Any, *, freshness: Any) -> Any:
            if (about := request_stats.CURRENT.get()) is not None and about.committed_changes:
                await self.at("while the answer is read")
            return await read(of, questions, freshness=freshness)

        def has_opened(of: Any, *, freshness: Any) -> Any:
            async def before(inner: Any) -> Any:
                if (about := request_stats.CURRENT.get()) is not None and about.committed_changes:
                    await self.at("while the answer is read")
                return await inner.__aenter__()

            return _Around(snapshot(of, freshness=freshness), before)

        patch.setattr(database, "read", has_read)
        patch.setattr(database, "snapshot", has_opened)

    def _wrap_sqlite(self, patch: pytest.MonkeyPatch) -> None:
        self._wrap_line(patch)
        commit, end = group_commit.GroupCommit._commit, group_commit.CommitBatch.end

        def has_committed(of: Any) -> None:
            self._in_the_thread(of, "during the commit")
            commit(of)
            self._in_the_thread(of, "after the commit")

        def has_ended(shared: group_commit.CommitBatch, error: BaseException | None) -> None:
            end(shared, error)
            if self.victim is not None and self.victim.commit is shared:
                self._outside("when the end is told")

        patch.setattr(group_commit.GroupCommit, "_commit", has_committed)
        patch.setattr(group_commit.CommitBatch, "end", has_ended)

    def _wrap_line(self, patch: pytest.MonkeyPatch) -> None:
        called, left = group_commit.GroupCommit._wait_in_queue, group_commit.GroupCommit.leave

        async def in_line(of: Any, waiter: Any) -> None:
            if (victim := self.victim) is not None and victim.is_current:
                if victim.is_due("in line"):
                    self.end(victim)
                waiter.add_done_callback(lambda _: self._outside("when the turn comes"))
            await called(of, waiter)

        def has_left(of: Any, shared: group_commit.CommitBatch, *, keeps: bool) -> bool:
            is_over, victim = left(of, shared, keeps=keeps), self.victim
            if victim is not None and keeps and victim.is_current:
                victim.commit = shared
            elif victim is not None and victim.commit is shared:
                self._outside("while others share the commit")
            return is_over

        patch.setattr(group_commit.GroupCommit, "_wait_in_queue", in_line)
        patch.setattr(group_commit.GroupCommit, "leave", has_left)

    def _outside(self, point: str) -> None:
        """Come to a point of the victim in the loop, where another one runs."""
        if (victim := self.victim) is not None and victim.is_due(point):
            self.end(victim)

    def _in_the_thread(self, of: Any, point: str) -> None:
        """Come to a point in the thread that commits; the loop goes on when the end has come."""
        victim = self.victim
        if victim is None or victim.commit in (None, of._open) or not victim.is_due(point):
            return
        if victim.end not in SERVER_ENDS:
            raise self.error()
        assert victim.task is not None
        has_come = Event()
        victim.task.get_loop().call_soon_threadsafe(self.end, victim)
        victim.task.get_loop().call_soon_threadsafe(has_come.set)
        assert has_come.wait(10)

    def _wrap_postgresql(self, patch: pytest.MonkeyPatch) -> None:
        send, commit, take = (
            connections.PostgresConnection.commit,
            postgresql.PostgresDatabase._commit,
            pool.ConnectionPool.acquire,
        )

        async def sent(connection: Any, before: Any) -> Any:
            victim = self.victim
            if victim is not None and victim.end == "kill":  # before it, so that the server has not committed yet
                await self.at("during the commit", connection)
            sending = asyncio.ensure_future(send(connection, before))
            await asyncio.sleep(0)
            if (
                victim is not None
                and victim.end == "error"
                and victim.is_current
                and victim.is_due("during the commit")
            ):
                sending.add_done_callback(lambda task: task.cancelled() or task.exception())
                raise TimeoutError("the server does not answer in time")
            await self.at("during the commit", connection)
            done = await sending
            await self.at("after the commit", connection)
            return done

        async def has_committed(of: Any, tx: Any) -> None:
            await commit(of, tx)
            await self.at("when the end is told")

        async def has_taken(of: Any) -> Any:
            if of._slots.locked():
                await self.at("in line")
            return await take(of)

        patch.setattr(connections.PostgresConnection, "commit", sent)
        patch.setattr(postgresql.PostgresDatabase, "_commit", has_committed)
        patch.setattr(pool.ConnectionPool, "acquire", has_taken)


class _Around:
    """A context manager that begins in another way."""

    def __init__(self, inner: Any, enter: Callable[[Any], Any]) -> None:
        self._inner, self._enter = inner, enter

    async def __aenter__(self) -> Any:
        return await self._enter(self._inner)

    async def __aexit__(self, *arguments: Any) -> Any:
        return await self._inner.__aexit__(*arguments)


_CLASSES: dict[str, tuple[Any, Any]] = {
    "sqlite": (sqlite.SqliteDatabase, sqlite.SqliteTransaction),
    "postgresql": (postgresql.PostgresDatabase, PostgresTransaction),
}


def cases(kind: str, rounds: int, random: Random) -> list[tuple[str, str]]:
    """All points with all ends, or as many rounds at each point as are asked for."""
    pairs = []
    for point, ends in POINTS.items():
        possible = [end for end in ends if (point, end) not in ELSEWHERE[kind]]
        pairs += [(point, possible[at % len(possible)]) for at in range(max(rounds, len(possible)) if possible else 0)]
    random.shuffle(pairs)
    return pairs
