"""Counts the values of parsed JSON, before anything slower looks at them."""

from collections.abc import Mapping
from typing import Any

from app.domain.errors import TooComplex
from app.observability import counters

LIMIT = "variable_values"
"""The name of the limit, in the settings, the refusal and the counter."""


def require_few_values(values: Mapping[str, Any], most: int, size: int) -> None:
    """Refuse more values than `most`, nested ones included; raises TooComplex.

    `size` is the length of the JSON text: every value takes two characters of it at least, so that a short text needs
    no count.
    """
    if size > 2 * most and (number := number_of_values(values, most)) > most:
        raise _excess(most, number, "")


def require_few_uses(values: Mapping[str, Any], uses: Mapping[str, int], most: int) -> None:
    """Refuse variables whose values are more than `most` where each counts wherever it is used; raises TooComplex.

    `uses` is how often each name stands in the operation, its definition among them.
    """
    number = sum((1 + number_of_values(each, most)) * max(1, uses.get(name, 0) - 1) for name, each in values.items())
    if number > most:
        raise _excess(most, number, ", counted wherever they are used")


def number_of_values(value: Any, most: int) -> int:
    """Return how many values are in a value; levels below the one that passes `most` are not counted any more."""
    number, level = 0, list[Any]([value] if isinstance(value, dict | list) else [])
    while level and number <= most:
        number += sum(map(len, level))
        level = [child for each in level for child in _items(each) if type(child) is dict or type(child) is list]
    return number


def _items(container: Any) -> Any:
    return container.values() if isinstance(container, dict) else container


def _excess(most: int, number: int, how: str) -> TooComplex:
    counters.increment("ostiary_limits_exceeded_total", limit=LIMIT)
    message = f"There are too many values: {LIMIT} may be {most:,} at most, but here it is {number:,} or more{how}."
    return TooComplex(message, LIMIT, most, number)
