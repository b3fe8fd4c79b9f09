"""Global ids: opaque text that names a type and a row. Reading and writing them is pure."""

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from app.domain.errors import BadInput

MAX_NODES = 100
MAX_ID = 2**60 - 1
"""Largest id that is read: the number of a subject holds an id and three bits more (`masks.subject`), in 64 bits."""

DIGITS = len(str(MAX_ID))

REMEMBERED = 32_768
"""Ids that need not be read again: whoever asks about rights names the same things over and over."""

LONGEST = 64
"""Characters that an id of ours has at most, by far."""


def encode(kind: str, key: int) -> str:
    """Write an id. Of letters and digits, base64 makes none of the signs that an URL has another use for."""
    return b2a_base64(f"{kind}:{key}".encode(), newline=False).decode().rstrip("=")


@cache
def encoder(kind: str) -> Callable[[int], str]:
    """A function that writes the ids of one type."""

    def write(key: int) -> str:
        return encode(kind, key)

    return write


def decode(text: str) -> tuple[str, int] | None:
    """Read an id; None for anything that is not one, a row number out of range too: both are simply not found."""
    return None if len(text) > LONGEST else _decoded(text)


@lru_cache(maxsize=REMEMBERED)
def _decoded(text: str) -> tuple[str, int] | None:
    try:
        kind, colon, key = a2b_base64(text + "=" * (-len(text) % 4)).decode().partition(":")
    except ValueError:
        return None
    if not (colon and key.isascii() and key.isdigit() and len(key) <= DIGITS and 0 < int(key) <= MAX_ID):
        return None
    return (kind, int(key)) if encode(kind, int(key)) == text else None


def key_of(kind: str, text: str) -> int | None:
    """The row number in an id of one type; None for another type's id, or none at all."""
    found = decode(text)
    return found[1] if found is not None and found[0] == kind else None


def keys_of(kind: str, texts: Sequence[str]) -> list[int]:
    """The same for many, without a call for each; 0, which is nobody's number, where there is none."""
    read = _decoded if max(map(len, texts), default=0) <= LONGEST else decode
    return [0 if found is None or found[0] != kind else found[1] for found in map(read, texts)]


def few(given: Sequence[str]) -> Sequence[str]:
    """The ids of a request; raises BadInput for more than a page."""
    if len(given) > MAX_NODES:
        raise BadInput(f"`ids` takes at most {MAX_NODES} ids, not {len(given)}.")
    return given
