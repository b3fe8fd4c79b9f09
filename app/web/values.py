"""Counts the values of parsed JSON, before anything slower looks at them."""

from collections.abc import Mapping
from typing import Any

from app.errors import TooComplex
from app.telemetry import counters

LIMIT = "variable_values"
"""The name of the limit, in the settings, the refusal and the counter."""


def require_few_values(values: Mapping[str, Any], most: int, size: int) -> None:
    """Refuse more values than `most`, nested ones included; raises TooComplex.

    `size` is the length of the JSON text: every value takes two characters of it at least, so that a short text needs
    no count. Containers are counted level by level, and the levels below the first one that passes the limit are not.
    """
    if size <= 2 * most:
        return
    number, level = 0, list[Any]([values])
    while level:
        number += sum(map(len, level))
        if number > most:
            raise _excess(most, number)
        level = [child for each in level for child in _items(each) if type(child) is dict or type(child) is list]


def _items(container: Any) -> Any:
    return container.values() if isinstance(container, Mapping) else container


def _excess(most: int, number: int) -> TooComplex:
    counters.increment("ostiary_limits_exceeded_total", limit=LIMIT)
    message = f"There are too many values: {LIMIT} may be {most:,} at most, but here it is {number:,} or more."
    return TooComplex(message, LIMIT, most, number)
