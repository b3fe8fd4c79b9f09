"""What both kinds of database have in common: what may be asked of them, and what a change may do."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from sqlalchemy.sql.base import Executable
from sqlmodel import SQLModel

from app.db.loop_yield import chunks
from app.db.statements import CompiledStatement, Row, StatementCache, Values, compile_insert, compile_update
from app.observability import request_stats

STATEMENTS_CACHED = 512
"""How many statements of services stay compiled."""

MAX_ROWS = 200
"""How many rows of a change are worked at in one piece: some milliseconds."""


class UniqueViolation(Exception):
    """A row that must be unique is there already; `columns` are its `table.column` names, joined with a comma."""

    def __init__(self, columns: str) -> None:
        super().__init__(columns)
        self.columns = columns


class ForeignKeyViolation(Exception):
    """A row is pointed at, or points at nothing."""


def count(statements: int = 1) -> None:
    """Note for the request's facts that statements are run."""
    if (about := request_stats.CURRENT.get()) is not None:
        about.statements += statements


class Freshness(Enum):
    """How recent the data of a read must be. Every read is answered by the primary as long as there is no replica."""

    PRIMARY = "primary"
    """The read sees every change that was answered before it."""
    REPLICA_OK = "replica"
    """The read may miss the latest changes."""


BoundStatement = tuple[CompiledStatement, Values]

Read = Callable[[Sequence[BoundStatement]], Awaitable[list[list[Row]]]]
"""Answers questions that do not depend on each other, in their order."""


class Transaction(ABC):
    """What a change may do between a beginning and an end that are not its own."""

    def __init__(self, database: "Database") -> None:
        self._database = database
        self.now = database.clock()
        self.notes: Any = None
        """What the audit log keeps of this change until its end; None where nothing is told."""
        self.xid: str | None = None
        """By what PostgreSQL tells later whether this was committed, once something was written."""

    @property
    def is_answer(self) -> bool:
        """Whether a request is answered with what becomes of this; else it is written by the way."""
        return self.notes is not None and request_stats.CURRENT.get() is not None

    async def rows(self, statement: Executable, **values: Any) -> list[Row]:
        """Run a statement and take its rows."""
        prepared = self._database.prepare(statement)
        count()
        raw = await self._fetch(prepared.text, prepared.arguments(values))
        if len(raw) <= MAX_ROWS:
            return prepared.rows(raw)
        found: list[Row] = []
        async for some in chunks(raw, MAX_ROWS):
            found += prepared.rows(some)
        return found

    async def row(self, statement: Executable, **values: Any) -> Row | None:
        """Run a statement and take its first row."""
        rows = await self.rows(statement, **values)
        return rows[0] if rows else None

    async def value(self, statement: Executable, **values: Any) -> Any:
        """Run a statement and take the first cell of its first row, or None."""
        row = await self.row(statement, **values)
        return row[0] if row else None

    async def execute_many(self, statement: Executable, values: Sequence[Values]) -> None:
        """Run one statement for each set of values."""
        await self._each(statement, values, dict)

    async def insert(self, table: type[SQLModel], rows: Sequence[Values]) -> None:
        """Insert rows that have the same columns."""
        if rows:
            await self._each(compile_insert(table, tuple(rows[0])), rows, _insert_values)

    async def _each(self, statement: Executable, given: Sequence[Values], named: Callable[[Values], Values]) -> None:
        prepared = self._database.prepare(statement)
        if given:
            count()
        async for some in chunks(given, MAX_ROWS):
            await self._execute_many(prepared.text, [prepared.arguments(named(each)) for each in some])

    async def update(self, table: type[SQLModel], key: int, values: Values) -> None:
        """Set columns of the row with this id: a statement that is built once, whatever the values."""
        await self.rows(compile_update(table, tuple(values)), key=key, **_insert_values(values))

    @abstractmethod
    async def lock(self, name: str) -> None:
        """Wait until no other transaction holds this name, and hold it until the end."""

    @abstractmethod
    async def _fetch(self, text: str, arguments: list[Any]) -> Sequence[Any]: ...

    @abstractmethod
    async def _execute_many(self, text: str, arguments: list[list[Any]]) -> None: ...


def _insert_values(values: Values) -> Values:
    """The values as a statement binds them that writes them."""
    return {f"new_{name}": value for name, value in values.items()}


class Database(ABC):
    """A database that is open. What it knows of statements is the same for all of its kind."""

    waits: bool = True
    """Whether others have their turns during any read, however short; else the door itself stops a long one."""

    def __init__(self, preparing: StatementCache) -> None:
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.kept: dict[Any, Any] = {}
        self.prepare = preparing
        self.dialect = preparing.dialect

    async def ask(self, statement: Executable, *, freshness: Freshness, **values: Any) -> list[Row]:
        """Read the rows of one statement."""
        return (await self.read([(self.prepare(statement), values)], freshness=freshness))[0]

    @abstractmethod
    async def read(self, questions: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        """Answer questions that do not depend on each other, in their order: all as of one moment."""

    @abstractmethod
    async def commit_version(self) -> Any:
        """Something that stays equal for as long as nobody commits anything, in whatever process.

        The primary tells it, and what is kept for it is read with `Freshness.PRIMARY`.
        What was read after it was asked for is still so when it is asked for again and is the same.
        """

    def cached_commit_version(self) -> Any:
        """The same where it is known without waiting, else None."""
        return None

    @abstractmethod
    def snapshot(self, *, freshness: Freshness) -> AbstractAsyncContextManager[Read]:
        """Read several times as of one moment, that of the first: `async with db.snapshot(freshness=…) as read`.

        Whoever reads once needs none: see `read`. Nobody opens a second one inside.
        """

    @abstractmethod
    def write(self, *, dry_run: bool = False, is_large: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction: `async with db.write() as tx`. It ends with the block; undone if that fails, or `dry`.

        Until its commit begins it can be cancelled; after that, the block ends with what became of it. `is_large` says
        that it may change many rows: others do not share its commit then.
        """

    def connections(self) -> tuple[int, int] | None:
        """How many are in use and how many are not, where there is a pool of them."""
        return None

    @abstractmethod
    async def close(self) -> None:
        """Let go of every connection."""
