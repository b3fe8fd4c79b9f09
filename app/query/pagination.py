"""The arguments of a connection: page size, cursor, filter and order, parsed for both APIs.

A `ListQuery` determines the text of the statement; its values are bound. Requests with equal list queries share one
compiled statement.
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
from pydantic.alias_generators import to_camel

from app.db.types import format_instant
from app.domain.errors import BadInput

DEFAULT_SIZE = 20
MAX_SIZE = 100
MAX_FILTER_DEPTH = 4
MAX_COMPARISONS = 50
MAX_CHOICES = 100
MAX_TERMS = 10
"""Terms of `orderBy`. No list has more order fields, so a longer list contains a duplicate."""

MAX_WORDS = 8
MAX_SEARCH = 200
"""Words and characters of a search."""

MAX_FILTERS = 200
"""Filter objects in one filter, empty ones included."""

ARGUMENTS = frozenset({"first", "after", "last", "before", "filter", "order_by"})

QueryShape = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The part of a page request that determines the text of its statement.

    `order` contains (name, descending) without the final id. `filter` is a tree of `("and" | "or" | "not", …)` and
    `(field, (operator, name of the bind parameter), …)`.
    """

    order: tuple[tuple[str, bool], ...] = ()
    filter: QueryShape = ()
    after: bool = False
    backward: bool = False


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for one page: the list query, the number of rows, and the bound values."""

    query: ListQuery
    size: int
    values: tuple[tuple[str, Any], ...] = ()

    @property
    def bind_values(self) -> dict[str, Any]:
        """Return the bound values by name. `limit` is one more than the page, to detect a following page."""
        return dict(self.values, limit=self.size + 1)

    def page(self, rows: list[Any]) -> "Page":
        """Return the page for the rows that the statement returned for one key."""
        page_rows = rows[: self.size]
        if self.query.backward:
            page_rows.reverse()
        return Page(self, page_rows, len(rows) > self.size)


@dataclass(slots=True)
class Page:
    """The rows of a page in the order of the list; `has_more` is about the direction of the request.

    It is not frozen: one page is created per key, and freezing would double that cost.
    """

    request: PageRequest
    rows: list[Any]
    has_more: bool

    @property
    def has_next(self) -> bool:
        """Return whether rows follow the page; a backward page reports whether the request had a cursor."""
        return self.request.query.after if self.request.query.backward else self.has_more

    @property
    def has_previous(self) -> bool:
        """Return whether rows precede the page; a forward page reports whether the request had a cursor."""
        return self.has_more if self.request.query.backward else self.request.query.after


def parse_page_request(
    types: Mapping[str, type], default: tuple[tuple[str, bool], ...], arguments: Mapping[str, Any]
) -> PageRequest:
    """Parse the arguments of a connection; raises BadInput.

    `types` maps the names of the order to the Python types of their values in a cursor.
    """
    size, backward = _size(arguments)
    order = _order(arguments.get("order_by")) or default
    tree, values = _filter(arguments.get("filter"))
    name = "before" if backward else "after"
    cursor = arguments.get(name)
    if cursor is not None:
        values |= {f"a{at}": value for at, value in enumerate(_decode(cursor, order, types, name))}
    ask = ListQuery(order, tree, cursor is not None, backward)
    return PageRequest(ask, size, tuple(values.items()))


def fold_arguments(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments with all arguments that are specific to this list moved into `filter`."""
    filters = {name: value for name, value in arguments.items() if name not in ARGUMENTS}
    return {**arguments, "filter": SimpleNamespace(**filters)} if filters else arguments


def _size(arguments: Mapping[str, Any]) -> tuple[int, bool]:
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise BadInput("Use `first` or `last`, not both.", "last")
    backward = last is not None
    if arguments.get("after" if backward else "before") is not None:
        raise BadInput("Use `after` with `first`, and `before` with `last`.", "after" if backward else "before")
    size: int = last if last is not None else DEFAULT_SIZE if first is None else first
    if not 1 <= size <= MAX_SIZE:
        name = "last" if backward else "first"
        raise BadInput(f"`{name}` must be from 1 to {MAX_SIZE}, not {size}.", name)
    return size, backward


def _order(terms: Sequence[Any] | None) -> tuple[tuple[str, bool], ...]:
    if len(terms or ()) > MAX_TERMS:
        raise BadInput("`orderBy` names a field twice.", "orderBy")
    order = tuple((term.field.value, term.direction.value == "DESC") for term in terms or ())
    if len({name for name, _ in order}) < len(order):
        raise BadInput("`orderBy` names a field twice.", "orderBy")
    return order


def cursor(order: Sequence[tuple[str, bool]], values: Sequence[Any]) -> str:
    """Return the cursor of a row: the order that it is valid for and the order values of the row, the id last."""
    plain = [format_instant(value) if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(orjson.dumps([_signature(order), *plain])).decode().rstrip("=")


def _signature(order: Sequence[tuple[str, bool]]) -> str:
    return ",".join(f"-{name}" if descending else name for name, descending in order)


def _decode(text: str, order: Sequence[tuple[str, bool]], types: Mapping[str, type], name: str) -> list[Any]:
    try:
        signature, *values = orjson.loads(
            base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        )
        if signature != _signature(order) or len(values) != len(order) + 1:
            raise ValueError(signature)
        return [
            _check_type(value, types[name]) for value, (name, _) in zip(values, [*order, ("id", False)], strict=True)
        ]
    except (ValueError, TypeError, binascii.Error, OverflowError):
        text = "The cursor is not valid for this list in this order. Use a cursor from `pageInfo` or `edges`."
        raise BadInput(text, name) from None


def _check_type(value: Any, expected: type) -> Any:
    if expected is datetime:
        value = datetime.fromisoformat(value)
        if value.tzinfo is None:
            raise ValueError(value)
        value = value.astimezone(UTC)  # a value out of range fails here instead of in the driver
    elif type(value) is not expected or _is_out_of_range(value):
        raise ValueError(value)
    return value


def _is_out_of_range(value: Any) -> bool:
    return "\0" in value if isinstance(value, str) else not 0 <= value < 2**63


@dataclass(slots=True)
class _FilterValues:
    """The bound values of a filter, with the limits on its depth and size."""

    values: dict[str, Any] = field(default_factory=dict)
    filters: int = 0

    def enter(self, depth: int) -> None:
        """Count a filter object at this depth; raises BadInput above a limit."""
        self.filters += 1
        if depth > MAX_FILTER_DEPTH:
            raise BadInput(f"A filter may be nested at most {MAX_FILTER_DEPTH} deep.")
        if self.filters > MAX_FILTERS:
            raise BadInput(f"A filter may contain at most {MAX_FILTERS} filters.")

    def placeholder(self, value: Any) -> str:
        if len(self.values) >= MAX_COMPARISONS:
            raise BadInput(f"A filter may have at most {MAX_COMPARISONS} comparisons.")
        name = f"f{len(self.values)}"
        self.values[name] = tuple(value) if isinstance(value, list) else value
        return name


@dataclass(frozen=True, slots=True)
class InvalidFilter:
    """A filter that is refused when its list is read, so that a hidden list is null in spite of it."""

    reason: str
    path: tuple[str | int, ...] = ()


def _filter(data: Any) -> tuple[QueryShape, dict[str, Any]]:
    if isinstance(data, InvalidFilter):
        raise BadInput(data.reason, "filter", *data.path)
    collector = _FilterValues()
    try:
        tree = _tree(data, collector, 1) if data is not None else ()
    except BadInput as error:
        # The arguments of a list that are filters by themselves have names of their own.
        raise BadInput(
            error.message, *(() if isinstance(data, SimpleNamespace) else ("filter", *error.place))
        ) from None
    return tree, collector.values


def _tree(data: Any, collector: _FilterValues, depth: int) -> QueryShape:
    """Return the terms of a filter. The place of an error is the path inside the filter."""
    collector.enter(depth)
    terms: list[QueryShape] = []
    for name, value in vars(data).items():
        if value is None:
            continue
        try:
            terms.append(_term(name, value, collector, depth))
        except BadInput as error:
            raise BadInput(error.message, to_camel(name.rstrip("_")), *error.place) from None
    return ("and", *terms)


def _term(name: str, value: Any, collector: _FilterValues, depth: int) -> QueryShape:
    if name in {"and_", "or_"}:
        if len(value) > MAX_COMPARISONS:
            raise BadInput(f"A filter may have at most {MAX_COMPARISONS} comparisons.")
        return (name.rstrip("_"), *(_item(each, at, collector, depth + 1) for at, each in enumerate(value)))
    if name == "search":
        return (name, *(("contains", collector.placeholder(word)) for word in _words(value)))
    if name == "not_":
        return ("not", _tree(value, collector, depth + 1))
    return (name, *((operator, collector.placeholder(operand)) for operator, operand in _comparisons(value)))


def _item(data: Any, at: int, collector: _FilterValues, depth: int) -> QueryShape:
    try:
        return _tree(data, collector, depth)
    except BadInput as error:
        raise BadInput(error.message, at, *error.place) from None


def _words(text: str) -> list[str]:
    """Return the words of a search; raises BadInput for too many."""
    if len(text) > MAX_SEARCH or len(words := text.split()) > MAX_WORDS:
        raise BadInput(f"`search` takes at most {MAX_WORDS} words and {MAX_SEARCH} characters.")
    if "\0" in text:
        raise BadInput("A filter's text may not contain a NUL character.")
    return words


def _comparisons(value: Any) -> Iterator[tuple[str, Any]]:
    plain = isinstance(value, bool | int | str | Enum)
    comparisons: dict[str, Any] = {"eq": value} if plain else vars(value)
    for operator, operand in comparisons.items():
        if operand is None:
            continue
        operands = [_stored(each) for each in (operand if isinstance(operand, list) else [operand])]
        place = () if plain else (to_camel(operator.rstrip("_")),)
        if len(operands) > MAX_CHOICES:
            raise BadInput(f"`in` takes at most {MAX_CHOICES} values.", *place)
        for at, text in enumerate(operands):
            if isinstance(text, str) and "\0" in text:
                inside = (*place, at) if isinstance(operand, list) else place
                raise BadInput("A filter's text may not contain a NUL character.", *inside)
        # Two operators, so that an index can answer both.
        name = "is_not_null" if operator == "is_null" and not operand else operator.rstrip("_")
        yield name, operands if isinstance(operand, list) else operands[0]


def _stored(operand: Any) -> Any:
    return operand.value if isinstance(operand, Enum) else operand
