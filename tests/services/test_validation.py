"""Claims about the validation errors of every service."""

import pytest

from app.domain.errors import InvalidInput, Problems
from app.services import validation


def test_problems_are_raised_together_and_none_raises_nothing() -> None:
    problems = [InvalidInput("One.", ("a",)), InvalidInput("Two.", ("b",))]
    validation.raise_problems([])

    with pytest.raises(Problems) as raised:
        validation.raise_problems(problems)

    assert list(raised.value.problems) == problems


def test_a_duplicate_is_each_item_but_the_first_of_its_key_and_an_item_without_a_key_is_none() -> None:
    values = ["a", "B", "A", "-", "b", "-", "a"]

    duplicates = validation.duplicates(
        enumerate(values), key=lambda each: None if each[1] == "-" else each[1].casefold()
    )

    assert list(duplicates) == [(2, "A"), (4, "b"), (6, "a")]
