"""Password hashes of other systems: which ones are accepted, and how a password is compared with them.

A hash with a cost above the bounds is refused, so that one sign-in cannot occupy a hashing thread for long. The next
right sign-in replaces the hash with one of this server. No function repeats a hash in an error.
"""

import re
import warnings
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from hashlib import pbkdf2_hmac, sha256
from struct import Struct
from typing import Any, ClassVar, NamedTuple

import bcrypt

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "'crypt' is deprecated", DeprecationWarning)
    from passlib import exc
    from passlib.hash import django_pbkdf2_sha256
    from passlib.utils import handlers

MAX_CHARACTERS = 512
MIN_BCRYPT_COST = 4
MAX_BCRYPT_COST = 14
MAX_PBKDF2_ITERATIONS = 2_000_000
MAX_ARGON2_KIB = 262_144
MAX_ARGON2_WORK = 1_048_576
"""Memory times passes, in KiB."""
MAX_ARGON2_LANES = 16
MIN_BYTES = 16
MAX_BYTES = 64
"""Bytes of a digest, and at most of a salt."""
BCRYPT_BYTES = 72
"""Bytes of a password that bcrypt reads; it ignores the others."""

BOUNDS = (
    f"bcrypt of a cost up to {MAX_BCRYPT_COST}, PBKDF2 of up to {MAX_PBKDF2_ITERATIONS:,} iterations, argon2 of up to "
    f"{MAX_ARGON2_KIB // 1024} MiB, {MAX_ARGON2_WORK // MAX_ARGON2_KIB} passes over that memory (more over less), and "
    f"{MAX_ARGON2_LANES} lanes"
)

UNKNOWN = "This is not a supported password hash."
TOO_COSTLY = f"This password hash costs too much to verify. The bounds are: {BOUNDS}."


class AspNetIdentityV3(handlers.HasRounds, handlers.HasRawSalt, handlers.HasRawChecksum, handlers.GenericHandler):  # type: ignore[misc]  # passlib has no types
    """The hash of ASP.NET Identity, version 3: base64 of a marker, the PRF, the iterations, the salt and the key."""

    name = "aspnet_identity_v3"
    setting_kwds = ("salt", "salt_size", "rounds")
    min_salt_size = 8
    max_salt_size = MAX_BYTES
    default_salt_size = 16
    default_rounds = 100_000
    min_rounds = 1
    max_rounds = MAX_PBKDF2_ITERATIONS
    rounds_cost = "linear"
    checksum_size = None

    HEADER: ClassVar[Struct] = Struct(">BIII")
    MARKER: ClassVar[int] = 1
    DIGESTS: ClassVar[Sequence[str]] = ("sha1", "sha256", "sha512")
    """The PRFs of the format, in the order of their numbers."""

    prf = len(DIGESTS) - 1

    @classmethod
    def from_string(cls, text: str | bytes) -> Any:
        """Return the parts of a hash; raise ValueError."""
        try:
            data = b64decode(text, validate=True)
        except ValueError:
            raise exc.InvalidHashError(cls) from None
        if len(data) < cls.HEADER.size:
            raise exc.MalformedHashError(cls)
        marker, prf, rounds, salt_size = cls.HEADER.unpack_from(data)
        salt, key = data[cls.HEADER.size :][:salt_size], data[cls.HEADER.size + salt_size :]
        if (
            marker != cls.MARKER
            or prf >= len(cls.DIGESTS)
            or len(salt) != salt_size
            or not MIN_BYTES <= len(key) <= MAX_BYTES
        ):
            raise exc.MalformedHashError(cls)
        self = cls(salt=salt, rounds=rounds, checksum=key)
        self.prf = prf
        return self

    def to_string(self) -> str:
        """Return the hash as text."""
        header = self.HEADER.pack(self.MARKER, self.prf, self.rounds, len(self.salt))
        return b64encode(header + self.salt + (self.checksum or b"")).decode()

    def _calc_checksum(self, secret: str | bytes) -> bytes:
        password = secret.encode() if isinstance(secret, str) else secret
        size = 32 if self.checksum is None else len(self.checksum)
        return pbkdf2_hmac(self.DIGESTS[self.prf], password, self.salt, self.rounds, size)


class Scheme(NamedTuple):
    """A kind of hash: its pattern, the check of a match (an error text or None), and the comparison."""

    pattern: re.Pattern[str]
    problem: Callable[[re.Match[str]], str | None]
    verify: Callable[[str, re.Match[str]], bool]


def _bcrypt_problem(match: re.Match[str]) -> str | None:
    cost = int(match["cost"])
    return UNKNOWN if cost < MIN_BCRYPT_COST else TOO_COSTLY if cost > MAX_BCRYPT_COST else None


def _verify_bcrypt(password: str, match: re.Match[str]) -> bool:
    return bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], match["bcrypt"].encode())


def _verify_bcrypt_sha256(password: str, match: re.Match[str]) -> bool:
    return bcrypt.checkpw(sha256(password.encode()).hexdigest().encode(), match["bcrypt"].encode())


def _pbkdf2_problem(match: re.Match[str]) -> str | None:
    return TOO_COSTLY if int(match["iterations"]) > MAX_PBKDF2_ITERATIONS else None


def _verify_django_pbkdf2(password: str, match: re.Match[str]) -> bool:
    return bool(django_pbkdf2_sha256.verify(password, match[0]))


def _aspnet_problem(match: re.Match[str]) -> str | None:
    try:
        data = b64decode(match[0], validate=True)
        rounds = AspNetIdentityV3.HEADER.unpack_from(data)[2]
        if rounds > MAX_PBKDF2_ITERATIONS:
            return TOO_COSTLY
        AspNetIdentityV3.from_string(match[0])
    except Exception:
        return UNKNOWN
    return None


def _verify_aspnet(password: str, match: re.Match[str]) -> bool:
    return bool(AspNetIdentityV3.verify(password, match[0]))


_BCRYPT = r"(?P<bcrypt>\$2[aby]\$(?P<cost>\d\d)\$[./A-Za-z0-9]{53})"

SCHEMES: Sequence[Scheme] = (
    Scheme(re.compile(_BCRYPT), _bcrypt_problem, _verify_bcrypt),
    Scheme(re.compile(rf"bcrypt_sha256\${_BCRYPT}"), _bcrypt_problem, _verify_bcrypt_sha256),
    Scheme(
        re.compile(r"pbkdf2_sha256\$(?P<iterations>[1-9]\d{0,9})\$[A-Za-z0-9]{1,64}\$[A-Za-z0-9+/]{43}="),
        _pbkdf2_problem,
        _verify_django_pbkdf2,
    ),
    Scheme(re.compile(r"AQAAAA[A-Za-z0-9+/]+={0,2}"), _aspnet_problem, _verify_aspnet),
)
"""The schemes besides argon2, which is the scheme of this server."""

_ARGON2 = re.compile(
    r"\$argon2(?:id|i|d)\$(?:v=(?:16|19)\$)?m=(?P<kib>[1-9]\d{0,9}),t=(?P<passes>[1-9]\d{0,9}),p=(?P<lanes>[1-9]\d{0,9})"
    r"\$(?P<salt>[A-Za-z0-9+/]{11,86})\$(?P<digest>[A-Za-z0-9+/]{16,86})"
)
_DJANGO_PREFIXES = ("argon2$argon2", "bcrypt$$2")


def normalize(text: str) -> str:
    """Return a hash as it is stored: without Django's name before a hash that needs no name."""
    prefix = next((prefix for prefix in _DJANGO_PREFIXES if text.startswith(prefix)), None)
    if prefix is None:
        return text
    name, _, rest = text.partition("$")
    return f"${rest}" if name == "argon2" else rest


def problem(text: str) -> str | None:
    """Return why a normalized hash is refused, None for an accepted one. The text does not contain the hash."""
    if len(text) > MAX_CHARACTERS:
        return UNKNOWN
    if (match := _ARGON2.fullmatch(text)) is not None:
        kib, passes, lanes = (int(match[name]) for name in ("kib", "passes", "lanes"))
        if kib < 8 * lanes:
            return UNKNOWN
        is_costly = kib > MAX_ARGON2_KIB or kib * passes > MAX_ARGON2_WORK or lanes > MAX_ARGON2_LANES
        return TOO_COSTLY if is_costly else None
    for scheme in SCHEMES:
        if (match := scheme.pattern.fullmatch(text)) is not None:
            return scheme.problem(match)
    return UNKNOWN


def verify(password: str, stored: str) -> bool:
    """Compare a password with a stored hash of another system; raise ValueError for an unknown one."""
    for scheme in SCHEMES:
        if (match := scheme.pattern.fullmatch(stored)) is not None and scheme.problem(match) is None:
            return scheme.verify(password, match)
    raise ValueError(UNKNOWN)
