"""A batch of ids is decoded like each id by itself."""

from binascii import b2a_base64
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import refs

KINDS = ("User", "Resource", "Org", "")


def _write(text: str) -> str:
    return b2a_base64(text.encode(), newline=False).decode().rstrip("=")


_valid = st.builds(refs.encode, st.sampled_from(KINDS[:2]), st.integers(1, refs.MAX_ID))
_numbers = st.sampled_from(
    ("0", "-1", "+1", "01", "1_0", " 1", "1 ", "", "x", "\u0661", "1\nUser:2", str(refs.MAX_ID + 1))
)
_nearly = st.builds(lambda kind, number: _write(f"{kind}:{number}"), st.sampled_from(KINDS), _numbers | st.text())
_changed = st.builds(lambda text, tail: text + tail, _valid, st.sampled_from(("=", "==", "\n", " ", "A", "é", "*")))
_texts = _valid | _nearly | _changed | st.text() | st.sampled_from(("", "\n", "=", "9" * 10_000))


@pytest.fixture(autouse=True)
def _empty_caches() -> Iterator[None]:
    refs._decoded_keys.cache_clear()
    yield
    refs._decoded_keys.cache_clear()


@given(st.sampled_from(KINDS[:2]), st.lists(_valid, min_size=1), st.lists(_texts))
def test_a_batch_equals_its_ids_one_by_one(kind: str, valid: list[str], texts: list[str]) -> None:
    refs._decoded_keys.cache_clear()
    of_kind = [text for text in valid if refs.key_of(kind, text)]
    for batch in (of_kind, [*of_kind, *texts], [*texts, *of_kind, *texts], texts):
        assert refs.keys_of(kind, batch) == [refs.key_of(kind, text) or 0 for text in batch]


@given(st.sampled_from(KINDS[:2]), st.lists(_texts, min_size=1))
def test_ids_that_are_decoded_together_are_all_valid(kind: str, texts: list[str]) -> None:
    keys = refs._decode_valid(kind, texts)

    assert keys in (None, [refs.key_of(kind, text) for text in texts])


def test_valid_ids_are_decoded_together() -> None:
    keys = [1, 9, 10, 2**31, refs.MAX_ID, 1]

    assert refs._decode_valid("User", [refs.encode("User", key) for key in keys]) == keys
    assert refs._decode_valid("Resource", [refs.encode("User", 1)]) is None
