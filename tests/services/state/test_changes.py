"""The comparison of values: numbers of metadata by value, and never a number with a Boolean."""

from typing import Any

import pytest

from app.services.state.changes import is_equal


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1.0, 1, True),
        (-0.0, 0, True),
        (2**53 + 1, float(2**53), False),
        (1, 1.5, False),
        (1, True, False),
        (0.0, False, False),
        (True, True, True),
        (1, "1", False),
        (None, 0, False),
    ],
)
def test_numbers_of_metadata_are_compared_by_value_at_each_depth(before: Any, after: Any, expected: bool) -> None:
    for first, second in ((before, after), ([0, {"c": before}], [0, {"c": after}])):
        assert is_equal("metadata", {"a": first, "d": {}}, {"d": {}, "a": second}) is expected
        assert is_equal("metadata", {"a": second, "d": {}}, {"d": {}, "a": first}) is expected
    assert not is_equal("metadata", {"a": [before]}, {"a": [before, after]})
    assert not is_equal("metadata", {"a": before}, {"a": before, "b": after})
