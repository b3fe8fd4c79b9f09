"""Known attacks with forged, modified or reused tokens. Each is refused, all with the same response."""

import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlalchemy import delete, update

from app import db
from app.config import Settings
from app.db import tables
from app.db.tables import col
from app.security import api_token_format, session_tokens, tickets
from app.security import keys as signing
from tests.conftest import SECRET
from tests.support.changes import another, answered, change, unchanged
from tests.support.client import Api
from tests.support.factories import Make, Person

WHO = "{ viewer { user { userName } } }"
OTHER = b"a secret that somebody else has thought of"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Sign tokens with keys, and turn the throttle off, so that every token is verified."""
    return {"OSTIARY_TOKEN_ALGORITHM": "EdDSA", "OSTIARY_THROTTLE__ENABLED": "false"}


@dataclass(frozen=True)
class Scene:
    """The knowledge of an attacker: a token of their own and the public keys."""

    api: Api
    make: Make
    ann: Person

    @property
    def good(self) -> str:
        """Return a valid token, signed with the server's key."""
        return self.api.token(self.ann)

    @property
    def claims(self) -> dict[str, Any]:
        """Return the claims of a valid token."""
        claims: dict[str, Any] = jwt.decode(self.good, options={"verify_signature": False})
        return claims

    @property
    def key(self) -> signing.Key:
        """Return the server's signing key."""
        key = self.make.app.signer.keys.signing_key
        assert key is not None
        return key

    def signed(self, header: dict[str, Any], secret: bytes = SECRET.encode(), **changes: Any) -> str:
        """Return a token with changed claims and a valid HMAC of the server's secret."""
        return _hmac({"alg": "HS256", "typ": "JWT", **header}, {**self.claims, **changes}, secret)

    def sealed(self, header: dict[str, Any], key: signing.Key | None = None, **changes: Any) -> str:
        """Return a token with changed claims and a valid signature of a key, by default the server's."""
        signing_key = key or self.key
        text = _text({"alg": "EdDSA", "typ": "JWT", "kid": signing_key.kid, **header}, {**self.claims, **changes})
        return f"{text}.{_part(signing_key.private.sign(text.encode()))}"


def _part(content: object) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _text(header: object, claims: object) -> str:
    return f"{_part(header)}.{_part(claims)}"


def _hmac(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    kind = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(header["alg"], hashlib.sha256)
    text = _text(header, claims)
    return f"{text}.{_part(hmac.new(secret, text.encode(), kind).digest())}"


def _respelled(token: str) -> str:
    """Change unused bits in the last letter of a signature, which a lenient decoder ignores."""
    return token[:-1] + LETTERS[LETTERS.index(token[-1]) ^ 1]


def _mistyped(token: str) -> str:
    return token[:10] + ("x" if token[10] != "x" else "y") + token[11:]


def _with_other_key(algorithm: str) -> Callable[[Scene], str]:
    def forged(scene: Scene) -> str:
        key = rsa.generate_private_key(65537, 2048) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())
        return jwt.encode(scene.claims, key, algorithm, {"kid": scene.key.kid})

    return forged


def _jwk(scene: Scene) -> str:
    """Return a token whose header contains the attacker's key."""
    mine = signing.Key.generate()
    return scene.sealed({"jwk": mine.jwk}, mine)


def _ticket(scene: Scene) -> str:
    now = scene.make.app.database.clock()
    claims = tickets.TicketClaims("x" * 32, "upload", "x", "a/b", 1, "ann", now, now + timedelta(hours=1))
    return scene.make.app.tickets.issue(claims)


def _with_key_of_tickets(scene: Scene) -> str:
    return scene.sealed({}, signing.Key.derive(SECRET.encode(), tickets.PURPOSE))


def _public(scene: Scene, form: str) -> bytes:
    """Return the public key in one of its encodings."""
    jwk = scene.key.jwk
    raw = base64.urlsafe_b64decode(jwk["x"] + "==")
    forms: dict[str, bytes] = {"raw": raw, "x": jwk["x"].encode(), "jwk": json.dumps(jwk).encode()}
    return forms[form]


def _without_kid(scene: Scene) -> str:
    text = _text({"alg": "EdDSA", "typ": "JWT"}, scene.claims)
    return f"{text}.{_part(scene.key.private.sign(text.encode()))}"


def _with_payload(scene: Scene) -> str:
    head, _, signature = scene.good.split(".")
    return f"{head}.{_part({**scene.claims, 'admin': True})}.{signature}"


FORGED: dict[str, Callable[[Scene], str]] = {
    "no algorithm": lambda scene: f"{_text({'alg': 'none', 'typ': 'JWT'}, scene.claims)}.",
    "no algorithm, any signature": lambda scene: f"{_text({'alg': 'none', 'typ': 'JWT'}, scene.claims)}.eA",
    "no algorithm, in other letters": lambda scene: f"{_text({'alg': 'nOnE', 'typ': 'JWT'}, scene.claims)}.eA",
    "no algorithm, with a key": lambda scene: f"{_text({'alg': 'none', 'kid': scene.key.kid}, scene.claims)}.eA",
    "no algorithm is named": lambda scene: scene.signed({"alg": None}),
    "the public key as a secret": lambda scene: scene.signed({}, _public(scene, "raw")),
    "the public key as a secret, as text": lambda scene: scene.signed({}, _public(scene, "x")),
    "the public key as a secret, whole": lambda scene: scene.signed({}, _public(scene, "jwk")),
    "the public key as a secret, by its name": lambda scene: scene.signed(
        {"kid": scene.key.kid}, _public(scene, "raw")
    ),
    "the secret under the name of a key": lambda scene: scene.signed({"kid": scene.key.kid}),
    "the secret, said to be a key": lambda scene: scene.signed({"alg": "EdDSA"}),
    "a key, said to be the secret": lambda scene: scene.sealed({"alg": "HS256"}),
    "a key, under no name": _without_kid,
    "another hash": lambda scene: scene.signed({"alg": "HS512"}),
    "RS256": _with_other_key("RS256"),
    "ES256": _with_other_key("ES256"),
    "another secret": lambda scene: scene.signed({}, OTHER),
    "an empty secret": lambda scene: scene.signed({}, b""),
    "another key, under its own name": lambda scene: scene.sealed({}, signing.Key.generate()),
    "another key, under our name": lambda scene: scene.sealed({"kid": scene.key.kid}, signing.Key.generate()),
    "kid: a path": lambda scene: scene.signed({"kid": "../../../dev/null"}, b""),
    "kid: SQL": lambda scene: scene.signed({"kid": "x' UNION SELECT 'key' --"}, b"key"),
    "kid: empty": lambda scene: scene.signed({"kid": ""}),
    "kid: null": lambda scene: scene.signed({"kid": None}),
    "kid: huge": lambda scene: scene.sealed({"kid": "x" * 5_000}),
    "kid: a list": lambda scene: scene.sealed({"kid": [scene.key.kid]}),
    "kid: an object": lambda scene: scene.sealed({"kid": {}}),
    "kid: that of the tickets": lambda scene: scene.sealed({"kid": scene.make.app.tickets.jwk["kid"]}),
    "kid: in other letters": lambda scene: scene.sealed({"kid": scene.key.kid.swapcase()}),
    "its own key along with it": _jwk,
    "a place where its key is": lambda scene: scene.sealed(
        {"jku": "https://evil.example/jwks"}, signing.Key.generate()
    ),
    "a place of a certificate": lambda scene: scene.sealed({"x5u": "https://evil.example/crt"}, signing.Key.generate()),
    "a certificate": lambda scene: scene.sealed({"x5c": ["MIIB"]}, signing.Key.generate()),
    "something critical": lambda scene: scene.sealed({"crit": ["exp"], "exp": 0}),
    "something critical that is unknown": lambda scene: scene.sealed({"crit": ["urn:x"], "urn:x": 1}),
    "an unencoded payload": lambda scene: scene.sealed({"b64": False, "crit": ["b64"]}),
    "a compressed payload": lambda scene: scene.sealed({"zip": "DEF"}),
    "of another type": lambda scene: scene.sealed({"typ": "ticket+jwt"}),
    "expired": lambda scene: scene.sealed({}, exp=scene.claims["iat"]),
    "not yet valid": lambda scene: scene.sealed({}, nbf=scene.claims["exp"] - 1),
    "made in the future": lambda scene: scene.sealed({}, iat=scene.claims["exp"] - 1),
    "without an end": lambda scene: scene.sealed({}, exp=None),
    "without a beginning": lambda scene: scene.sealed({}, iat=None),
    "without an id": lambda scene: scene.sealed({}, jti=None),
    "an end that is a text": lambda scene: scene.sealed({}, exp="9999999999"),
    "of nobody": lambda scene: scene.sealed({}, sub="0"),
    "of somebody who never was": lambda scene: scene.sealed({}, sub="999999"),
    "of many": lambda scene: scene.sealed({}, sub=["1", "2"]),
    "of another generation": lambda scene: scene.sealed({}, gen=1),
    "without its end": lambda scene: scene.good[:-1],
    "without its signature": lambda scene: scene.good.rpartition(".")[0],
    "with an empty signature": lambda scene: scene.good.rpartition(".")[0] + ".",
    "with its signature twice": lambda scene: scene.good + "." + scene.good.rpartition(".")[2],
    "with its signature spelled otherwise": lambda scene: _respelled(scene.good),
    "with its other signature spelled otherwise": lambda scene: _respelled(scene.signed({})),
    "with padding": lambda scene: scene.good + "==",
    "with another payload": _with_payload,
    "a ticket": _ticket,
    "signed with the key of tickets": _with_key_of_tickets,
    "an API token that was never made": lambda scene: api_token_format.generate(),
    "an API token with a wrong checksum": lambda scene: _mistyped(api_token_format.generate()),
    "an API token with another sign": lambda scene: api_token_format.generate()[:-1] + "-",
    "an API token with a sign too many": lambda scene: api_token_format.generate() + "x",
    "an API token's prefix": lambda scene: api_token_format.PREFIX,
    "a token of another service": lambda scene: "ghp_" + "x" * 36,
    "nonsense": lambda scene: "nonsense",
    "too long": lambda scene: "x" * 20_000,
}


async def _refused(api: Api, token: str) -> set[str]:
    """Check that a token is refused in a header and ignored in a cookie, and return the texts of the refusals."""
    header, cookie = {"authorization": f"Bearer {token}"}, {"cookie": f"jwtToken={token}"}
    over_graphql = [await api.client.post("/graphql", json={"query": WHO}, headers=each) for each in (header, cookie)]
    over_rest = [await api.client.post("/users/authenticate/refresh", headers=each) for each in (header, cookie)]
    over_rest += [await api.client.get("/orgs", headers=header)]
    assert [each.status_code for each in over_graphql] == [401, 200]
    assert over_graphql[1].json() == {"data": {"viewer": {"user": None}}}
    assert [each.status_code for each in over_rest] == [401] * 3
    return {each.text for each in (over_graphql[0], over_rest[0], over_rest[2])}


async def _scene(api: Api, make: Make) -> Scene:
    """Return a scene in which Ann's valid tokens of all kinds are accepted."""
    scene = Scene(api, make, await make.user("ann", "admin"))
    for token in (scene.good, scene.sealed({}), scene.signed({}), (await make.api_token(scene.ann))[0]):
        response = await api.client.post("/graphql", json={"query": WHO}, headers={"authorization": f"Bearer {token}"})
        assert response.json() == {"data": {"viewer": {"user": {"userName": "ann"}}}}
    await make.app.last_used.flush()
    return scene


async def test_what_was_forged_or_bent_is_refused_alike(api: Api, make: Make, database: db.Database) -> None:
    scene = await _scene(api, make)
    refusals = await _refused(api, "nonsense")

    async with unchanged(database):
        for name, forge in FORGED.items():
            assert await _refused(api, forge(scene)) == refusals, name


Ending = Callable[[Scene, Settings, str], Awaitable[Any]]


async def _end_logged_out(scene: Scene, settings: Settings, token: str) -> None:
    text = "mutation { logout { errors { code } } }"
    await scene.api.client.post("/graphql", json={"query": text}, headers={"authorization": f"Bearer {token}"})


async def _end_signed_out(scene: Scene, settings: Settings, token: str) -> None:
    answered(await scene.api(change("signOutEverywhere"), as_=scene.ann, input={}), "signOutEverywhere")


async def _end_password(scene: Scene, settings: Settings, token: str) -> None:
    root = await scene.make.admin()
    values = {"user": {"id": scene.ann.node}, "newPassword": "another horse another staple"}
    answered(await scene.api(change("resetPassword"), as_=root, input=values), "resetPassword")


async def _end_deactivated(scene: Scene, settings: Settings, token: str) -> None:
    root = await scene.make.admin()
    values = {"user": {"id": scene.ann.node}, "roles": ["deactivated"]}
    answered(await scene.api(change("assignRoles"), as_=root, input=values), "assignRoles")


async def _end_deleted(scene: Scene, settings: Settings, token: str) -> None:
    root = await scene.make.admin()
    answered(await scene.api(change("deleteUser"), as_=root, input={"user": {"id": scene.ann.node}}), "deleteUser")


async def _end_key_gone(scene: Scene, settings: Settings, token: str) -> None:
    app = scene.make.app
    async with app.database.write() as tx:
        await tx.rows(delete(tables.SigningKey))
    await app.key_store._load()


ENDED: dict[str, Ending] = {
    "logged out": _end_logged_out,
    "signed out everywhere": _end_signed_out,
    "of an earlier password": _end_password,
    "of somebody deactivated": _end_deactivated,
    "of somebody deleted": _end_deleted,
    "of a key that is gone": _end_key_gone,
}


@pytest.mark.parametrize("name", ENDED)
async def test_what_was_good_once_is_refused_as_what_never_was(
    api: Api, make: Make, settings: Settings, name: str
) -> None:
    scene = await _scene(api, make)
    token, refusals = scene.good, await _refused(api, "nonsense")

    await ENDED[name](scene, settings, token)

    assert await _refused(api, token) == refusals
    async with another(settings) as restarted:
        assert await _refused(restarted, token) == refusals


async def test_an_api_token_that_has_ended_is_refused_as_what_never_was(
    api: Api, make: Make, database: db.Database
) -> None:
    scene = await _scene(api, make)
    refusals = await _refused(api, "nonsense")
    token, key = await make.api_token(scene.ann)

    for values in (
        {"expires_at": datetime.fromisoformat("2001-01-01T00:00:00Z")},
        {"hash": api_token_format.digest("x")},
    ):
        async with database.write() as tx:
            await tx.rows(update(tables.ApiToken).where(col(tables.ApiToken.id) == key).values(**values))
        header = {"authorization": f"Bearer {token}"}
        replies = [
            await api.client.post("/graphql", json={"query": WHO}, headers=header),
            await api.client.post("/users/authenticate/refresh", headers=header),
            await api.client.get("/orgs", headers=header),
        ]
        assert {each.text for each in replies} == refusals


async def test_a_token_is_no_ticket(api: Api, make: Make) -> None:
    """A storage service that checks the audience and the type of a ticket refuses a session token."""
    scene = await _scene(api, make)
    keys = jwt.PyJWKSet.from_dict((await api.client.get("/.well-known/jwks.json")).json())

    with pytest.raises(jwt.MissingRequiredClaimError):
        jwt.decode(scene.good, keys[scene.key.kid], ["EdDSA"], audience=tickets.AUDIENCE)
    assert jwt.get_unverified_header(scene.good)["typ"] == session_tokens.TYPE != tickets.TYPE
