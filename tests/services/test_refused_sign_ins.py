"""Claims about refused credentials: each is a line with its reason and counted, and the answer tells none of that."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, update
from starlette.applications import Starlette

from app import main
from app.config import Settings
from app.db import tables
from app.db.tables import col
from app.observability import counters, sign_in_log
from app.observability.sign_in_log import Reason
from app.security import api_token_format
from app.security.fair_queue import Caller, FairQueue
from tests.support.client import Api
from tests.support.factories import PASSWORD, Make
from tests.support.password_guessing import LOGIN, WRONG_PASSWORD
from tests.support.provider import PASSWORD as TYPED
from tests.support.provider import Provider
from tests.support.refusing import EVIL, WHO, Log, Scene, written

FAMILY = "ostiary_sign_ins_refused_total"
CHANGE = 'mutation {{ changePassword(input: {{oldPassword: "{}", newPassword: "{}"}}) {{ errors {{ code }} }} }}'
FRESH = "another horse another staple"


@pytest.fixture
def log() -> Iterator[Log]:
    with written() as written_log:
        yield written_log


@pytest.fixture
def scene(app: Starlette, api: Api, make: Make) -> Scene:
    return Scene(app, api, make)


async def _unknown_user(scene: Scene) -> None:
    await scene.guess.rest(EVIL, "ghost")


async def _unknown_user_over_graphql(scene: Scene) -> None:
    await scene.guess.graphql(EVIL, "ghost", WRONG_PASSWORD)


async def _wrong_password(scene: Scene) -> None:
    await scene.make.user("ann")
    await scene.guess.rest(EVIL, "ann")


async def _wrong_password_over_graphql(scene: Scene) -> None:
    await scene.make.user("ann")
    await scene.guess.graphql(EVIL, "ann", WRONG_PASSWORD)


async def _deactivated(scene: Scene) -> None:
    await scene.make.user("gone", "deactivated")
    await scene.guess.rest(EVIL, "gone", PASSWORD)


async def _throttled(scene: Scene) -> None:
    await scene.make.user("ann")
    for _ in range(10):
        await scene.guess.rest(EVIL, "ann")
    sign_in_log._SECONDS.clear()
    await scene.guess.rest(EVIL, "ann", PASSWORD)


async def _queue_full(scene: Scene) -> None:
    scene.context.hasher.queue = FairQueue(1, 100, 0.02)
    async with scene.context.queue.turn(Caller("elsewhere", "bob")):
        await scene.guess.rest(EVIL, "ann", PASSWORD)


async def _old_password(scene: Scene) -> None:
    ann = await scene.make.user("ann")
    await scene.guess.ask(EVIL, CHANGE.format(WRONG_PASSWORD, FRESH), scene.api.token(ann))


async def _current_password(scene: Scene) -> None:
    await scene.make.user("ann")
    root = await scene.make.admin()
    body = {"currentPassword": WRONG_PASSWORD, "newPassword": FRESH}
    async with scene.guess.client(EVIL) as client:
        await client.put("/users/ann/changepwd", json=body, headers=scene.api.headers(root))


async def _no_provider(scene: Scene) -> None:
    async with scene.guess.client(EVIL) as client:
        await client.post(LOGIN, json={"token": "theirs"})


async def _bad_refresh(scene: Scene) -> None:
    await scene.send("a.b.c", path=f"{LOGIN}/refresh")


async def _throttled_refresh(scene: Scene) -> None:
    for _ in range(21):
        await scene.send("a.b", path=f"{LOGIN}/refresh")


async def _malformed(scene: Scene) -> None:
    await scene.send("nonsense")


async def _malformed_cookie(scene: Scene) -> None:
    await scene.send("nonsense", cookie=True)


async def _bad_signature(scene: Scene) -> None:
    await scene.send(scene.signed("another secret that is long enough for this"))


async def _unknown_key(scene: Scene) -> None:
    await scene.send(scene.signed(kid="k" * 43))


async def _expired(scene: Scene) -> None:
    await scene.send(scene.signed(exp=int(scene.context.database.clock().timestamp()) - 10))


async def _not_yet_valid(scene: Scene) -> None:
    later = int(scene.context.database.clock().timestamp()) + 3_600
    await scene.send(scene.signed(nbf=later, exp=later + 60))


async def _revoked(scene: Scene) -> None:
    ann = await scene.make.user("ann")
    token = scene.api.token(ann)
    await scene.guess.ask(EVIL, "mutation { logout { errors { code } } }", token)
    await scene.send(token)


async def _revoked_at_a_login(scene: Scene) -> None:
    ann = await scene.make.user("ann")
    token = scene.api.token(ann)
    await scene.guess.ask(EVIL, "mutation { logout { errors { code } } }", token)
    await scene.send(token, path=LOGIN)


async def _wrong_generation(scene: Scene) -> None:
    ann = await scene.make.user("ann")
    token = scene.api.token(ann)
    await _set(scene, token_generation=col(tables.User.token_generation) + 1)
    await scene.send(token)


async def _set(scene: Scene, **values: Any) -> None:
    async with scene.context.database.write() as tx:
        await tx.rows(update(tables.User).values(**values))


async def _session_of_deactivated(scene: Scene) -> None:
    gone = await scene.make.user("gone", "deactivated")
    await scene.send(scene.api.token(gone))


async def _session_of_nobody(scene: Scene) -> None:
    gone = await scene.make.user("gone")
    token = scene.api.token(gone)
    async with scene.context.database.write() as tx:
        await tx.rows(delete(tables.User).where(col(tables.User.id) == gone.id))
    await scene.send(token, cookie=True)


async def _malformed_api_token(scene: Scene) -> None:
    await scene.send(f"{api_token_format.generate()[:-1]}?")


async def _unknown_api_token(scene: Scene) -> None:
    await scene.send(api_token_format.generate())


async def _expired_api_token(scene: Scene) -> None:
    token, _ = await scene.make.api_token(await scene.make.user("ann"))
    async with scene.context.database.write() as tx:
        await tx.rows(update(tables.ApiToken).values(expires_at=tx.now - timedelta(days=1)))
    await scene.send(token)


async def _api_token_of_deactivated(scene: Scene) -> None:
    token, _ = await scene.make.api_token(await scene.make.user("gone", "deactivated"))
    await scene.send(token)


async def _api_token_in_a_cookie(scene: Scene) -> None:
    token, _ = await scene.make.api_token(await scene.make.user("ann"))
    await scene.send(token, cookie=True)


Case = tuple[Callable[[Scene], Awaitable[None]], tuple[str, str, str, str | None]]
CASES: list[Case] = [
    (_unknown_user, ("rest", "password", "unknown_user", "ghost")),
    (_unknown_user_over_graphql, ("graphql", "password", "unknown_user", "ghost")),
    (_wrong_password, ("rest", "password", "wrong_password", "ann")),
    (_wrong_password_over_graphql, ("graphql", "password", "wrong_password", "ann")),
    (_deactivated, ("rest", "password", "deactivated", "gone")),
    (_throttled, ("rest", "password", "throttled", "ann")),
    (_queue_full, ("rest", "password", "queue_full", "ann")),
    (_old_password, ("graphql", "password", "wrong_password", "ann")),
    (_current_password, ("rest", "password", "wrong_password", "ann")),
    (_no_provider, ("rest", "provider_token", "no_provider", None)),
    (_bad_refresh, ("rest", "refresh", "malformed", None)),
    (_throttled_refresh, ("rest", "refresh", "throttled", None)),
    (_malformed, ("graphql", "session_token", "malformed", None)),
    (_malformed_cookie, ("graphql", "session_token", "malformed", None)),
    (_bad_signature, ("graphql", "session_token", "bad_signature", None)),
    (_unknown_key, ("graphql", "session_token", "unknown_key", None)),
    (_expired, ("graphql", "session_token", "expired", None)),
    (_not_yet_valid, ("graphql", "session_token", "not_yet_valid", None)),
    (_revoked, ("graphql", "session_token", "revoked", None)),
    (_revoked_at_a_login, ("rest", "session_token", "revoked", None)),
    (_wrong_generation, ("graphql", "session_token", "wrong_generation", None)),
    (_session_of_deactivated, ("graphql", "session_token", "deactivated", None)),
    (_session_of_nobody, ("graphql", "session_token", "unknown_user", None)),
    (_malformed_api_token, ("graphql", "api_token", "malformed", None)),
    (_unknown_api_token, ("graphql", "api_token", "unknown_token", None)),
    (_expired_api_token, ("graphql", "api_token", "expired", None)),
    (_api_token_of_deactivated, ("graphql", "api_token", "deactivated", None)),
    (_api_token_in_a_cookie, ("graphql", "api_token", "wrong_place", None)),
]
PROVIDER_CASES = {
    "provider_refused": ("ann", WRONG_PASSWORD),
    "deactivated": ("gone", TYPED),
    "not_allowed": ("robot", TYPED),
    "provider_away": ("ann", TYPED),
}


@pytest.mark.parametrize(("refuse", "expected"), CASES, ids=[refuse.__name__ for refuse, _ in CASES])
async def test_each_refusal_is_a_line_and_is_counted(
    scene: Scene, log: Log, refuse: Callable[[Scene], Awaitable[None]], expected: tuple[str, str, str, str | None]
) -> None:
    before = counters.samples()

    await refuse(scene)

    line = log.refusals[-1]
    assert (line["level"], line["message"], line["address"]) == ("warning", "refused credential", EVIL)
    assert tuple(line.get(name) for name in ("api", "credential", "reason", "userName")) == expected
    api, credential, reason, _ = expected
    sample = f'{FAMILY}{{api="{api}",credential="{credential}",reason="{reason}"}}'
    assert counters.samples()[sample] == before.get(sample, 0) + 1


def test_every_reason_is_one_of_these() -> None:
    assert {expected[2] for _, expected in CASES} | {*PROVIDER_CASES} == {*Reason}


@asynccontextmanager
async def _with_provider(settings: Settings, provider: Provider) -> AsyncIterator[Scene]:
    chosen = settings.model_copy(update={"external_auth_url": provider.url})
    app = main.create_app(chosen)
    async with app.router.lifespan_context(app):
        context = app.state.answering.app
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
            yield Scene(app, Api(client, context), Make(context))


@pytest.mark.parametrize("reason", PROVIDER_CASES)
@pytest.mark.parametrize("by_token", [False, True])
async def test_each_refusal_of_the_provider_is_a_line(
    settings: Settings, log: Log, reason: str, by_token: bool
) -> None:
    name, password = PROVIDER_CASES[reason]
    async with Provider() as provider, _with_provider(settings, provider) as scene:
        await scene.make.user("gone", "deactivated", is_external=True)
        await scene.make.user("robot", is_service_account=True)
        provider.people = {each: {} for each in ("ann", "gone", "robot")}
        provider.tokens = {f"{each} {TYPED}": {"username": each} for each in ("ann", "gone", "robot")}
        if reason == "provider_away":
            await provider.stop()

        body = {"token": f"{name} {password}"} if by_token else {"username": name, "password": password}
        async with scene.guess.client(EVIL) as client:
            reply = await client.post(LOGIN, json=body)

    assert reply.status_code == (503 if reason == "provider_away" else 401)
    (line,) = log.refusals
    credential, told_name = ("provider_token", None) if by_token else ("password", name)
    assert (line["credential"], line["reason"], line.get("userName")) == (credential, reason, told_name)
    assert TYPED not in "".join(log.lines())


async def test_who_is_let_in_is_no_line(scene: Scene, log: Log) -> None:
    ann = await scene.make.user("ann")
    token, _ = await scene.make.api_token(ann)

    replies = [
        await scene.guess.rest(EVIL, "ann", PASSWORD),
        await scene.send(scene.api.token(ann)),
        await scene.send(scene.api.token(ann), cookie=True),
        await scene.send(token),
        await scene.send(scene.api.token(ann), path=f"{LOGIN}/refresh"),
        await scene.guess.ask(EVIL, WHO),
    ]

    assert [reply.status_code for reply in replies] == [200] * 6
    assert log.refusals == []


async def test_the_answer_tells_no_reason(scene: Scene) -> None:
    await scene.make.users(["ann"])
    await scene.make.user("gone", "deactivated")
    by_password = [
        await scene.guess.rest(EVIL, *each)
        for each in (("ann", WRONG_PASSWORD), ("ghost", WRONG_PASSWORD), ("gone", PASSWORD))
    ]
    tokens = ["nonsense", scene.signed(gen=7), scene.signed("x" * 40), scene.signed(exp=1), scene.signed(kid="k" * 43)]
    by_token = [await scene.send(each) for each in (*tokens, api_token_format.generate())]

    assert len({(reply.status_code, reply.text) for reply in by_password}) == 1
    assert len({(reply.status_code, reply.text) for reply in by_token}) == 1
