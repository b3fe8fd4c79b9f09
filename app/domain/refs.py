"""References to rows: global ids, which are opaque text made of a type and a row number, and `RowRef`."""

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from app.domain.errors import BadInput

RowRef = tuple[str, Any]
"""A row as an input names it: a unique attribute (`id`, `slug`, `userName`, …) and its value."""

MAX_NODES = 100
MAX_ID = 2**60 - 1
"""Largest id that is accepted: the id of a subject adds three bits (`resource_roles.subject_id`), in 64 bits."""

MAX_DIGITS = len(str(MAX_ID))

CACHE_SIZE = 32_768
"""Decoded ids in the cache: requests about access name the same objects again and again."""

MAX_CHARACTERS = 64
"""Upper bound of the length of a valid id."""


def encode(kind: str, key: int) -> str:
    """Return a global id. The base64 of letters, digits and a colon needs no escape in a URL."""
    return b2a_base64(f"{kind}:{key}".encode(), newline=False).decode().rstrip("=")


ENCODED_IDS = 8_192
"""Encoded ids of one type in the cache: lists show the same rows again and again."""


@cache
def encoder(kind: str) -> Callable[[int], str]:
    """Return a function that encodes the ids of one type."""

    @lru_cache(ENCODED_IDS)
    def encode_key(key: int) -> str:
        return encode(kind, key)

    return encode_key


def decode(text: str) -> tuple[str, int] | None:
    """Return the type and the row number of an id, or None for an invalid id or a number out of range."""
    return None if len(text) > MAX_CHARACTERS else _decode(text)


@lru_cache(maxsize=CACHE_SIZE)
def _decode(text: str) -> tuple[str, int] | None:
    try:
        kind, colon, key = a2b_base64(text + "=" * (-len(text) % 4)).decode().partition(":")
    except ValueError:
        return None
    if not (colon and key.isascii() and key.isdigit() and len(key) <= MAX_DIGITS and 0 < int(key) <= MAX_ID):
        return None
    return (kind, int(key)) if encode(kind, int(key)) == text else None


def key_of(kind: str, text: str) -> int | None:
    """Return the row number in an id of one type, or None for an invalid id or an id of another type."""
    decoded = decode(text)
    return decoded[1] if decoded is not None and decoded[0] == kind else None


@cache
def _decoded_keys(kind: str) -> dict[str, int]:
    """Return the row numbers by id that `keys_of` has decoded for a type."""
    return {}


def keys_of(kind: str, texts: Sequence[str]) -> list[int]:
    """Return the row number of each id, with 0 (never a row number) where `key_of` returns None.

    Ids that were decoded before take one lookup, without a Python call for each.
    """
    decoded = _decoded_keys(kind)
    keys: list[Any] = [*map(decoded.get, texts)]
    if None in keys:
        new = [text for text, key in zip(texts, keys, strict=True) if key is None]
        new_keys = _decode_valid(kind, new) or [key_of(kind, text) or 0 for text in new]
        following = iter(new_keys)
        keys = [next(following) if key is None else key for key in keys]
        if len(decoded) + len(new) > CACHE_SIZE:
            decoded.clear()
        decoded.update((text, key) for text, key in zip(new, new_keys, strict=True) if key)
    return keys


def _decode_valid(kind: str, texts: Sequence[str]) -> list[int] | None:
    """Return the row numbers of ids that are all valid and of one type, else None.

    Each step is one call for all ids. Together they accept just what `key_of` accepts: the texts that encoding the row
    numbers returns.
    """
    try:
        raw = [*map(a2b_base64, [text + "==" for text in texts])]
        before, *digits = b"\n".join([b"", *raw]).decode().split(f"\n{kind}:")
        keys = [*map(int, digits)]
    except ValueError:
        return None
    if before or len(keys) != len(texts) or [*map(str, keys)] != digits or min(keys) <= 0 or max(keys) > MAX_ID:
        return None
    encoded = b"".join(map(b2a_base64, raw)).replace(b"=", b"").decode()
    return keys if encoded.split("\n")[:-1] == [*texts] else None


def check_count(ids: Sequence[str]) -> Sequence[str]:
    """Return the ids of a request unchanged; raise BadInput for more than MAX_NODES."""
    if len(ids) > MAX_NODES:
        raise BadInput(f"`ids` takes at most {MAX_NODES} ids, not {len(ids)}.", "ids")
    return ids
