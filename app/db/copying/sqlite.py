"""A SQLite file as one end of a copy."""

import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from app.db.copying import CopyFailed
from app.db.copying.endpoints import CopyEndpoint
from app.db.copying.shapes import Row, TableShape

BUSY_SECONDS = 30.0


class SqliteEndpoint(CopyEndpoint):
    """A file. As TARGET it is created if it is missing, readable by its owner alone."""

    _connection: sqlite3.Connection

    async def open(self, *, writes: bool) -> None:
        """Open the file; as SOURCE with a read transaction, so that its changes are not seen."""
        path = Path(self.url.removeprefix("sqlite:///"))
        self._connection = _created(path) if writes else _existing(path)
        self._connection.execute("PRAGMA foreign_keys=ON")
        if writes:
            self._connection.execute("PRAGMA synchronous=NORMAL")  # only the last commit must be on the disk
        else:
            self._connection.execute("BEGIN")
            self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # the moment of the snapshot

    async def close(self) -> None:
        """Close the file. The last connection brings the write-ahead log into it."""
        self._connection.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Open a transaction for the block."""
        with self.translate_errors():
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        with self.translate_errors():
            self._connection.execute("COMMIT")

    async def rows(self, text: str, *values: Any) -> Sequence[Any]:
        """Return the rows of a SELECT."""
        with self.translate_errors():
            return self._connection.execute(text, values).fetchall()

    async def execute(self, text: str, *values: Any) -> int:
        """Execute a statement and return the number of changed rows."""
        with self.translate_errors():
            return self._connection.execute(text, values).rowcount

    async def insert(self, shape: TableShape, rows: Sequence[Row]) -> None:
        """Insert rows into a table."""
        with self.translate_errors(f"refuses rows of {shape.name}"):
            self._connection.executemany(shape.insert(), rows)

    def normalize_rows(self, shape: TableShape, rows: Sequence[Any]) -> list[Row]:
        """Return rows of the file, with times in text of the fixed width."""
        return shape.from_sqlite(rows)

    async def has_objects(self) -> bool:
        """Return whether the file has any table."""
        return bool(await self.rows("SELECT 1 FROM sqlite_schema LIMIT 1"))

    async def has_table(self, name: str) -> bool:
        """Return whether there is a table of this name."""
        return bool(await self.rows("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", name))

    async def last_id(self, shape: TableShape) -> int:
        """Return the highest number of SQLite's AUTOINCREMENT."""
        rows = await self.rows("SELECT seq FROM sqlite_sequence WHERE name = ?", shape.name)
        return int(rows[0][0]) if rows else 0

    async def set_last_id(self, shape: TableShape, number: int) -> None:
        """Set the highest number of SQLite's AUTOINCREMENT."""
        await self.execute("DELETE FROM sqlite_sequence WHERE name = ?", shape.name)
        if number:
            await self.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", shape.name, number)

    async def finalize(self) -> None:
        """Make the next commit sync the file, and all commits before it."""
        await self.execute("PRAGMA synchronous=FULL")


def _created(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    return _connect(path, "rw")


def _existing(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise CopyFailed(f"there is no database at {path}: name the file as DatabaseUrl of its server does")
    return _connect(path, "ro")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
