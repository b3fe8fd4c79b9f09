"""Reads of SQLite: short ones run in the event loop, long ones in a thread.

A page takes one or two milliseconds, less than a thread costs. But a read blocks the event loop, so a read that
exceeds the budget is interrupted and restarted in a thread. SQLite cannot continue a statement in another thread.
So one that was slow begins in a thread the next time. The event loop waits for it as long as for any other read, and
then leaves it there.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from math import inf
from time import perf_counter

from app.caching import WeightedLRU
from app.db.access_changes import ON_SQLITE
from app.db.interface import BoundStatement
from app.db.sqlite.connection import Connection
from app.db.statements import Row
from app.domain.errors import TimedOut, Unavailable

LOOP_BUDGET = 0.025
"""Seconds for which a read may block the event loop."""

STEPS = 20_000
"""Virtual machine instructions between two checks of the deadline, about half a millisecond."""

THREADS = 2
"""Number of concurrent long reads; more of them wait."""

MAX_WAITING = 24
"""Most long reads that run or wait, more than one request begins for its root fields (Limits.RootFields, 20).

More are rejected, to keep connections for short reads.
"""

SLOW_STATEMENTS = 256
"""Number of statements that are remembered as slow."""

Rows = list[list[Row]]


class DeadlineExceeded(Exception):
    """A read was interrupted at its deadline."""


class ReadConnection:
    """A read-only connection, used by one read at a time."""

    __slots__ = ("_until", "connection")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._until = inf
        connection.set_progress_handler(self._is_late, STEPS)

    def _is_late(self) -> bool:
        return perf_counter() > self._until

    def fetch_all(self, statements: Sequence[BoundStatement], seconds: float) -> Rows:
        """Execute the statements and return the rows of each; raises DeadlineExceeded after this number of seconds."""
        if seconds <= 0:
            raise DeadlineExceeded
        self._until = perf_counter() + seconds
        fetch_all = self.connection.fetch_all
        try:
            return [
                compiled.rows(fetch_all(compiled.text, compiled.arguments(values))) for compiled, values in statements
            ]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise DeadlineExceeded from None
            raise
        finally:
            self._until = inf


class SlowReadPool:
    """The threads of long reads, each of which is interrupted after `longest` seconds."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._threads = ThreadPoolExecutor(THREADS, "read")
        self._reads = 0
        self._slow: WeightedLRU[str, bool] = WeightedLRU(SLOW_STATEMENTS)

    def expects(self, statements: Sequence[BoundStatement]) -> bool:
        """Return whether one of the statements was slow the last time, and a thread is free to begin in."""
        if not self._slow or self._reads >= THREADS:
            return False
        return any(self._slow.peek(compiled.text) for compiled, _ in statements)

    async def fetch_expected(self, reader: ReadConnection, statements: Sequence[BoundStatement]) -> Rows:
        """Execute the statements in a thread, for which the event loop waits first; raises as `fetch_all`."""
        began = perf_counter()
        rows = await self.fetch_all(reader, statements, waits=LOOP_BUDGET)
        if perf_counter() - began < LOOP_BUDGET / 2:
            for compiled, _ in statements:
                self._slow.discard(compiled.text)
        return rows

    async def fetch_all(
        self, reader: ReadConnection, statements: Sequence[BoundStatement], *, waits: float = 0.0
    ) -> Rows:
        """Execute the statements in a thread; raises TimedOut, or Unavailable if too many reads are waiting.

        A cancellation interrupts the read. The event loop waits for it first, for a number of seconds.
        """
        for compiled, _ in statements:
            if compiled.text != ON_SQLITE:  # a part of many reads
                self._slow.put(compiled.text, True)
        if self._reads >= MAX_WAITING:
            raise Unavailable("Too many long reads are running. Try again in a moment.")
        self._reads += 1
        until = perf_counter() + self._longest  # the wait for a thread counts
        try:
            return await self._in_thread(
                lambda: reader.fetch_all(statements, until - perf_counter()), reader.connection.interrupt, waits
            )
        except DeadlineExceeded:
            raise TimedOut("The read took too long and was stopped. Request less data at once.") from None
        finally:
            self._reads -= 1

    async def _in_thread(self, read: Callable[[], Rows], stop: Callable[[], None], waits: float) -> Rows:
        job = self._threads.submit(read)
        if waits > 0:
            wait([job], waits)
            if job.done():
                return job.result()
        waiting = asyncio.wrap_future(job)
        waiting.add_done_callback(_retrieve_error)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            while not job.cancel() and not job.done():  # it has begun, and the next read needs the connection
                stop()
                with suppress(asyncio.CancelledError):  # one more, and the first one is raised in any case
                    await asyncio.sleep(0.001)
            raise

    def close(self) -> None:
        """Wait for the running reads, and end the threads."""
        self._threads.shutdown()


def _retrieve_error(read: "asyncio.Future[Rows]") -> None:
    """Retrieve the error of a read whose waiter was cancelled, which asyncio would log otherwise."""
    if not read.cancelled():
        read.exception()
