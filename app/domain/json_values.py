"""JSON values: bytes that do not depend on the order of names, and whether two values are the same."""

from typing import Any

import orjson

_COMPARABLE = frozenset({str, int, bool})
"""Types of which two values are equal only if their JSON is."""


def sorted_json(value: Any) -> bytes:
    """Return a value as JSON with sorted names; raises orjson.JSONEncodeError for one too deep or a number too big."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def is_same_json(value: Any, other: Any) -> bool:
    """Return whether two values are the same JSON; raises as `sorted_json`. In Python 1 equals true and 1.0."""
    if type(value) is type(other) and type(value) in _COMPARABLE:
        return bool(value == other)
    return sorted_json(value) == sorted_json(other)
