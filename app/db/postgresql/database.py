"""PostgreSQL by asyncpg: a pool, statements prepared once for each connection, and as few round trips as may be.

A round trip is one time of sending something and waiting for the server. What is asked at once goes in one statement;
the beginning of a snapshot travels with its first one, and nobody waits for its end.
"""

import asyncio
import logging
import re
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import asyncpg
from sqlalchemy.dialects.postgresql import asyncpg as postgresql

from app.caching import WeightedLRU
from app.db.cancellation import outlast_task
from app.db.failures import Failure, FailureLog, classify, refusal
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
from app.db.postgresql.outcomes import was_committed
from app.db.postgresql.pool import ConnectionPool
from app.db.sqlite.group_commit import CommitFailed
from app.db.statements import SETTLED_EVENT, CompiledStatement, Row, StatementCache
from app.domain import errors
from app.observability.availability import AvailabilityLogger

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
"""How long PostgreSQL may take to let us in, or to give up what it was asked."""

READ_SECONDS = 15.0
"""How long PostgreSQL may take to answer a question: as long as a query may take."""

PREPARED_PER_CONNECTION = 256
"""How many statements stay prepared on each connection; each takes memory of the server."""

SETTINGS = {"jit": "off", "plan_cache_mode": "force_generic_plan"}
"""Nothing is compiled, and a statement is planned once for a connection: either takes longer than running it does.

By itself PostgreSQL plans most of ours anew each time, since it hopes for better plans from the values. There are none:
what a list begins at, and what is looked at for each row, is written into the statements.
"""

AWAY = (
    OSError,  # a TimeoutError too
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
"""What is raised when there is no server, or none that lets us in."""

OUTDATED = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
"""What is raised when a table was changed since the statement was prepared."""

READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
ROLLBACK = "ROLLBACK"

SETTLE_SECONDS = 1.0
"""How long a read of the audit feed waits for changes that have a number and are not committed yet."""

_SETTLED = "SELECT settled_event($1)"
"""Migration 0014 makes the function: the number of the last settled event, or NULL after so many seconds."""

_FOR_OTHERS = frozenset({Failure.AWAY, Failure.READ_ONLY})
"""Failures after which connections that rest are of no use: the server they lead to is gone, or a standby now."""

_preparing = StatementCache(postgresql.dialect(), STATEMENTS_CACHED)  # type: ignore[no-untyped-call]  # SQLAlchemy's own


def _start_unread(text: str) -> bytes:
    """A statement as the messages Parse, Bind and Execute, without the Sync that would have it answered by itself."""
    parts = (
        (b"P", b"\0" + text.encode() + b"\0" + struct.pack("!h", 0)),
        (b"B", b"\0\0" + struct.pack("!hhh", 0, 0, 0)),
        (b"E", b"\0" + struct.pack("!i", 0)),
    )
    return b"".join(kind + struct.pack("!i", len(body) + 4) + body for kind, body in parts)


class PostgresConnection(asyncpg.Connection):
    """A connection that knows the statements it has prepared, and can begin to read without a round trip of its own."""

    _begin = _start_unread(READ)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._prepared: WeightedLRU[str, Any] = WeightedLRU(PREPARED_PER_CONNECTION)

    async def rows(self, text: str, arguments: Sequence[Any], *, begins: bool = False) -> Sequence[Any]:
        """Run a statement, as the first of a transaction that reads if it `begins` one.

        asyncpg has no pipeline, but takes what the server says to a beginning that was sent just ahead of a statement
        for a part of the answer. It must be a statement that is prepared: the preparing would be the first query.
        """
        prepared = self._prepared.get(text)
        if begins and prepared is not None:
            self._transport.write(self._begin)  # type: ignore[attr-defined]  # the stubs leave it out
        elif begins:
            await self.execute(READ)
        if prepared is None:
            self._prepared.put(text, prepared := await self.prepare(text))
        try:
            found: Sequence[Any] = await prepared.fetch(*arguments, timeout=READ_SECONDS)
        except OUTDATED:
            self._prepared.discard(text)
            raise
        return found

    async def answers(self, questions: Sequence[BoundStatement], *, begins: bool = False) -> list[list[Row]]:
        """Answer questions in one round trip, once their statement is prepared."""
        count(len(questions))
        asked = [prepared.arguments(values) for prepared, values in questions]
        if len(asked) == 1:
            raw = [await self.rows(questions[0][0].text, asked[0], begins=begins)]
        elif asked:
            text = _combine(tuple(prepared.text for prepared, _ in questions))
            raw = list((await self.rows(text, [each for values in asked for each in values], begins=begins))[0])
        else:
            raw = []
        return [prepared.rows(rows) for (prepared, _), rows in zip(questions, raw, strict=True)]


_VERSION = CompiledStatement("SELECT pg_current_snapshot()::text", (), {}, (), ())
"""Which transactions have ended: as long as it is the same, everybody sees the same."""

_VALUE = re.compile(r"\$(\d+)")


@lru_cache(STATEMENTS_CACHED)
def _combine(texts: tuple[str, ...]) -> str:
    """Several questions as one statement with a row of arrays, whose elements are the rows of each.

    A SELECT in ARRAY(…) keeps its order. asyncpg reads a row in an array as a tuple.
    """
    parts, before = [], 0
    for text in texts:
        parts.append(f"ARRAY(SELECT q FROM ({_shift_parameters(text, before)}) AS q)")  # noqa: S608 - statements of ours
        before += max(map(int, _VALUE.findall(text)), default=0)
    return f"SELECT {', '.join(parts)}"


def _shift_parameters(text: str, by: int) -> str:
    """The statement with its values behind so many others."""
    return _VALUE.sub(lambda found: f"${int(found[1]) + by}", text)


class PostgresTransaction(Transaction):
    """A change on a connection of the pool."""

    def __init__(self, database: "PostgresDatabase", connection: Any) -> None:
        super().__init__(database)
        self._connection = connection

    async def lock(self, name: str) -> None:
        count()
        await self._fetch("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [name])

    async def _fetch(self, text: str, arguments: list[Any]) -> Sequence[Any]:
        try:
            rows: Sequence[Any] = await self._connection.fetch(text, *arguments)
        except asyncpg.PostgresError as error:
            _as_violation(error)
            raise
        return rows

    async def _execute_many(self, text: str, arguments: list[list[Any]]) -> None:
        try:
            await self._connection.executemany(text, arguments)
        except asyncpg.PostgresError as error:
            _as_violation(error)
            raise


def _as_violation(error: asyncpg.PostgresError) -> None:
    """Raise what services know; anything else is a surprise."""
    match error:
        case asyncpg.UniqueViolationError():
            table = str(error.table_name)
            columns = str(error.detail).partition("(")[2].partition(")")[0]
            raise UniqueViolation(",".join(f"{table}.{name.strip()}" for name in columns.split(","))) from error
        case asyncpg.ForeignKeyViolationError():
            raise ForeignKeyViolation(str(error.constraint_name)) from error
        case asyncpg.SerializationError() | asyncpg.DeadlockDetectedError():
            raise errors.Conflict("Somebody else changed this at the same moment. Try again.") from error


@dataclass(eq=False)
class PostgresDatabase(Database):
    """A server with a pool of connections."""

    url: str
    size: int = 10
    _pool: ConnectionPool = field(init=False)
    _availability: AvailabilityLogger = field(
        default_factory=lambda: AvailabilityLogger("the database", log), init=False
    )
    _settled_event: int = field(default=0, init=False)
    _failures: FailureLog = field(default_factory=FailureLog, init=False)

    def __post_init__(self) -> None:
        super().__init__(_preparing)
        self._pool = ConnectionPool(self._connect, self.size)

    async def open(self) -> None:
        """Make the first connection; raises what asyncpg raises when nobody answers."""
        self._pool.release(await self._pool.acquire())

    async def _connect(self) -> Any:
        return await asyncpg.connect(
            self.url,
            command_timeout=60,
            timeout=CONNECT_SECONDS,
            connection_class=PostgresConnection,
            statement_cache_size=PREPARED_PER_CONNECTION,
            max_cached_statement_lifetime=0,
            server_settings=SETTINGS,
        )

    @asynccontextmanager
    async def _acquire(self) -> AsyncIterator[None]:
        """A server that is away is no surprise, and is found again by itself."""
        try:
            yield
            self._availability.mark_up()
        except Exception as error:
            failure = classify(error)
            if failure is None:
                raise
            if is_away := failure is Failure.AWAY:
                self._availability.mark_down(error)
            if failure in _FOR_OTHERS:
                self._pool.expire()
            self._failures.note(failure, error, is_told=not is_away)
            raise refusal(failure) from error

    async def read(self, questions: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        async with self._acquire():
            try:
                return await self._read(questions)
            except Exception as error:
                if not _was_dead(error):
                    raise
            self._pool.expire()
            return await self._read(questions)

    async def _read(self, questions: Sequence[BoundStatement]) -> list[list[Row]]:
        connection = await self._pool.acquire()
        try:
            if any(prepared.reads_feed for prepared, _ in questions):
                questions = await self._wait_settled(connection, questions)
            found = await _read_answers(connection, questions)
        except BaseException:
            self._pool.release_after(connection, ROLLBACK)
            raise
        self._pool.release(connection)
        return found

    async def commit_version(self) -> Any:
        return (await self.read([(_VERSION, {})], freshness=Freshness.PRIMARY))[0][0][0]

    @asynccontextmanager
    async def snapshot(self, *, freshness: Freshness) -> AsyncIterator[Read]:
        lent: list[Any] = []

        async def read(questions: Sequence[BoundStatement]) -> list[list[Row]]:
            begins = not lent
            if begins:
                lent.append(await self._pool.acquire())
            if any(prepared.reads_feed for prepared, _ in questions):
                # Only a snapshot that is younger than the last settled event shows all events up to it.
                if not begins:
                    await lent[0].execute(ROLLBACK)
                begins, questions = True, await self._wait_settled(lent[0], questions)
            try:
                found: list[list[Row]] = await lent[0].answers(questions, begins=begins)
            except Exception as error:
                if not (begins and _was_dead(error)):
                    raise
                self._pool.release_after(lent.pop(), ROLLBACK)
                self._pool.expire()
                lent.append(await self._pool.acquire())
                found = await lent[0].answers(questions, begins=True)
            return found

        async with self._acquire():
            try:
                yield read
            finally:
                if lent:  # whoever has the answer does not wait for the end
                    self._pool.release_after(lent[0], ROLLBACK)

    async def _wait_settled(self, connection: Any, questions: Sequence[BoundStatement]) -> list[BoundStatement]:
        """Bind the last settled event in every question.

        While a long change holds it back, the last one that this worker knows ends the list; raises Unavailable if
        there is none yet.
        """
        settled = await connection.fetchval(_SETTLED, SETTLE_SECONDS)
        if settled is not None:
            self._settled_event = max(settled, self._settled_event)
        elif not self._settled_event:
            raise errors.Unavailable("A long change holds back the audit log. Try again in a moment.")
        bound = {SETTLED_EVENT: self._settled_event}
        return [(prepared, {**values, **bound}) for prepared, values in questions]

    @asynccontextmanager
    async def write(self, *, dry_run: bool = False, is_large: bool = False) -> AsyncIterator[Transaction]:
        async with self._acquire():
            connection = await self._begin()
            try:
                yield (tx := PostgresTransaction(self, connection))
                if dry_run:
                    await connection.execute(ROLLBACK)
                else:  # from here on it may be committed, whatever becomes of the one who asked
                    commit = asyncio.create_task(self._commit(connection, tx.xid))
                    await outlast_task(commit, is_answer=tx.is_answer)
            except BaseException:
                await self._pool.release_settled(connection, ROLLBACK)
                raise
            self._pool.release(connection)

    async def _begin(self, *, is_again: bool = False) -> Any:
        """Take a connection and begin a transaction; a connection that had died while it rested is replaced once."""
        connection = await self._pool.acquire()
        try:
            await connection.execute("BEGIN")
        except BaseException as error:
            await self._pool.release_settled(connection, ROLLBACK)
            if is_again or not _was_dead(error):
                raise
        else:
            return connection
        self._pool.expire()
        return await self._begin(is_again=True)

    async def _commit(self, connection: Any, xid: str | None) -> None:
        """Commit. Where the server does not tell whether it did, it is asked again; raises OutcomeUnknown."""
        try:
            done = await connection.execute("COMMIT")
        except Exception as error:
            if isinstance(error, asyncpg.PostgresError) and not isinstance(error, AWAY):
                raise  # it was refused, as by a constraint that is looked at late
            connection.terminate()  # nobody shall take a late answer for another one's
            self._availability.mark_down(error)
            if not await was_committed(self._connect, xid, error):
                raise ConnectionResetError("The connection was lost before the commit.") from error
        else:
            if done != "COMMIT":  # a statement before it had failed
                raise CommitFailed(f"The transaction ended with {done}.")

    def connections(self) -> tuple[int, int]:
        return self._pool.stats()

    async def close(self) -> None:
        await self._pool.close()


def _was_dead(error: BaseException) -> bool:
    """Whether the connection was gone before it was asked; where the server took too long, it is not asked again."""
    return classify(error) is Failure.AWAY and not isinstance(error, TimeoutError)


async def _read_answers(connection: Any, questions: Sequence[BoundStatement]) -> list[list[Row]]:
    try:
        found: list[list[Row]] = await connection.answers(questions)
    except OUTDATED:
        found = await connection.answers(questions)
    return found
