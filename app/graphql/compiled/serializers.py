"""What becomes of a cell between the driver and JSON: at most one function for each column of a statement.

The bare drivers give SQLite's 0 and 1 for booleans, and text for moments and documents. What SQLAlchemy's types, the
cell's own `read` and the leaf type of the API would do one after the other is one step here, and what has few values,
as enums and sets of roles have, is done once for each.
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

from app.db.types import format_instant
from app.graphql.compiled.fallback import PlanFailed
from app.query.relations import FieldSpec

Serializer = Callable[[Any], Any]

MEMORY = 4096
"""How many values of a column are remembered with what became of them."""


class ConversionCache(dict[Any, Any]):
    """What became of each value; bounded by no longer taking new ones."""

    def __init__(self, make: Serializer) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> Any:
        """Make what is not remembered yet."""
        made = self._make(value)
        if len(self) < MEMORY:
            self[value] = made
        return made


def select_serializer(kind: GraphQLOutputType, cell: FieldSpec, column: Any, dialect: Any) -> Serializer | None:
    """What turns the driver's value of a column into JSON; None where it is JSON already.

    `column` is the cell's SQL expression. A null reaches the function only where the API promises that there is none.
    """
    read = processor(column.type, dialect)
    named = get_named_type(kind)
    is_plain = cell.read is None and not is_list_type(_nullable(kind))
    found: Serializer | None = _fused_serializer(named.name, column.type, dialect, read) if is_plain else KEEP
    if found is not KEEP:
        return found
    made = list_serializer(read, cell.read, complete_serializer(kind))
    return ConversionCache(made).__getitem__ if isinstance(named, GraphQLEnumType) else made


def processor(kind: Any, dialect: Any) -> Serializer | None:
    """What SQLAlchemy would do with the driver's value."""
    made: Serializer | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return made


def list_serializer(*steps: Serializer | None) -> Serializer:
    """One after the other; what became null stays so until the last, which knows whether it may be."""
    *before, last = [step for step in steps if step is not None]
    if not before:
        return last

    def all_of(value: Any) -> Any:
        for step in before:
            if value is not None:
                value = step(value)
        return last(value)

    return all_of


def complete_serializer(kind: GraphQLOutputType, named: Serializer | None = None) -> Serializer:
    """What a value of this type is in JSON, as the stock executor says; raises Surprise for a null out of place.

    `named` is what becomes of a value of the type below lists and nulls, where that is no leaf.
    """
    if is_non_null_type(kind):
        inner = complete_serializer(kind.of_type, named)

        def required(value: Any) -> Any:
            return needed(inner(needed(value)))

        return required
    if is_list_type(kind):
        each = complete_serializer(kind.of_type, named)
        plain = bool if getattr(_nullable(kind.of_type), "name", "") == "Boolean" else None
        return lambda value: value if value is None or _are(plain, value) else [each(one) for one in value]
    if named is None:
        assert is_leaf_type(kind)
        leaf: GraphQLLeafType = kind
        named = leaf.coerce_output_value
    made = named
    return lambda value: None if value is None else made(value)


def _are(plain: type | None, values: Any) -> bool:
    """Whether all in a list are of a type that JSON has, so that none has to be looked at: of checks there are many."""
    return plain is not None and {*map(type, values)} == {plain}


def needed(value: Any) -> Any:
    """A value that may not be null."""
    if value is None:
        raise PlanFailed("null where the API promises a value")
    return value


def _nullable(kind: GraphQLOutputType) -> GraphQLOutputType:
    inner: GraphQLOutputType = kind.of_type if is_non_null_type(kind) else kind
    return inner


class _Keep:
    """No short way is known."""


KEEP: Any = _Keep()


def _fused_serializer(leaf: str, kind: Any, dialect: Any, read: Serializer | None) -> Any:
    """A short way for a leaf type and a column; None for nothing to do, KEEP for no such way."""
    is_sqlite = dialect.name == "sqlite"
    if leaf == "DateTime":
        return _zulu if is_sqlite else format_instant
    if leaf == "Boolean" and _is(kind, "boolean"):
        return {0: False, 1: True}.__getitem__ if is_sqlite else None
    if leaf == "Int" and _is(kind, "integer"):
        return _small
    is_text = leaf in {"String", "ID"} and read is None and _is(kind, "string", "text")
    return None if is_text else KEEP


def _is(kind: Any, *names: str) -> bool:
    while hasattr(kind, "impl"):
        kind = kind.impl
    return kind.__visit_name__ in names


def _zulu(text: str) -> str:
    """A moment as SQLite keeps it, `2026-01-31T12:00:00.000000+00:00`, as the API writes it."""
    if len(text) != len("2026-01-31T12:00:00.000000+00:00"):
        raise PlanFailed("a moment that was not written by us")
    return text[:26] + "Z"


LIMIT = 2**31


def _small(number: int) -> int:
    """GraphQL's integers have 32 bits."""
    if not -LIMIT <= number < LIMIT:
        raise PlanFailed("an integer beyond 32 bits")
    return number
