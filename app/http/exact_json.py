"""A check of JSON texts for what parsing changes: numbers that are rounded, and names that an object repeats.

orjson reads a larger integer as a float, and keeps the last of repeated names. This check costs more than parsing, so
only texts with documents are checked, which are stored as they are.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isinf
from typing import Any

MIN_INTEGER, MAX_INTEGER = -(2**63), 2**64 - 1
"""Range of integers that are stored exactly."""

MAX_DIGITS = 20
"""Most characters of an integer with its sign. Longer ones are slow to parse."""

MAX_FLOAT_CHARACTERS = 400
"""Most characters of a number with a fraction or an exponent."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that parsing changes: its path in the text, and the reason."""

    path: Path
    reason: str


@dataclass(slots=True, eq=False)  # not frozen, which would triple the time of its creation
class SentJson:
    """A JSON text and its value.

    It `is_flat` if its parameters and its variables repeat no name and have no objects, or if it `is_exact`. It
    `is_exact` if parsing has certainly changed nothing; False says nothing.
    """

    text: bytes
    value: Any
    is_flat: bool = False
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class _Changed:
    """Stands for a number that parsing changes."""

    reason: str


class _Object(dict[str, Any]):
    """An object with the names that it repeats."""

    repeated: Sequence[str] = ()


_ESCAPED_ASCII = rb"\u00"
"""Begins an escape by which a text can write a name in another way."""


def quote_names(names: Iterable[str]) -> list[bytes]:
    """Return names as a JSON text writes them, for `may_repeat`."""
    return [f'"{name}"'.encode() for name in names]


def may_repeat(text: bytes, quoted: Iterable[bytes]) -> bool:
    """Return False if no object of the text can have one of these names twice; far cheaper than `find_problems`."""
    return _has_escaped_ascii(text) or any(text.count(name) > 1 for name in quoted)


def has_members(text: bytes, number: int, colons: int) -> bool:
    """Return whether the objects of a text have `number` members in all and repeat no name; cheaper than `may_repeat`.

    `number` counts the members that parsing has kept, and `colons` those inside of some of its strings. Each member
    that the text has takes one colon more, so a larger number of colons says nothing: a string may contain the others.
    """
    return text.count(b":") == number + colons and not _has_escaped_ascii(text)


def is_unchanged(text: bytes, value: Any) -> bool:
    """Return True if parsing a text has changed nothing; far cheaper than `find_problems`.

    False says nothing: the text has a number with a fraction or more than 64 bits, or an escape or a colon in a name.
    """
    members = colons = 0
    parts = [value]
    while parts:
        part = parts.pop()
        kind = type(part)
        if kind is str:
            colons += part.count(":")
        elif kind is dict:
            members += len(part)
            parts += part.values()
        elif kind is list:
            parts += part
        elif kind is float:
            return False
    return has_members(text, members, colons)


def _has_escaped_ascii(text: bytes) -> bool:
    return b"\\" in text and _ESCAPED_ASCII in text


def find_problems(text: bytes) -> Iterator[Problem]:
    """Yield the problems of a valid JSON text."""
    value = json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_float=_float)
    yield from _problems(value, ())


def path_text(path: Sequence[str | int]) -> str:
    """Return a path like `users[37].email`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _problems(value: Any, path: Path) -> Iterator[Problem]:
    if isinstance(value, _Changed):
        yield Problem(path, value.reason)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _problems(each, (*path, index))
    elif isinstance(value, _Object):
        for name in value.repeated:
            yield Problem((*path, name), "is in its object more than once.")
        for name, each in value.items():
            yield from _problems(each, (*path, name))


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    value = _Object(pairs)
    if len(value) < len(pairs):
        value.repeated = [name for name, number in Counter(name for name, _ in pairs).items() if number > 1]
    return value


def _integer(digits: str) -> Any:
    return 0 if is_exact_integer(digits) else _Changed("is an integer of more than 64 bits.")


def _float(text: str) -> Any:
    return 0.0 if is_exact(text) else _Changed("is a number with more digits than 64 bits keep.")


def is_exact_integer(digits: str) -> bool:
    """Return whether an integer is stored as it is written."""
    return len(digits) <= MAX_DIGITS and MIN_INTEGER <= int(digits) <= MAX_INTEGER


def is_exact(text: str) -> bool:
    """Return whether a number is stored as it is written: as the shortest text of a float, or with 17 digits."""
    if len(text) > MAX_FLOAT_CHARACTERS or isinf(number := float(text)):
        return False
    return Decimal(text) in (Decimal(repr(number)), Decimal(f"{number:.17g}"))
