"""The only door to a driver: `read` gives rows, `write` a transaction; nothing else begins or ends one.

Statements are SQLAlchemy expressions. They are compiled once per database and then run on the bare drivers: `sqlite3`
in the event loop on a read-only connection, `asyncpg` on a pool. Rows are plain tuples in the order of the select list.
"""

import asyncio
import logging
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg as postgresql
from sqlalchemy.sql.base import Executable
from sqlmodel import SQLModel

from app import errors
from app.prepared import Prepared, Preparing, Row, Values, insertion
from app.telemetry import facts
from app.telemetry.reach import Reach

log = logging.getLogger(__name__)

REMEMBERED = 512
"""How many statements of services stay compiled."""

CONNECT_SECONDS = 5.0
"""How long PostgreSQL may take to let us in, or to give up what it was asked."""

READ_SECONDS = 15.0
"""How long PostgreSQL may take to answer a question: as long as a query may take."""

BUSY_SECONDS = 15.0
"""How long a SQLite writer waits for another process before it gives up."""


class Duplicate(Exception):
    """A row that must be unique is there already; `columns` are its `table.column` names, joined with a comma."""

    def __init__(self, columns: str) -> None:
        super().__init__(columns)
        self.columns = columns


class Dangling(Exception):
    """A row is pointed at, or points at nothing."""


def _count() -> None:
    if (about := facts.CURRENT.get()) is not None:
        about.statements += 1


Question = tuple[Prepared, Values]


class Transaction(ABC):
    """What a change may do between a beginning and an end that are not its own."""

    def __init__(self, database: "Database") -> None:
        self._database = database
        self.now = database.clock()
        self.notes: Any = None
        """What the audit log keeps of this change until its end; None where nothing is told."""

    async def rows(self, statement: Executable, **values: Any) -> list[Row]:
        """Run a statement and take its rows."""
        prepared = self._database.prepare(statement)
        _count()
        return prepared.rows(await self._fetch(prepared.text, prepared.arguments(values)))

    async def row(self, statement: Executable, **values: Any) -> Row | None:
        """Run a statement and take its first row."""
        rows = await self.rows(statement, **values)
        return rows[0] if rows else None

    async def value(self, statement: Executable, **values: Any) -> Any:
        """Run a statement and take the first cell of its first row, or None."""
        row = await self.row(statement, **values)
        return row[0] if row else None

    async def many(self, statement: Executable, values: Sequence[Values]) -> None:
        """Run one statement for each set of values."""
        prepared = self._database.prepare(statement)
        if values:
            _count()
            await self._many(prepared.text, [prepared.arguments(each) for each in values])

    async def put(self, table: type[SQLModel], rows: Sequence[Values]) -> None:
        """Insert rows that have the same columns."""
        if rows:
            values = [{f"new_{name}": value for name, value in row.items()} for row in rows]
            await self.many(insertion(table, tuple(rows[0])), values)

    @abstractmethod
    async def lock(self, name: str) -> None:
        """Wait until no other transaction holds this name, and hold it until the end."""

    @abstractmethod
    async def _fetch(self, text: str, arguments: list[Any]) -> Sequence[Any]: ...

    @abstractmethod
    async def _many(self, text: str, arguments: list[list[Any]]) -> None: ...


_sqlite = Preparing(sqlite.dialect(paramstyle="qmark"), REMEMBERED)
_postgres = Preparing(postgresql.dialect(), REMEMBERED)  # type: ignore[no-untyped-call]  # SQLAlchemy's own


class Database(ABC):
    """A database that is open. What it knows of statements is the same for all of its kind."""

    waits: bool = True
    """Whether others are answered while it reads."""

    def __init__(self, preparing: Preparing) -> None:
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.prepare = preparing
        self.dialect = preparing.dialect

    async def ask(self, statement: Executable, **values: Any) -> list[Row]:
        """Read the rows of one statement."""
        return (await self.read([(self.prepare(statement), values)]))[0]

    @abstractmethod
    async def read(self, questions: Sequence[Question]) -> list[list[Row]]:
        """Answer questions that do not depend on each other, in their order."""

    @abstractmethod
    def write(self, *, dry: bool = False) -> Any:
        """Open a transaction: `async with db.write() as tx`. It ends with the block; undone if that fails, or `dry`."""

    def connections(self) -> tuple[int, int] | None:
        """How many are in use and how many are not, where there is a pool of them."""
        return None

    @abstractmethod
    async def close(self) -> None:
        """Let go of every connection."""


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a SQLite file as this server wants it: WAL, foreign keys, every commit on the disk before it is answered."""
    uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rw'}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=512)
    for pragma in ("foreign_keys=ON", "synchronous=FULL", "cache_size=-65536", "mmap_size=268435456"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"PRAGMA busy_timeout={5000 if read_only else 0}")
    if not read_only:
        connection.execute("PRAGMA journal_mode=WAL")
    return connection


class SqliteTransaction(Transaction):
    """A change on the writing connection."""

    def __init__(self, database: "SqliteDatabase", connection: sqlite3.Connection) -> None:
        super().__init__(database)
        self._connection = connection

    async def lock(self, name: str) -> None:
        """Nothing to do: SQLite has one writer at a time."""

    async def _fetch(self, text: str, arguments: list[Any]) -> Sequence[Any]:
        with _sqlite_errors():
            return self._connection.execute(text, arguments).fetchall()

    async def _many(self, text: str, arguments: list[list[Any]]) -> None:
        with _sqlite_errors():
            self._connection.executemany(text, arguments)


class _sqlite_errors:  # noqa: N801 - reads as the statement it is
    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.IntegrityError):
            text = str(error)
            if text.startswith("UNIQUE constraint failed: "):
                raise Duplicate(text.removeprefix("UNIQUE constraint failed: ").replace(" ", "")) from error
            if text.startswith("FOREIGN KEY"):
                raise Dangling(text) from error


class SqliteDatabase(Database):
    """An embedded file. Reads run in the event loop; writes take turns, and a commit waits for the disk in a thread."""

    waits = False

    def __init__(self, path: Path) -> None:
        super().__init__(_sqlite)
        self._writer = connect(path)
        self._reader = connect(path, read_only=True)
        self._turn = asyncio.Lock()
        self._committer = ThreadPoolExecutor(1, "commit")

    async def read(self, questions: Sequence[Question]) -> list[list[Row]]:
        answers = []
        for prepared, values in questions:
            _count()
            answers.append(prepared.rows(self._reader.execute(prepared.text, prepared.arguments(values)).fetchall()))
        return answers

    @asynccontextmanager
    async def write(self, *, dry: bool = False) -> AsyncIterator[Transaction]:
        async with self._turn:
            await self._begin()
            try:
                yield SqliteTransaction(self, self._writer)
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            if dry:
                self._writer.execute("ROLLBACK")
            else:
                await self._commit()

    async def _begin(self) -> None:
        """Become the one writer, also among other processes."""
        give_up, pause = monotonic() + BUSY_SECONDS, 0.0005
        while True:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > give_up:
                    raise
                await asyncio.sleep(pause)
                pause = min(pause * 2, 0.01)
            else:
                return

    async def _commit(self) -> None:
        """Wait for the disk in a thread; a caller who leaves meanwhile does not leave the commit half-way."""
        commit = asyncio.get_running_loop().run_in_executor(self._committer, self._end)
        try:
            await asyncio.shield(commit)
        except asyncio.CancelledError:
            while not commit.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([commit])
            raise

    def _end(self) -> None:
        try:
            self._writer.execute("COMMIT")
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise

    async def close(self) -> None:
        async with self._turn:
            self._reader.close()
            self._writer.close()
            self._committer.shutdown()


AWAY = (
    OSError,  # a TimeoutError too
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
"""What is raised when there is no server, or none that lets us in."""


async def _as_it_is(connection: Any) -> None:
    """What a connection goes through before it is lent again: nothing, since every transaction on it has ended.

    asyncpg's own reset is a round trip for each statement.
    """


class PostgresTransaction(Transaction):
    """A change on a connection of the pool."""

    def __init__(self, database: "PostgresDatabase", connection: Any) -> None:
        super().__init__(database)
        self._connection = connection

    async def lock(self, name: str) -> None:
        _count()
        await self._fetch("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [name])

    async def _fetch(self, text: str, arguments: list[Any]) -> Sequence[Any]:
        with _postgres_errors():
            rows: Sequence[Any] = await self._connection.fetch(text, *arguments)
            return rows

    async def _many(self, text: str, arguments: list[list[Any]]) -> None:
        with _postgres_errors():
            await self._connection.executemany(text, arguments)


class _postgres_errors:  # noqa: N801 - reads as the statement it is
    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        match error:
            case asyncpg.UniqueViolationError():
                table = str(error.table_name)
                columns = str(error.detail).partition("(")[2].partition(")")[0]
                raise Duplicate(",".join(f"{table}.{name.strip()}" for name in columns.split(","))) from error
            case asyncpg.ForeignKeyViolationError():
                raise Dangling(str(error.constraint_name)) from error
            case asyncpg.SerializationError() | asyncpg.DeadlockDetectedError():
                raise errors.Conflict("Somebody else changed this at the same moment. Try again.") from error


@dataclass
class PostgresDatabase(Database):
    """A server with a pool of connections."""

    url: str
    size: int = 10
    _pool: Any = field(default=None, init=False)
    _reach: Reach = field(default_factory=lambda: Reach("the database", log), init=False)

    def __post_init__(self) -> None:
        super().__init__(_postgres)

    async def open(self) -> None:
        """Make the pool; raises what asyncpg raises when nobody answers."""
        self._pool = await asyncpg.create_pool(
            self.url,
            min_size=1,
            max_size=self.size,
            command_timeout=60,
            timeout=CONNECT_SECONDS,
            reset=_as_it_is,
            server_settings={"jit": "off"},  # compiling a statement takes longer than any of ours runs
        )

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """Borrow a connection; a server that is away is no surprise, and the pool finds it again by itself."""
        try:
            connection = await self._pool.acquire()
            try:
                yield connection
                self._reach.found()
            finally:
                await self._pool.release(connection, timeout=CONNECT_SECONDS)
        except AWAY as error:
            self._reach.lost(error)
            raise errors.TimedOut("The database does not answer. Try again soon.") from error

    async def read(self, questions: Sequence[Question]) -> list[list[Row]]:
        answers = []
        async with self._connection() as connection:
            for prepared, values in questions:
                _count()
                arguments = prepared.arguments(values)
                answers.append(prepared.rows(await connection.fetch(prepared.text, *arguments, timeout=READ_SECONDS)))
        return answers

    @asynccontextmanager
    async def write(self, *, dry: bool = False) -> AsyncIterator[Transaction]:
        async with self._connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                yield PostgresTransaction(self, connection)
            except BaseException:
                if not connection.is_closed():
                    await transaction.rollback()
                raise
            if dry:
                await transaction.rollback()
            else:
                await transaction.commit()

    def connections(self) -> tuple[int, int]:
        size, idle = self._pool.get_size(), self._pool.get_idle_size()
        return size - idle, idle

    async def close(self) -> None:
        try:
            await asyncio.wait_for(self._pool.close(), CONNECT_SECONDS)
        except AWAY:
            self._pool.terminate()


async def connected(url: str, *, size: int = 10) -> Database:
    """Open the database that a URL names: `sqlite:///PATH` (the file must exist) or `postgresql://…`."""
    if url.startswith("sqlite:///"):
        return SqliteDatabase(Path(url.removeprefix("sqlite:///")))
    database = PostgresDatabase(url, size)
    await database.open()
    return database
