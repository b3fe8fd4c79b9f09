"""Limits on the number of values in parsed JSON, checked before slower validation."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from app.domain.errors import TooComplex
from app.observability import counters

ONE_USE = 2
"""Occurrences of a variable that is used once: its definition and its use."""

LIMIT = "variable_values"
"""Name of the limit in the settings, in the error and in the metric."""

counters.declare("ostiary_limits_exceeded_total", limit=[LIMIT])


def require_few_values(values: Mapping[str, Any], maximum: int, size: int) -> None:
    """Raise TooComplex for more values than `maximum`, nested ones included.

    `size` is the length of the JSON text. Every value takes at least two characters, so a short text is not counted.
    """
    if size > 2 * maximum and (number := number_of_values(values, maximum)) > maximum:
        raise limit_exceeded(LIMIT, maximum, number)


def require_few_uses(values: Mapping[str, Any], uses: Mapping[str, int], maximum: int, size: int) -> None:
    """Raise TooComplex for variables with more values than `maximum`, where a variable counts at each of its uses.

    `uses` has the occurrences of each name in the operation, including its definition. A JSON text of the length `size`
    that is too short for so many values, used as often as the most used variable, is not counted. Values that are used
    once at most are those that `require_few_values` counts.
    """
    repeats = {name: uses[name] - ONE_USE for name in uses.keys() & values.keys() if uses[name] > ONE_USE}
    if not repeats or size * (1 + max(repeats.values())) <= 2 * maximum:
        return
    number = number_of_values(values, maximum)
    number += sum((1 + number_of_values(values[name], maximum)) * repeat for name, repeat in repeats.items())
    if number > maximum:
        raise limit_exceeded(LIMIT, maximum, number, suffix=", counted wherever they are used")


def number_of_values(value: Any, maximum: int) -> int:
    """Return the number of nested values in a value. The count stops after the level that exceeds `maximum`."""
    number, level = 0, containers([value])
    while level and number <= maximum:
        number += sum(map(len, level))
        level = members(level)
    return number


def members(level: Iterable[Any]) -> list[Any]:
    """Return the dicts and lists with members that are directly in one of these."""
    return containers(list(chain.from_iterable(each.values() if type(each) is dict else each for each in level)))


def containers(items: list[Any]) -> list[Any]:
    """Return the dicts and lists with members among some values. Most have none, which a pass in C finds out."""
    if _CONTAINERS.isdisjoint(map(type, items)):
        return []
    return [item for item in items if item and type(item) in _CONTAINERS]


_CONTAINERS = frozenset({dict, list})


def limit_exceeded(limit: str, maximum: int, number: int, subject: str = "values", suffix: str = "") -> TooComplex:
    """Return the error of a limit on what a JSON text may contain, and count it."""
    counters.increment("ostiary_limits_exceeded_total", limit=limit)
    message = (
        f"There are too many {subject}: {limit} may be {maximum:,} at most, but here it is {number:,} or more{suffix}."
    )
    return TooComplex(message, limit, maximum, number)
