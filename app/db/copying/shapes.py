"""The tables of a registry as a copy reads and writes them: columns, key, and the texts of SQL.

A row is a tuple in the order of the columns, with values as SQLite stores them: a Boolean is 0 or 1 and a time is text
of fixed width. So rows of both databases can be compared.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Boolean, Table

from app.db.tables import Role, UTCDateTime
from app.db.types import stored_time

Row = tuple[Any, ...]
Key = tuple[Any, ...]

PAGE = 2_000
"""Number of rows that are read, written or compared at once."""

_TIME_LENGTH = 32


def shapes() -> list["TableShape"]:
    """Return every table of the code, each after the tables that it refers to."""
    return [TableShape(table) for table in Role.metadata.sorted_tables]


@dataclass(frozen=True)
class TableShape:
    """One table, and the conversions between its rows and those of each database."""

    table: Table = field(repr=False)

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.table.name

    @property
    def has_sequence(self) -> bool:
        """True if the database numbers the rows and uses no number twice."""
        return "id" in self.table.c

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns."""
        return tuple(column.name for column in self.table.columns)

    @cached_property
    def key_columns(self) -> tuple[str, ...]:
        """Names of the columns of the primary key."""
        return tuple(column.name for column in self.table.primary_key.columns)

    @cached_property
    def _key_places(self) -> tuple[int, ...]:
        return tuple(self.columns.index(name) for name in self.key_columns)

    def key(self, row: Row) -> Key:
        """Return the primary key of a row. Keys sort in Python as in both databases."""
        return tuple(row[place] for place in self._key_places)

    def first_page(self) -> str:
        """Return the SELECT of the first rows by key."""
        return f"SELECT {_list(self.columns)} FROM {quote(self.name)} {self._order()}"  # noqa: S608 - names of ours

    def next_page(self) -> str:
        """Return the SELECT of the rows after a key, whose values are the arguments."""
        marks = ", ".join("?" * len(self.key_columns))
        where = f"WHERE ({_list(self.key_columns)}) > ({marks})"
        return f"SELECT {_list(self.columns)} FROM {quote(self.name)} {where} {self._order()}"  # noqa: S608 - names of ours

    def last_row(self) -> str:
        """Return the SELECT of the row with the highest key."""
        order = ", ".join(f"{quote(name)} DESC" for name in self.key_columns)
        return f"SELECT {_list(self.columns)} FROM {quote(self.name)} ORDER BY {order} LIMIT 1"  # noqa: S608 - names of ours

    def count(self) -> str:
        """Return the SELECT of the number of rows."""
        return f"SELECT count(*) FROM {quote(self.name)}"  # noqa: S608 - a name of ours

    def insert(self) -> str:
        """Return the INSERT of one row."""
        marks = ", ".join("?" * len(self.columns))
        return f"INSERT INTO {quote(self.name)} ({_list(self.columns)}) VALUES ({marks})"  # noqa: S608 - names of ours

    def _order(self) -> str:
        return f"ORDER BY {_list(self.key_columns)} LIMIT {PAGE}"

    def from_sqlite(self, rows: Sequence[Row]) -> list[Row]:
        """Return rows of SQLite; times that were not written by this code get the fixed width."""
        return _converted(rows, dict.fromkeys(self._places(UTCDateTime), _fixed_width))

    def from_postgresql(self, rows: Sequence[Any]) -> list[Row]:
        """Return rows of PostgreSQL as SQLite stores them."""
        flags = dict.fromkeys(self._places(Boolean), int)
        return _converted(rows, {**flags, **dict.fromkeys(self._places(UTCDateTime), stored_time)})

    def to_postgresql(self, rows: Sequence[Row]) -> list[Row]:
        """Return rows as asyncpg sends them."""
        flags = dict.fromkeys(self._places(Boolean), bool)
        return _converted(rows, {**flags, **dict.fromkeys(self._places(UTCDateTime), datetime.fromisoformat)})

    def _places(self, kind: type[Any]) -> list[int]:
        return [place for place, column in enumerate(self.table.columns) if isinstance(column.type, kind)]


def quote(name: str) -> str:
    """Return a name of ours as SQL."""
    return f'"{name}"'


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(quote, names))


def _converted(rows: Sequence[Any], by: dict[int, Callable[[Any], Any]]) -> list[Row]:
    if not by:
        return [tuple(row) for row in rows]
    converted = []
    for row in rows:
        values = list(row)
        for place, convert in by.items():
            if values[place] is not None:
                values[place] = convert(values[place])
        converted.append(tuple(values))
    return converted


def _fixed_width(text: str) -> str:
    return text if len(text) == _TIME_LENGTH and text.endswith("+00:00") else stored_time(datetime.fromisoformat(text))
