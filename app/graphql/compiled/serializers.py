"""Serializers: functions from the value of a driver to JSON, at most one for each column of a statement.

Plans bypass the result processors of SQLAlchemy: SQLite returns 0 and 1 for booleans, and text for timestamps and
documents. One serializer does the work of the SQLAlchemy type, of the field's `read` and of the GraphQL leaf type. Enum
values are converted once and cached.
"""

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLLeafType,
    GraphQLOutputType,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from orjson import Fragment

from app.db.cached_lists import compact
from app.db.types import format_instant
from app.graphql.compiled.fallback import PlanFailed
from app.http import encode_json
from app.query.relations import FieldSpec

Serializer = Callable[[Any], Any]

MAX_CACHED_VALUES = 4096
"""Converted values that are cached for one column."""


def as_json(value: Any) -> Any:
    """Return a list or an object as JSON, which needs no encoding in an answer; any other value unchanged."""
    return Fragment(compact(encode_json(value))) if isinstance(value, list | dict) else value


class ConversionCache(dict[Any, Any]):
    """The converted form of each value. A full cache takes no new values."""

    def __init__(self, convert: Serializer) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, value: Any) -> Any:
        """Convert a value that is not cached, and cache it."""
        converted = as_json(self._convert(value))
        if len(self) < MAX_CACHED_VALUES:
            self[value] = converted
        return converted


def select_serializer(kind: GraphQLOutputType, spec: FieldSpec, stored: Any, dialect: Any) -> Serializer | None:
    """Return the serializer of a column, None if the driver returns JSON values.

    `stored` is the SQL type of the field. The serializer is called with a null only if the schema forbids nulls.
    """
    read = processor(stored, dialect)
    named = get_named_type(kind)
    if spec.read is None and not is_list_type(_nullable(kind)):
        fused: Serializer | None = _fused_serializer(named.name, stored, dialect, read)
        if fused is not NOT_FUSED:
            return fused
    serializer = chain(read, spec.read, complete_serializer(kind))
    return ConversionCache(serializer).__getitem__ if isinstance(named, GraphQLEnumType) else serializer


def processor(kind: Any, dialect: Any) -> Serializer | None:
    """Return the result processor of a SQLAlchemy type, None if it has none."""
    read: Serializer | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return read


def chain(*steps: Serializer | None) -> Serializer:
    """Compose functions. A null skips all steps except the last, which knows whether nulls are allowed."""
    *before, last = [step for step in steps if step is not None]
    if not before:
        return last

    def run_all(value: Any) -> Any:
        for step in before:
            if value is not None:
                value = step(value)
        return last(value)

    return run_all


def complete_serializer(kind: GraphQLOutputType, named: Serializer | None = None) -> Serializer:
    """Return the serializer of a GraphQL type, equal to graphql-core. It raises PlanFailed for a forbidden null.

    `named` serializes values of the named type, if that is no leaf type.
    """
    if is_non_null_type(kind):
        inner = complete_serializer(kind.of_type, named)

        def required(value: Any) -> Any:
            return require_value(inner(require_value(value)))

        return required
    if is_list_type(kind):
        each = complete_serializer(kind.of_type, named)
        plain = bool if getattr(_nullable(kind.of_type), "name", "") == "Boolean" else None
        return lambda value: value if value is None or _are_all(plain, value) else [each(one) for one in value]
    if named is None:
        assert is_leaf_type(kind)
        leaf: GraphQLLeafType = kind
        named = leaf.coerce_output_value
    serialize = named
    return lambda value: None if value is None else serialize(value)


def _are_all(plain: type | None, values: Any) -> bool:
    """Return whether all values have a type that JSON has. Lists of Booleans, as from checks, can be long."""
    return plain is not None and {*map(type, values)} == {plain}


def require_value(value: Any) -> Any:
    """Return a value that is not null; raises PlanFailed for a null."""
    if value is None:
        raise PlanFailed("null where the schema requires a value")
    return value


def _nullable(kind: GraphQLOutputType) -> GraphQLOutputType:
    inner: GraphQLOutputType = kind.of_type if is_non_null_type(kind) else kind
    return inner


NOT_FUSED: Any = object()
"""Marks a leaf type and column without a fused serializer."""


def _fused_serializer(leaf: str, kind: Any, dialect: Any, read: Serializer | None) -> Any:
    """Return one function for a leaf type and a column, None if there is nothing to do, or NOT_FUSED."""
    is_sqlite = dialect.name == "sqlite"
    if leaf == "DateTime":
        return _utc_text if is_sqlite else format_instant
    if leaf == "Boolean" and _is(kind, "boolean"):
        return {0: False, 1: True}.__getitem__ if is_sqlite else None
    if leaf == "Int" and _is(kind, "integer"):
        return _check_int32
    is_text = leaf in {"String", "ID"} and read is None and _is(kind, "string", "text")
    return None if is_text else NOT_FUSED


def _is(kind: Any, *names: str) -> bool:
    while hasattr(kind, "impl"):
        kind = kind.impl
    return kind.__visit_name__ in names


def _utc_text(text: str) -> str:
    """Convert a timestamp of SQLite, `2026-01-31T12:00:00.000000+00:00`, to the format of the API."""
    if len(text) != len("2026-01-31T12:00:00.000000+00:00"):
        raise PlanFailed("a timestamp in another format")
    return text[:26] + "Z"


INT32_LIMIT = 2**31


def _check_int32(number: int) -> int:
    """Return a number that fits into a GraphQL `Int`; raises PlanFailed for any other."""
    if not -INT32_LIMIT <= number < INT32_LIMIT:
        raise PlanFailed("an integer beyond 32 bits")
    return number
