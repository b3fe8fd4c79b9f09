"""What is asked of a list: its size, its cursor, its filter and its order, parsed in one place for every face.

The *shape* of a question (an `Ask`) decides the text of the statement; its *values* are bound. Two people who ask the
same shape share one compiled statement.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from types import SimpleNamespace
from typing import Any

import orjson

from app.db.types import format_instant
from app.domain.errors import BadInput

DEFAULT_SIZE = 20
MAX_SIZE = 100
MAX_FILTER_DEPTH = 4
MAX_COMPARISONS = 50
MAX_CHOICES = 100
MAX_TERMS = 10
"""Terms of an order: more than any list can be ordered by, so that one of them stands there twice."""

MAX_FILTERS = 200
"""Filters within a filter, empty ones too."""

ARGUMENTS = frozenset({"first", "after", "last", "before", "filter", "order_by"})

QueryShape = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Everything that changes the text of a page's statement.

    `order` holds (name, descending); the unique end is not in it. `filter` is a tree of `("and" | "or" | "not", …)` and
    `(field, (operator, place of the value), …)`.
    """

    order: tuple[tuple[str, bool], ...] = ()
    filter: QueryShape = ()
    after: bool = False
    backward: bool = False


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page: its shape, how many rows, and the values to bind."""

    query: ListQuery
    size: int
    values: tuple[tuple[str, Any], ...] = ()

    @property
    def bind_values(self) -> dict[str, Any]:
        """The values by name; one row more than the page, to know whether another page follows."""
        return dict(self.values, limit=self.size + 1)

    def page(self, rows: list[Any]) -> "Page":
        """The page that is made of the rows which its statement gave below one key."""
        kept = rows[: self.size]
        if self.query.backward:
            kept.reverse()
        return Page(self, kept, len(rows) > self.size)


@dataclass(slots=True)
class Page:
    """Rows in the order of their list; `goes_on` in the direction in which it was asked for.

    Not frozen: there is one for each key, and freezing costs as much as all else that is done for it.
    """

    request: PageRequest
    rows: list[Any]
    has_more: bool

    @property
    def has_next(self) -> bool:
        """Whether more follows: forward that is known, backward only that a cursor was given."""
        return self.request.query.after if self.request.query.backward else self.has_more

    @property
    def has_previous(self) -> bool:
        """Whether something precedes; the same the other way round."""
        return self.has_more if self.request.query.backward else self.request.query.after


def parse_page_request(
    types: Mapping[str, type], default: tuple[tuple[str, bool], ...], arguments: Mapping[str, Any]
) -> PageRequest:
    """Read the arguments of a connection.

    `types` maps the names that it can be ordered by to the Python types in its cursors; raises BadInput.
    """
    size, backward = _size(arguments)
    order = _order(arguments.get("order_by")) or default
    tree, values = _filter(arguments.get("filter"))
    cursor = arguments.get("before" if backward else "after")
    if cursor is not None:
        values |= {f"a{at}": value for at, value in enumerate(_decode(cursor, order, types))}
    ask = ListQuery(order, tree, cursor is not None, backward)
    return PageRequest(ask, size, tuple(values.items()))


def fold_arguments(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Arguments of its own narrow a list as a filter does."""
    narrow = {name: value for name, value in arguments.items() if name not in ARGUMENTS}
    return {**arguments, "filter": SimpleNamespace(**narrow)} if narrow else arguments


def _size(arguments: Mapping[str, Any]) -> tuple[int, bool]:
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise BadInput("Ask for `first` or `last`, not both.")
    backward = last is not None
    if arguments.get("after" if backward else "before") is not None:
        raise BadInput("`after` goes with `first`, `before` goes with `last`.")
    size: int = last if last is not None else DEFAULT_SIZE if first is None else first
    if not 1 <= size <= MAX_SIZE:
        raise BadInput(f"`{'last' if backward else 'first'}` must be from 1 to {MAX_SIZE}, not {size}.")
    return size, backward


def _order(given: Sequence[Any] | None) -> tuple[tuple[str, bool], ...]:
    if len(given or ()) > MAX_TERMS:
        raise BadInput("`orderBy` names a field twice.")
    order = tuple((term.field.value, term.direction.value == "DESC") for term in given or ())
    if len({name for name, _ in order}) < len(order):
        raise BadInput("`orderBy` names a field twice.")
    return order


def cursor(order: Sequence[tuple[str, bool]], values: Sequence[Any]) -> str:
    """Write the place of a row: the order it holds for, and the row's values in that order, the id last."""
    plain = [format_instant(value) if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(orjson.dumps([_signature(order), *plain])).decode().rstrip("=")


def _signature(order: Sequence[tuple[str, bool]]) -> str:
    return ",".join(f"-{name}" if descending else name for name, descending in order)


def _decode(text: str, order: Sequence[tuple[str, bool]], types: Mapping[str, type]) -> list[Any]:
    try:
        signature, *values = orjson.loads(
            base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        )
        if signature != _signature(order) or len(values) != len(order) + 1:
            raise ValueError(signature)
        return [_typed(value, types[name]) for value, (name, _) in zip(values, [*order, ("id", False)], strict=True)]
    except (ValueError, TypeError, binascii.Error, OverflowError):
        raise BadInput(
            "This cursor is not one of this list in this order. Take it from `pageInfo` or `edges`."
        ) from None


def _typed(value: Any, kind: type) -> Any:
    if kind is datetime:
        value = datetime.fromisoformat(value)
        if value.tzinfo is None:
            raise ValueError(value)
        value = value.astimezone(UTC)  # out of range it shall fail here, not in a driver
    elif type(value) is not kind or _is_out_of_range(value):
        raise ValueError(value)
    return value


def _is_out_of_range(value: Any) -> bool:
    return "\0" in value if isinstance(value, str) else not 0 <= value < 2**63


@dataclass(slots=True)
class _Collector:
    values: dict[str, Any] = field(default_factory=dict)
    filters: int = 0

    def enter(self, depth: int) -> None:
        """Count a filter at this depth; raises BadInput."""
        self.filters += 1
        if depth > MAX_FILTER_DEPTH:
            raise BadInput(f"A filter may be nested at most {MAX_FILTER_DEPTH} deep.")
        if self.filters > MAX_FILTERS:
            raise BadInput(f"A filter may hold at most {MAX_FILTERS} filters.")

    def placeholder(self, value: Any) -> str:
        if len(self.values) >= MAX_COMPARISONS:
            raise BadInput(f"A filter may have at most {MAX_COMPARISONS} comparisons.")
        name = f"f{len(self.values)}"
        self.values[name] = tuple(value) if isinstance(value, list) else value
        return name


def _filter(given: Any) -> tuple[QueryShape, dict[str, Any]]:
    collector = _Collector()
    tree = _tree(given, collector, 1) if given is not None else ()
    return tree, collector.values


def _tree(given: Any, collector: _Collector, depth: int) -> QueryShape:
    collector.enter(depth)
    terms: list[QueryShape] = []
    for name, value in vars(given).items():
        if value is None:
            continue
        if name in {"and_", "or_"}:
            if len(value) > MAX_COMPARISONS:
                raise BadInput(f"A filter may have at most {MAX_COMPARISONS} comparisons.")
            terms.append((name.rstrip("_"), *(_tree(each, collector, depth + 1) for each in value)))
        elif name == "not_":
            terms.append(("not", _tree(value, collector, depth + 1)))
        else:
            terms.append(
                (name, *((operator, collector.placeholder(operand)) for operator, operand in _comparisons(value)))
            )
    return ("and", *terms)


def _comparisons(value: Any) -> Iterator[tuple[str, Any]]:
    plain = isinstance(value, bool | int | str | Enum)
    given: dict[str, Any] = {"eq": value.value if isinstance(value, Enum) else value} if plain else vars(value)
    for operator, operand in given.items():
        if operand is None:
            continue
        operands: list[Any] = operand if isinstance(operand, list) else [operand]
        if len(operands) > MAX_CHOICES:
            raise BadInput(f"`in` takes at most {MAX_CHOICES} values.")
        if any("\0" in text for text in operands if isinstance(text, str)):
            raise BadInput("A filter's text may not contain a NUL character.")
        yield operator.rstrip("_"), operand
