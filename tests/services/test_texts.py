"""Messages about descriptions and reasons name what is wrong with the value, and nothing else."""

from collections.abc import Callable, Iterator

import pytest

from app.domain.errors import Problem
from app.services.validation import description_problems, reason_problems


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (description_problems, "x" * 1_001, "A description must have at most 1,000 characters."),
        (description_problems, "a\0b", "A description must not contain a NUL character. Remove it."),
        (reason_problems, "", "A reason must have 1 to 1,000 characters."),
        (reason_problems, " \n ", "A reason must have 1 to 1,000 characters."),
        (reason_problems, "x" * 1_001, "A reason must have 1 to 1,000 characters."),
        (reason_problems, "a\0b", "A reason must not contain a NUL character. Remove it."),
    ],
)
def test_a_message_says_what_is_wrong(check: Callable[[str], Iterator[Problem]], value: str, message: str) -> None:
    assert [problem.message for problem in check(value)] == [message]


def test_spaces_at_the_ends_of_a_reason_do_not_count() -> None:
    assert [*reason_problems(f" {'x' * 1_000} ")] == []
