"""How API tokens are written, so that people, typos and scanners can tell them, and how they are kept."""

import hashlib
import re
import secrets
import zlib
from string import ascii_lowercase, ascii_uppercase, digits

PREFIX = "ost_"
PREFIX_LENGTH = len(PREFIX) + 6
"""How much of a token lists show, so that its owner knows it again: of 43 letters, six."""

ALPHABET = digits + ascii_uppercase + ascii_lowercase
CHANCE_BITS = 256
CHANCE_LETTERS = 43
CHECK_LETTERS = 6

_FORM = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{CHANCE_LETTERS}}})([0-9A-Za-z]{{{CHECK_LETTERS}}})")


def generate() -> str:
    """A new token: the prefix, 256 bits of chance, and a checksum of them."""
    chance = _encode(secrets.randbits(CHANCE_BITS), CHANCE_LETTERS)
    return f"{PREFIX}{chance}{_checksum(chance)}"


def has_prefix(text: str) -> bool:
    """Whether a text claims to be an API token, right or wrong."""
    return text.startswith(PREFIX)


def is_valid(text: str) -> bool:
    """Whether a text has the form of a token and its own checksum: any other is refused without asking the database."""
    found = _FORM.fullmatch(text)
    return found is not None and _checksum(found[1]) == found[2]


def digest(token: str) -> str:
    """What is stored of a token.

    A plain hash is enough: slow ones make guessing dear where there is little to guess, and nobody guesses 256 bits.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def prefix(token: str) -> str:
    """What lists show of a token."""
    return token[:PREFIX_LENGTH]


def _checksum(chance: str) -> str:
    return _encode(zlib.crc32(chance.encode()), CHECK_LETTERS)


def _encode(number: int, letters: int) -> str:
    text = ""
    for _ in range(letters):
        number, at = divmod(number, len(ALPHABET))
        text = ALPHABET[at] + text
    return text
