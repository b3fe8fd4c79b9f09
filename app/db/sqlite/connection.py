"""Connections to a SQLite file, and how they keep their statements prepared."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STATEMENTS = 512
"""Prepared statements that a connection keeps."""

RENAMES = sys.version_info < (3, 12)


def connect(path: Path, *, read_only: bool = False) -> "Connection":
    """Open a SQLite file with WAL, foreign keys, and a sync to disk on every commit."""
    uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rw'}"
    connection: Connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS, factory=Connection
    )
    for pragma in ("foreign_keys=ON", "synchronous=FULL", "cache_size=-65536", "mmap_size=268435456"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"PRAGMA busy_timeout={5000 if read_only else 0}")
    if not read_only:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA temp_store=MEMORY")  # includes the journals of savepoints
    return connection


class Connection(sqlite3.Connection):
    """A connection that gives a query another text after it has failed between two rows: one with a space more.

    Python before 3.12 marks such a query as in use for ever, and prepares it again for each execution. That takes a
    millisecond for the statement of access checks, and one slow read of a large file is enough to make it fail.
    Subclasses of cursors would notice each failure, but cost a change a twentieth of its time.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.texts: dict[str, str] = {}

    def start(self, text: str, arguments: Any) -> sqlite3.Cursor:
        """Execute one statement, whose rows are fetched within `renaming`."""
        return self.execute(self.texts.get(text, text), arguments)

    def fetch_all(self, text: str, arguments: Any = ()) -> list[Any]:
        """Execute one statement, and return its rows."""
        cursor = self.execute(self.texts.get(text, text) if self.texts else text, arguments)
        try:
            return cursor.fetchall()
        except sqlite3.Error:
            self.rename(text)
            raise

    @contextmanager
    def renaming(self, text: str) -> Iterator[None]:
        """Rename the query if it fails while the body fetches its rows."""
        try:
            yield
        except sqlite3.Error:
            self.rename(text)
            raise

    def rename(self, text: str) -> None:
        """Use another text for this query from now on.

        A text comes again when the connection has dropped the query of that text, which nothing has used since. For the
        same reason the query that has not failed for the longest time gets its first text again when too many failed.
        """
        if not RENAMES:
            return
        spaces = len(self.texts.pop(text, text)) - len(text)
        if len(self.texts) >= STATEMENTS:
            del self.texts[next(iter(self.texts))]
        self.texts[text] = text + " " * (spaces % (2 * STATEMENTS) + 1)
