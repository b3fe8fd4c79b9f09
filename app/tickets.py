"""Tickets as signed tokens: a storage service checks them alone, with a key that this server publishes."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwt.algorithms import OKPAlgorithm
from jwt.utils import base64url_encode

ALGORITHM = "EdDSA"
TYPE = "ticket+jwt"
AUDIENCE = "storage"
PURPOSE = b"ostiary: Ed25519 key of tickets, 1"
"""Told to the derivation, so that no other key comes of the same secret."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a ticket allows. `act` is upload or download; `user_name` is who began it, None for nobody."""

    key: str
    act: str
    resource: str
    path: str
    bytes: int
    user_name: str | None
    begins: datetime
    ends: datetime


class Signer:
    """Signs tickets with a key that follows from the house's secret, so that nothing more has to be kept."""

    def __init__(self, secret: bytes) -> None:
        seed = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=PURPOSE).derive(secret)
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = OKPAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        self._kid = _thumbprint(public)
        self.key_set = {"keys": [{**public, "kid": self._kid, "alg": ALGORITHM, "use": "sig"}]}

    def issue(self, claims: Claims) -> str:
        """The ticket as a token."""
        payload: dict[str, Any] = {
            "aud": AUDIENCE,
            "jti": claims.key,
            "act": claims.act,
            "resource": claims.resource,
            "path": claims.path,
            "bytes": claims.bytes,
            "iat": int(claims.begins.timestamp()),
            "exp": int(claims.ends.timestamp()),
        }
        if claims.user_name is not None:
            payload["sub"] = claims.user_name
        return jwt.encode(payload, self._key, ALGORITHM, {"typ": TYPE, "kid": self._kid})


def _thumbprint(public: dict[str, Any]) -> str:
    """The name of a key that follows from the key (RFC 7638): another secret has another one."""
    members = orjson.dumps({name: public[name] for name in ("crv", "kty", "x")})
    return base64url_encode(hashlib.sha256(members).digest()).decode()
