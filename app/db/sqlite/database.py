"""The SQLite database: reads run in the event loop, and writes share commits (see `group_commit`)."""

import asyncio
import os
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import lru_cache, partial
from math import inf
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, NoReturn, TypeVar

from sqlalchemy.dialects import sqlite

from app.db import waits
from app.db.access_changes import MAX_SCOPES, NEWEST_ON_SQLITE, ON_SQLITE, AccessChanges, changes_or_everything
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
    count_statements,
)
from app.db.loop_yield import LoopYield
from app.db.sqlite import slow_reads, worker_thread
from app.db.sqlite.connection import Connection, connect
from app.db.sqlite.group_commit import CommitFailed, GroupCommit
from app.db.sqlite.slow_reads import DeadlineExceeded, ReadConnection, SlowReadPool
from app.db.statements import FEW_ROWS, CompiledStatement, Row, StatementCache

READERS = 32
"""Number of concurrent snapshots; more of them wait."""

IDLE_READERS = 4
"""Number of idle read-only connections that stay open."""

T = TypeVar("T")

_statement_cache = StatementCache(sqlite.dialect(paramstyle="qmark"), STATEMENTS_CACHED)


class SqliteTransaction(Transaction):
    """A transaction on the writer connection: short statements run in the event loop, others in a thread."""

    locks_rows = False

    def __init__(self, database: "SqliteDatabase", writer: "Writer", connection: Connection) -> None:
        super().__init__(database)
        self._writer, self._connection = writer, connection
        self.is_large = False

    async def lock(self, name: str) -> None:
        """Do nothing, since SQLite has one writer at a time."""

    async def _fetch(self, text: str, arguments: Sequence[Any]) -> Sequence[Any]:
        kind, connection = _kind(text), self._connection
        if kind != MANY_ROWS:
            if not connection.in_transaction:
                self._require_open()
            try:
                if kind == READ:
                    self._writer.until = perf_counter() + worker_thread.SHORT
                return connection.fetch_all(text, arguments)
            except sqlite3.Error as error:
                if kind != READ or getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
                    self._raise_translated(error)
            finally:
                self._writer.until = inf
        cursor = await self._in_thread(partial(connection.start, text, arguments))
        with connection.renaming(text):
            return await _rows(cursor)

    async def _execute_many(self, text: str, arguments: list[Sequence[Any]]) -> None:
        work = partial(self._connection.executemany, text, arguments)
        if _kind(text) == FEW:
            self._translate(work)
        else:
            await self._in_thread(work)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Execute a possibly long statement in the thread. After a long one, the event loop blocks for no other one."""
        began = perf_counter()
        job = partial(self._translate, work)
        try:
            return await self._writer.commits.aside.run(job, 0 if self.is_large else worker_thread.SHORT)
        finally:
            self.is_large |= perf_counter() - began > worker_thread.SHORT

    def _is_open(self) -> bool:
        return self._connection.in_transaction

    def _translate(self, work: Callable[[], T]) -> T:
        self._require_open()
        try:
            return work()
        except sqlite3.Error as error:
            self._raise_translated(error)

    def _require_open(self) -> None:
        """Raise CommitFailed if SQLite ended the transaction, since further writes would be committed."""
        if not self._connection.in_transaction:
            raise CommitFailed("The transaction has ended.") from self._writer.commits.broke

    def _raise_translated(self, error: sqlite3.Error) -> NoReturn:
        if isinstance(error, sqlite3.IntegrityError):
            _raise_violation(error)
        elif not self._is_open():
            self._writer.commits.broke = error
        raise error


class Writer:
    """The writer connection. Its statements are interrupted after `until`, by the clock `perf_counter`."""

    def __init__(self, connection: Connection, check: Callable[[], None]) -> None:
        self.commits = GroupCommit(connection, check)
        self.until = inf
        connection.set_progress_handler(self._is_late, slow_reads.STEPS)

    def _is_late(self) -> bool:
        return perf_counter() > self.until


async def _rows(cursor: sqlite3.Cursor) -> list[Any]:
    """Fetch all rows in chunks, between which the event loop runs other tasks.

    In a thread, each row would wait for the interpreter lock, for milliseconds under load.
    """
    pause, rows = LoopYield(), []
    try:
        while True:
            chunk = cursor.fetchmany(CHUNK_ROWS)
            rows += chunk
            if len(chunk) < CHUNK_ROWS:
                return rows
            await pause()
    finally:
        cursor.close()


@lru_cache(4 * STATEMENTS_CACHED)
def _kind(text: str) -> str:
    """Return whether a statement reads, writes few rows, or may write any number of rows."""
    if text.startswith("SELECT"):
        return READ
    return FEW if FEW_ROWS in text or _ONE_ROW.fullmatch(text) else MANY_ROWS


READ, FEW, MANY_ROWS = "read", "few rows", "many rows"

_ONE_ROW = re.compile(
    r"INSERT INTO \w+ \([^()]*\) VALUES \(.*|UPDATE (\w+) SET ((?! WHERE ).)* WHERE \1\.id = \?", re.DOTALL
)
"""Matches an INSERT of one row, and an UPDATE of a row by its id."""

CHUNK_ROWS = 200
"""Number of rows fetched at once."""


def _raise_violation(error: sqlite3.IntegrityError) -> None:
    """Raise the exception of the interface for a violation; return for any other error."""
    text = str(error)
    if text.startswith("UNIQUE constraint failed: "):
        raise UniqueViolation(text.removeprefix("UNIQUE constraint failed: ").replace(" ", "")) from error
    if text.startswith("FOREIGN KEY"):
        raise ForeignKeyViolation(text) from error


def _identity(path: Path) -> tuple[int, int] | None:
    """Return the device and inode of a file; None if it does not exist."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _file_size(path: Path) -> int:
    """Return the bytes of a file; 0 if it does not exist."""
    with suppress(FileNotFoundError):
        return os.stat(path).st_size
    return 0


_CHANGES = CompiledStatement(ON_SQLITE, ("since",), {}, (), ())


def _changes_of(version: int | None, seen: int, rows: Sequence[Row]) -> AccessChanges | None:
    """Return the changes after the last row that was seen; None if rows have been missed."""
    (last, *new) = rows or [(-1, 0)]
    if last[0] != seen or len(new) > MAX_SCOPES:
        return None
    return changes_or_everything((version, new[-1][0] if new else seen), {scope for _, scope in new})


class _Write(AbstractAsyncContextManager[Transaction]):
    """A slot of the writer that turns failures of the database into errors for the client."""

    def __init__(self, slot: AbstractAsyncContextManager[Transaction], failures: FailureLog) -> None:
        self._slot, self._failures = slot, failures

    async def __aenter__(self) -> Transaction:
        try:
            return await self._slot.__aenter__()
        except (sqlite3.Error, FileReplaced) as error:
            self._failures.refuse(error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._slot.__aexit__(kind, error, trace)
        except (sqlite3.Error, CommitFailed) as failed:
            self._failures.refuse(failed if error is None or classify(error) is None else error)
        if isinstance(error, sqlite3.Error | CommitFailed):
            self._failures.refuse(error)


class SqliteDatabase(Database):
    """A SQLite file: long reads run in threads (`slow_reads`), and writes share commits (`group_commit`).

    The read-only connections form a stack. Reads that do not overlap always use the same one, and only overlapping
    snapshots open more.
    """

    waits = False

    def __init__(self, path: Path, longest: float = inf, *, read_only: bool = False) -> None:
        super().__init__(_statement_cache)
        self._path = path
        self._files = {name: _identity(name) for name in (path, path.with_name(f"{path.name}-wal"))}
        self.failures = FailureLog()
        self._writer = Writer(connect(path, read_only=read_only), self._require_files)
        self._slow_reads = SlowReadPool(longest)
        self._readers = [ReadConnection(connect(path, read_only=True))]
        self._reader_slots = asyncio.Semaphore(READERS)
        self._watcher = connect(path, read_only=True)  # PRAGMA data_version counts per connection
        self._watcher_cursor = self._watcher.cursor()
        self._cached_version: int | None = None

    async def read(self, statements: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        if len(statements) != 1:
            async with self.snapshot(freshness=freshness) as read:
                return await read(statements)
        count_statements()
        try:
            if self._slow_reads.expects(statements):
                async with self._borrow() as reader:
                    return await self._slow_reads.fetch_expected(reader, statements)
            return self._read_connection().fetch_all(statements, slow_reads.LOOP_BUDGET)
        except DeadlineExceeded:
            async with self._borrow() as reader:
                return await self._slow_reads.fetch_all(reader, statements)
        except sqlite3.Error as error:
            self.failures.refuse(error)

    async def commit_version(self) -> Any:
        return self.cached_commit_version()

    def cached_commit_version(self) -> Any:
        # One PRAGMA serves all tasks of one iteration of the event loop. Tasks that become ready later run after
        # `_clear_version`, so every commit that a task of this iteration can know of happened before the PRAGMA.
        if self._cached_version is None:
            self._cached_version = self._version()
            asyncio.get_running_loop().call_soon(self._clear_version)
        return self._cached_version

    async def read_with_changes(
        self, since: Any, statements: Sequence[BoundStatement] = ()
    ) -> tuple[AccessChanges, list[list[Row]]]:
        changes = self._access_changes(since)
        if not statements:
            return changes, []
        rows = await self.read(statements, freshness=Freshness.PRIMARY)
        if self._version() == changes.state[0]:
            return changes, rows
        async with self.snapshot(freshness=Freshness.PRIMARY) as read:  # a commit came between the changes and the rows
            version = self._version()
            changed, *rows = await read([self.changes_since(since), *statements])
        state, scopes = self.changes_of(since, changed)
        return AccessChanges(state and (version, state[1]), scopes), rows

    def _version(self) -> Any:
        """Return a number that each commit of another connection changes."""
        return self._watcher_cursor.execute("PRAGMA data_version").fetchone()[0]

    def _access_changes(self, since: Any) -> AccessChanges:
        version = self.cached_commit_version()
        if since is None:
            return AccessChanges((version, self._watch(NEWEST_ON_SQLITE)[0][0]), None)
        if since[0] == version:
            return AccessChanges(since, ())
        changes = _changes_of(version, since[1], self._watch(ON_SQLITE, since[1]))
        return changes or AccessChanges((version, self._watch(NEWEST_ON_SQLITE)[0][0]), None)

    def changes_since(self, state: Any) -> BoundStatement:
        return _CHANGES, {"since": state[1] if state else -1}

    def changes_of(self, state: Any, rows: Sequence[Row]) -> AccessChanges:
        version, seen = state or (None, -1)
        return _changes_of(version, seen, rows) or AccessChanges(None, None)

    def _watch(self, statement: str, *values: int) -> list[Any]:
        return self._watcher.fetch_all(statement, values)

    def _clear_version(self) -> None:
        self._cached_version = None

    @asynccontextmanager
    async def snapshot(self, *, freshness: Freshness) -> AsyncIterator[Read]:
        async with self._borrow() as reader:
            try:
                reader.connection.execute("BEGIN")
                yield partial(self._fetch_all, reader)
            finally:
                reader.connection.execute("ROLLBACK")  # it is read-only

    async def _fetch_all(self, reader: ReadConnection, statements: Sequence[BoundStatement]) -> list[list[Row]]:
        count_statements(len(statements))
        try:
            if self._slow_reads.expects(statements):
                return await self._slow_reads.fetch_expected(reader, statements)
            return reader.fetch_all(statements, slow_reads.LOOP_BUDGET)
        except DeadlineExceeded:
            return await self._slow_reads.fetch_all(reader, statements)
        except sqlite3.Error as error:
            self.failures.refuse(error)

    @asynccontextmanager
    async def _borrow(self) -> AsyncIterator[ReadConnection]:
        """Take a connection from the stack for the duration of the block."""
        if self._reader_slots.locked():
            with waits.CountedWait(waits.CONNECTION):
                await self._reader_slots.acquire()
        else:
            await self._reader_slots.acquire()
        try:
            reader = self._read_connection()
            self._readers.pop()
            try:
                yield reader
            finally:
                self._return(reader)
        finally:
            self._reader_slots.release()

    def _read_connection(self) -> ReadConnection:
        """Return the idle connection at the top of the stack, which stays there; open one if there is none."""
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
        return _Write(self._writer.commits.open_slot(make, dry_run=dry_run, is_large=is_large), self.failures)

    def _require_files(self) -> None:
        """Raise FileReplaced unless the paths refer to the open files; otherwise writes would be lost."""
        for path, opened in self._files.items():
            current = _identity(path)
            if opened is None:
                self._files[path] = current  # the first transaction creates the write-ahead log
            elif current != opened:
                raise FileReplaced(f"{path} was deleted or replaced: restart the server to accept writes again")

    async def size_bytes(self) -> Mapping[str, int]:
        wal = self._path.with_name(f"{self._path.name}-wal")
        return {name: _file_size(path) for name, path in (("database", self._path), ("wal", wal))}

    async def close(self) -> None:
        await self._writer.commits.close()
        self._slow_reads.close()
        self._watcher.close()
        for reader in self._readers:
            reader.connection.close()
