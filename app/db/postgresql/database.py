"""The PostgreSQL database: a pool of connections, each with its prepared statements, and few round trips.

A round trip sends a message and waits for the server. Independent reads are combined into one statement. The BEGIN of
a snapshot is sent together with its first statement, and no request waits for its ROLLBACK.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import asyncpg
from sqlalchemy.dialects.postgresql import asyncpg as postgresql

from app.db import waits
from app.db.access_changes import ON_POSTGRESQL, AccessChanges, changes_or_everything
from app.db.cancellation import outlast_task
from app.db.failures import Failure, FailureLog, classify, refusal
from app.db.interface import (
    STATEMENTS_CACHED,
    Below,
    BoundStatement,
    ConditionFailed,
    Database,
    Freshness,
    Read,
    Transaction,
)
from app.db.postgresql.connecting import connect, is_direct
from app.db.postgresql.connection import (
    COMMIT,
    OUTDATED,
    PREPARED_PER_CONNECTION,
    ROLLBACK,
    PostgresConnection,
)
from app.db.postgresql.joined_writes import JoiningLoop
from app.db.postgresql.outcomes import was_committed
from app.db.postgresql.pool import ConnectionPool
from app.db.postgresql.shared_reads import SharedReads
from app.db.postgresql.transaction import PostgresTransaction, raise_violation, was_dead
from app.db.sqlite.group_commit import CommitFailed
from app.db.statements import SETTLED_EVENT, CompiledStatement, Row, StatementCache
from app.domain import errors
from app.observability import counters
from app.observability.availability import AvailabilityLogger

log = logging.getLogger(__name__)

SETTINGS = {"jit": "off", "plan_cache_mode": "force_generic_plan", "work_mem": "32MB", "enable_memoize": "off"}
"""Settings that disable JIT compilation and plan each statement once per connection; both cost more than execution.

`enable_memoize` is off since PostgreSQL (15 to 18) returns wrong rows with generic plans: a Memoize node whose key has
the bound value $6 takes the plan's own parameter 6 for a part of its key, and keeps its rows when that one changes.
Record 0231 has the details.

`work_mem` is enough to sort and to group 100,000 users in memory. Most statements need a few kilobytes of it.

By default PostgreSQL plans most statements on each execution, to find better plans for the bound values. There are
none, since the form of the statements determines the order of joins and the indexes.
"""

AWAY = (
    OSError,  # a TimeoutError too
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
"""Exceptions of a server that is unreachable or accepts no connection."""

POOLER = (
    "DatabaseUrl leads to a connection pooler: statements are not prepared and settings of the session are not sent;"
    " see docs/operations.md, which says how to set them for the role"
)

SETTLE_SECONDS = 1.0
"""Seconds that a read of the audit feed waits for events that have an id but are not yet committed."""

_SETTLED = "SELECT settled_event($1)"
"""Calls a function of migration 0014: returns the id of the last settled event, or NULL after the timeout."""

_INVALIDATES_POOL = frozenset({Failure.AWAY, Failure.READ_ONLY})
"""Failures that make idle connections useless: the server is gone, or it became a standby."""

_statement_cache = StatementCache(postgresql.dialect(), STATEMENTS_CACHED)  # type: ignore[no-untyped-call]  # it has no annotations


_VERSION = CompiledStatement("SELECT pg_current_snapshot()::text", (), {}, (), ())
"""Selects the set of ended transactions; while it is equal, every read returns the same data."""

_SIZE = CompiledStatement("SELECT pg_database_size(current_database())", (), {}, (), ())

_CHANGES = CompiledStatement(ON_POSTGRESQL, ("since",), {}, (), ())

Fetch = Callable[..., Awaitable[list[list[Row]]]]
"""A function that reads as `PostgresConnection.fetch_all`, with the connection as its first argument."""


@dataclass(eq=False)
class PostgresDatabase(Database):
    """A PostgreSQL server with a pool of connections."""

    url: str
    size: int = 10
    is_read_only: bool = False
    _pool: ConnectionPool = field(init=False)
    _availability: AvailabilityLogger = field(
        default_factory=lambda: AvailabilityLogger("the database", log), init=False
    )
    _settled_event: int = field(default=0, init=False)
    _is_direct: bool = field(default=False, init=False)
    _has_pooler: bool = field(default=False, init=False)
    failures: FailureLog = field(default_factory=FailureLog, init=False)
    joins_levels = True
    shares_reads: ClassVar[bool] = True
    checks_conditions = True

    def __post_init__(self) -> None:
        super().__init__(_statement_cache)
        self._pool = ConnectionPool(self._connect, self.size)
        self._fetch: Fetch = PostgresConnection.fetch_all
        self._shared_reads = SharedReads(self._read_with_retry)

    async def open(self) -> None:
        """Open the first connection; raises the exceptions of asyncpg if the server does not respond."""
        self._pool.release(await self._pool.acquire())

    async def _connect(self) -> Any:
        """Connect. The first connection of this process finds out whether there is a pooler in between."""
        if not self._has_pooler:
            try:
                connection = await self._connect_directly()
            except asyncpg.ProtocolViolationError as error:
                if "startup parameter" not in str(error):
                    raise
            else:
                if self._is_direct or await is_direct(connection):
                    self._is_direct = True
                    return connection
                await connection.close()
            self._has_pooler = True
            log.warning(POOLER)
        connection = await connect(
            self.url, command_timeout=60, connection_class=PostgresConnection, max_cached_statement_lifetime=0
        )
        connection.keeps_statements = False
        return connection

    async def _connect_directly(self) -> Any:
        loop = asyncio.get_running_loop()
        connection = await connect(
            self.url,
            settings={**SETTINGS, "default_transaction_read_only": "on"} if self.is_read_only else SETTINGS,
            statements_cached=PREPARED_PER_CONNECTION,
            loop=JoiningLoop(loop),
            command_timeout=60,
            connection_class=PostgresConnection,
            max_cached_statement_lifetime=0,
        )
        connection.use_loop(loop)
        return connection

    @asynccontextmanager
    async def _translate_failures(self) -> AsyncIterator[None]:
        """Log a failure of the database and raise the error for the client; idle connections are closed if useless."""
        try:
            yield
            self._availability.mark_up()
        except Exception as error:
            failure = classify(error)
            if failure is None:
                raise
            if is_away := failure is Failure.AWAY:
                self._availability.mark_down(error)
            if failure in _INVALIDATES_POOL:
                self._pool.expire()
            self.failures.note(failure, error, is_logged=not is_away)
            raise refusal(failure) from error

    async def read(self, statements: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        return await self.read_joined(statements, (), freshness=freshness)

    async def read_joined(
        self,
        statements: Sequence[BoundStatement],
        below: Below,
        *,
        freshness: Freshness,
    ) -> list[list[Row]]:
        return await (self._shared_reads.read if self.shares_reads else self._read_with_retry)(statements, below)

    async def _read_with_retry(self, statements: Sequence[BoundStatement], below: Below) -> list[list[Row]]:
        """Read, and once more if the connection was dead."""
        async with self._translate_failures():
            try:
                return await self._read(statements, below)
            except Exception as error:
                if not was_dead(error):
                    raise
            self._pool.expire()
            return await self._read(statements, below)

    async def _read(self, statements: Sequence[BoundStatement], below: Below) -> list[list[Row]]:
        connection = await self._pool.acquire()
        try:
            every = [*statements, *(bound for bound, _ in below)]
            if any(compiled.reads_feed for compiled, _ in every):
                every = await self._wait_settled(connection, every)
                statements, rest = every[: len(statements)], every[len(statements) :]
                below = [(bound, columns) for bound, (_, columns) in zip(rest, below, strict=True)]
            rows = await _fetch_all(self._fetch, connection, statements, below)
        except ConditionFailed:
            self._pool.release(connection)
            raise
        except BaseException:
            self._pool.release_after(connection, ROLLBACK)
            raise
        self._pool.release(connection)
        return rows

    async def commit_version(self) -> Any:
        return (await self.read([(_VERSION, {})], freshness=Freshness.PRIMARY))[0][0][0]

    async def read_with_changes(
        self, since: Any, statements: Sequence[BoundStatement] = ()
    ) -> tuple[AccessChanges, list[list[Row]]]:
        changes, *rows = await self.read([self.changes_since(since), *statements], freshness=Freshness.PRIMARY)
        return self.changes_of(since, changes), rows

    def changes_since(self, state: Any) -> BoundStatement:
        return _CHANGES, {"since": state[0] if state else None}

    def changes_of(self, state: Any, rows: Sequence[Row]) -> AccessChanges:
        _, *life = state or (None,)
        ((*now, scopes),) = rows
        is_same = life == now[1:]  # after a crash, numbers of lost transactions are given again
        return changes_or_everything(now, {*scopes}) if is_same else AccessChanges(now, None)

    @asynccontextmanager
    async def snapshot(self, *, freshness: Freshness) -> AsyncIterator[Read]:
        acquired: list[Any] = []

        async def read(statements: Sequence[BoundStatement]) -> list[list[Row]]:
            begins = not acquired
            if begins:
                acquired.append(await self._pool.acquire())
            if any(compiled.reads_feed for compiled, _ in statements):
                # Only a snapshot taken after the last settled event contains all events up to it.
                if not begins:
                    await acquired[0].execute(ROLLBACK)
                begins, statements = True, await self._wait_settled(acquired[0], statements)
            try:
                rows = await self._fetch(acquired[0], statements, begins=begins)
            except Exception as error:
                if not (begins and was_dead(error)):
                    raise
                self._pool.release_after(acquired.pop(), ROLLBACK)
                self._pool.expire()
                acquired.append(await self._pool.acquire())
                rows = await self._fetch(acquired[0], statements, begins=True)
            return rows

        async with self._translate_failures():
            try:
                yield read
            finally:
                if acquired:  # the request does not wait for the end of the snapshot
                    self._pool.release_after(acquired[0], ROLLBACK)

    async def _wait_settled(self, connection: Any, statements: Sequence[BoundStatement]) -> list[BoundStatement]:
        """Return the statements with the last settled event bound.

        If a long transaction blocks it, the last one seen by this worker is used; raises Unavailable if there is none.
        """
        settled = await connection.fetchval(_SETTLED, SETTLE_SECONDS)
        if settled is not None:
            self._settled_event = max(settled, self._settled_event)
        elif not self._settled_event:
            raise errors.Unavailable("A long transaction blocks the audit log. Try again in a moment.")
        bound = {SETTLED_EVENT: self._settled_event}
        return [(compiled, {**values, **bound}) for compiled, values in statements]

    @asynccontextmanager
    async def write(self, *, dry_run: bool = False, is_large: bool = False) -> AsyncIterator[Transaction]:
        async with self._translate_failures():
            tx = PostgresTransaction(self, self._pool, await self._pool.acquire())
            try:
                yield tx
                if dry_run or tx.is_undone:
                    await tx.roll_back()
                else:
                    await tx.send_first()
                    # From here on, the commit goes on even if the request is cancelled.
                    commit = asyncio.create_task(self._commit(tx))
                    await outlast_task(commit, is_answer=tx.is_answer)
            except BaseException:
                await tx.release(is_ended=False)
                raise
            await tx.release(is_ended=True)

    async def _commit(self, tx: PostgresTransaction) -> None:
        """Commit. If the connection is lost, look up the outcome; raises OutcomeUnknown if that fails."""
        try:
            status = await tx.commit()
        except Exception as error:
            if isinstance(error, asyncpg.PostgresError) and not isinstance(error, AWAY):
                raise_violation(error)
                counters.increment(waits.COMMITS_FAILED)
                raise  # the server rejected it, e.g. by a deferred constraint
            await tx.abandon(error)
            self._availability.mark_down(error)
            if not await was_committed(self._connect, tx.xid, error):
                counters.increment(waits.COMMITS_FAILED)
                raise ConnectionResetError("The connection was lost before the commit.") from error
        else:
            if status != COMMIT:  # an earlier statement failed
                counters.increment(waits.COMMITS_FAILED)
                raise CommitFailed(f"The transaction ended with {status}.")

    def connections(self) -> tuple[int, int]:
        return self._pool.stats()

    async def size_bytes(self) -> Mapping[str, int]:
        ((row,),) = await self.read([(_SIZE, {})], freshness=Freshness.PRIMARY)
        return {"database": row[0]}

    async def close(self) -> None:
        await self._pool.close()


async def _fetch_all(
    fetch: Fetch,
    connection: Any,
    statements: Sequence[BoundStatement],
    below: Below,
) -> list[list[Row]]:
    """Fetch the rows of the statements, with one retry if a table has changed."""
    try:
        return await fetch(connection, statements, below)
    except OUTDATED:
        return await fetch(connection, statements, below)
