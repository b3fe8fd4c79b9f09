"""Column types: conversion and comparison of times, keys and JSON documents on both databases."""

import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, overload

import orjson
from sqlalchemy import BigInteger, ColumnElement, Dialect, Text, func
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

MAX_BYTES = 2**53 - 1
"""The largest number of stored bytes: the largest exact integer of JavaScript clients."""

SORT_LENGTH = 200
"""Number of characters of a name that determine its sort order; ties are broken by id."""

NORMALIZED = 512
"""Length of the longest text that is normalized; no name is longer, and combining marks take quadratic time."""

_TIE = "\x1f"
"""Separator of the two parts of a sort key; it sorts before every character of a name."""


class WideInteger(BigInteger):
    """A 64-bit integer on both databases."""


class RowId(WideInteger):
    """The id of a row, or a reference to it."""


@compiles(RowId, "sqlite")
@compiles(WideInteger, "sqlite")
def _wide_integer_on_sqlite(element: WideInteger, compiler: Any, **options: Any) -> str:
    """Return INTEGER, the only type that SQLite accepts for an automatic primary key; it has 64 bits."""
    return "INTEGER"


class UTCDateTime(TypeDecorator[datetime]):
    """A time in UTC: `TIMESTAMPTZ` on PostgreSQL, and text of fixed width on SQLite, which sorts chronologically."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column type of the dialect."""
        postgres = dialect.name == "postgresql"
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if postgres else Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return the stored form of a time, which must have a time zone."""
        return value if value is None or dialect.name == "postgresql" else stored_time(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the time in UTC."""
        return datetime.fromisoformat(value) if isinstance(value, str) else value


@lru_cache(maxsize=256)
def stored_time(moment: datetime) -> str:
    """Return a time as SQLite stores it, cached since a change writes the same time several times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


@overload
def format_instant(moment: datetime, timespec: str = ...) -> str: ...


@overload
def format_instant(moment: datetime | None, timespec: str = ...) -> str | None: ...


def format_instant(moment: datetime | None, timespec: str = "microseconds") -> str | None:
    """Return a time as the API, cursors and audit events write it: UTC, six digits of the second, `Z`.

    REST passes the `timespec` "auto", which leaves out a fraction that is zero: its documented clients read it so.
    """
    return None if moment is None else f"{moment.astimezone(UTC).isoformat(timespec=timespec)[:-6]}Z"


class _Bound(FunctionElement[Any]):
    """A constant time that an index on an expression can contain.

    The first and the last time of Python are others for asyncpg: it sends them as infinity.
    """

    type = UTCDateTime()
    inherit_cache = True
    moment: datetime


class Earliest(_Bound):
    """A time before all stored times, where a list places rows without a time first."""

    inherit_cache = True
    moment = datetime(1, 1, 2, tzinfo=UTC)


class Latest(_Bound):
    """A time after all stored times, where a list places rows without a time last."""

    inherit_cache = True
    moment = datetime(9999, 12, 31, tzinfo=UTC)


@compiles(_Bound, "sqlite")
def _bound_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"'{stored_time(element.moment)}'"


@compiles(_Bound, "postgresql")
def _bound_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"'{element.moment.isoformat(sep=' ')}'::timestamptz"


def or_bound(column: Any, bound: _Bound) -> ColumnElement[Any]:
    """Return a time column with a bound in place of NULL, in the form of the index on it."""
    return func.coalesce(column, bound, type_=UTCDateTime())


class KeyText(TypeDecorator[str]):
    """Text that is compared by its bytes, so that both databases sort equally."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column type; without the collation C, PostgreSQL sorts by the rules of a language."""
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())


class CaseFolded(KeyText):
    """Text that is compared with keys of names; see `casefold_key`."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the key of the value, as the column stores it."""
        return None if value is None else casefold_key(value)


class SortKeyText(KeyText):
    """Text that is compared with complete sort keys; see `sort_key`."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the sort key of the value, as the column stores it."""
        return None if value is None else sort_key(value)


class SearchText(KeyText):
    """Text that is searched in sort keys without regard to accents."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the value as in the first part of a sort key."""
        return None if value is None else _unaccented(casefold_key(value))


def casefold_key(text: str) -> str:
    """Return the key of a name: equal for names that differ only in letter case or in how Unicode spells them.

    This is NFKC with case folded, the one form in which names are stored and looked up as keys. For a text longer
    than any name, only the case is folded.
    """
    if text.isascii() or len(text) > NORMALIZED:
        return text.casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def sort_key(text: str) -> str:
    """Return the key by which a name is sorted and searched, short enough for an index entry.

    It consists of the key without accents, so that é sorts next to e, and of the key itself if the two differ. So equal
    sort keys mean equal names.
    """
    key = casefold_key(text)
    plain = _unaccented(key)
    return key[:SORT_LENGTH] if plain == key else f"{plain[:SORT_LENGTH]}{_TIE}{key[:SORT_LENGTH]}"


def _unaccented(key: str) -> str:
    """Return a key without combining marks."""
    if key.isascii() or len(key) > NORMALIZED:
        return key
    plain = "".join(each for each in unicodedata.normalize("NFKD", key) if not unicodedata.combining(each))
    return unicodedata.normalize("NFC", plain)


class JSONDocument(TypeDecorator[Any]):
    """JSON stored as text, which preserves the order of keys and the form of values."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the value as JSON text."""
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Return the value of a JSON text."""
        return None if value is None else orjson.loads(value)
