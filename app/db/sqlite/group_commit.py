"""Group commit for SQLite: concurrent transactions share one commit and its sync to disk.

Each transaction runs in its own savepoint on the writer connection, one after the other. A transaction joins the open
batch. When no transaction is waiting, or the batch is full, a thread commits the batch. All transactions of the batch
end after the commit, rejected ones too, since they may have been rejected because of changes that the commit then lost.
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

from app.db import waits
from app.db.cancellation import outlast
from app.db.sqlite.connection import Connection
from app.db.sqlite.worker_thread import WorkerThread
from app.observability import counters


class Work(Protocol):
    """A transaction in a slot. If it `is_large`, its rollback may take long; for `is_answer` see `outlast`.

    If it `is_undone`, its slot ends with a rollback.
    """

    is_large: bool
    is_undone: bool

    @property
    def is_answer(self) -> bool:
        """Return whether the response of a request reports the outcome."""


T = TypeVar("T", bound=Work)

MAX_CHANGES = 64
"""Maximum number of changes in a batch, so that the first of them does not wait long."""

MAX_SECONDS = 0.05
"""Seconds after which no transaction joins a batch, so that another process can write."""

BUSY_SECONDS = 15.0
"""Seconds for which a transaction waits while another process writes."""

MAX_PAUSE = 0.002
"""Maximum seconds between two attempts to begin while another process writes; its gaps are a few milliseconds."""


class CommitFailed(Exception):
    """The commit failed; no change of the batch was stored."""


@dataclass(slots=True, eq=False)
class CommitBatch:
    """An open batch: numbers of joined transactions and of changes, and the futures of waiting transactions."""

    started_at: float = field(default_factory=monotonic)
    joined: int = 0
    changes: int = 0
    is_large: bool = False
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    is_over: bool = False
    error: BaseException | None = None

    @property
    def is_full(self) -> bool:
        """Return whether no more transactions join."""
        return self.joined >= MAX_CHANGES or monotonic() - self.started_at > MAX_SECONDS

    def wait(self) -> asyncio.Future[None]:
        """Return a new future for the end of the batch; it raises CommitFailed if the commit failed."""
        waiter = asyncio.get_running_loop().create_future()
        if self.is_over:
            self._resolve(waiter)
        else:
            self.waiting.append(waiter)
        return waiter

    def end(self, error: BaseException | None) -> None:
        """Resolve the futures of all waiting transactions."""
        self.is_over, self.error = True, error
        for waiter in self.waiting:
            if not waiter.done():
                self._resolve(waiter)

    def _resolve(self, waiter: asyncio.Future[None]) -> None:
        if self.error is None:
            waiter.set_result(None)
        else:
            failed = CommitFailed("The commit failed.")
            failed.__cause__ = self.error
            waiter.set_exception(failed)


class CommitSlot(AbstractAsyncContextManager[T]):
    """The context manager of a slot. It is a class since a generator costs as much as a statement."""

    def __init__(self, commits: "GroupCommit", make: Callable[[Connection], T], dry: bool, is_large: bool) -> None:
        self._commits, self._make, self._dry_run, self._is_large = commits, make, dry, is_large

    async def __aenter__(self) -> T:
        self._commit, connection = await self._commits.join(is_large=self._is_large)
        self._work = self._make(connection)
        return self._work

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        keeps = error is None and not self._dry_run and not self._work.is_undone
        self._commit.is_large |= self._work.is_large
        try:
            if not keeps and self._work.is_large:
                await self._commits.roll_back()
        finally:
            is_over = self._commits.leave(self._commit, keeps=keeps)
        if is_over:
            return
        if keeps:  # from here on it is part of the commit, even if the request is cancelled
            await outlast(self._commit.wait, is_answer=self._work.is_answer)
        elif error is None or isinstance(error, Exception):
            await self._commit.wait()


class GroupCommit:
    """The writer connection and the queue of waiting transactions."""

    def __init__(self, connection: Connection, check: Callable[[], None] = lambda: None) -> None:
        """`check` raises an exception if the open file must not be written; it is called before BEGIN and COMMIT."""
        self._connection = connection
        self._check = check
        self.broke: sqlite3.Error | None = None
        """The error that ended the open batch, such as a full disk; all of its transactions fail with it."""
        self._is_taken = False
        self._queue: deque[asyncio.Future[None]] = deque()
        self._open: CommitBatch | None = None
        self.aside = WorkerThread("write")

    def open_slot(self, make: Callable[[Connection], T], *, dry_run: bool, is_large: bool = False) -> "CommitSlot[T]":
        """Return the context manager of a slot for `make(connection)`; an exception or `dry_run` rolls it back.

        A large transaction begins a new batch, so that earlier transactions do not wait for it.
        """
        return CommitSlot(self, make, dry_run, is_large)

    async def close(self) -> None:
        """Wait for the queue, and close the connection."""
        await self._acquire_writer()
        if (commit := self._open) is not None:
            ended = commit.wait()  # without changes, it ends at once
            self._close(commit)
            await ended
        self.aside.close()
        self._connection.close()

    async def _acquire_writer(self) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        self._queue.append(waiter := asyncio.get_running_loop().create_future())
        with waits.CountedWait(waits.TURN):
            await self._wait_in_queue(waiter)

    async def _wait_in_queue(self, waiter: asyncio.Future[None]) -> None:
        """Wait for the writer; a cancellation passes it on if it was already granted."""
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():  # the writer was already granted
                self._pass_on()
            raise

    async def join(self, *, is_large: bool = False) -> tuple[CommitBatch, Connection]:
        """Acquire the writer, join or begin a batch, and open a savepoint."""
        requested_at = monotonic()
        await self._acquire_writer()
        if is_large and self._open is not None and self._open.changes:
            # At the head of the queue, so that no other transaction comes in between.
            self._queue.appendleft(waiter := asyncio.get_running_loop().create_future())
            self._close(self._open)
            await self._wait_in_queue(waiter)
        try:
            if self._open is None:
                await self._begin(requested_at + BUSY_SECONDS)
                self._open = CommitBatch()
            self._connection.execute("SAVEPOINT change")
        except BaseException:
            self._pass_on()
            raise
        self._open.joined += 1
        return self._open, self._connection

    async def _begin(self, deadline: float) -> None:
        """Begin the transaction of a batch, and wait while another process writes."""
        pause = 0.0005
        self._check()
        self._roll_back()  # a transaction is open only if a rollback has failed
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                    raise
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_PAUSE)
            else:
                return

    async def roll_back(self) -> None:
        """Roll back the savepoint in the thread, before the slot ends."""
        with suppress(sqlite3.Error):  # `leave` handles the error
            await self.aside.run(partial(self._connection.execute, "ROLLBACK TO change"), 0)

    def leave(self, commit: CommitBatch, *, keeps: bool) -> bool:
        """End a slot; return True if the batch has no change, so that there is no commit to wait for."""
        try:
            if not keeps:
                self._connection.execute("ROLLBACK TO change")
            self._connection.execute("RELEASE change")
        except sqlite3.Error as error:  # a full disk ends the transaction with all savepoints
            self._drop(commit, self.broke or error)
            return False
        commit.changes += keeps
        self._pass_on()
        return not commit.changes

    def _pass_on(self) -> None:
        """Grant the writer to the next transaction; without one, commit after all tasks that are ready have run."""
        commit = self._open
        if commit is not None and commit.is_full:
            self._close(commit)
            return
        while self._queue:
            waiter = self._queue.popleft()
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
        """Commit the batch in the thread; the writer is granted again after it."""
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
            with suppress(sqlite3.Error):  # the next `_begin` tries again
                self._connection.execute("ROLLBACK")

    def _finish(self, commit: CommitBatch, error: BaseException | None) -> None:
        if error is not None:
            counters.increment(waits.COMMITS_FAILED)
        commit.end(error)
        self._pass_on()
