"""Claims about the users that each REST route answers: one table, asked by all users, with every kind of token."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from app import db, rest
from app.config import Settings
from app.rest.models import PlainText
from app.rest.request_bodies import Body
from app.security.session_tokens import TokenClaims, TokenSigner
from tests.conftest import SECRET
from tests.oracle.rest_matrix import ADMIN, NOBODY, OWNER, ROUTES, ROWS, SELF, STRANGER, Asker, Scene, outcome, scene
from tests.support.changes import unchanged
from tests.support.client import Api
from tests.support.factories import Make, Person
from tests.support.rest_client import Rest
from tests.support.rest_toy import refusal

Key = tuple[str, str]

FIRST = TokenClaims(1, "root", True, 0)
"""The claims in a token of the first administrator, before there is a database."""

LISTED = TokenSigner(SECRET.encode(), timedelta(days=7), ()).issue(FIRST, datetime.now(UTC)).token
HERE = {"origin": "http://testserver"}
ELSEWHERE = {"origin": "http://elsewhere.example"}


@pytest.fixture(params=[False, True], ids=["plain", "DroneDB"])
def overrides(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each route as the documented API has it, and as DroneDB's clients need it."""
    return {
        "OSTIARY_DRONE_DB_CLIENTS": json.dumps(request.param),
        "OSTIARY_ENABLE_ORGANIZATION_MEMBER_MANAGEMENT": "true",
        "OSTIARY_REVOKED_TOKENS": json.dumps([LISTED]),
    }


@dataclass(frozen=True)
class World:
    """The callers of every route: the first administrator, another, a user without relations, and bad tokens."""

    root: Person
    other: Person
    stranger: Person
    tokens: Mapping[str, str]


@pytest.fixture
async def world(make: Make, api: Api) -> World:
    root = await make.admin()
    assert root.id == FIRST.user_id
    gone = await make.user("gone", "admin", "deactivated")
    long_ago = make.app.database.clock() - timedelta(days=8)
    tokens = {
        "deactivated": api.token(gone),
        "expired": make.app.signer.issue(FIRST, long_ago).token,
        "garbage": f"{api.token(root)[:-9]}123456789",
        "revoked": api.token(root),
        "listed": LISTED,
    }
    await api.client.post(
        "/graphql", json={"query": "mutation { logout { __typename } }"}, headers=_bearer(tokens["revoked"])
    )
    return World(root, await make.admin("other"), await make.user("stranger", "user"), tokens)


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def _cookie(token: str) -> dict[str, str]:
    return {"cookie": f"jwtToken={token}"}


def _askers(key: Key, world: World, scene: Scene, api: Api) -> dict[str, Asker]:
    """Return the callers of a route by name."""
    people = {STRANGER: world.stranger, SELF: scene.user, **scene.members, OWNER: scene.owner, ADMIN: world.root}
    if "{userName}" not in key[1]:
        del people[SELF]
    other, tokens = _cookie(api.token(world.other)), world.tokens
    return {
        NOBODY: Asker(NOBODY),
        "an empty token": Asker(NOBODY, _bearer("")),
        **{name: Asker(name, api.headers(person)) for name, person in people.items()},
        **{name: Asker(NOBODY, _bearer(tokens[name]), is_bad=True) for name in ("deactivated", "expired", "garbage")},
        **{name: Asker(NOBODY, _bearer(tokens[name]), is_revoked=True) for name in ("revoked", "listed")},
        **{f"{name} in a cookie": Asker(NOBODY, _cookie(token) | HERE) for name, token in tokens.items()},
        "a cookie": Asker(ADMIN, other, is_foreign=True),
        "a cookie from elsewhere": Asker(ADMIN, other | ELSEWHERE, is_foreign=True),
        "a cookie from here": Asker(ADMIN, other | HERE),
    }


async def _ask(rest: Rest, key: Key, asker: Asker, scene: Scene) -> httpx.Response:
    method, path = key
    sent: dict[str, Any] = {} if ROUTES[key].body is Body.NONE else {"json": ROWS[key].input(scene)}
    return await rest(method, path.format(**scene.words), headers=dict(asker.headers), **sent)


def _wanted(key: Key, asker: Asker, settings: Settings) -> int:
    status = outcome(key, asker)
    return 401 if status == 403 and settings.drone_db_clients else status


def test_the_table_lists_every_route_once() -> None:
    assert len(ROUTES) == len(rest.TABLE)
    assert set(ROWS) == set(ROUTES)


async def test_a_user_without_permission_is_refused_and_changes_nothing(
    rest: Rest, api: Api, make: Make, database: db.Database, settings: Settings, world: World
) -> None:
    scenes = {joined: await scene(make, int(joined), joined=joined) for joined in (False, True)}
    wanted: dict[tuple[str, ...], tuple[Any, ...]] = {}
    actual: dict[tuple[str, ...], tuple[Any, ...]] = {}

    for key, row in ROWS.items():
        here = scenes[row.joined]
        async with unchanged(database):
            for name, asker in _askers(key, world, here, api).items():
                if (status := _wanted(key, asker, settings)) >= 400:
                    reply = await _ask(rest, key, asker, here)
                    wanted[*key, name] = status, status != 404, "Bearer" if status == 401 else None
                    actual[*key, name] = _summary(reply)

    assert actual == wanted


def _summary(reply: httpx.Response) -> tuple[Any, ...]:
    """Status, `noRetry` and how to sign in; of a success the status alone."""
    if reply.status_code < 400:
        return (reply.status_code,)
    return *refusal(reply), reply.headers["www-authenticate"].partition(" ")[0] if reply.status_code == 401 else None


async def test_a_user_with_permission_gets_the_shape_that_the_route_declares(
    rest: Rest, api: Api, make: Make, settings: Settings, world: World
) -> None:
    numbers = count()
    wanted, actual = {}, {}

    for key, row in ROWS.items():
        here = await scene(make, next(numbers), joined=row.joined)
        askers = _askers(key, world, here, api)
        for name in [name for name, asker in askers.items() if outcome(key, asker) < 400]:
            if row.once:
                here = await scene(make, next(numbers), joined=row.joined)
            reply = await _ask(rest, key, _askers(key, world, here, api)[name], here)
            wanted[*key, name] = ROUTES[key].status, True
            actual[*key, name] = reply.status_code, _fits(ROUTES[key].response_type, reply)

    assert actual == wanted


def _fits(shape: Any, reply: httpx.Response) -> bool:
    """Return True if a body has the shape and nothing beyond it."""
    if shape is None:
        return reply.content == b""
    if shape is PlainText:
        return reply.headers["content-type"].startswith("text/plain") and reply.text != ""
    body = reply.json()
    return bool(_adapter(shape).validate_python(body, strict=True) == body)


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)
