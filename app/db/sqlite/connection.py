"""Connections to a SQLite file, and how they keep their statements prepared."""

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

Result = TypeVar("Result")

STATEMENTS = 512
"""Prepared statements that a connection keeps."""


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a SQLite file with WAL, foreign keys, and a sync to disk on every commit."""
    uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rw'}"
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS, factory=_FACTORY
    )
    for pragma in ("foreign_keys=ON", "synchronous=FULL", "cache_size=-65536", "mmap_size=268435456"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"PRAGMA busy_timeout={5000 if read_only else 0}")
    if not read_only:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA temp_store=MEMORY")  # includes the journals of savepoints
    return connection


class RenamingConnection(sqlite3.Connection):
    """A connection that gives a query another text after it has failed between two rows: one with a space more.

    Python before 3.12 marks such a query as in use for ever, and prepares it again for each execution. That takes a
    millisecond for the statement of access checks, and one slow read of a large file is enough to make it fail.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.texts: dict[str, str] = {}

    def cursor(self, factory: Any = None) -> Any:
        """Return a cursor that reports failures."""
        kind: Any = factory or _ReportingCursor
        return super().cursor(kind)

    def execute(self, text: str, arguments: Any = (), /) -> Any:
        """Execute a statement with a new cursor."""
        return self.cursor().execute(text, arguments)

    def rename(self, text: str) -> None:
        """Use another text for this query from now on.

        A text comes again when the connection has dropped the query of that text, which nothing has used since. For the
        same reason the query that has not failed for the longest time gets its first text again when too many failed.
        """
        spaces = len(self.texts.pop(text, text)) - len(text)
        if len(self.texts) >= STATEMENTS:
            del self.texts[next(iter(self.texts))]
        self.texts[text] = text + " " * (spaces % (2 * STATEMENTS) + 1)


class _ReportingCursor(sqlite3.Cursor):
    """A cursor that tells its connection which query has failed between two rows."""

    connection: RenamingConnection

    def __init__(self, connection: RenamingConnection) -> None:
        super().__init__(connection)
        self._text = ""

    def execute(self, text: str, arguments: Any = (), /) -> Self:
        """Execute one statement."""
        self._text = text
        return super().execute(self.connection.texts.get(text, text), arguments)

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        return self._report(super().fetchall)

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        """Return the next rows."""
        return self._report(super().fetchmany, size)

    def fetchone(self) -> Any:
        """Return the next row, or None at the end."""
        return self._report(super().fetchone)

    def __next__(self) -> Any:
        return self._report(super().__next__)

    def _report(self, fetch: Callable[..., Result], *arguments: Any) -> Result:
        try:
            return fetch(*arguments)
        except sqlite3.Error:
            self.connection.rename(self._text)
            raise


_FACTORY = RenamingConnection if sys.version_info < (3, 12) else sqlite3.Connection
