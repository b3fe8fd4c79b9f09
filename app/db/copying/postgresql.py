"""A PostgreSQL database as one end of a copy."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from app.db.backups import postgresql as backups
from app.db.copying.endpoints import CopyEndpoint
from app.db.copying.shapes import Row, TableShape, quote
from app.db.migrations import RESTORE_MARK, UNFINISHED_RESTORE
from app.db.postgresql.connecting import connect_directly

SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

# A page waits for the other database between two statements, however the server limits that.
SETTINGS = ("statement_timeout = 0", "idle_in_transaction_session_timeout = 0")


class PostgresEndpoint(CopyEndpoint):
    """The current schema of a database, on one connection without named prepared statements."""

    _connection: Any

    async def open(self, *, writes: bool) -> None:
        """Connect; as SOURCE with a transaction whose first read is the moment of the snapshot."""
        self._connection = await connect_directly(self.url)
        for setting in SETTINGS:
            await self._connection.execute(f"SET {setting}")
        if not writes:
            await self._connection.execute(SNAPSHOT)

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Open a transaction for the block."""
        with self.translate_errors():
            async with self._connection.transaction():
                yield

    async def rows(self, text: str, *values: Any) -> Sequence[Any]:
        """Return the rows of a SELECT."""
        with self.translate_errors():
            rows: Sequence[Any] = await self._connection.fetch(_numbered(text), *values)
            return rows

    async def execute(self, text: str, *values: Any) -> int:
        """Execute a statement and return the number of changed rows, the last word of its status."""
        with self.translate_errors():
            status: str = await self._connection.execute(_numbered(text), *values)
            number = status.rpartition(" ")[2]
            return int(number) if number.isdigit() else 0

    async def insert(self, shape: TableShape, rows: Sequence[Row]) -> None:
        """Insert rows into a table by COPY."""
        records = shape.to_postgresql(rows)
        with self.translate_errors(f"refuses rows of {shape.name}"):
            await self._connection.copy_records_to_table(shape.name, records=records, columns=shape.columns)

    def normalize_rows(self, shape: TableShape, rows: Sequence[Any]) -> list[Row]:
        """Return rows of the server as SQLite stores them."""
        return shape.from_postgresql(rows)

    async def revision(self) -> str | None:
        """Return the last migration of the database, or that a restore has not finished it."""
        return UNFINISHED_RESTORE if await self.has_table(RESTORE_MARK) else await super().revision()

    async def has_objects(self) -> bool:
        """Return whether the current schema has any table, view, sequence or function."""
        with self.translate_errors():
            return await backups.has_objects(self.url)

    async def has_table(self, name: str) -> bool:
        """Return whether the current schema has a table of this name."""
        rows = await self.rows("SELECT to_regclass(quote_ident(current_schema()) || '.' || quote_ident(?::text))", name)
        return rows[0][0] is not None

    async def last_id(self, shape: TableShape) -> int:
        """Return the highest number of the sequence of the table's ids."""
        sequence = await self._sequence(shape)
        rows = await self.rows(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608 - its own name, quoted
        value, is_called = rows[0]
        return int(value) if is_called else int(value) - 1

    async def set_last_id(self, shape: TableShape, number: int) -> None:
        """Set the sequence of the table's ids."""
        sequence = await self._sequence(shape)
        await self.rows("SELECT setval(?::text::regclass, ?, ?)", sequence, max(number, 1), number > 0)

    async def _sequence(self, shape: TableShape) -> str:
        """Return the name of the sequence of a table, with its schema and quotes."""
        return str((await self.rows("SELECT pg_get_serial_sequence(?, 'id')", quote(shape.name)))[0][0])

    async def finalize(self) -> None:
        """Give the planner the sizes of the tables."""
        await self.execute("ANALYZE")


_MARK = re.compile(r"\?")


def _numbered(text: str) -> str:
    """Return a statement with $1, $2 … in place of each `?`."""
    numbers = count(1)
    return _MARK.sub(lambda _: f"${next(numbers)}", text)
