"""Claims about the check of JSON texts: it costs about as much as parsing, whatever a text consists of."""

import json
from collections.abc import Iterator
from itertools import islice

import pytest

from app.domain.errors import TooComplex
from app.http.exact_json import MAX_UNUSUAL_NUMBERS, MAX_VALUES, Problem, find_problems
from tests.support.effort import counted

LARGE = "18446744073709551616"
"""A number that parsing changes."""

NUMBER = 10_000
ITEMS = {
    "floats": ("0.1", 6),
    "floats of 16 characters": ("0.12345678901234", 6),
    "floats with an exponent": ("1E5", 6),
    "floats in the shortest form": ("0.1234567890123457", 6),
    "integers": ("12345", 6),
    "large integers": ("18446744073709551615", 6),
    "texts": ('"a"', 1),
    "objects": ("{}", 6),
    "objects with members": ('{"a":1}', 25),
    "objects that repeat a name": ('{"a":1,"a":1}', 35),
    "lists": ("[]", 1),
    "lists with items": ("[0]", 15),
}
"""Items of a list, with the most calls for one of them, and those of a walk to a problem behind them."""


def _text(items: list[str]) -> bytes:
    return f'{{"a":[{",".join(items)}]}}'.encode()


def _first(text: bytes, number: int = 50) -> list[Problem]:
    problems: Iterator[Problem] = find_problems(text)
    return list(islice(problems, number))


@pytest.mark.parametrize("name", ITEMS)
@pytest.mark.parametrize("last", ["1", LARGE])
def test_a_value_takes_few_calls(name: str, last: str) -> None:
    item, maximum = ITEMS[name]
    text = _text([item] * NUMBER + [last])

    with counted() as effort:
        problems = _first(text, 1)

    assert len(problems) == int(last == LARGE or "repeat" in name)
    assert effort.calls < maximum * NUMBER + 1_000


SLOW = ["0.10000000000000001", "1.2345678901234568E-5", "0.100000000000000010", "0e0000000000000000"]


@pytest.mark.parametrize("number", SLOW)
def test_numbers_that_are_slow_to_check_are_bounded(number: str) -> None:
    assert _first(_text([number] * MAX_UNUSUAL_NUMBERS)) == []

    with pytest.raises(TooComplex) as caught:
        _first(_text([number] * (MAX_UNUSUAL_NUMBERS + 1)))

    assert (caught.value.limit, caught.value.maximum) == ("unusual_numbers", MAX_UNUSUAL_NUMBERS)


HIDDEN = {
    "numbers": b'{"a":[%s],"a":1}' % b",".join([b"1"] * 400_000),
    "floats": b'{"a":[%s],"a":1}' % b",".join([b"0.5"] * 200_000),
    "members": b'{"a":{%s},"a":1}' % b",".join([b'"a":1'] * 150_000),
    "objects": b'{"a":[%s],"a":1}' % b",".join([b'{"b":1}'] * 100_000),
}
"""Values below a name that an object repeats, so that counting the parsed values does not find them."""


@pytest.mark.parametrize("name", HIDDEN)
def test_values_that_parsing_hides_are_counted(name: str) -> None:
    assert len(str(json.loads(HIDDEN[name]))) < 20

    with counted() as effort, pytest.raises(TooComplex) as caught:
        _first(HIDDEN[name])

    assert caught.value.limit == "variable_values"
    assert effort.calls < 12 * MAX_VALUES


@pytest.mark.parametrize("number", ["1e-300", "0.0", "-0.0", "5e-324", "1.7976931348623157e308", "123456789012345.0"])
def test_numbers_at_the_edges_are_exact(number: str) -> None:
    assert _first(_text([number])) == []


@pytest.mark.parametrize("number", ["1e-324", "1.2345678e-320", "1e309", "123456789012345678.0", "9007199254740993.0"])
def test_numbers_beyond_the_edges_are_problems(number: str) -> None:
    assert len(_first(_text([number]))) == 1
