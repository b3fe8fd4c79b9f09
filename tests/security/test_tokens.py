"""Tests of session tokens: issued tokens are read back with their claims, and all others are refused."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.security import keys
from app.security.session_tokens import LEEWAY, TokenClaims, TokenSigner, VerificationKeys

SECRET = b"a secret of more than thirty-two bytes"
OTHER = b"a secret that somebody else has thought of"
NOW = datetime(2024, 1, 15, 10, 30, 0, 987_654, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ANN = TokenClaims(user_id=7, user_name="Ann", admin=True, generation=3)
SIGNER = TokenSigner(SECRET, timedelta(days=7), [])


def payload(**changes: Any) -> dict[str, Any]:
    now = int(NOW.timestamp())
    good = {
        "sub": "7",
        "unique_name": "Ann",
        "admin": True,
        "gen": 3,
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "jti": "x",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not Ellipsis}


def signed(content: object, secret: bytes = SECRET, **header: Any) -> str:
    """Return any content with a valid signature, even content that no library would sign."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return jwt.PyJWS().encode(text, secret, "HS256", header or None)


def part(content: object) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def test_a_token_is_read_back_as_it_was_issued() -> None:
    issued = SIGNER.issue(ANN, NOW)

    claims = SIGNER.read(issued.token, NOW)

    begins = NOW.replace(microsecond=0)
    assert issued.expires_at == begins + timedelta(days=7)
    assert claims == TokenClaims(7, "Ann", True, 3, issued.jti, begins, issued.expires_at)
    assert TokenSigner(SECRET, timedelta(days=1), []).read(issued.token, NOW) == claims


def test_its_payload_is_what_the_clients_read() -> None:
    issued = SIGNER.issue(ANN, NOW)

    content = jwt.decode(issued.token, options={"verify_signature": False})

    begins = int(NOW.timestamp())
    assert content == {
        "sub": "7",
        "unique_name": "Ann",
        "admin": True,
        "gen": 3,
        "iat": begins,
        "nbf": begins,
        "exp": int(issued.expires_at.timestamp()),
        "jti": issued.jti,
    }
    assert jwt.get_unverified_header(issued.token) == {"alg": "HS256", "typ": "JWT"}


def test_the_default_password_of_an_administrator_is_a_claim_only_if_they_have_it() -> None:
    issued = SIGNER.issue(replace(ANN, default_password=True), NOW)

    content = jwt.decode(issued.token, options={"verify_signature": False})
    claims = SIGNER.read(issued.token, NOW)
    odd = [SIGNER.read(signed(payload(default_password=value)), NOW) for value in (False, None, 1, "true")]

    assert content["default_password"] is True
    assert claims is not None
    assert claims.default_password
    assert [each is not None and each.default_password for each in odd] == [False] * 4


def test_a_signature_is_checked_once_and_its_times_always(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = TokenSigner(SECRET, timedelta(days=7), [])
    token = signer.issue(ANN, NOW).token
    claims = signer.read(token, NOW)
    monkeypatch.delattr(jwt, "decode")

    assert claims is not None
    assert signer.read(token, NOW + timedelta(days=6)) == claims
    assert signer.read(token, NOW - 2 * SECOND * LEEWAY) is None
    assert signer.read(token, claims.expires_at or NOW) is None
    assert signer.read(token, NOW) == claims


def test_a_remembered_signature_is_worth_no_more_than_its_key() -> None:
    signer, key = TokenSigner(SECRET, timedelta(days=7), []), keys.Key.generate()
    signer.keys = VerificationKeys({key.kid: (key, NOW + SECOND)}, key)
    token = signer.issue(ANN, NOW).token

    assert signer.read(token, NOW) is not None
    assert signer.read(token, NOW + SECOND) is None
    signer.keys = VerificationKeys()
    assert signer.read(token, NOW) is None


def test_so_many_signatures_are_remembered_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.security.session_tokens.CACHE_SIZE", 3)
    signer = TokenSigner(SECRET, timedelta(days=7), [])
    for _ in range(9):
        assert signer.read(signer.issue(ANN, NOW).token, NOW)

    assert len(signer._verified) == 3


def test_no_two_tokens_have_the_same_id() -> None:
    ids = {SIGNER.issue(ANN, NOW).jti for _ in range(1000)}

    assert len(ids) == 1000
    assert {len(base64.urlsafe_b64decode(f"{jti}==")) for jti in ids} == {16}


def test_it_begins_at_once_and_ends_on_its_second() -> None:
    issued = SIGNER.issue(ANN, NOW)

    assert SIGNER.read(issued.token, issued.expires_at - SECOND / 1000)
    assert SIGNER.read(issued.token, issued.expires_at) is None
    assert SIGNER.read(issued.token, NOW.replace(microsecond=0) - 5 * SECOND)
    assert SIGNER.read(issued.token, NOW.replace(microsecond=0) - 5.001 * SECOND) is None


def test_a_good_payload_of_another_issuer_with_our_secret_is_good() -> None:
    assert SIGNER.read(signed(payload()), NOW)
    assert SIGNER.read(signed(payload(iss="elsewhere", aud="others")), NOW)


@pytest.mark.parametrize(
    "changes",
    [
        *({name: ...} for name in payload()),
        *({name: None} for name in payload()),
        {"sub": 7},
        {"sub": "0"},
        {"sub": "-7"},
        {"sub": "07"},
        {"sub": "7 "},
        {"sub": "\u0667"},
        {"sub": "9" * 19},
        {"sub": "9" * 30},
        {"unique_name": 7},
        {"account": 7},
        {"admin": 1},
        {"admin": "true"},
        {"gen": "3"},
        {"gen": True},
        {"jti": ""},
        {"jti": 5},
        {"exp": str(int(NOW.timestamp()) + 60)},
        {"exp": NOW.timestamp() + 60},
        {"exp": True},
        {"exp": 10**400},
        {"exp": 253402300800},
        {"iat": -1},
        {"iat": True},
        {"nbf": True},
        {"exp": int(NOW.timestamp())},
        {"exp": 0},
        {"iat": int(NOW.timestamp()) + 6},
        {"nbf": int(NOW.timestamp()) + 6},
    ],
    ids=str,
)
def test_a_claim_that_is_missing_wrong_or_out_of_time_spoils_the_token(changes: dict[str, Any]) -> None:
    assert SIGNER.read(signed(payload(**changes)), NOW) is None


@pytest.mark.parametrize(
    "token",
    [
        signed(payload(), OTHER),
        jwt.encode(payload(), "", "none"),
        f"{part({'alg': 'none'})}.{part(payload())}.",
        f"{part({'alg': 'none'})}.{part(payload())}.{part(b'x')}",
        f"{part({'alg': 'hs256'})}.{signed(payload()).partition('.')[2]}",
        jwt.encode(payload(), SECRET * 2, "HS512"),
        f"{part({'alg': 'HS256', 'b64': False})}..{part(b'x')}",
        signed(payload(), OTHER, kid="../../dev/null"),
        signed(payload(), OTHER, jku="https://evil.example.org/keys", jwk={"kty": "oct", "k": part(OTHER)}),
        signed(payload(), crit=["exp"], exp=0),
        signed(b"not json"),
        signed(b"[" * 4000),
        signed([1]),
        signed(b"\xff"),
        f"{part(b'[' * 4000)}.{part(payload())}.{part(b'x')}",
        f"{part([])}.{part(payload())}.{part(b'x')}",
        "",
        ".",
        "..",
        "a.b.c",
        "a.b.c.d",
        f" {signed(payload())}",
        f"{signed(payload())}\n",
        f"{signed(payload())}=",
        signed(payload()).replace(".", ".\0", 1),
        signed(payload()).replace("e", "é", 1),
        "\ud800.a.b",
        signed(payload(unique_name="A" * 8192)),
    ],
)
def test_what_we_did_not_sign_says_nothing(token: str) -> None:
    assert SIGNER.read(token, NOW) is None


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "other"},
        {"kid": "x" * 43},
        {"jku": "https://evil.example.org/keys"},
        {"x5u": "https://evil.example.org"},
        {"typ": "ticket+jwt"},
        {"cty": "JWT"},
    ],
    ids=str,
)
def test_a_header_that_says_more_than_ours_is_none_of_ours(header: dict[str, Any]) -> None:
    assert SIGNER.read(signed(payload(), **header), NOW) is None


def test_8_kib_are_read_and_no_byte_more() -> None:
    longest = max((signed(payload(unique_name="A" * size)) for size in range(5900, 6100)), key=_fits)

    assert 8190 <= len(longest) <= 8192
    assert SIGNER.read(longest, NOW)


def _fits(token: str) -> int:
    return len(token) if len(token) <= 8192 else 0


def test_a_revoked_token_is_refused_however_its_signature_is_spelled() -> None:
    valid, revoked = SIGNER.issue(ANN, NOW), SIGNER.issue(ANN, NOW)
    signer = TokenSigner(SECRET, timedelta(days=7), [f"  {revoked.token}\n", "", "nonsense"])

    # The last letter's two lowest bits mean nothing, so that lenient decoders see the same signature.
    head, _, signature = revoked.token.rpartition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    respelled = f"{head}.{signature[:-1]}{alphabet[alphabet.index(signature[-1]) ^ 1]}"

    assert signer.read(revoked.token, NOW) is None
    assert signer.read(respelled, NOW) is None
    assert signer.read(valid.token, NOW)


@given(st.text() | st.from_regex(r"[\w-]+\.[\w-]+\.[\w-]+", fullmatch=True))
def test_no_text_makes_it_stumble(text: str) -> None:
    assert SIGNER.read(text, NOW) is None


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_signed_bytes_make_it_stumble(head: bytes, body: bytes) -> None:
    assert SIGNER.read(signed(body), NOW) is None
    assert SIGNER.read(f"{part(head)}.{part(body)}.{part(b'x')}", NOW) is None


@given(
    st.builds(TokenClaims, st.integers(1, 2**63 - 1), st.text(max_size=127), st.booleans(), st.integers(0, 2**31 - 1)),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds it
)
def test_whatever_is_issued_is_read_back(claims: TokenClaims, now: datetime) -> None:
    issued = SIGNER.issue(claims, now)

    read = SIGNER.read(issued.token, now)

    assert read
    assert (read.user_id, read.user_name, read.admin, read.generation) == (
        claims.user_id,
        claims.user_name,
        claims.admin,
        claims.generation,
    )
    assert read.expires_at == issued.expires_at
