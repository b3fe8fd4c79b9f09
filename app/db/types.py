"""What columns are made of: how moments, keys and documents are written, compared and read on both databases."""

import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, overload

import orjson
from sqlalchemy import BigInteger, ColumnElement, Dialect, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, TypeEngine

MAX_BYTES = 2**53 - 1
"""The most that is counted of anything that is stored: the largest integer that a client in JavaScript can say."""

SORT_LENGTH = 200
"""How many characters of a name decide where it is sorted; the id decides between equals."""


NORMALIZED = 512
"""How many characters are normalized at most: no name is longer, and combining characters take quadratic time."""

_TIE = "\x1f"
"""Character between the two halves of a sort key; it sorts before every character of a name."""


class WideInteger(BigInteger):
    """A number of 64 bits on both databases."""


class RowId(WideInteger):
    """Id of a row, or a reference to one."""


@compiles(RowId, "sqlite")
@compiles(WideInteger, "sqlite")
def _wide_integer_on_sqlite(element: WideInteger, compiler: Any, **options: Any) -> str:
    """SQLite takes no other word than INTEGER for the key that numbers its rows; it holds 64 bits."""
    return "INTEGER"


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC: `TIMESTAMPTZ`, or text of one fixed width that sorts as time does."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        postgres = dialect.name == "postgresql"
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if postgres else Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Write the moment; a value without a time zone is a mistake of ours."""
        return value if value is None or dialect.name == "postgresql" else _stored(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read the moment, always in UTC."""
        return datetime.fromisoformat(value) if isinstance(value, str) else value


@lru_cache(maxsize=256)
def _stored(moment: datetime) -> str:
    """Return a moment as SQLite stores it. A change writes one moment several times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


@overload
def format_instant(moment: datetime, timespec: str = ...) -> str: ...


@overload
def format_instant(moment: datetime | None, timespec: str = ...) -> str | None: ...


def format_instant(moment: datetime | None, timespec: str = "microseconds") -> str | None:
    """Return a moment as the API, cursors and audit events write it: UTC, six digits of the second, `Z`.

    REST passes the `timespec` "auto", which leaves out a fraction that is zero: its documented clients read it so.
    """
    return None if moment is None else f"{moment.astimezone(UTC).isoformat(timespec=timespec)[:-6]}Z"


class KeyText(TypeDecorator[str]):
    """Text compared by its bytes, so that both databases sort and page alike."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type: PostgreSQL would else sort by the rules of some language."""
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())


class CaseFolded(KeyText):
    """Text that is compared as a key of a name: see `folded`."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write the value as the stored keys are written."""
        return None if value is None else casefold_key(value)


class SortKeyText(KeyText):
    """Text that is compared with whole sort keys: see `sortable`."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write the value as the stored sort keys are written."""
        return None if value is None else sort_key(value)


class SearchText(KeyText):
    """Text that is looked for inside sort keys, without regard to accents."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write the value as the first half of a sort key is written."""
        return None if value is None else _unaccented(casefold_key(value))


def casefold_key(text: str) -> str:
    """Return the key of a name: equal for names that differ only in letter case or in how Unicode spells them.

    This is NFKC with case folded, the one form in which names are stored and looked up as keys. Longer text than any
    name only has its case folded.
    """
    if text.isascii() or len(text) > NORMALIZED:
        return text.casefold()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def sort_key(text: str) -> str:
    """Return the key by which a name is sorted and searched, short enough for an index entry.

    This is the key without accents, so that é stands beside e, and behind it the key itself where the two differ: equal
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
