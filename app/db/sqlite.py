"""SQLite by the standard library's driver: reads in the event loop, writes in turns (see `commits`)."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

from sqlalchemy.dialects import sqlite

from app.db import patience
from app.db.commits import Commits
from app.db.door import REMEMBERED, Dangling, Database, Duplicate, Question, Read, Transaction, count
from app.db.patience import Late, Patience, Reader
from app.prepared import Preparing, Row

READERS = 32
"""How many snapshots there are at once; who asks for one more waits."""

KEPT = 4
"""How many connections that read stay open while nobody needs them."""

_preparing = Preparing(sqlite.dialect(paramstyle="qmark"), REMEMBERED)


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
    """A change on the writing connection."""

    def __init__(self, database: "SqliteDatabase", connection: sqlite3.Connection) -> None:
        super().__init__(database)
        self._connection = connection

    async def lock(self, name: str) -> None:
        """Nothing to do: SQLite has one writer at a time."""

    async def _fetch(self, text: str, arguments: list[Any]) -> Sequence[Any]:
        try:
            return self._connection.execute(text, arguments).fetchall()
        except sqlite3.IntegrityError as error:
            _tell(error)
            raise

    async def _many(self, text: str, arguments: list[list[Any]]) -> None:
        try:
            self._connection.executemany(text, arguments)
        except sqlite3.IntegrityError as error:
            _tell(error)
            raise


def _tell(error: sqlite3.IntegrityError) -> None:
    """Raise what services know; anything else is a surprise."""
    text = str(error)
    if text.startswith("UNIQUE constraint failed: "):
        raise Duplicate(text.removeprefix("UNIQUE constraint failed: ").replace(" ", "")) from error
    if text.startswith("FOREIGN KEY"):
        raise Dangling(text) from error


class SqliteDatabase(Database):
    """An embedded file. Reads run in the event loop, long ones aside (`patience`); writes take turns and share commits.

    Readers lie in a stack. Whoever reads without giving way to others always gets the same one, and only where
    snapshots overlap there are more.
    """

    waits = False

    def __init__(self, path: Path, longest: float = inf) -> None:
        super().__init__(_preparing)
        self._path = path
        self._commits = Commits(connect(path))
        self._patience = Patience(longest)
        self._readers = [Reader(connect(path, read_only=True))]
        self._places = asyncio.Semaphore(READERS)
        self._watcher = connect(path, read_only=True)  # each connection has a count of its own
        self._watching = self._watcher.cursor()
        self._glanced: int | None = None

    async def read(self, questions: Sequence[Question]) -> list[list[Row]]:
        if len(questions) != 1:
            async with self.snapshot() as read:
                return await read(questions)
        count()
        try:
            return self._reader().answers(questions, patience.PATIENCE)
        except Late:
            async with self._taken() as reader:
                return await self._patience.answers(reader, questions)

    async def version(self) -> Any:
        return self.glance()

    def glance(self) -> Any:
        # Once for all who have their turns now. Who is called later comes after `_forget` in the loop's line: whatever
        # called those who share a look had happened before it, and so had all that they may already know of.
        if self._glanced is None:
            self._glanced = self._watching.execute("PRAGMA data_version").fetchone()[0]
            asyncio.get_running_loop().call_soon(self._forget)
        return self._glanced

    def _forget(self) -> None:
        self._glanced = None

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Read]:
        async with self._taken() as reader:
            try:
                reader.connection.execute("BEGIN")
                yield partial(self._answered, reader)
            finally:
                reader.connection.execute("ROLLBACK")  # it has changed nothing

    async def _answered(self, reader: Reader, questions: Sequence[Question]) -> list[list[Row]]:
        count(len(questions))
        try:
            return reader.answers(questions, patience.PATIENCE)
        except Late:
            return await self._patience.answers(reader, questions)

    @asynccontextmanager
    async def _taken(self) -> AsyncIterator[Reader]:
        """A reader that nobody else has until it is given back."""
        async with self._places:
            reader = self._reader()
            self._readers.pop()
            try:
                yield reader
            finally:
                self._give_back(reader)

    def _reader(self) -> Reader:
        """One that nobody has; it stays where it is."""
        if not self._readers:
            self._readers.append(Reader(connect(self._path, read_only=True)))
        return self._readers[-1]

    def _give_back(self, reader: Reader) -> None:
        if len(self._readers) < KEPT:
            self._readers.append(reader)
        else:
            reader.connection.close()

    def write(self, *, dry: bool = False) -> AbstractAsyncContextManager[Transaction]:
        return self._commits.change(partial(SqliteTransaction, self), dry=dry)

    async def close(self) -> None:
        await self._commits.close()
        self._patience.close()
        self._watcher.close()
        for reader in self._readers:
            reader.connection.close()
