"""Ed25519 keys: named after themselves, published as JSON Web Keys, kept sealed under the house's secret."""

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
SEAL = b"ostiary: AES-GCM key of signing keys, 1"
"""Told to the derivation, so that no other key comes of the same secret."""


@dataclass(frozen=True, eq=False)
class Key:
    """A key that signs. Never shown: `jwk` is its public half."""

    private: Ed25519PrivateKey

    @classmethod
    def generate(cls) -> "Key":
        """A new one, by chance."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def derived(cls, secret: bytes, purpose: bytes) -> "Key":
        """The one that follows from a secret, so that nothing more has to be kept."""
        return cls(Ed25519PrivateKey.from_private_bytes(derived(secret, purpose)))

    @cached_property
    def public(self) -> Ed25519PublicKey:
        """What checks its signatures."""
        return self.private.public_key()

    @cached_property
    def kid(self) -> str:
        """Its name follows from the key (RFC 7638): no two keys have the same, and none can take another's."""
        public = _public_members(self.public)
        members = orjson.dumps({name: public[name] for name in ("crv", "kty", "x")})
        return base64url_encode(hashlib.sha256(members).digest()).decode()

    @property
    def jwk(self) -> dict[str, Any]:
        """Its public half, as others read it."""
        return {**_public_members(self.public), "kid": self.kid, "alg": ALGORITHM, "use": "sig"}


def _public_members(public: Ed25519PublicKey) -> dict[str, Any]:
    return OKPAlgorithm.to_jwk(public, as_dict=True)


def derived(secret: bytes, purpose: bytes) -> bytes:
    """32 bytes that follow from a secret, others for each purpose."""
    return HKDF(algorithm=hashes.SHA256(), length=SEED_BYTES, salt=None, info=purpose).derive(secret)


class KeyCipher:
    """Writes keys so that a copy of the database alone signs nothing, and nobody without the secret puts one in."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(derived(secret, SEAL))

    def encrypt(self, key: Key) -> str:
        """The key as it is stored; bound to its name."""
        nonce = os.urandom(NONCE_BYTES)
        content = self._cipher.encrypt(nonce, key.private.private_bytes_raw(), key.kid.encode())
        return base64.b64encode(nonce + content).decode()

    def decrypt(self, kid: str, sealed: str) -> Key | None:
        """The key of a name; None for what was sealed under another secret, or was tampered with."""
        try:
            content = base64.b64decode(sealed, validate=True)
            seed = self._cipher.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], kid.encode())
            return Key(Ed25519PrivateKey.from_private_bytes(seed))
        except (InvalidTag, ValueError, binascii.Error):
            return None
