"""Claims about password hashes of other systems: vectors made with other implementations, and the bounds."""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import pbkdf2_hmac, sha256
from struct import pack

import argon2
import bcrypt
import pytest

from app.security import imported_hashes
from app.security.passwords import PasswordHasher

PASSWORD = "Tr0ub4dor & the Größe"
SALT = b"0123456789abcdef"


def _aspnet(prf: int, name: str, iterations: int = 1_000, size: int = 32, salt: bytes = SALT) -> str:
    key = pbkdf2_hmac(name, PASSWORD.encode(), salt, iterations, size)
    return b64encode(b"\x01" + pack(">III", prf, iterations, len(salt)) + salt + key).decode()


def _django_pbkdf2(iterations: int = 1_000) -> str:
    key = pbkdf2_hmac("sha256", PASSWORD.encode(), b"seasalt2", iterations)
    return f"pbkdf2_sha256${iterations}$seasalt2${b64encode(key).decode()}"


def _bcrypt(prefix: bytes = b"2b", password: bytes = PASSWORD.encode()) -> str:
    return bcrypt.hashpw(password, bcrypt.gensalt(4)).replace(b"$2b$", b"$" + prefix + b"$", 1).decode()


def _argon2(kind: argon2.Type = argon2.Type.ID, kib: int = 64, passes: int = 1, lanes: int = 1) -> str:
    return argon2.PasswordHasher(passes, kib, lanes, type=kind).hash(PASSWORD)


VECTORS = {
    "argon2id": _argon2(),
    "argon2i": _argon2(argon2.Type.I),
    "argon2d, two lanes": _argon2(argon2.Type.D, lanes=2),
    "Django's argon2": "argon2" + _argon2(),
    "bcrypt 2a": _bcrypt(b"2a"),
    "bcrypt 2b": _bcrypt(b"2b"),
    "bcrypt 2y": _bcrypt(b"2y"),
    "Django's bcrypt": "bcrypt$" + _bcrypt(),
    "Django's bcrypt_sha256": "bcrypt_sha256$" + _bcrypt(password=sha256(PASSWORD.encode()).hexdigest().encode()),
    "Django's pbkdf2": _django_pbkdf2(),
    "ASP.NET, SHA-1": _aspnet(0, "sha1"),
    "ASP.NET, SHA-256": _aspnet(1, "sha256"),
    "ASP.NET, SHA-512": _aspnet(2, "sha512", size=64),
    "ASP.NET, a long salt": _aspnet(2, "sha512", salt=SALT * 4),
}

REFUSED = {
    "no hash": "secret",
    "nothing": "",
    "MD5": "5f4dcc3b5aa765d61d8327deb882cf99",
    "SHA-512 of crypt": "$6$rounds=5000$salt$" + "x" * 86,
    "a cut bcrypt": _bcrypt()[:-1],
    "bcrypt 2x": _bcrypt(b"2x"),
    "a bcrypt cost below 4": "$2b$03$" + "a" * 53,
    "Django's SHA-1": "pbkdf2_sha1$1000$salt$" + "a" * 27 + "=",
    "no iterations": "pbkdf2_sha256$0$salt$" + "a" * 43 + "=",
    "ASP.NET version 2": b64encode(b"\x00" + SALT + b"x" * 32).decode(),
    "an unknown PRF": _aspnet(3, "sha512"),
    "a salt beyond the end": b64encode(b"\x01" + pack(">III", 1, 1_000, 10**6) + SALT * 3).decode(),
    "a short key": _aspnet(1, "sha256", size=8),
    "a long text": "$2b$12$" + "a" * 1_000,
    "argon2 of a future version": _argon2().replace("v=19", "v=20"),
    "too little memory for its lanes": _argon2().replace("m=64,t=1,p=1", "m=8,t=1,p=16"),
    "a line break": _bcrypt() + "\n",
}

COSTLY = {
    "bcrypt": "$2b$15$" + "a" * 53,
    "Django's bcrypt_sha256": "bcrypt_sha256$$2b$31$" + "a" * 53,
    "Django's pbkdf2": f"pbkdf2_sha256$2000001$salt${'a' * 43}=",
    "ASP.NET": b64encode(b"\x01" + pack(">III", 2, 2**32 - 1, 16) + SALT + b"x" * 32).decode(),
    "argon2 memory": _argon2().replace("m=64", "m=262145"),
    "argon2 passes": _argon2().replace("t=1", "t=999999999"),
    "argon2 work": _argon2().replace("m=64,t=1", "m=262144,t=5"),
    "argon2 lanes": _argon2().replace("m=64,t=1,p=1", "m=4096,t=1,p=17"),
}


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher(1, 10)
    yield hasher
    hasher.close()


@pytest.mark.parametrize("name", VECTORS)
async def test_a_hash_of_another_system_opens_for_its_password_alone_and_is_renewed(
    hasher: PasswordHasher, name: str
) -> None:
    stored = imported_hashes.normalize(VECTORS[name])

    assert imported_hashes.problem(stored) is None
    assert await hasher.verify(PASSWORD, stored) == (True, True)
    for other in ("", "x", PASSWORD.lower(), PASSWORD + " "):
        assert await hasher.verify(other, stored) == (False, False)


@pytest.mark.parametrize("name", REFUSED)
def test_an_unknown_hash_is_refused(name: str) -> None:
    assert imported_hashes.problem(imported_hashes.normalize(REFUSED[name])) == imported_hashes.UNKNOWN


@pytest.mark.parametrize("name", COSTLY)
def test_a_hash_that_costs_too_much_is_refused_without_computing_it(name: str) -> None:
    assert imported_hashes.problem(imported_hashes.normalize(COSTLY[name])) == imported_hashes.TOO_COSTLY


def test_the_costs_that_the_systems_use_are_within_the_bounds() -> None:
    for stored in (
        "$2b$14$" + "a" * 53,
        f"pbkdf2_sha256$1500000$salt${'a' * 43}=",
        _argon2().replace("m=64,t=1,p=1", "m=102400,t=2,p=8"),
        _argon2().replace("m=64,t=1,p=1", "m=65536,t=3,p=4"),
    ):
        assert imported_hashes.problem(stored) is None


async def test_bcrypt_reads_the_first_72_bytes(hasher: PasswordHasher) -> None:
    long = "é" * 100
    stored = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()

    assert (await hasher.verify(long, stored)).ok


def test_the_handler_writes_the_format_that_it_reads() -> None:
    handler = imported_hashes.AspNetIdentityV3
    text = handler.using(rounds=1_000).hash(PASSWORD)

    assert imported_hashes.problem(text) is None
    assert handler.verify(PASSWORD, text)
    assert not handler.verify("x", text)
    assert handler.from_string(text).to_string() == text


async def test_a_stored_hash_of_no_known_format_opens_for_nothing(
    hasher: PasswordHasher, caplog: pytest.LogCaptureFixture
) -> None:
    assert await hasher.verify(PASSWORD, "plain") == (False, False)
    assert "plain" not in caplog.text
