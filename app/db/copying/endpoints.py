"""The interface of one database of a copy: SOURCE, which is read at one moment, or TARGET, which is written."""

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from app.db import failures
from app.db.copying import CopyFailed
from app.db.copying.shapes import Key, Row, TableShape

VERSION = "SELECT version_num FROM alembic_version"


class CopyEndpoint(ABC):
    """A connection of its own to one database. `name` is its URL without passwords, for messages.

    Statements have `?` for each argument. Errors of the driver are raised as CopyFailed.
    """

    def __init__(self, url: str, name: str) -> None:
        self.url, self.name = url, name

    @asynccontextmanager
    async def opened(self, *, writes: bool) -> AsyncIterator[None]:
        """Open the connection for the block. Without `writes`, all reads see the database at one moment."""
        with self.translate_errors():
            await self.open(writes=writes)
        try:
            yield
        finally:
            with self.translate_errors():
                await self.close()

    @contextmanager
    def translate_errors(self, what: str = "cannot be used") -> Iterator[None]:
        """Raise CopyFailed with the name of the database instead of an error of its driver."""
        try:
            yield
        except (OSError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise CopyFailed(f"{self.name} {what}: {failures.reason(error, 'the URL')}") from error

    async def revision(self) -> str | None:
        """Return the last migration of the database; None if it has none."""
        if not await self.has_table("alembic_version"):
            return None
        rows = await self.rows(VERSION)
        return str(rows[0][0]) if rows else None

    async def page(self, shape: TableShape, after: Key | None) -> list[Row]:
        """Return the first rows of a table, or those after a key, by key."""
        if after is None:
            return self.normalize_rows(shape, await self.rows(shape.first_page()))
        return self.normalize_rows(shape, await self.rows(shape.next_page(), *after))

    async def last_key(self, shape: TableShape) -> Key | None:
        """Return the highest key of a table; None if it is empty."""
        rows = self.normalize_rows(shape, await self.rows(shape.last_row()))
        return shape.key(rows[0]) if rows else None

    async def count(self, shape: TableShape) -> int:
        """Return the number of rows of a table."""
        return int((await self.rows(shape.count()))[0][0])

    @abstractmethod
    async def open(self, *, writes: bool) -> None:
        """Open the connection."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Open a transaction for the block; an exception rolls it back."""

    @abstractmethod
    async def rows(self, text: str, *values: Any) -> Sequence[Any]:
        """Execute a SELECT and return its rows as the driver does."""

    @abstractmethod
    async def execute(self, text: str, *values: Any) -> int:
        """Execute any other statement and return the number of changed rows."""

    @abstractmethod
    async def insert(self, shape: TableShape, rows: Sequence[Row]) -> None:
        """Insert rows into a table."""

    @abstractmethod
    def normalize_rows(self, shape: TableShape, rows: Sequence[Any]) -> list[Row]:
        """Return rows of the driver as all copies compare them."""

    @abstractmethod
    async def has_objects(self) -> bool:
        """Return whether there is any table, of Ostiary or not."""

    @abstractmethod
    async def has_table(self, name: str) -> bool:
        """Return whether there is a table of this name."""

    @abstractmethod
    async def last_id(self, shape: TableShape) -> int:
        """Return the highest number that the database gave to a row of the table; 0 for none."""

    @abstractmethod
    async def set_last_id(self, shape: TableShape, number: int) -> None:
        """Set the highest number, so that the next row gets a higher one."""

    @abstractmethod
    async def finalize(self) -> None:
        """Prepare a complete copy for its first queries."""
