"""Two values are the same if their JSON is: the order of names does not count, and the kind of a number does."""

from typing import Any

import orjson
import pytest

from app.domain.json_values import is_same_json, sorted_json

SAME: list[tuple[Any, Any]] = [
    ({"a": 1, "b": [True, None]}, {"b": [True, None], "a": 1}),
    ([{"b": 1, "a": 2}], [{"a": 2, "b": 1}]),
    ("a", "a"),
    (None, None),
]
DIFFERENT: list[tuple[Any, Any]] = [
    (1, True),
    (1, 1.0),
    ({"a": 0}, {"a": False}),
    ([1.0], [1]),
    ([1, 2], [2, 1]),
    ("1", 1),
    (None, False),
    ({"a": None}, {}),
]


@pytest.mark.parametrize("pair", SAME)
def test_the_order_of_names_does_not_count(pair: tuple[Any, Any]) -> None:
    assert is_same_json(*pair)
    assert sorted_json(pair[0]) == sorted_json(pair[1])


@pytest.mark.parametrize("pair", DIFFERENT)
def test_values_that_python_takes_as_equal_differ(pair: tuple[Any, Any]) -> None:
    assert not is_same_json(*pair)
    assert not is_same_json(*reversed(pair))


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(orjson.JSONEncodeError):
        is_same_json({"a": 2**70}, {"a": 2**70})
