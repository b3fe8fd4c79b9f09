"""Claims about JSON merge patches: the table of RFC 7396, and its algorithm for any values."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services import merge_patch

TABLE: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]
"""Target, patch and result: the examples of the appendix."""

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(("target", "patch", "expected"), TABLE)
def test_the_examples_of_the_rfc_hold(target: Any, patch: Any, expected: Any) -> None:
    assert merge_patch.apply(target, patch) == expected


def _by_the_rfc(target: Any, patch: Any) -> Any:
    """Return what the recursive algorithm of section 2 returns."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _by_the_rfc(result.get(name), value)
    return result


@given(VALUES, VALUES)
def test_any_patch_follows_the_algorithm_and_changes_neither_argument(target: Any, patch: Any) -> None:
    before = deepcopy((target, patch))

    result = merge_patch.apply(target, patch)

    assert repr(result) == repr(_by_the_rfc(target, patch)), "also the order of members"
    assert (target, patch) == before


@given(VALUES, VALUES)
def test_a_patch_that_was_applied_changes_nothing_more(target: Any, patch: Any) -> None:
    once = merge_patch.apply(target, patch)

    assert merge_patch.apply(once, patch) == once


def test_depth_has_no_limit() -> None:
    patch: Any = 1
    for _ in range(100_000):
        patch = {"a": patch}

    result, depth = merge_patch.apply({"b": 1}, patch), 0
    while isinstance(result, dict):
        result, depth = result["a"], depth + 1
    assert (result, depth) == (1, 100_000)
