"""Commits of SQLite that are shared: changes that come at one time wait for the disk together.

Whose turn it is works on the one connection that writes, in a savepoint of her own. Who comes while others of the same
moment have theirs joins them; when nobody is in line any more, or the bounds are reached, all is committed at once, in
a thread. Everybody is answered after that, also who was refused: what she was refused for may not have been kept.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")

MOST = 64
"""How many changes share a commit at most, so that the first of them does not wait for long."""

LONGEST = 0.05
"""Seconds after which nobody joins any more, so that another process has its turn."""

BUSY_SECONDS = 15.0
"""How long a change waits, from when it was asked for, while another process writes."""

LONGEST_PAUSE = 0.002
"""Seconds between two looks whether another process still writes: it leaves gaps of a few milliseconds."""


class Unkept(Exception):
    """The commit failed: nothing of all that shared it was kept."""


@dataclass(slots=True, eq=False)
class Commit:
    """A transaction that is open: how many have joined, how many of them have changed something, and who waits."""

    began: float = field(default_factory=monotonic)
    joined: int = 0
    kept: int = 0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether nobody joins any more."""
        return self.joined >= MOST or monotonic() - self.began > LONGEST

    def ended(self) -> asyncio.Future[None]:
        """What is done at the end, or fails with Unkept; taken before. Who leaves meanwhile takes nothing along."""
        waiter = asyncio.get_running_loop().create_future()
        self.waiting.append(waiter)
        return waiter

    def end(self, error: BaseException | None) -> None:
        """Let everybody go."""
        for waiter in self.waiting:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                unkept = Unkept("The commit failed.")
                unkept.__cause__ = error
                waiter.set_exception(unkept)


class Turn(AbstractAsyncContextManager[T]):
    """A turn as `async with` wants it; a generator would cost as much as a statement."""

    def __init__(self, commits: "Commits", make: Callable[[sqlite3.Connection], T], dry: bool) -> None:
        self._commits, self._make, self._dry = commits, make, dry

    async def __aenter__(self) -> T:
        self._commit, connection = await self._commits.joined()
        return self._make(connection)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_over = self._commits.left(self._commit, keeps=error is None and not self._dry)
        if not is_over and (error is None or isinstance(error, Exception)):
            await self._commit.ended()


class Commits:
    """The connection that writes, and the line before it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._is_taken = False
        self._line: deque[asyncio.Future[None]] = deque()
        self._open: Commit | None = None
        self._disk = ThreadPoolExecutor(1, "commit")

    def change(self, make: Callable[[sqlite3.Connection], T], *, dry: bool) -> "Turn[T]":
        """Have a turn with what is made of the connection; undone if the block fails, or `dry`."""
        return Turn(self, make, dry)

    async def close(self) -> None:
        """Wait for all who are in line, and let go of the connection."""
        await self._turn()
        if (commit := self._open) is not None:
            ended = commit.ended()  # where nothing is to be kept, it is over at once
            self._close(commit)
            await ended
        self._connection.close()
        self._disk.shutdown()

    async def _turn(self) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        waiter = asyncio.get_running_loop().create_future()
        self._line.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():  # it was her turn already
                self._pass_on()
            raise

    async def joined(self) -> tuple[Commit, sqlite3.Connection]:
        """Begin a turn."""
        asked = monotonic()
        await self._turn()
        try:
            if self._open is None:
                await self._begin(asked + BUSY_SECONDS)
                self._open = Commit()
            self._connection.execute("SAVEPOINT change")
        except BaseException:
            self._pass_on()
            raise
        self._open.joined += 1
        return self._open, self._connection

    async def _begin(self, give_up: float) -> None:
        """Become the one writer, also among other processes."""
        pause = 0.0005
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > give_up:
                    raise
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return

    def left(self, commit: Commit, *, keeps: bool) -> bool:
        """End a turn; answers whether that is all, since neither this change nor one before it is to be kept."""
        try:
            if not keeps:
                self._connection.execute("ROLLBACK TO change")
            self._connection.execute("RELEASE change")
        except sqlite3.Error as error:  # a full disk ends the whole transaction, and with it all savepoints
            self._drop(commit, error)
            return False
        commit.kept += keeps
        self._pass_on()
        return not commit.kept

    def _pass_on(self) -> None:
        """Let the next in line have a turn; when there is nobody, commit as soon as all have run who can run now."""
        commit = self._open
        if commit is not None and commit.is_full:
            self._close(commit)
            return
        while self._line:
            waiter = self._line.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._is_taken = False
        if commit is not None:
            asyncio.get_running_loop().call_soon(self._close_unless_taken, commit)

    def _close_unless_taken(self, commit: Commit) -> None:
        if self._open is commit and not self._is_taken:
            self._is_taken = True
            self._close(commit)

    def _close(self, commit: Commit) -> None:
        """Commit; until it is done, nobody has a turn."""
        self._open = None
        if commit.kept:
            work = asyncio.get_running_loop().run_in_executor(self._disk, self._commit)
            work.add_done_callback(lambda done: self._ended(commit, done.exception()))
        else:
            self._connection.execute("ROLLBACK")
            self._ended(commit, None)

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except BaseException:
            self._undo()
            raise

    def _drop(self, commit: Commit, error: BaseException) -> None:
        self._open = None
        self._undo()
        asyncio.get_running_loop().call_soon(partial(self._ended, commit, error))

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _ended(self, commit: Commit, error: BaseException | None) -> None:
        commit.end(error)
        self._pass_on()
