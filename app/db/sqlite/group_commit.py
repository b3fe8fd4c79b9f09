"""Commits of SQLite that are shared: changes that come at one time wait for the disk together.

Whose turn it is works on the one connection that writes, in a savepoint of her own. Who comes while others of the same
moment have theirs joins them; when nobody is in line any more, or the bounds are reached, all is committed at once, in
a thread. Everybody is answered after that, also who was refused: what she was refused for may not have been kept.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from types import TracebackType
from typing import Protocol, TypeVar

from app.db.cancellation import outlast
from app.db.sqlite.worker_thread import WorkerThread


class Work(Protocol):
    """A piece of work for a turn. Once it `is_large`, to undo it may take long, too; for `is_answer` see `outlast`."""

    is_large: bool

    @property
    def is_answer(self) -> bool:
        """Whether a request is answered with what becomes of it."""


T = TypeVar("T", bound=Work)

MAX_CHANGES = 64
"""How many changes share a commit at most, so that the first of them does not wait for long."""

MAX_SECONDS = 0.05
"""Seconds after which nobody joins any more, so that another process has its turn."""

BUSY_SECONDS = 15.0
"""How long a change waits, from when it was asked for, while another process writes."""

MAX_PAUSE = 0.002
"""Seconds between two looks whether another process still writes: it leaves gaps of a few milliseconds."""


class CommitFailed(Exception):
    """The commit failed: nothing of all that shared it was kept."""


@dataclass(slots=True, eq=False)
class CommitBatch:
    """A transaction that is open: how many have joined, how many of them have changed something, and who waits."""

    started_at: float = field(default_factory=monotonic)
    joined: int = 0
    changes: int = 0
    is_large: bool = False
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    is_over: bool = False
    error: BaseException | None = None

    @property
    def is_full(self) -> bool:
        """Whether nobody joins any more."""
        return self.joined >= MAX_CHANGES or monotonic() - self.started_at > MAX_SECONDS

    def wait(self) -> asyncio.Future[None]:
        """Return a future that is done at the end, or fails with Unkept. Who leaves meanwhile takes nothing along."""
        waiter = asyncio.get_running_loop().create_future()
        if self.is_over:
            self._resolve(waiter)
        else:
            self.waiting.append(waiter)
        return waiter

    def end(self, error: BaseException | None) -> None:
        """Let everybody go."""
        self.is_over, self.error = True, error
        for waiter in self.waiting:
            if not waiter.done():
                self._resolve(waiter)

    def _resolve(self, waiter: asyncio.Future[None]) -> None:
        if self.error is None:
            waiter.set_result(None)
        else:
            unkept = CommitFailed("The commit failed.")
            unkept.__cause__ = self.error
            waiter.set_exception(unkept)


class CommitSlot(AbstractAsyncContextManager[T]):
    """A turn as `async with` wants it; a generator would cost as much as a statement."""

    def __init__(
        self, commits: "GroupCommit", make: Callable[[sqlite3.Connection], T], dry: bool, is_large: bool
    ) -> None:
        self._commits, self._make, self._dry, self._is_large = commits, make, dry, is_large

    async def __aenter__(self) -> T:
        self._commit, connection = await self._commits.join(is_large=self._is_large)
        self._made = self._make(connection)
        return self._made

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        keeps = error is None and not self._dry
        self._commit.is_large |= self._made.is_large
        try:
            if not keeps and self._made.is_large:
                await self._commits.roll_back()
        finally:
            is_over = self._commits.leave(self._commit, keeps=keeps)
        if is_over:
            return
        if keeps:  # from here on it is part of the commit, whatever becomes of the one who asked
            await outlast(self._commit.wait, is_answer=self._made.is_answer)
        elif error is None or isinstance(error, Exception):
            await self._commit.wait()


class GroupCommit:
    """The connection that writes, and the line before it."""

    def __init__(self, connection: sqlite3.Connection, check: Callable[[], None] = lambda: None) -> None:
        """`check` raises what forbids to write to the file that is open; it is asked ahead of BEGIN and COMMIT."""
        self._connection = connection
        self._check = check
        self.broke: sqlite3.Error | None = None
        """What ended the open transaction as a whole, as a full disk does; told to all who shared it."""
        self._is_taken = False
        self._line: deque[asyncio.Future[None]] = deque()
        self._open: CommitBatch | None = None
        self.aside = WorkerThread("write")

    def open_slot(
        self, make: Callable[[sqlite3.Connection], T], *, dry_run: bool, is_large: bool = False
    ) -> "CommitSlot[T]":
        """Have a turn with what is made of the connection; undone if the block fails, or `dry`.

        One that may be large begins a commit of its own: those who came before it do not wait for its end.
        """
        return CommitSlot(self, make, dry_run, is_large)

    async def close(self) -> None:
        """Wait for all who are in line, and let go of the connection."""
        await self._writer_turn()
        if (commit := self._open) is not None:
            ended = commit.wait()  # where nothing is to be kept, it is over at once
            self._close(commit)
            await ended
        self.aside.close()
        self._connection.close()

    async def _writer_turn(self) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        self._line.append(waiter := asyncio.get_running_loop().create_future())
        await self._grant_turn(waiter)

    async def _grant_turn(self, waiter: asyncio.Future[None]) -> None:
        """Wait for the turn of one who stands in line."""
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():  # it was her turn already
                self._pass_on()
            raise

    async def join(self, *, is_large: bool = False) -> tuple[CommitBatch, sqlite3.Connection]:
        """Begin a turn."""
        asked = monotonic()
        await self._writer_turn()
        if is_large and self._open is not None and self._open.changes:
            self._line.appendleft(waiter := asyncio.get_running_loop().create_future())  # nobody comes between
            self._close(self._open)
            await self._grant_turn(waiter)
        try:
            if self._open is None:
                await self._begin(asked + BUSY_SECONDS)
                self._open = CommitBatch()
            self._connection.execute("SAVEPOINT change")
        except BaseException:
            self._pass_on()
            raise
        self._open.joined += 1
        return self._open, self._connection

    async def _begin(self, give_up: float) -> None:
        """Become the one writer, also among other processes."""
        pause = 0.0005
        self._check()
        self._roll_back()  # nothing is open, unless an end has failed
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > give_up:
                    raise
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_PAUSE)
            else:
                return

    async def roll_back(self) -> None:
        """Undo in the thread what the turn has changed; nobody else has one meanwhile."""
        with suppress(sqlite3.Error):  # `left` finds out what is wrong
            await self.aside.run(partial(self._connection.execute, "ROLLBACK TO change"), 0)

    def leave(self, commit: CommitBatch, *, keeps: bool) -> bool:
        """End a turn; answers whether that is all, since neither this change nor one before it is to be kept."""
        try:
            if not keeps:
                self._connection.execute("ROLLBACK TO change")
            self._connection.execute("RELEASE change")
        except sqlite3.Error as error:  # a full disk ends the whole transaction, and with it all savepoints
            self._drop(commit, self.broke or error)
            return False
        commit.changes += keeps
        self._pass_on()
        return not commit.changes

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

    def _close_unless_taken(self, commit: CommitBatch) -> None:
        if self._open is commit and not self._is_taken:
            self._is_taken = True
            self._close(commit)

    def _close(self, commit: CommitBatch) -> None:
        """Commit; until it is done, nobody has a turn."""
        self._open = None
        if commit.changes:
            self.aside.start(self._commit, partial(self._finish, commit))
        elif commit.is_large:
            self.aside.start(self._roll_back, partial(self._finish, commit))
        else:
            self._roll_back()
            self._finish(commit, None)

    def _commit(self) -> None:
        try:
            self._check()
            self._connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _drop(self, commit: CommitBatch, error: BaseException) -> None:
        self._open = self.broke = None
        self._roll_back()
        asyncio.get_running_loop().call_soon(partial(self._finish, commit, error))

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):  # the next one to begin tries again
                self._connection.execute("ROLLBACK")

    def _finish(self, commit: CommitBatch, error: BaseException | None) -> None:
        commit.end(error)
        self._pass_on()
