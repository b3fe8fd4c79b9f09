"""Tickets as signed tokens: a storage service verifies them itself, with a public key of this server."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt

from app.security import keys

TYPE = "ticket+jwt"
AUDIENCE = "storage"
PURPOSE = b"ostiary: Ed25519 key of tickets, 1"
"""Input of the key derivation, so that each key derived from the secret is different."""


@dataclass(frozen=True, slots=True)
class TicketClaims:
    """The content of a ticket. `act` is `upload` or `download`; `user_name` is its requester, None if anonymous.

    `path` contains the org's slug, so it is None if the requester may not see the org.
    """

    key: str
    act: str
    resource: str
    path: str | None
    bytes: int
    user_name: str | None
    starts_at: datetime
    expires_at: datetime


class TicketSigner:
    """Signs tickets with a key that is derived from the server's secret, so that it need not be stored."""

    def __init__(self, secret: bytes) -> None:
        self._key = keys.Key.derive(secret, PURPOSE)
        self.jwk = self._key.jwk

    def issue(self, claims: TicketClaims) -> str:
        """Return the ticket as a signed token."""
        payload: dict[str, Any] = {
            "aud": AUDIENCE,
            "jti": claims.key,
            "act": claims.act,
            "resource": claims.resource,
            "bytes": claims.bytes,
            "iat": int(claims.starts_at.timestamp()),
            "exp": int(claims.expires_at.timestamp()),
        }
        if claims.path is not None:
            payload["path"] = claims.path
        if claims.user_name is not None:
            payload["sub"] = claims.user_name
        return jwt.encode(payload, self._key.private, keys.ALGORITHM, {"typ": TYPE, "kid": self._key.kid})
