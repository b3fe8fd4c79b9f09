"""The key that signs the seals of the audit log, derived from the server's secret."""

import hashlib
import hmac

from app.security import keys

PURPOSE = b"ostiary: HMAC key of audit seals, 1"
"""Input of the key derivation, so that each key derived from the secret is different."""

ID_DIGITS = 16


class SealKey:
    """A key that signs texts. `id` names it without revealing it, so that a signature names its key."""

    def __init__(self, secret: bytes) -> None:
        self._key = keys.derive(secret, PURPOSE)
        self.id = hashlib.sha256(self._key).hexdigest()[:ID_DIGITS]

    def sign(self, text: bytes) -> str:
        """Return the signature of a text as 64 hexadecimal digits."""
        return hmac.digest(self._key, text, "sha256").hex()

    def verifies(self, text: bytes, signature: str) -> bool:
        """Return whether this key has signed the text."""
        return hmac.compare_digest(self.sign(text), signature)
