"""Ed25519 keys: named by their thumbprint, published as JSON Web Keys, stored encrypted under the server's secret."""

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwt.algorithms import OKPAlgorithm
from jwt.utils import base64url_encode

ALGORITHM = "EdDSA"
SEED_BYTES = 32
NONCE_BYTES = 12
PURPOSE = b"ostiary: AES-GCM key of signing keys, 1"
"""Input of the key derivation, so that each key derived from the secret is different."""


@dataclass(frozen=True, eq=False)
class Key:
    """A key pair that signs. Only its public half, `jwk`, may leave the server."""

    private: Ed25519PrivateKey

    @classmethod
    def generate(cls) -> "Key":
        """Return a new random key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def derive(cls, secret: bytes, purpose: bytes) -> "Key":
        """Return the key that is derived from a secret, so that it need not be stored."""
        return cls(Ed25519PrivateKey.from_private_bytes(derive(secret, purpose)))

    @cached_property
    def public(self) -> Ed25519PublicKey:
        """Return the public key, which verifies signatures."""
        return self.private.public_key()

    @cached_property
    def kid(self) -> str:
        """Return the name of the key: its thumbprint (RFC 7638), which no other key can have."""
        public = _public_members(self.public)
        members = orjson.dumps({name: public[name] for name in ("crv", "kty", "x")})
        return base64url_encode(hashlib.sha256(members).digest()).decode()

    @property
    def jwk(self) -> dict[str, Any]:
        """Return the public half as a JSON Web Key."""
        return {**_public_members(self.public), "kid": self.kid, "alg": ALGORITHM, "use": "sig"}


def _public_members(public: Ed25519PublicKey) -> dict[str, Any]:
    return OKPAlgorithm.to_jwk(public, as_dict=True)


def derive(secret: bytes, purpose: bytes) -> bytes:
    """Return 32 bytes derived from a secret with HKDF, different for each purpose."""
    return HKDF(algorithm=hashes.SHA256(), length=SEED_BYTES, salt=None, info=purpose).derive(secret)


class KeyCipher:
    """Encryption of stored keys: a copy of the database alone cannot sign, and only the secret's owner adds keys."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(derive(secret, PURPOSE))

    def encrypt(self, key: Key) -> str:
        """Return the encrypted key as base64. Its name is authenticated with it."""
        nonce = os.urandom(NONCE_BYTES)
        content = self._cipher.encrypt(nonce, key.private.private_bytes_raw(), key.kid.encode())
        return base64.b64encode(nonce + content).decode()

    def decrypt(self, kid: str, encrypted: str) -> Key | None:
        """Return the key with this name; None if it was encrypted under another secret or was modified."""
        try:
            content = base64.b64decode(encrypted, validate=True)
            seed = self._cipher.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], kid.encode())
            return Key(Ed25519PrivateKey.from_private_bytes(seed))
        except (InvalidTag, ValueError, binascii.Error):
            return None
