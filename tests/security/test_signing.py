"""Tests of the keys that sign tokens: storage, publication, rotation, and the refresh by every worker."""

import asyncio
import json
import re
from datetime import timedelta
from typing import Any

import jwt
import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from app import administration, cli, db
from app.config import Settings
from app.db import tables
from app.db.tables import col
from app.security import keys as signing
from app.services import signing_keys as service
from app.services.app_context import AppContext
from tests.support.changes import another
from tests.support.client import Api
from tests.support.factories import Make, Person
from tests.support.fetching import fetch

WHO = "{ viewer { user { userName } } }"
WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"OSTIARY_TOKEN_ALGORITHM": "EdDSA"}


@pytest.fixture
def context(make: Make) -> AppContext:
    return make.app


async def _who(api: Api, token: str) -> Any:
    """Return the user name of a token, or the status of its refusal."""
    response = await api.client.post("/graphql", json={"query": WHO}, headers={"authorization": f"Bearer {token}"})
    return response.json()["data"]["viewer"]["user"]["userName"] if response.is_success else response.status_code


def _kid(token: str) -> Any:
    return jwt.get_unverified_header(token).get("kid")


async def _published(api: Api) -> list[str]:
    """Return the names of the published keys, without the key of tickets, which is the first."""
    response = await api.client.get("/.well-known/jwks.json")
    assert response.headers["cache-control"] == "public, max-age=300"
    tickets, *keys = response.json()["keys"]
    assert all(key.keys() == tickets.keys() == {"kty", "crv", "x", "kid", "alg", "use"} for key in keys)
    return [key["kid"] for key in keys]


def _other_kind(settings: Settings, algorithm: str) -> Settings:
    return settings.model_copy(update={"token_algorithm": algorithm})


def _forged(token: str, key: signing.Key) -> str:
    """Return the claims of a token, signed with another key, in a token that names that key."""
    claims = jwt.decode(token, options={"verify_signature": False})
    return jwt.encode(claims, key.private, "EdDSA", {"kid": key.kid})


async def test_others_check_a_token_with_the_published_key(api: Api, make: Make) -> None:
    token = api.token(await make.user("ann"))

    jwks = jwt.PyJWKSet.from_dict((await api.client.get("/.well-known/jwks.json")).json())
    claims = jwt.decode(token, jwks[_kid(token)], ["EdDSA"], options={"require": ["exp", "iat", "jti"]})

    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "JWT", "kid": _kid(token)}
    assert claims["unique_name"] == "ann"
    assert await _who(api, token) == "ann"


async def test_a_rotation_makes_a_key_that_signs_and_keeps_the_old_one_until_its_last_token_has_ended(
    api: Api, make: Make, context: AppContext, database: db.Database
) -> None:
    ann, now = await make.user("ann"), database.clock()
    database.clock = lambda: now
    old = api.token(ann)
    kid = await service.rotate(context.key_store, WEEK)
    database.clock = lambda: now + service.MAX_AGE
    last = api.token(ann)  # a worker that has not looked since
    assert await _published(api) == [_kid(old), kid]
    new = api.token(ann)

    assert [_kid(each) for each in (last, new)] == [_kid(old), kid]
    assert [await _who(api, each) for each in (old, last, new)] == ["ann"] * 3
    database.clock = lambda: now + service.MAX_AGE + WEEK - SECOND
    assert [await _who(api, each) for each in (old, last, new)] == [401, "ann", "ann"]
    database.clock = lambda: now + service.OVERLAP + WEEK
    assert await _published(api) == [kid]

    await service.rotate(context.key_store, WEEK)
    assert [each.kid for each in await service.list_keys(context.key_store)][:1] == [kid]
    assert len(await service.list_keys(context.key_store)) == 2


async def test_a_key_that_was_revoked_is_gone_with_its_tokens_from_every_worker(
    api: Api, make: Make, context: AppContext, database: db.Database, settings: Settings
) -> None:
    ann, now = await make.user("ann"), database.clock()
    old = api.token(ann)

    async with another(settings) as elsewhere:
        kid = await service.rotate(context.key_store, WEEK, revoke=True)
        for worker in (api, elsewhere):
            worker._context.database.clock = lambda: now + service.OVERLAP
            assert await _who(worker, old) == 401
            assert await _published(worker) == [kid]
            assert await _who(worker, worker.token(ann)) == "ann"


async def test_a_worker_that_has_not_looked_yet_takes_what_another_has_just_signed(
    api: Api, make: Make, context: AppContext, settings: Settings
) -> None:
    ann = await make.user("ann")

    async with another(settings) as elsewhere:
        kid = await service.rotate(context.key_store, WEEK)
        await context.key_store._load()
        token = api.token(ann)
        body = {"authorization": f"Bearer {token}"}
        over_rest = await elsewhere.client.get("/users/me", headers=body)

        assert _kid(token) == kid
        assert await _who(elsewhere, token) == "ann"
        assert over_rest.status_code != 401


async def test_names_that_are_made_up_share_a_look_and_keep_nobody_else_out(
    api: Api, make: Make, context: AppContext, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await make.user("ann")
    made_up = [_forged(api.token(ann), signing.Key.generate()) for _ in range(5)]
    look, looks = service.KeyStore._load, list[int]()

    async def counted(keyring: service.KeyStore) -> None:
        looks.append(1)
        await look(keyring)

    async with another(settings) as elsewhere:
        await service.rotate(context.key_store, WEEK)
        await look(context.key_store)
        said = await asyncio.gather(*(_who(elsewhere, token) for token in [*made_up, api.token(ann)]))
        monkeypatch.setattr(service.KeyStore, "_load", counted)
        await asyncio.gather(*(context.key_store.refresh_for_unknown_key() for _ in range(100)))

    assert said == [401] * 5 + ["ann"]
    assert len(looks) == 1


async def test_what_is_no_name_of_a_key_is_not_looked_for(
    api: Api, make: Make, context: AppContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(keyring: service.KeyStore) -> None:
        raise AssertionError

    monkeypatch.setattr(service.KeyStore, "_load", none)
    claims = jwt.decode(api.token(await make.user("ann")), options={"verify_signature": False})
    names = ["", "x", "../../secret", "' OR 1=1 --", "x" * 5_000, "x" * 44, "é" * 43]
    tokens = [jwt.encode(claims, signing.Key.generate().private, "EdDSA", {"kid": name}) for name in names]

    assert [await _who(api, token) for token in tokens] == [401] * len(tokens)


@pytest.mark.parametrize(("before", "after"), [("HS256", "EdDSA"), ("EdDSA", "HS256")])
async def test_tokens_signed_in_one_way_stay_good_when_the_other_is_chosen(
    make: Make, settings: Settings, before: str, after: str
) -> None:
    ann = await make.user("ann")

    async with another(_other_kind(settings, before)) as one, another(_other_kind(settings, after)) as two:
        tokens = [one.token(ann), two.token(ann)]
        algorithms = [jwt.get_unverified_header(token)["alg"] for token in tokens]
        said = [await _who(worker, token) for worker in (one, two) for token in tokens]

    assert algorithms == [before, after]
    assert said == ["ann"] * 4


async def test_workers_that_start_at_once_agree_on_one_key(
    make: Make, settings: Settings, database: db.Database
) -> None:
    async with database.write() as tx:
        await tx.rows(tables.SigningKey.__table__.delete())  # type: ignore[attr-defined]  # every mapped class has one

    async def started() -> str:
        async with another(settings) as worker:
            return str(_kid(worker.token(Person(1, "ann"))))

    assert len({*await asyncio.gather(*(started() for _ in range(4)))}) == 1


async def test_a_key_is_kept_sealed_under_the_secret_and_under_its_name(
    context: AppContext, database: db.Database, settings: Settings
) -> None:
    kid, sealed = (await fetch(database, select(col(tables.SigningKey.kid), col(tables.SigningKey.sealed))))[0]
    key = context.key_store.cipher.decrypt(kid, sealed)

    assert key is not None
    assert key.kid == kid
    assert key.private.private_bytes_raw().hex() not in sealed
    assert context.key_store.cipher.decrypt("x" * 43, sealed) is None
    assert [context.key_store.cipher.decrypt(kid, text) for text in ("", "!", sealed[:-4], "A" * 80)] == [None] * 4
    assert signing.KeyCipher(b"another secret that is long enough").decrypt(kid, sealed) is None


async def test_with_another_secret_there_is_another_key_and_no_token_is_good_any_more(
    api: Api, make: Make, settings: Settings
) -> None:
    ann = await make.user("ann")
    old = api.token(ann)

    fresh = settings.model_copy(update={"secret": SecretStr("another secret that is long enough")})
    async with another(fresh) as elsewhere:
        assert await _who(elsewhere, old) == 401
        assert await _who(elsewhere, elsewhere.token(ann)) == "ann"
        assert _kid(old) not in await _published(elsewhere)
        infos = await service.list_keys(elsewhere._context.key_store)

    assert [each.is_readable for each in infos] == [False, True]


async def test_a_key_that_somebody_put_into_the_database_signs_nothing(
    api: Api, make: Make, context: AppContext, database: db.Database
) -> None:
    forged, now = signing.Key.generate(), database.clock()
    token = _forged(api.token(await make.user("ann")), forged)
    async with database.write() as tx:
        await tx.rows(update(tables.SigningKey).values(kid=forged.kid))
    database.clock = lambda: now + service.MAX_AGE

    assert await _who(api, token) == 401


def test_the_command_line_lists_and_rotates(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["keys", "list"]) == 0
    first = capsys.readouterr().out
    assert cli.main(["keys", "rotate"]) == 0
    rotated = capsys.readouterr().out
    assert cli.main(["keys", "list"]) == 0
    both = capsys.readouterr().out
    assert cli.main(["keys", "rotate", "--revoke"]) == 0
    capsys.readouterr()
    assert cli.main(["keys", "list"]) == 0
    last = capsys.readouterr().out

    assert first.splitlines()[0].endswith(", signs")
    assert [re.sub("created [^,]*, | until.*", "", line.partition("  ")[2]) for line in both.splitlines()[:-1]] == [
        "session tokens, verifies",
        "session tokens, signs",
    ]
    assert rotated.split()[0] == both.splitlines()[1].split()[0]
    assert len(last.splitlines()) == 2
    assert both.splitlines()[-1] == last.splitlines()[-1], "the key of tickets stays"
    assert last.splitlines()[-1].endswith("  tickets, derived from the secret: it changes only with the secret")
    assert {*last.split()[:1]}.isdisjoint(both.split())


@pytest.mark.parametrize("overrides", [{}])
def test_without_keys_there_is_nothing_to_rotate(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["keys", "list"]) == 0
    assert re.fullmatch(
        r"[\w-]{43}  tickets, derived from the secret: it changes only with the secret\n"
        r"TokenAlgorithm is HS256: session tokens are signed with the secret\n",
        capsys.readouterr().out,
    )
    assert cli.main(["keys", "list", "--json"]) == 0
    (key,) = json.loads(capsys.readouterr().out)
    assert (key["use"], key["source"]) == ("tickets", "derived from the secret")

    assert cli.main(["keys", "rotate"]) == 2
    assert capsys.readouterr().err == (
        "ostiary: TokenAlgorithm is HS256: tokens are signed with the secret; set it to EdDSA first\n"
    )
    assert administration.signing_keys(settings)[0] == []
