"""Tickets as signed tokens: a storage service checks them alone, with a key that this server publishes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt

from app.security import keys

TYPE = "ticket+jwt"
AUDIENCE = "storage"
PURPOSE = b"ostiary: Ed25519 key of tickets, 1"
"""Told to the derivation, so that no other key comes of the same secret."""


@dataclass(frozen=True, slots=True)
class TicketClaims:
    """What a ticket allows. `act` is upload or download; `user_name` is who began it, None for nobody.

    `path` names the org too: it is None where who began the ticket does not see that.
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
    """Signs tickets with a key that follows from the house's secret, so that nothing more has to be kept."""

    def __init__(self, secret: bytes) -> None:
        self._key = keys.Key.derived(secret, PURPOSE)
        self.jwk = self._key.jwk

    def issue(self, claims: TicketClaims) -> str:
        """The ticket as a token."""
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
