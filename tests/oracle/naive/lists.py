"""Lists over rows in memory: filter all, sort all, cut a page; with the cursors and refusals of the API."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from unicodedata import combining, normalize

from graphql import GraphQLError

Row = dict[str, Any]
Place = tuple[Any, ...]
Order = Sequence[tuple[str, bool]]


@dataclass(frozen=True)
class Kind:
    """The orders and filters of the lists of one type; the first order is the default.

    An order gives for (reading, row) a text that sorts as the value does. A filter gives the value for
    (reading, row): None for a missing one, a list of which any value may match, `UNKNOWN` where the viewer may not
    read them.
    """

    name: str
    orders: Mapping[str, Callable[[Any, Row], Any]]
    filters: Mapping[str, Callable[[Any, Row], Any]] = field(default_factory=dict)
    newest_first: bool = False
    numbers: frozenset[str] = frozenset()
    """Orders that give a number instead of a text."""


UNKNOWN = object()


class Substitute(str):
    """A text that is compared in place of a missing one."""

    __slots__ = ()


MOMENTS = frozenset({"created_at", "updated_at", "last_login_at", "added_at", "expires_at"})
EXACT = frozenset({"type", "action"})
"""Fields that are compared with letter case."""


def page(
    reading: Any,
    kind: Kind,
    rows: Sequence[Row],
    arguments: Mapping[str, Any],
    facts: Callable[[Row], Row] = lambda row: {},
) -> Row:
    """Return a connection; `reading.seen` counts effects of filters, orders and cursors. `facts` adds to an edge."""
    size, backward = _size(arguments)
    order = _order(kind, arguments.get("orderBy"))
    wanted = arguments.get("filter")
    _check_filter(wanted)
    every = _sorted(reading, kind, [row for row in rows if not wanted or matches(reading, kind, row, wanted)], order)
    cursor = arguments.get("before" if backward else "after")
    place = None if cursor is None else _placed(kind, order, cursor)
    left = [
        row for row in every if place is None or _is_within(_place(reading, kind, order, row), place, order, backward)
    ]
    shown_rows = left[-size:] if backward else left[:size]
    if wanted and 0 < len(every) < len(rows):
        reading.seen.update({narrowed(kind, each) for each in _words(wanted)})
    if len(shown_rows) < len(every):
        reading.seen.update(_noted(kind, arguments, order, len(shown_rows)))
    edges = [
        {"cursor": cursor_of(order, _place(reading, kind, order, row)), "node": row, **facts(row)} for row in shown_rows
    ]
    reading.cursors.setdefault(kind.name, []).extend(edge["cursor"] for edge in edges[len(edges) // 2 :][:1])
    ends = len(left) > size, cursor is not None
    info = _info(edges, tuple(reversed(ends)) if backward else ends)
    return {"edges": edges, "nodes": shown_rows, "pageInfo": info, "totalCount": len(every)}


def _info(edges: Sequence[Row], ends: tuple[bool, ...]) -> Row:
    return {
        "hasNextPage": ends[0],
        "hasPreviousPage": ends[1],
        "startCursor": edges[0]["cursor"] if edges else None,
        "endCursor": edges[-1]["cursor"] if edges else None,
    }


def narrowed(kind: Kind, word: str) -> str:
    """Return the note of a filter that selects some rows and not all."""
    return f"{kind.name}Filter.{word}" if word in kind.filters else f"narrowed with {word}"


def exactly(kind: Kind, name: str) -> str:
    """Return the note of a comparison in which letter case decides."""
    return f"{kind.name}Filter.{name} exactly"


def ordered(kind: Kind, name: str, *, down: bool) -> str:
    """Return the note of an order that decides the rows of a page."""
    return f"{kind.name} by {name} {'down' if down else 'up'}"


def _noted(kind: Kind, arguments: Mapping[str, Any], order: Order, number: int) -> Iterable[str]:
    names = {name for name, value in arguments.items() if value is not None}
    yield from (f"cut with {name}" for name in names & {"first", "last", "after", "before"} if number)
    if number > 1 and arguments.get("orderBy"):
        yield from (ordered(kind, name, down=down) for name, down in order)
        yield from ["ordered both ways"] if len({down for _, down in order}) > 1 else []


def _size(arguments: Mapping[str, Any]) -> tuple[int, bool]:
    first, last, after, before = (arguments.get(name) for name in ("first", "last", "after", "before"))
    backward = last is not None
    refuse(backward and first is not None)
    refuse((after if backward else before) is not None)
    size: int = next((size for size in (first, last) if size is not None), 20)
    refuse(not 1 <= size <= 100)
    return size, backward


def _order(kind: Kind, terms: Sequence[Row] | None) -> Order:
    order = [(term["field"].lower(), term["direction"] == "DESC") for term in terms or ()]
    refuse(len({name for name, _ in order}) < len(order))
    return order or [(next(iter(kind.orders)), kind.newest_first)]


def _sorted(reading: Any, kind: Kind, rows: Sequence[Row], order: Order) -> list[Row]:
    """Sort rows; equal rows by their number, in the direction of the last term."""
    ordered_rows = sorted(rows, key=lambda row: row["key"], reverse=order[-1][1])
    for name, down in reversed(order):
        ordered_rows.sort(key=partial(kind.orders[name], reading), reverse=down)
    return ordered_rows


def _place(reading: Any, kind: Kind, order: Order, row: Row) -> Place:
    return (*(kind.orders[name](reading, row) for name, _ in order), row["key"])


def _is_within(place: Place, cursor: Place, order: Order, backward: bool) -> bool:
    """Check that a place is after the cursor, or before it; never equal to it."""
    downs = [down for _, down in order] + [order[-1][1]]
    differ = ((a < b) is not down for a, b, down in zip(place, cursor, downs, strict=True) if a != b)
    is_ahead = next(differ, None)
    return is_ahead is not None and is_ahead is backward


def _signature(order: Order) -> str:
    return ",".join(("-" if down else "") + name for name, down in order)


def cursor_of(order: Order, place: Place) -> str:
    """Return the text of a cursor: its order and its place."""
    text = json.dumps([_signature(order), *place], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _placed(kind: Kind, order: Order, cursor: str) -> Place:
    """Return the place of a cursor; refuse a cursor of another order."""
    try:
        signature, *values, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        refuse(signature != _signature(order) or len(values) != len(order))
        refuse(type(key) is not int or not 0 <= key < 2**63)
        return (*(_sortable(kind, *each) for each in zip(order, values, strict=True)), key)
    except (ValueError, TypeError):
        raise refusal() from None


def _sortable(kind: Kind, term: tuple[str, bool], value: Any) -> Any:
    if term[0] in kind.numbers:
        refuse(type(value) is not int or not 0 <= value < 2**63)
        return value
    refuse(type(value) is not str)
    return stored(datetime.fromisoformat(value)) if term[0] in MOMENTS else str(value)


def matches(reading: Any, kind: Kind, row: Row, condition: Row) -> bool | None:
    """Check that a row fulfils a condition; None if that is unknown."""
    terms: list[bool | None] = []
    for name, value in condition.items():
        if name in ("and", "or") and value is not None:
            each = [matches(reading, kind, row, term) for term in value]
            terms.append(_all(each) if name == "and" else _any(each))
        elif name == "not" and value is not None:
            term = matches(reading, kind, row, value)
            terms.append(term is not True)
        elif value is not None:
            actual = kind.filters[name](reading, row)
            terms.append(_compared(name, actual, value))
            if name in EXACT and not terms[-1] and _compared("", actual, value):
                reading.seen[exactly(kind, name)] += 1
    return _all(terms)


def _all(terms: Sequence[bool | None]) -> bool | None:
    return False if False in terms else None if None in terms else True


def _any(terms: Sequence[bool | None]) -> bool | None:
    return True if True in terms else None if None in terms else False


def _compared(name: str, actual: Any, terms: Any) -> bool | None:
    """Check that all comparisons hold for the value of a field; of several values, all must hold for one."""
    if isinstance(terms, dict) and "isNull" in terms:
        rest = {each: value for each, value in terms.items() if each != "isNull"}
        is_so = (actual in (None, UNKNOWN) or isinstance(actual, Substitute)) is terms["isNull"]
        return is_so and (_compared(name, actual, rest) if rest else True)
    if actual is UNKNOWN:
        return None
    if name in SPECIAL:
        return SPECIAL[name](actual, terms)
    if not isinstance(terms, dict):
        return terms in actual if isinstance(actual, list) else None if actual is None else bool(actual == terms)
    return _fulfilled(name, actual, terms)


def _fulfilled(name: str, actual: Any, terms: Row) -> bool | None:
    if name in ("name", "displayName") and isinstance(actual, str):  # of a title
        return _titled(actual, terms)
    comparisons = [(each, _plain(name, value)) for each, value in terms.items() if value is not None]
    if isinstance(actual, list):
        return any(all(COMPARE[each](_plain(name, one), value) for each, value in comparisons) for one in actual)
    return _all([_one(each, _plain(name, actual), value) for each, value in comparisons])


def _found(keys: Sequence[str], words: str) -> bool:
    """Check that each word is part of one of the keys."""
    return all(any(plain(word) in key for key in keys) for word in words.split())


def _exact(actual: Any, terms: Row) -> bool:
    return all(COMPARE[each](actual, value) for each, value in terms.items())


def level_number(name: Any) -> Any:
    """Return the number of a level, or those of several."""
    return [*map(level_number, name)] if isinstance(name, list) else LEVELS.index(name)


LEVELS = ("READ_ONLY", "READ_WRITE", "READ_WRITE_DELETE", "ADMIN")
SPECIAL: dict[str, Callable[[Any, Any], bool]] = {
    "search": _found,
    "id": _exact,
    "sizeBytes": _exact,
    "level": lambda actual, terms: _exact(
        level_number(actual), {each: level_number(value) for each, value in terms.items()}
    ),
}
"""Fields with a comparison of their own."""


def _titled(actual: str, condition: Row) -> bool:
    """Check that all comparisons hold for a title: a complete title with its accents, a part without."""
    comparisons = {each: value for each, value in condition.items() if value is not None}
    parts = {each: plain(value) for each, value in comparisons.items() if each in ("startsWith", "contains")}
    wholes = {
        each: [*map(sort_key, value)] if isinstance(value, list) else sort_key(value)
        for each, value in comparisons.items()
        if each not in parts
    }
    return all(COMPARE[each](sort_key(actual), value) for each, value in (parts | wholes).items())


def _one(comparison: str, actual: Any, value: Any) -> bool | None:
    if actual is None:
        return False if value == [] else None
    return COMPARE[comparison](actual, value)


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "isNull": lambda actual, value: (actual is None) is value,
    "eq": lambda actual, value: bool(actual == value),
    "in": lambda actual, value: actual in value,
    "startsWith": lambda actual, value: actual.startswith(value),
    "contains": lambda actual, value: value in actual,
    "gt": lambda actual, value: bool(actual > value),
    "gte": lambda actual, value: bool(actual >= value),
    "lt": lambda actual, value: bool(actual < value),
    "lte": lambda actual, value: bool(actual <= value),
}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(name, each) for each in value]
    return folded(value) if isinstance(value, str) and name not in EXACT else value


def _check_filter(condition: Row | None) -> None:
    if condition is not None:
        refuse(_has_nothing(condition))
        refuse(_depth(condition) > 4 or len(list(_comparisons(condition))) > 50)


def _has_nothing(condition: Row) -> bool:
    """Check for a null, and for a field without a comparison."""
    for name, value in condition.items():
        below = value if isinstance(value, list) else [value]
        if value is None or (value == {} and name != "not"):
            return True
        if any(_has_nothing(each) for each in below if isinstance(each, dict)):
            return True
    return False


def _inner(condition: Row) -> list[Row]:
    listed = [each for name in ("and", "or") for each in condition.get(name) or ()]
    return listed + ([condition["not"]] if condition.get("not") is not None else [])


def _depth(condition: Row) -> int:
    return 1 + max(map(_depth, _inner(condition)), default=0)


def _comparisons(condition: Row) -> Iterable[Any]:
    """Return the values of all comparisons."""
    for name, value in condition.items():
        if name == "search":
            refuse(len(value) > 200 or len(value.split()) > 8)
            yield from value.split()
        elif name not in ("and", "or", "not") and value is not None:
            yield from [each for each in value.values() if each is not None] if isinstance(value, dict) else [value]
    for inner in _inner(condition):
        yield from _comparisons(inner)


def _words(condition: Row) -> Iterable[str]:
    """Return the names of fields and comparisons in a filter."""
    for name, value in condition.items():
        if value is None:
            continue
        yield name
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from _words(inner)


def refusal() -> GraphQLError:
    """Return the error BAD_USER_INPUT."""
    return GraphQLError("Refused.", extensions={"code": "BAD_USER_INPUT"})


def refuse(is_invalid: bool) -> None:
    if is_invalid:
        raise refusal()


def folded(text: str) -> str:
    """Return the key of a name: in one form of Unicode, without letter case."""
    return normalize("NFKC", normalize("NFKC", text).casefold())


def plain(text: str) -> str:
    """Return a key without accents."""
    return normalize("NFC", "".join(each for each in normalize("NFKD", folded(text)) if not combining(each)))


def sort_key(text: str) -> str:
    """Return the sort key of a title: without accents, then with them."""
    return folded(text) if plain(text) == folded(text) else f"{plain(text)}\x1f{folded(text)}"


def stored(moment: datetime) -> str:
    """Return a moment as cursors write it, which sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
