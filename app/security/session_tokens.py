"""Making and reading the signed tokens that say who somebody is; what she may do is never read from one.

The key that a token names decides how its signature is checked, never the token: one that names none was signed with
the secret (HS256), one that does with that Ed25519 key (EdDSA). Both kinds are read whichever is made.
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
"""All that the header of a token says. What says more (`crit`, `jku`, `jwk`, …) is none of ours."""

MAX_BYTES = 8 * 1024
CACHE_SIZE = 10_000
"""Tokens whose signature need not be checked again."""

LEEWAY = 5
"""Seconds by which another worker's clock may be ahead of ours."""

_KID = re.compile(r"[A-Za-z0-9_-]{43}")
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LAST_SECOND = int(datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp())

# The signature alone: the times are compared with the caller's clock, and every claim is looked at in `_claims`.
_SIGNATURE_ALONE: jwt.types.Options = {
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
    """Who a token speaks of; the last three are the signer's, and always there on one that was read."""

    user_id: int
    user_name: str
    admin: bool
    generation: int
    jti: str | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None


def new_generation() -> int:
    """Return a random token generation, 63 bits: a token of an earlier one, or of another user, never fits by chance.

    A number that counts up would come again after a backup is put back, and with it the tokens issued since.
    """
    return secrets.randbits(63)


class IssuedToken(NamedTuple):
    """A new token, when it ends, and its own id."""

    token: str
    expires_at: datetime
    jti: str


@dataclass(frozen=True, slots=True)
class VerificationKeys:
    """The Ed25519 keys of tokens by name, each with its end if it has one; and which one signs, None for the secret."""

    keys: Mapping[str, tuple[signing.Key, datetime | None]] = field(default_factory=dict)
    signing_key: signing.Key | None = None

    def valid_at(self, now: datetime) -> list[signing.Key]:
        """The keys whose signatures are good now."""
        return [key for key, ends in self.keys.values() if ends is None or now < ends]

    def get(self, kid: str, now: datetime) -> signing.Key | None:
        """The key of a name, if its signatures are good now."""
        key, ends = self.keys.get(kid, (None, None))
        return key if ends is None or now < ends else None


class _Verified(NamedTuple):
    """What a token said whose signature was good, which key vouches for it, and from when till when (in seconds)."""

    claims: TokenClaims
    kid: str | None
    begins: int
    ends: int

    def is_due(self, now: float) -> bool:
        """Whether its time has come and is not over."""
        return self.begins <= now + LEEWAY and now < self.ends


class TokenSigner:
    """Signs tokens and reads back those that it, or another worker with the same secret, has signed.

    `ring` is what is known of the keys now; whoever looks them up replaces it.
    """

    def __init__(self, secret: bytes, lifetime: timedelta, revoked: Collection[str]) -> None:
        self.ring = VerificationKeys()
        self._secret = secret
        self._lifetime = int(lifetime.total_seconds())
        self._revoked = frozenset(map(_signed_part, revoked))
        self._verified: WeightedLRU[bytes, _Verified] = WeightedLRU(CACHE_SIZE)

    def issue(self, claims: TokenClaims, now: datetime) -> IssuedToken:
        """Sign a token that is good from now on; it begins and ends on a whole second."""
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
        return IssuedToken(self._sign(payload), datetime.fromtimestamp(ends, UTC), jti)

    def _sign(self, payload: dict[str, Any]) -> str:
        key = self.ring.signing_key
        if key is None:
            return jwt.encode(payload, self._secret, ALGORITHM)
        return jwt.encode(payload, key.private, signing.ALGORITHM, {"kid": key.kid})

    def read(self, token: str, now: datetime) -> TokenClaims | None:
        """Give a token's claims; None for anything that is not a good token now, whatever is wrong with it."""
        found = self.examine(token, now)
        return None if isinstance(found, Reason) else found

    def examine(self, token: str, now: datetime) -> TokenClaims | Reason:
        """Give a token's claims, or the reason why it is not a good token now.

        A signature that was good once is remembered by the token's hash; whether its key and its times are still good
        is looked at each time.
        """
        if len(token) > MAX_BYTES:
            return Reason.MALFORMED
        place = sha256(token.encode("utf-8", "surrogatepass")).digest()
        verified = self._verified.get(place)
        if verified is None:
            found = self._verify(token, now)
            if isinstance(found, Reason):
                return found
            self._verified.put(place, verified := found)
        elif self._key(verified.kid, now) is None:
            return Reason.UNKNOWN_KEY
        if verified.is_due(now.timestamp()):
            return verified.claims
        return Reason.EXPIRED if verified.ends <= now.timestamp() else Reason.NOT_YET_VALID

    def _verify(self, token: str, now: datetime) -> "_Verified | Reason":
        if not _FORM.fullmatch(token):
            return Reason.MALFORMED
        if self.is_listed(token):
            return Reason.REVOKED
        header = _header(token.partition(".")[0])
        found = None if header is None else self._key(header.get("kid"), now)
        if header is None or found is None:
            return Reason.MALFORMED if header is None else Reason.UNKNOWN_KEY
        key, algorithm = found
        try:
            payload = jwt.decode(token, key, [algorithm], options=_SIGNATURE_ALONE)
        except (jwt.PyJWTError, RecursionError):
            return Reason.BAD_SIGNATURE
        claims = _claims(payload)
        if claims is None:
            return Reason.MALFORMED
        return _Verified(claims, header.get("kid"), max(payload["iat"], payload["nbf"]), payload["exp"])

    def _key(self, kid: str | None, now: datetime) -> tuple[Any, str] | None:
        """What checks a signature, and the one way in which it does."""
        if kid is None:
            return self._secret, ALGORITHM
        key = self.ring.get(kid, now)
        return None if key is None else (key.public, signing.ALGORITHM)

    def is_unknown_key(self, token: str) -> bool:
        """Whether a token names a key that is not known here: one that another worker has just made, perhaps."""
        if len(token) > MAX_BYTES:
            return False
        header = _header(token.partition(".")[0])
        kid = None if header is None else header.get("kid")
        return kid is not None and kid not in self.ring.keys

    def is_listed(self, token: str) -> bool:
        """Whether a token is one of those that the settings revoke."""
        return _signed_part(token) in self._revoked


def _signed_part(token: str) -> str:
    """What the signature vouches for: base64 spells a signature in several ways, and one could slip past the list."""
    return token.strip().rpartition(".")[0]


@lru_cache(maxsize=64)
def _header(part: str) -> Mapping[str, Any] | None:
    """The header of a token as we write it; None for any other. All tokens of a key have the same one."""
    try:
        header = orjson.loads(base64url_decode(part))
    except ValueError:
        return None
    if not isinstance(header, dict) or not header.keys() <= HEADER or header.get("typ", TYPE) != TYPE:
        return None
    if "kid" in header and not (isinstance(header["kid"], str) and _KID.fullmatch(header["kid"])):
        return None
    return header


def _claims(payload: dict[str, Any]) -> TokenClaims | None:
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
            return TokenClaims(int(sub), user_name, admin, generation, jti, *times)
    return None


def _is_id(text: str) -> bool:
    """Whether this is a row's id as we would write it, and small enough for a database."""
    return re.fullmatch(r"[1-9][0-9]{0,18}", text) is not None and int(text) < 2**63


def _is_time(seconds: int) -> bool:
    """A bool is an int to Python; to us it is no time."""
    return type(seconds) is int and 0 <= seconds <= _LAST_SECOND
