"""Claims about URL-encoded fields: they are those of the standard library, and escapes cost no calls."""

from random import Random
from urllib.parse import parse_qsl

import pytest

from app.http.urlencoded import TooManyFields, parse_fields
from tests.support.effort import counted

PIECES = [
    "a",
    "=",
    "&",
    "+",
    "%",
    "%4",
    "%41",
    "%c3%BC",
    "%E2",
    "ü",
    "\r\n",
    "\t ",
    "_",
    "%3D",
    "%26",
    "%00",
    "=\n",
    "%\n",
]
"""What a field may consist of, and what the form of escapes that C reads treats in another way."""

MOST = 50


def _read(text: str) -> list[tuple[str, str]] | None:
    try:
        return parse_fields(text.encode(), MOST)
    except ValueError:
        return None


def _read_by_the_library(text: str) -> list[tuple[str, str]] | None:
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST)
    except ValueError:
        return None


def test_the_fields_are_those_of_the_standard_library() -> None:
    random = Random(31)
    for length in range(1, 3_000):
        text = "".join(random.choices(PIECES, k=length % 40))
        assert _read(text) == _read_by_the_library(text), text


def test_too_many_fields_are_refused_before_they_are_parsed() -> None:
    assert len(parse_fields(b"&".join([b"a=b"] * MOST), MOST)) == MOST
    for text in (b"&" * MOST, b"a=b&" * 200_000):
        with counted() as effort, pytest.raises(TooManyFields):
            parse_fields(text, MOST)
        assert effort.calls < 50


@pytest.mark.parametrize("escape", [b"%", b"%2", b"%41", b"%zz", b"%c3%bc", b"%3D"])
def test_escapes_cost_no_calls(escape: bytes) -> None:
    with counted() as effort:
        parse_fields(b"a=" + escape * 20_000, MOST)

    assert effort.calls < 50
