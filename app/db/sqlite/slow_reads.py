"""Connections of SQLite that read, for a moment in the event loop and for longer in a thread.

A page takes a millisecond or two, and a thread would cost more than that. But nobody else is answered meanwhile, so
that whatever takes longer is given up and begun anew where it disturbs nobody.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from time import perf_counter

from app.db.interface import BoundStatement
from app.db.statements import Row
from app.domain.errors import TimedOut, Unavailable

LOOP_BUDGET = 0.025
"""Seconds for which a read may keep the event loop."""

STEPS = 20_000
"""After so many steps of a statement, half a millisecond or so, the time is looked at."""

THREADS = 2
"""How many long reads there are at once; the others wait for one to end."""

MAX_WAITING = 16
"""How many there are with those that wait. More are refused, so that connections are left for who reads quickly."""

Answers = list[list[Row]]


class DeadlineExceeded(Exception):
    """A read was given up: its time is over."""


class ReadConnection:
    """A connection that reads. Nobody else has it while it does."""

    __slots__ = ("_cursor", "_until", "connection")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._cursor = connection.cursor()
        self._until = inf
        connection.set_progress_handler(self._is_late, STEPS)

    def _is_late(self) -> bool:
        return perf_counter() > self._until

    def answers(self, questions: Sequence[BoundStatement], seconds: float) -> Answers:
        """Answer all of them within so many seconds; raises Late."""
        self._until = perf_counter() + seconds
        execute = self._cursor.execute
        try:
            return [
                prepared.rows(execute(prepared.text, prepared.arguments(values)).fetchall())
                for prepared, values in questions
            ]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise DeadlineExceeded from None
            raise
        finally:
            self._until = inf


class SlowReadPool:
    """The threads in which long reads go on, each for `longest` seconds at most."""

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._threads = ThreadPoolExecutor(THREADS, "read")
        self._number = 0

    async def answers(self, reader: ReadConnection, questions: Sequence[BoundStatement]) -> Answers:
        """Answer while others have their turns; raises TimedOut, and Unavailable where too many wait already.

        What nobody waits for any more is interrupted.
        """
        if self._number >= MAX_WAITING:
            raise Unavailable("Too much is being looked for that takes long. Ask again in a moment.")
        self._number += 1
        try:
            return await self._in_thread(lambda: reader.answers(questions, self._longest), reader.connection.interrupt)
        except DeadlineExceeded:
            raise TimedOut("To read this took too long, and was stopped. Ask for less at once.") from None
        finally:
            self._number -= 1

    async def _in_thread(self, read: Callable[[], Answers], stop: Callable[[], None]) -> Answers:
        job = self._threads.submit(read)
        try:
            return await asyncio.shield(asyncio.wrap_future(job))
        except asyncio.CancelledError:
            while not job.cancel() and not job.done():  # it has begun, and the next one needs its connection
                stop()
                await asyncio.sleep(0.001)
            raise

    def close(self) -> None:
        """Wait for what is being read."""
        self._threads.shutdown()
