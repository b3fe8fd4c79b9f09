"""Reading tables from the SQLite file of another program. Such a file is not trusted, and is never changed."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

MAX_VALUE_BYTES = 10_000_000
"""Bytes of a value, and of a row."""

MAX_ROWS = 5_000_000
"""Rows of a table."""

MAX_STEPS = 2_000_000_000
"""Instructions of SQLite for all tables of a file: about a minute."""

_STEPS = 1_000_000


class UnreadableFile(Exception):
    """A file that is no SQLite database, or lacks a table or a column. The text says which."""


class Columns(NamedTuple):
    """The columns that are read from a table. An optional column that is missing is None in each row."""

    required: Sequence[str]
    optional: Sequence[str] = ()


Rows = list[dict[str, Any]]


def read_tables(path: Path, tables: Mapping[str, Columns], optional: Sequence[str] = ()) -> dict[str, Rows]:
    """Return the rows of some tables of one moment, by the names of the tables; an optional one may be missing.

    Only tables are read: a view or a virtual table would run what the file says. Raises UnreadableFile.
    """
    try:
        with closing(_open(path)) as connection:
            connection.execute("BEGIN")
            statements = dict(
                connection.execute("SELECT name, coalesce(sql, '') FROM sqlite_schema WHERE type = 'table'")
            )
            read: dict[str, Rows] = {}
            for name, columns in tables.items():
                if name in statements and not statements[name].lstrip().upper().startswith("CREATE VIRTUAL"):
                    read[name] = [*_rows(connection, name, columns)]
                elif name in optional:
                    read[name] = []
                else:
                    raise UnreadableFile(f"it has no table {name}")
            return read
    except sqlite3.Error as error:
        raise UnreadableFile(str(error)) from None


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    left = iter(range(MAX_STEPS // _STEPS))
    connection.set_progress_handler(lambda: next(left, None) is None, _STEPS)
    return connection


def _rows(connection: sqlite3.Connection, table: str, columns: Columns) -> Iterator[dict[str, Any]]:
    present = {row[1] for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")}
    if missing := [name for name in columns.required if name not in present]:
        raise UnreadableFile(f"its table {table} has no column {missing[0]}")
    names = [*columns.required, *(name for name in columns.optional if name in present)]
    cursor = connection.execute(
        f"SELECT {', '.join(map(_quoted, names))} FROM {_quoted(table)} LIMIT {MAX_ROWS + 1}"  # noqa: S608 - own names
    )
    empty = dict.fromkeys(columns.optional)
    for at, row in enumerate(cursor):
        if at == MAX_ROWS:
            raise UnreadableFile(f"its table {table} has more than {MAX_ROWS:,} rows")
        yield {**empty, **dict(zip(names, row, strict=True))}


def _quoted(name: str) -> str:
    return f'"{name}"'
