"""Limits on the number of values in parsed JSON, checked before slower validation."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.errors import TooComplex
from app.observability import counters

LIMIT = "variable_values"
"""Name of the limit in the settings, in the error and in the metric."""

counters.declare("ostiary_limits_exceeded_total", limit=[LIMIT])


def require_few_values(values: Mapping[str, Any], most: int, size: int) -> None:
    """Raise TooComplex for more values than `most`, nested ones included.

    `size` is the length of the JSON text. Every value takes at least two characters, so a short text is not counted.
    """
    if size > 2 * most and (number := number_of_values(values, most)) > most:
        raise _excess(most, number, "")


def require_few_uses(values: Mapping[str, Any], uses: Mapping[str, int], most: int, size: int) -> None:
    """Raise TooComplex for variables with more values than `most`, where a variable counts at each of its uses.

    `uses` has the occurrences of each name in the operation, including its definition. A JSON text of the length `size`
    that is too short for so many values, used as often as the most used variable, is not counted.
    """
    factors = {name: max(1, uses.get(name, 0) - 1) for name in values}
    if size * max(factors.values(), default=0) <= 2 * most:
        return
    number = sum((1 + number_of_values(each, most)) * factors[name] for name, each in values.items())
    if number > most:
        raise _excess(most, number, ", counted wherever they are used")


def number_of_values(value: Any, most: int) -> int:
    """Return the number of nested values in a value. The count stops after the level that exceeds `most`."""
    number, level = 0, list[Any]([value] if isinstance(value, dict | list) else [])
    while level and number <= most:
        number += sum(map(len, level))
        level = [child for each in level for child in containers(each)]
    return number


def containers(value: Any) -> Sequence[Any]:
    """Return the dicts and lists with members that are directly in a dict or list.

    Most lists have none, which a pass in C finds out.
    """
    items = value.values() if isinstance(value, dict) else value
    if _CONTAINERS.isdisjoint(map(type, items)):
        return ()
    return [item for item in items if item and type(item) in _CONTAINERS]


_CONTAINERS = frozenset({dict, list})


def _excess(most: int, number: int, suffix: str) -> TooComplex:
    counters.increment("ostiary_limits_exceeded_total", limit=LIMIT)
    message = f"There are too many values: {LIMIT} may be {most:,} at most, but here it is {number:,} or more{suffix}."
    return TooComplex(message, LIMIT, most, number)
