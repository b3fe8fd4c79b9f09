"""SQLite by the standard library's driver: reads in the event loop, writes in turns (see `commits`)."""

import asyncio
import os
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache, partial
from math import inf
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, TypeVar

from sqlalchemy.dialects import sqlite

from app.db.failures import FailureLog, FileReplaced, classify
from app.db.interface import (
    STATEMENTS_CACHED,
    BoundStatement,
    Database,
    ForeignKeyViolation,
    Freshness,
    Read,
    Transaction,
    UniqueViolation,
    count,
)
from app.db.loop_yield import LoopYield
from app.db.sqlite import slow_reads, worker_thread
from app.db.sqlite.group_commit import CommitFailed, GroupCommit
from app.db.sqlite.slow_reads import DeadlineExceeded, ReadConnection, SlowReadPool
from app.db.statements import FEW_ROWS, Row, StatementCache

READERS = 32
"""How many snapshots there are at once; who asks for one more waits."""

IDLE_READERS = 4
"""How many connections that read stay open while nobody needs them."""

T = TypeVar("T")

_preparing = StatementCache(sqlite.dialect(paramstyle="qmark"), STATEMENTS_CACHED)


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a SQLite file as this server wants it: WAL, foreign keys, every commit on the disk before it is answered."""
    uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rw'}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=512)
    for pragma in ("foreign_keys=ON", "synchronous=FULL", "cache_size=-65536", "mmap_size=268435456"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"PRAGMA busy_timeout={5000 if read_only else 0}")
    if not read_only:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA temp_store=MEMORY")  # what a savepoint may have to undo, too
    return connection


class SqliteTransaction(Transaction):
    """A change on the writing connection: short statements run in the event loop, all others in a thread."""

    def __init__(self, database: "SqliteDatabase", writer: "Writer", connection: sqlite3.Connection) -> None:
        super().__init__(database)
        self._writer, self._connection = writer, connection
        self.is_large = False

    async def lock(self, name: str) -> None:
        """Nothing to do: SQLite has one writer at a time."""

    async def _fetch(self, text: str, arguments: list[Any]) -> Sequence[Any]:
        kind, execute = _kind(text), partial(self._connection.execute, text, arguments)
        if kind == FEW:
            return self._translate(execute).fetchall()
        if kind == READ:
            try:
                return self._translate(partial(self._writer.soon, execute))
            except slow_reads.DeadlineExceeded:
                pass
        return await _rows(await self._in_thread(execute))

    async def _execute_many(self, text: str, arguments: list[list[Any]]) -> None:
        work = partial(self._connection.executemany, text, arguments)
        if _kind(text) == FEW:
            self._translate(work)
        else:
            await self._in_thread(work)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Do what may take long in the thread. Where one statement did, the next ones are not waited for at all."""
        began = perf_counter()
        job = partial(self._translate, work)
        try:
            return await self._writer.commits.aside.run(job, 0 if self.is_large else worker_thread.SHORT)
        finally:
            self.is_large |= perf_counter() - began > worker_thread.SHORT

    def _is_open(self) -> bool:
        return self._connection.in_transaction

    def _translate(self, work: Callable[[], T]) -> T:
        if not self._is_open():  # SQLite has ended it: what is written now would be kept
            raise CommitFailed("The transaction has ended.") from self._writer.commits.broke
        try:
            return work()
        except sqlite3.Error as error:
            if isinstance(error, sqlite3.IntegrityError):
                _as_violation(error)
            elif not self._is_open():
                self._writer.commits.broke = error
            raise


class Writer:
    """The connection that writes, whose reads in the event loop are stopped when they take long."""

    def __init__(self, connection: sqlite3.Connection, check: Callable[[], None]) -> None:
        self.commits = GroupCommit(connection, check)
        self._connection = connection
        self._until = 0.0

    def soon(self, execute: Callable[[], sqlite3.Cursor]) -> list[Any]:
        """Read within a few milliseconds; raises Late. SQLite keeps a transaction in which a read is stopped."""
        self._until = perf_counter() + worker_thread.SHORT
        self._connection.set_progress_handler(self._is_late, slow_reads.STEPS)
        try:
            return execute().fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise slow_reads.DeadlineExceeded from None
            raise
        finally:
            self._connection.set_progress_handler(None, 0)

    def _is_late(self) -> bool:
        return perf_counter() > self._until


async def _rows(cursor: sqlite3.Cursor) -> list[Any]:
    """Take all rows, in pieces between which others have their turns.

    In a thread each row would wait for the interpreter anew, and where the loop is busy, for milliseconds.
    """
    pause, found = LoopYield(), []
    try:
        while True:
            some = cursor.fetchmany(PIECE)
            found += some
            if len(some) < PIECE:
                return found
            await pause()
    finally:
        cursor.close()


@lru_cache(4 * STATEMENTS_CACHED)
def _kind(text: str) -> str:
    """Return whether a statement reads, writes one row or few, or may write any number of them."""
    if text.startswith("SELECT"):
        return READ
    return FEW if FEW_ROWS in text or _ONE_ROW.fullmatch(text) else MANY_ROWS


READ, FEW, MANY_ROWS = "read", "few rows", "many rows"

_ONE_ROW = re.compile(
    r"INSERT INTO \w+ \([^()]*\) VALUES \(.*|UPDATE (\w+) SET ((?! WHERE ).)* WHERE \1\.id = \?", re.DOTALL
)
"""One row with its values, or one that is found by its id."""

PIECE = 200
"""How many rows are taken at once."""


def _as_violation(error: sqlite3.IntegrityError) -> None:
    """Raise what services know; anything else is a surprise."""
    text = str(error)
    if text.startswith("UNIQUE constraint failed: "):
        raise UniqueViolation(text.removeprefix("UNIQUE constraint failed: ").replace(" ", "")) from error
    if text.startswith("FOREIGN KEY"):
        raise ForeignKeyViolation(text) from error


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from every other one; None where there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


class _Write(AbstractAsyncContextManager[Transaction]):
    """A turn of the writer that tells failures of the database as such."""

    def __init__(self, turn: AbstractAsyncContextManager[Transaction], failures: FailureLog) -> None:
        self._turn, self._failures = turn, failures

    async def __aenter__(self) -> Transaction:
        try:
            return await self._turn.__aenter__()
        except (sqlite3.Error, FileReplaced) as error:
            self._failures.refuse(error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._turn.__aexit__(kind, error, trace)
        except (sqlite3.Error, CommitFailed) as failed:
            self._failures.refuse(failed if error is None or classify(error) is None else error)
        if isinstance(error, sqlite3.Error | CommitFailed):
            self._failures.refuse(error)


class SqliteDatabase(Database):
    """An embedded file. Reads run in the event loop, long ones aside (`patience`); writes take turns and share commits.

    Readers lie in a stack. Whoever reads without giving way to others always gets the same one, and only where
    snapshots overlap there are more.
    """

    waits = False

    def __init__(self, path: Path, longest: float = inf) -> None:
        super().__init__(_preparing)
        self._path = path
        self._files = {name: _identity(name) for name in (path, path.with_name(f"{path.name}-wal"))}
        self._failures = FailureLog()
        self._writer = Writer(connect(path), self._require_files)
        self._patience = SlowReadPool(longest)
        self._readers = [ReadConnection(connect(path, read_only=True))]
        self._places = asyncio.Semaphore(READERS)
        self._watcher = connect(path, read_only=True)  # each connection has a count of its own
        self._watching = self._watcher.cursor()
        self._glanced: int | None = None

    async def read(self, questions: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        if len(questions) != 1:
            async with self.snapshot(freshness=freshness) as read:
                return await read(questions)
        count()
        try:
            return self._read_connection().answers(questions, slow_reads.LOOP_BUDGET)
        except DeadlineExceeded:
            async with self._borrow() as reader:
                return await self._patience.answers(reader, questions)
        except sqlite3.Error as error:
            self._failures.refuse(error)

    async def commit_version(self) -> Any:
        return self.cached_commit_version()

    def cached_commit_version(self) -> Any:
        # Once for all who have their turns now. Who is called later comes after `_forget` in the loop's line: whatever
        # called those who share a look had happened before it, and so had all that they may already know of.
        if self._glanced is None:
            self._glanced = self._watching.execute("PRAGMA data_version").fetchone()[0]
            asyncio.get_running_loop().call_soon(self._forget)
        return self._glanced

    def _forget(self) -> None:
        self._glanced = None

    @asynccontextmanager
    async def snapshot(self, *, freshness: Freshness) -> AsyncIterator[Read]:
        async with self._borrow() as reader:
            try:
                reader.connection.execute("BEGIN")
                yield partial(self._answers, reader)
            finally:
                reader.connection.execute("ROLLBACK")  # it has changed nothing

    async def _answers(self, reader: ReadConnection, questions: Sequence[BoundStatement]) -> list[list[Row]]:
        count(len(questions))
        try:
            return reader.answers(questions, slow_reads.LOOP_BUDGET)
        except DeadlineExceeded:
            return await self._patience.answers(reader, questions)
        except sqlite3.Error as error:
            self._failures.refuse(error)

    @asynccontextmanager
    async def _borrow(self) -> AsyncIterator[ReadConnection]:
        """A reader that nobody else has until it is given back."""
        async with self._places:
            reader = self._read_connection()
            self._readers.pop()
            try:
                yield reader
            finally:
                self._return(reader)

    def _read_connection(self) -> ReadConnection:
        """One that nobody has; it stays where it is."""
        if not self._readers:
            self._readers.append(ReadConnection(connect(self._path, read_only=True)))
        return self._readers[-1]

    def _return(self, reader: ReadConnection) -> None:
        if len(self._readers) < IDLE_READERS:
            self._readers.append(reader)
        else:
            reader.connection.close()

    def write(self, *, dry_run: bool = False, is_large: bool = False) -> AbstractAsyncContextManager[Transaction]:
        make = partial(SqliteTransaction, self, self._writer)
        return _Write(self._writer.commits.open_slot(make, dry_run=dry_run, is_large=is_large), self._failures)

    def _require_files(self) -> None:
        """Raise FileReplaced unless the paths still lead to the files that are open; what is written would be lost."""
        for path, known in self._files.items():
            found = _identity(path)
            if known is None:
                self._files[path] = found  # the write-ahead log is made by the first transaction
            elif found != known:
                raise FileReplaced(f"{path} was deleted or replaced: writes are refused until the server starts again")

    async def close(self) -> None:
        await self._writer.commits.close()
        self._patience.close()
        self._watcher.close()
        for reader in self._readers:
            reader.connection.close()
