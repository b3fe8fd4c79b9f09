"""Text form of API tokens: a prefix that secret scanners find, random letters, a checksum against typos, a hash."""

import hashlib
import re
import secrets
import zlib
from string import ascii_lowercase, ascii_uppercase, digits

PREFIX = "ost_"
PREFIX_LENGTH = len(PREFIX) + 6
"""Characters of a token that lists show, so that its owner recognizes it: six of the 43 random letters."""

ALPHABET = digits + ascii_uppercase + ascii_lowercase
RANDOM_BITS = 256
RANDOM_LETTERS = 43
CHECKSUM_LETTERS = 6

_FORM = re.compile(rf"{PREFIX}([0-9A-Za-z]{{{RANDOM_LETTERS}}})([0-9A-Za-z]{{{CHECKSUM_LETTERS}}})")


def generate() -> str:
    """Return a new token: the prefix, 256 random bits, and their checksum."""
    letters = _encode(secrets.randbits(RANDOM_BITS), RANDOM_LETTERS)
    return f"{PREFIX}{letters}{_checksum(letters)}"


def has_prefix(text: str) -> bool:
    """Return whether a text claims to be an API token, valid or not."""
    return text.startswith(PREFIX)


def is_valid(text: str) -> bool:
    """Return whether a text has the form and the checksum of a token. Others are refused without a database query."""
    match = _FORM.fullmatch(text)
    return match is not None and _checksum(match[1]) == match[2]


def digest(token: str) -> str:
    """Return the SHA-256 of a token, which is all that the database stores.

    A fast hash suffices: a slow hash protects secrets that can be guessed, and 256 random bits cannot.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def prefix(token: str) -> str:
    """Return the first characters of a token, for lists."""
    return token[:PREFIX_LENGTH]


def _checksum(letters: str) -> str:
    return _encode(zlib.crc32(letters.encode()), CHECKSUM_LETTERS)


def _encode(number: int, length: int) -> str:
    text = ""
    for _ in range(length):
        number, index = divmod(number, len(ALPHABET))
        text = ALPHABET[index] + text
    return text
