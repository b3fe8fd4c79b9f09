"""Issuing and verifying session tokens: JWTs that identify a user. Permissions are never read from a token.

The header's `kid` selects the key, and the key fixes the algorithm; `alg` is never trusted. A token without `kid` is
verified with the secret (HS256), one with `kid` with that Ed25519 key (EdDSA). Both forms are accepted at all times.
"""

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

import jwt
import jwt.types
import orjson
from jwt.utils import base64url_decode

from app.caching import WeightedLRU
from app.observability.sign_in_log import Reason
from app.security import keys as signing

ALGORITHM = "HS256"
TYPE = "JWT"
HEADER = frozenset({"alg", "typ", "kid"})
"""The header fields of a token. Tokens with other fields (`crit`, `jku`, `jwk`, …) are refused."""

MAX_BYTES = 8 * 1024
CACHE_SIZE = 10_000
"""Verified tokens in the cache, whose signature is not checked again."""

LEEWAY = 5
"""Seconds by which the clock of the issuing worker may be ahead of this one."""

_KID = re.compile(r"[A-Za-z0-9_-]{43}")
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LAST_SECOND = int(datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp())

# `_parse_claims` checks the claims, and `examine` compares the times with the clock of its caller.
_SIGNATURE_ONLY: jwt.types.Options = {
    "verify_signature": True,
    "verify_aud": False,
    "verify_exp": False,
    "verify_iat": False,
    "verify_iss": False,
    "verify_jti": False,
    "verify_nbf": False,
    "verify_sub": False,
}


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """The user of a token. The signer sets `jti` and the times; every verified token has them.

    `account_key` is the key of the first name of a renamed user, None for a user who was not renamed.
    `default_password` says that an administrator signed in with the default password. It holds as long as the token is
    valid, since a new password revokes the token.
    """

    user_id: int
    user_name: str
    admin: bool
    generation: int
    jti: str | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    account_key: str | None = None
    default_password: bool = False


def new_generation() -> int:
    """Return a random token generation of 63 bits.

    A counter would repeat its numbers after a backup is restored, and revoked tokens would become valid again.
    """
    return secrets.randbits(63)


class IssuedToken(NamedTuple):
    """A new token with its end and its id."""

    token: str
    expires_at: datetime
    jti: str


@dataclass(frozen=True, slots=True)
class VerificationKeys:
    """The Ed25519 keys by name, each with its end or None, and the key that signs (None: the secret signs)."""

    keys: Mapping[str, tuple[signing.Key, datetime | None]] = field(default_factory=dict)
    signing_key: signing.Key | None = None

    def valid_at(self, now: datetime) -> list[signing.Key]:
        """Return the keys that have not ended."""
        return [key for key, ends_at in self.keys.values() if ends_at is None or now < ends_at]

    def get(self, kid: str, now: datetime) -> signing.Key | None:
        """Return the key with this name, or None if there is none or it has ended."""
        key, ends_at = self.keys.get(kid, (None, None))
        return key if ends_at is None or now < ends_at else None


class _Verified(NamedTuple):
    """A token with a valid signature: its claims, the name of its key, and its period of validity in Unix seconds."""

    claims: TokenClaims
    kid: str | None
    begins: int
    ends: int

    def is_valid_at(self, now: float) -> bool:
        return self.begins <= now + LEEWAY and now < self.ends


class TokenSigner:
    """Issues tokens, and verifies tokens of every worker with the same secret.

    The key store replaces `keys` whenever it reads the keys from the database.
    """

    def __init__(self, secret: bytes, lifetime: timedelta, revoked: Collection[str]) -> None:
        self.keys = VerificationKeys()
        self._secret = secret
        self._lifetime = int(lifetime.total_seconds())
        self._revoked = frozenset(map(_signed_part, revoked))
        self._verified: WeightedLRU[bytes, _Verified] = WeightedLRU(CACHE_SIZE)

    def issue(self, claims: TokenClaims, now: datetime) -> IssuedToken:
        """Return a token that is valid from now on. Its period begins and ends on a full second."""
        jti = secrets.token_urlsafe(16)
        begins = int(now.timestamp())
        ends = begins + self._lifetime
        payload = {
            "sub": str(claims.user_id),
            "unique_name": claims.user_name,
            "admin": claims.admin,
            "gen": claims.generation,
            "iat": begins,
            "nbf": begins,
            "exp": ends,
            "jti": jti,
        }
        if claims.account_key is not None:
            payload["account"] = claims.account_key
        if claims.default_password:
            payload["default_password"] = True
        return IssuedToken(self._sign(payload), datetime.fromtimestamp(ends, UTC), jti)

    def _sign(self, payload: dict[str, Any]) -> str:
        key = self.keys.signing_key
        if key is None:
            return jwt.encode(payload, self._secret, ALGORITHM)
        return jwt.encode(payload, key.private, signing.ALGORITHM, {"kid": key.kid})

    def read(self, token: str, now: datetime) -> TokenClaims | None:
        """Return a token's claims, or None if the token is not valid now."""
        result = self.examine(token, now)
        return None if isinstance(result, Reason) else result

    def examine(self, token: str, now: datetime) -> TokenClaims | Reason:
        """Return a token's claims, or the reason why it is not valid now.

        A cache by the token's hash saves the second check of a valid signature. The key and the times are checked
        each time.
        """
        if len(token) > MAX_BYTES:
            return Reason.MALFORMED
        cache_key = sha256(token.encode("utf-8", "surrogatepass")).digest()
        verified = self._verified.get(cache_key)
        if verified is None:
            result = self._verify(token, now)
            if isinstance(result, Reason):
                return result
            self._verified.put(cache_key, verified := result)
        elif self._select_key(verified.kid, now) is None:
            return Reason.UNKNOWN_KEY
        if verified.is_valid_at(now.timestamp()):
            return verified.claims
        return Reason.EXPIRED if verified.ends <= now.timestamp() else Reason.NOT_YET_VALID

    def _verify(self, token: str, now: datetime) -> "_Verified | Reason":
        if not _FORM.fullmatch(token):
            return Reason.MALFORMED
        if self.is_listed(token):
            return Reason.REVOKED
        header = _parse_header(token.partition(".")[0])
        selected = None if header is None else self._select_key(header.get("kid"), now)
        if header is None or selected is None:
            return Reason.MALFORMED if header is None else Reason.UNKNOWN_KEY
        key, algorithm = selected
        try:
            payload = jwt.decode(token, key, [algorithm], options=_SIGNATURE_ONLY)
        except (jwt.PyJWTError, RecursionError):
            return Reason.BAD_SIGNATURE
        claims = _parse_claims(payload)
        if claims is None:
            return Reason.MALFORMED
        return _Verified(claims, header.get("kid"), max(payload["iat"], payload["nbf"]), payload["exp"])

    def _select_key(self, kid: str | None, now: datetime) -> tuple[Any, str] | None:
        """Return the key that verifies a signature, and its only algorithm."""
        if kid is None:
            return self._secret, ALGORITHM
        key = self.keys.get(kid, now)
        return None if key is None else (key.public, signing.ALGORITHM)

    def is_unknown_key(self, token: str) -> bool:
        """Return whether a token names a key that this worker has not read, perhaps a new key of another worker."""
        if len(token) > MAX_BYTES:
            return False
        header = _parse_header(token.partition(".")[0])
        kid = None if header is None else header.get("kid")
        return kid is not None and kid not in self.keys.keys

    def is_listed(self, token: str) -> bool:
        """Return whether the settings revoke this token."""
        return _signed_part(token) in self._revoked


def _signed_part(token: str) -> str:
    """Return a token without its signature, which has several base64 spellings and so could evade a comparison."""
    return token.strip().rpartition(".")[0]


@lru_cache(maxsize=64)  # all tokens of a key have the same header
def _parse_header(part: str) -> Mapping[str, Any] | None:
    """Return the header of a token, or None for one that this server does not write."""
    try:
        header = orjson.loads(base64url_decode(part))
    except ValueError:
        return None
    if not isinstance(header, dict) or not header.keys() <= HEADER or header.get("typ", TYPE) != TYPE:
        return None
    if "kid" in header and not (isinstance(header["kid"], str) and _KID.fullmatch(header["kid"])):
        return None
    return header


def _parse_claims(payload: dict[str, Any]) -> TokenClaims | None:
    match payload:
        case {
            "sub": str(sub),
            "unique_name": str(user_name),
            "admin": bool(admin),
            "gen": int(generation),
            "jti": str(jti),
            "iat": int(begins),
            "nbf": int(not_before),
            "exp": int(ends),
        } if _is_id(sub) and jti and type(generation) is int and all(map(_is_time, (begins, not_before, ends))):
            times = (datetime.fromtimestamp(begins, UTC), datetime.fromtimestamp(ends, UTC))
            account, is_default = payload.get("account"), payload.get("default_password") is True
            if account is None or isinstance(account, str):
                return TokenClaims(int(sub), user_name, admin, generation, jti, *times, account, is_default)
    return None


def _is_id(text: str) -> bool:
    """Return whether a text is a row id in canonical form, of at most 63 bits."""
    return re.fullmatch(r"[1-9][0-9]{0,18}", text) is not None and int(text) < 2**63


def _is_time(seconds: int) -> bool:
    return type(seconds) is int and 0 <= seconds <= _LAST_SECOND  # `isinstance` would accept a bool
