"""Claims about numbers with their nouns."""

import pytest

from app.domain.quantities import format_count


@pytest.mark.parametrize(
    ("number", "nouns", "text"),
    [
        (0, ("seal",), "0 seals"),
        (1, ("seal",), "1 seal"),
        (1200, ("seal",), "1,200 seals"),
        (1, ("member of an org", "members of orgs"), "1 member of an org"),
        (2, ("member of an org", "members of orgs"), "2 members of orgs"),
    ],
)
def test_a_noun_is_singular_for_one_alone(number: int, nouns: tuple[str, ...], text: str) -> None:
    assert format_count(number, *nouns) == text
