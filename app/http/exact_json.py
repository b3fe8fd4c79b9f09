"""A check of JSON texts for what parsing changes: numbers that are rounded, and names that an object repeats.

orjson reads a larger integer as a float, and keeps the last of repeated names. This check costs more than parsing, so
only texts with documents are checked, which are stored as they are.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf, isinf
from typing import Any

from app.config import RequestLimits
from app.http.value_limits import LIMIT, limit_exceeded
from app.observability import counters

MIN_INTEGER, MAX_INTEGER = -(2**63), 2**64 - 1
"""Range of integers that are stored exactly."""

MAX_DIGITS = 20
"""Most characters of an integer with its sign. Longer ones are slow to parse."""

MAX_FLOAT_CHARACTERS = 400
"""Most characters of a number with a fraction or an exponent."""

MAX_EXACT_CHARACTERS = 16
"""Characters of a number, with its point, that has no more digits than a float keeps: 15."""

SMALLEST_OF_ALL_DIGITS = 1e-290
"""A float below which 64 bits keep fewer digits."""

MAX_SHORTEST_CHARACTERS = 24
"""Most characters of the shortest text of a float, such as -1.2345678901234567e-300."""

MAX_UNUSUAL_NUMBERS = 5_000
"""Most long numbers of one text that are not in the shortest form. To check one takes microseconds.

A document of 64 KiB has fewer.
"""

UNUSUAL = "unusual_numbers"
"""Name of the limit in the error and in the metric."""

MAX_VALUES = RequestLimits().variable_values

OTHER_VALUES = 100
"""Values of a text beside its variables."""

counters.declare("ostiary_limits_exceeded_total", limit=[UNUSUAL])

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that parsing changes: its path in the text, and the reason."""

    path: Path
    reason: str


@dataclass(slots=True, eq=False)  # not frozen, which would triple the time of its creation
class RequestJson:
    """A JSON text and its value.

    It `is_flat` if its parameters and its variables repeat no name and have no objects, or if it `is_exact`. It
    `is_exact` if parsing has certainly changed nothing; False says nothing.
    """

    text: bytes
    value: Any
    is_flat: bool = False
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class _InexactNumber:
    """Stands for a number that parsing changes, and says why."""

    reason: str


class _RepeatingObject(dict[str, Any]):
    """An object that repeats names, with all of its names."""

    names: Sequence[str] = ()


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


def find_problems(text: bytes, max_values: int = MAX_VALUES) -> Iterator[Problem]:
    """Yield the problems of a valid JSON text.

    Raises TooComplex for more numbers than `max_values` and for more members, those below repeated names
    included, which parsing hides.
    """
    hooks = _ParserHooks(max_values)
    value = json.loads(
        text, object_pairs_hook=hooks.read_object, parse_int=hooks.read_integer, parse_float=hooks.read_float
    )
    if hooks.has_problems:  # nearly no text has any, and paths cost more than parsing
        yield from _problems(value)


def path_text(path: Sequence[str | int]) -> str:
    """Return a path like `users[37].email`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _problems(value: Any) -> Iterator[Problem]:
    """Yield the problems of a value that was read by a `_ParserHooks`, in the order of its text."""
    waiting: list[tuple[Path, Iterator[Any]]] = [((), iter([("", value)]))]
    while waiting:
        path, items = waiting[-1]
        for key, each in items:
            if type(each) is _InexactNumber:
                yield Problem((*path, key)[1:], each.reason)
            elif each and isinstance(each, list | dict):
                waiting.append(((*path, key), _items(each)))
                if type(each) is _RepeatingObject:
                    yield from _repeated(each, (*path, key)[1:])
                break
        else:
            waiting.pop()


def _items(value: Any) -> Iterator[Any]:
    """Return the pairs of key and value of an object or a list."""
    return iter(value.items()) if isinstance(value, dict) else enumerate(value)


def _repeated(value: _RepeatingObject, path: Path) -> Iterator[Problem]:
    for name, number in Counter(value.names).items():
        if number > 1:
            yield Problem((*path, name), "is in its object more than once.")


class _ParserHooks:
    """Functions for the parser that keep repeated names, and mark the numbers that parsing changes."""

    __slots__ = ("_max_values", "has_problems", "members", "numbers", "unusual")

    def __init__(self, max_values: int) -> None:
        self.has_problems = False
        self.members = self.numbers = self.unusual = 0
        self._max_values = max_values + OTHER_VALUES

    def read_object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Return an object with the last value of each name."""
        self.members += len(pairs)
        if self.members > self._max_values:
            raise limit_exceeded(LIMIT, self._max_values, self.members)
        value = dict(pairs)
        if len(value) == len(pairs):
            return value
        self.has_problems, repeats = True, _RepeatingObject(value)
        repeats.names = [name for name, _ in pairs]
        return repeats

    def read_integer(self, digits: str) -> Any:
        """Return a number, or a mark."""
        self._count_number()
        if len(digits) < MAX_EXACT_CHARACTERS or is_exact_integer(digits):
            return 0
        return self._mark("is an integer of more than 64 bits.")

    def read_float(self, text: str) -> Any:
        """Return a number, or a mark."""
        self._count_number()
        if is_surely_exact(text):
            return 0.0
        self.unusual += 1
        if self.unusual > MAX_UNUSUAL_NUMBERS:
            raise limit_exceeded(
                UNUSUAL, MAX_UNUSUAL_NUMBERS, self.unusual, "long numbers that are not in the shortest form"
            )
        return 0.0 if is_exact(text) else self._mark("is a number with more digits than 64 bits keep.")

    def _count_number(self) -> None:
        self.numbers += 1
        if self.numbers > self._max_values:
            raise limit_exceeded(LIMIT, self._max_values, self.numbers)

    def _mark(self, reason: str) -> _InexactNumber:
        self.has_problems = True
        return _InexactNumber(reason)


def is_exact_integer(digits: str) -> bool:
    """Return whether an integer is stored as it is written."""
    return len(digits) <= MAX_DIGITS and MIN_INTEGER <= int(digits) <= MAX_INTEGER


def is_surely_exact(text: str) -> bool:
    """Return True if a number is stored as it is written; far cheaper than `is_exact`. False says nothing.

    Numbers of 15 digits are exact unless they are extremely small, and so is the shortest text of a float.
    """
    if len(text) <= MAX_EXACT_CHARACTERS:
        return not ("e" in text or "E" in text) or SMALLEST_OF_ALL_DIGITS < abs(float(text)) < inf
    return len(text) <= MAX_SHORTEST_CHARACTERS and repr(float(text)) == text


def is_exact(text: str) -> bool:
    """Return whether a number is stored as it is written: as the shortest text of a float, or with 17 digits."""
    if len(text) > MAX_FLOAT_CHARACTERS or isinf(number := float(text)):
        return False
    return Decimal(text) in (Decimal(repr(number)), Decimal(f"{number:.17g}"))
