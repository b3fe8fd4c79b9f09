"""The interface of both databases: `Database` for reads, `Transaction` for changes."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from sqlalchemy.sql.base import Executable
from sqlmodel import SQLModel

from app.db.access_changes import AccessChanges
from app.db.loop_yield import chunks
from app.db.statements import (
    CompiledStatement,
    Row,
    StatementCache,
    Values,
    compile_delete,
    compile_insert,
    compile_update,
)
from app.observability import request_stats

if TYPE_CHECKING:
    from app.db.failures import FailureLog

STATEMENTS_CACHED = 512
"""Number of compiled statements of services in the cache."""

MAX_ROWS = 200
"""Number of rows that a change processes at once, which takes a few milliseconds."""


class UniqueViolation(Exception):
    """A UNIQUE constraint was violated; `columns` are the names `table.column`, separated by commas."""

    def __init__(self, columns: str) -> None:
        super().__init__(columns)
        self.columns = columns


class ForeignKeyViolation(Exception):
    """A FOREIGN KEY constraint was violated: a deleted row is referenced, or a referenced row is missing."""


def count_statements(statements: int = 1) -> None:
    """Add to the number of SQL statements of the current request."""
    if (stats := request_stats.CURRENT.get()) is not None:
        stats.statements += statements


class ConditionFailed(Exception):
    """A condition no longer holds, so nothing was read."""


class SnapshotLost(Exception):
    """A replica could not continue a snapshot. Its reads must begin again, on the primary."""


class Freshness(Enum):
    """The required recency of the data of a read. Without a replica, the primary executes every read."""

    PRIMARY = "primary"
    """The read sees every change whose response was sent before it."""
    REPLICA_OK = "replica"
    """The read sees every change whose response was sent before its request began. A replica may answer it."""


class ReplicaState(NamedTuple):
    """State of a read replica: host and port, the reason why it is left out, and the bytes that it is behind."""

    name: str
    problem: str | None
    lag: int | None


BoundStatement = tuple[CompiledStatement, Values]

Below = Sequence[tuple[BoundStatement, tuple[int, ...]]]
"""Statements whose keys are columns of the rows of another one: see `Database.read_joined`."""

Read = Callable[[Sequence[BoundStatement]], Awaitable[list[list[Row]]]]
"""A function that executes independent SELECT statements and returns the rows of each, in their order."""


class Transaction(ABC):
    """An open transaction. Its caller can execute statements, but neither begins nor ends it."""

    locks_rows: ClassVar[bool] = True
    """False if no other transaction can write meanwhile, so that a row need not be locked before it is read."""

    def __init__(self, database: "Database") -> None:
        self._database, self._prepare = database, database.prepare
        self._compiled = database.prepare.last
        self.now = database.clock()
        self._stats = request_stats.CURRENT.get()
        self.notes: Any = None
        """Notes of the audit log until the end of the transaction; None if the change is not audited."""
        self.if_revisions: frozenset[Any] | None = None
        """Revisions of the changed object that the client accepts, None for any; see `services.audit.revisions`."""
        self.has_written = False
        """True after a statement that may change rows."""
        self.is_undone = False
        """True if the end of the block rolls the transaction back; see `undo`."""
        self.xid: str | None = None
        """The transaction id of PostgreSQL, set after the first write; it identifies the outcome of a lost commit."""

    @property
    def is_answer(self) -> bool:
        """Return whether the response of a request reports the outcome of this transaction."""
        return self.notes is not None and request_stats.CURRENT.get() is not None

    def observe(self, send: Callable[[Callable[..., Awaitable[Any]], str, Any], Awaitable[Any]]) -> None:
        """Send each statement by `send(function, text, arguments)`, which awaits the function.

        Attributes of the instance hide the methods of its class, so that transactions nobody observes pay nothing.
        """
        fetch, execute_many = partial(send, self._fetch), partial(send, self._execute_many)
        vars(self).update(_fetch=fetch, _send=fetch, _execute_many=execute_many, _send_many=execute_many)

    def undo(self) -> None:
        """Roll the transaction back at the end of the block, without an error: it leaves every row as it was."""
        self.is_undone = True

    async def rows(self, statement: Executable, **values: Any) -> list[Row]:
        """Execute a statement and return its rows."""
        compiled = self._compiled.get(statement) or self._prepare(statement)
        if not statement.is_select:
            self.has_written = True
        if self._stats is not None:
            self._stats.statements += 1
        raw = await self._fetch(compiled.text, compiled.arguments(values))
        if len(raw) <= MAX_ROWS:
            return compiled.rows(raw)
        rows: list[Row] = []
        async for chunk in chunks(raw, MAX_ROWS):
            rows += compiled.rows(chunk)
        return rows

    async def send(self, statement: Executable, **values: Any) -> None:
        """Execute a write that returns no rows. A later statement, or the end of the block, may raise its error.

        PostgreSQL gets it in one message with the next statement. So a caller that handles its error uses `rows`.
        """
        compiled = self._compiled.get(statement) or self._prepare(statement)
        self.has_written = True
        if self._stats is not None:
            self._stats.statements += 1
        _require_no_rows(compiled)
        await self._send(compiled.text, compiled.arguments(values))

    async def row(self, statement: Executable, **values: Any) -> Row | None:
        """Execute a statement and return its first row, or None."""
        rows = await self.rows(statement, **values)
        return rows[0] if rows else None

    async def value(self, statement: Executable, **values: Any) -> Any:
        """Execute a statement and return the first value of its first row, or None."""
        row = await self.row(statement, **values)
        return row[0] if row else None

    async def execute_many(self, statement: Executable, values: Sequence[Values], *, is_sent: bool = False) -> None:
        """Execute a statement once for each set of values; with `is_sent` as `send` does, if they are few."""
        await self._execute_chunks(statement, values, dict, is_sent=is_sent)

    async def insert(self, table: type[SQLModel], rows: Sequence[Values], *, is_sent: bool = False) -> None:
        """Insert rows, all with the same columns; with `is_sent` as `send` does, if they are few."""
        if rows:
            await self._execute_chunks(compile_insert(table, tuple(rows[0])), rows, _new_values, is_sent=is_sent)

    async def update_many(self, table: type[SQLModel], rows: Sequence[Values], keys: tuple[str, ...] = ("id",)) -> None:
        """Update rows, all with the same columns: each is found by its values of the `keys`, and gets the others."""
        if rows:
            columns = tuple(name for name in rows[0] if name not in keys)
            await self._execute_chunks(compile_update(table, keys, columns), rows, _new_values)

    async def delete_many(self, table: type[SQLModel], rows: Sequence[Values]) -> None:
        """Delete rows, which are found by their values of some columns, the same for all."""
        if rows:
            await self._execute_chunks(compile_delete(table, tuple(rows[0])), rows, _new_values)

    async def _execute_chunks(
        self,
        statement: Executable,
        rows: Sequence[Values],
        bind: Callable[[Values], Values],
        *,
        is_sent: bool = False,
    ) -> None:
        if not rows:
            return
        compiled = self._prepare(statement)
        self.has_written = True
        if self._stats is not None:
            self._stats.statements += 1
        if len(rows) <= MAX_ROWS:
            if is_sent:
                _require_no_rows(compiled)
            execute = self._send_many if is_sent else self._execute_many
            await execute(compiled.text, [compiled.arguments(bind(row)) for row in rows])
            return
        async for chunk in chunks(rows, MAX_ROWS):
            await self._execute_many(compiled.text, [compiled.arguments(bind(row)) for row in chunk])

    async def update(self, table: type[SQLModel], key: int, values: Values, *, incremented: str | None = None) -> None:
        """Update columns of the row with the id `key`, and add one to the column `incremented`.

        The statement is compiled once per set of columns.
        """
        await self.rows(compile_update(table, ("id",), tuple(values), incremented), new_id=key, **_new_values(values))

    @abstractmethod
    async def lock(self, name: str) -> None:
        """Acquire the lock of this name until the end of the transaction; waits while another one has it."""

    @abstractmethod
    async def _fetch(self, text: str, arguments: Sequence[Any]) -> Sequence[Any]: ...

    @abstractmethod
    async def _execute_many(self, text: str, arguments: list[Sequence[Any]]) -> None: ...

    async def _send(self, text: str, arguments: Sequence[Any]) -> None:
        await self._fetch(text, arguments)

    async def _send_many(self, text: str, arguments: list[Sequence[Any]]) -> None:
        await self._execute_many(text, arguments)


def _require_no_rows(compiled: CompiledStatement) -> None:
    assert compiled.width == 0, "a statement with rows cannot be sent without waiting for them"


def _new_values(values: Values) -> Values:
    """Return the values by the names of the bind parameters of `compile_insert`."""
    return {f"new_{name}": value for name, value in values.items()}


class Database(ABC):
    """An open database. All databases of one kind share the cache of compiled statements."""

    waits: bool = True
    """True if the event loop runs other tasks during every read. Otherwise the database itself limits long reads."""

    joins_levels: bool = False
    """True if `read_joined` is implemented: where a read waits for a server, one statement is better than two."""

    checks_conditions: bool = False
    """True if a read may end with a statement that is a condition (see `statements.CONDITION`)."""

    logs_changes: bool = True
    """True if every read can end with the statement `changes_since`, which is then about the moment of that read."""

    failures: "FailureLog"

    def __init__(self, statements: StatementCache) -> None:
        self.clock: Callable[[], datetime] = partial(datetime.now, UTC)
        self.caches: dict[Any, Any] = {}
        self.prepare = statements
        self.dialect = statements.dialect

    async def ask(self, statement: Executable, *, freshness: Freshness, **values: Any) -> list[Row]:
        """Execute one SELECT statement and return its rows."""
        return (await self.read([(self.prepare(statement), values)], freshness=freshness))[0]

    @abstractmethod
    async def read(self, statements: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        """Execute independent SELECT statements in one snapshot and return the rows of each, in their order."""

    async def read_joined(
        self,
        statements: Sequence[BoundStatement],
        below: Below,
        *,
        freshness: Freshness,
    ) -> list[list[Row]]:
        """Execute statements as `read`, and those `below`, whose `keys` are a column of the rows of the first one.

        Each of the latter comes with the index of the column and of others: a row has a key if none of them is null.
        The caller counts these statements.
        """
        raise NotImplementedError

    @abstractmethod
    async def commit_version(self) -> Any:
        """Return a value of the primary that changes with every commit of any process.

        Data that is read with `Freshness.PRIMARY` after this call is valid while a later call returns the same value.
        """

    def cached_commit_version(self) -> Any:
        """Return the commit version if it is known without waiting, else None."""
        return None

    @abstractmethod
    async def read_with_changes(
        self, since: Any, statements: Sequence[BoundStatement] = ()
    ) -> tuple[AccessChanges, list[list[Row]]]:
        """Return whose access has changed since a state (None: no state yet), and the rows of statements.

        The rows are as new as the new state or newer, like all that is read with `Freshness.PRIMARY` after this call.
        They are valid until a later call names their scope.
        """

    @abstractmethod
    def changes_since(self, state: Any) -> BoundStatement:
        """Return the statement that selects what `changes_of` needs, for a state that a call has returned."""

    @abstractmethod
    def changes_of(self, state: Any, rows: Sequence[Row]) -> AccessChanges:
        """Return whose access has changed between a state and the moment of the read that returned these rows."""

    @abstractmethod
    def snapshot(self, *, freshness: Freshness) -> AbstractAsyncContextManager[Read]:
        """Open a snapshot for several reads: `async with db.snapshot(freshness=…) as read`.

        The first read determines its time. A single call of `read` needs no snapshot. Snapshots cannot be nested.
        A later read raises SnapshotLost if a replica answered the first one and fails.
        """

    @abstractmethod
    def write(self, *, dry_run: bool = False, is_large: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction: `async with db.write() as tx`.

        The end of the block commits it; an exception or `dry_run` rolls it back. It can be cancelled until the commit
        begins; after that the block waits for the outcome. `is_large` declares that it may change many rows, so that
        it does not delay the commits of other transactions.
        """

    async def confirm(self) -> None:  # noqa: B027 - most databases have no condition
        """Raise ConditionFailed if the condition of the reads does not hold (see `ConditionalDatabase`)."""

    def connections(self) -> tuple[int, int] | None:
        """Return the numbers of used and idle connections, or None without a pool."""
        return None

    def replicas(self) -> Sequence[ReplicaState]:
        """Return the state of each read replica."""
        return ()

    @abstractmethod
    async def size_bytes(self) -> Mapping[str, int]:
        """Return the size of the `database` in bytes; on SQLite also that of its write-ahead log (`wal`)."""

    @abstractmethod
    async def close(self) -> None:
        """Close every connection."""
