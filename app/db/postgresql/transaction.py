"""A transaction on PostgreSQL, which sends several statements in one message."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from app.db.failures import Failure, classify
from app.db.interface import Database, ForeignKeyViolation, Transaction, UniqueViolation, count_statements
from app.db.postgresql.connection import CHANGE, COMMIT, ROLLBACK, Sent, can_be_unread
from app.db.postgresql.pool import ConnectionPool
from app.domain import errors

MAX_UNSENT = 50
"""Most statements of a transaction that wait for the next one."""


CANCEL_SECONDS = 5.0
"""Timeout of the cancellation of a commit that takes too long."""


class PostgresTransaction(Transaction):
    """A transaction on a connection of the pool.

    Its BEGIN, and writes that return nothing, wait for the next statement and are sent in one message with it.
    """

    def __init__(self, database: Database, pool: ConnectionPool, connection: Any) -> None:
        super().__init__(database)
        self._pool, self._connection = pool, connection
        self._begin, self._unsent = CHANGE, list[Sent]()

    async def lock(self, name: str) -> None:
        count_statements()
        await self._fetch("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [name])

    async def _fetch(self, text: str, arguments: Sequence[Any]) -> Sequence[Any]:
        return await self._execute(text, arguments)

    async def _execute(self, text: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Execute a statement after those that wait; a connection that died while idle is replaced."""
        begin, unsent = self._begin, self._unsent
        self._begin, self._unsent = "", []
        try:
            try:
                return await self._rows(text, arguments, begin, unsent)
            except Exception as error:
                if not (begin and was_dead(error)):
                    raise
            self._connection = await self._pool.replace_dead(self._connection)
            return await self._rows(text, arguments, begin, unsent)
        except asyncpg.PostgresError as error:
            raise_violation(error)
            raise

    async def _rows(self, text: str, arguments: Sequence[Any], begin: str, before: Sequence[Sent]) -> Sequence[Any]:
        rows: Sequence[Any] = await self._connection.rows(text, arguments, begin=begin, before=before)
        return rows

    async def _send(self, text: str, arguments: Sequence[Any]) -> None:
        if len(self._unsent) < MAX_UNSENT and can_be_unread(arguments):
            self._unsent.append((text, arguments))
        else:
            await self._execute(text, arguments)

    async def _execute_many(self, text: str, arguments: list[Sequence[Any]]) -> None:
        if len(arguments) == 1:
            await self._execute(text, arguments[0])
            return
        await self._flush()
        try:
            await self._connection.executemany(text, arguments)
        except asyncpg.PostgresError as error:
            raise_violation(error)
            raise

    async def _send_many(self, text: str, arguments: list[Sequence[Any]]) -> None:
        if len(arguments) > MAX_UNSENT:
            await self._execute_many(text, arguments)
            return
        for each in arguments:
            await self._send(text, each)

    async def _flush(self) -> None:
        if self._begin or self._unsent:
            await self._execute("SELECT 1", ())

    async def send_first(self) -> None:
        """Send what waits if nothing was sent yet: a dead connection is replaced before the commit, not at it."""
        if self._begin and self._unsent:
            await self._flush()

    async def roll_back(self) -> None:
        """End the transaction without its changes; raises the error of a write that is not yet sent."""
        if self._unsent:
            await self._flush()
        if not self._begin:
            await self._connection.execute(ROLLBACK)

    async def commit(self) -> str:
        """Commit, and return the status of the server: `COMMIT` if nothing has failed."""
        if self._begin:
            return COMMIT  # nothing was executed
        status: str = await self._connection.commit(self._unsent)
        return status

    async def release(self, *, is_ended: bool) -> None:
        """Return the connection to the pool; a transaction that has not ended is rolled back."""
        if is_ended or self._begin:
            self._pool.release(self._connection)
        else:
            await self._pool.release_settled(self._connection, ROLLBACK)

    async def abandon(self, error: Exception) -> None:
        """Close the connection: a late response must not be read as that of another statement.

        What takes too long is cancelled before, so that the server does not commit it later.
        """
        if isinstance(error, TimeoutError):
            with suppress(Exception):
                await self._connection.close(timeout=CANCEL_SECONDS)
        self._connection.terminate()


def raise_violation(error: asyncpg.PostgresError) -> None:
    """Raise the exception of the interface for a violation or conflict; return for any other error."""
    match error:
        case asyncpg.UniqueViolationError():
            table = str(error.table_name)
            columns = str(error.detail).partition("(")[2].partition(")")[0]
            raise UniqueViolation(",".join(f"{table}.{name.strip()}" for name in columns.split(","))) from error
        case asyncpg.ForeignKeyViolationError():
            raise ForeignKeyViolation(str(error.constraint_name)) from error
        case asyncpg.SerializationError() | asyncpg.DeadlockDetectedError():
            raise errors.Retry from error


def was_dead(error: BaseException) -> bool:
    """Return whether the connection was already lost, so that a retry is safe; False after a timeout."""
    return classify(error) is Failure.AWAY and not isinstance(error, TimeoutError)
