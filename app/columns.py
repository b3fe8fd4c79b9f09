"""What columns are made of: how moments, keys and documents are written, compared and read on both databases."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import BigInteger, ColumnElement, Dialect, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, TypeEngine

MAX_ID = 2**60 - 1
"""Largest id that is read: the number of a subject holds an id and three bits more (`masks.subject`), in 64 bits."""

MAX_BYTES = 2**53 - 1
"""The most that is counted of anything that is stored: the largest integer that a client in JavaScript can say."""

SORT_LENGTH = 200
"""How many characters of a name decide where it is sorted; the id decides between equals."""


class WideInteger(BigInteger):
    """A number of 64 bits on both databases."""


class RowId(WideInteger):
    """Id of a row, or a reference to one."""


@compiles(RowId, "sqlite")
@compiles(WideInteger, "sqlite")
def _wide_integer_on_sqlite(element: WideInteger, compiler: Any, **options: Any) -> str:
    """SQLite takes no other word than INTEGER for the key that numbers its rows; it holds 64 bits."""
    return "INTEGER"


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: `TIMESTAMPTZ`, or text of one fixed width that sorts as time does."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        postgres = dialect.name == "postgresql"
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if postgres else Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Write the moment; a value without a time zone is a mistake of ours."""
        return value if value is None or dialect.name == "postgresql" else _zoned(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read the moment, always in UTC."""
        return datetime.fromisoformat(value) if isinstance(value, str) else value


@lru_cache(maxsize=256)
def _zoned(moment: datetime) -> str:
    """A change writes one moment several times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


class Key(TypeDecorator[str]):
    """Text compared by its bytes, so that both databases sort and page alike."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type: PostgreSQL would else sort by the rules of some language."""
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())


class Folded(Key):
    """The same, for values that are compared without regard to letter case."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write the value as the stored keys are written."""
        return None if value is None else folded(value)


def folded(text: str) -> str:
    """How a name is written where it is compared without regard to letter case."""
    return text.casefold()


def sortable(text: str) -> str:
    """A name as it is sorted: without regard to letter case, and short enough for an index entry."""
    return folded(text)[:SORT_LENGTH]


class Document(TypeDecorator[Any]):
    """JSON kept as text, so that keys and values come back as they went in."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write the JSON."""
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Read the JSON."""
        return None if value is None else orjson.loads(value)


def col(attribute: Any) -> ColumnElement[Any]:
    """A table's attribute as what it is in SQL; its annotation speaks of a row's value."""
    column: ColumnElement[Any] = attribute
    return column
