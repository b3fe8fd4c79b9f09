"""Keyed digests of inputs, which may contain passwords: without the server's secret they cannot be guessed."""

import hmac

from app.security import keys

PURPOSE = b"ostiary: HMAC key of stored inputs, 1"
"""Input of the key derivation, so that each key derived from the secret is different."""


class InputDigest:
    """Digests of texts with a key that is derived from the server's secret."""

    def __init__(self, secret: bytes) -> None:
        self._key = keys.derive(secret, PURPOSE)

    def digest(self, text: bytes) -> str:
        """Return the digest of a text as 64 hexadecimal digits."""
        return hmac.digest(self._key, text, "sha256").hex()
