"""Claims about passwords of many new users: their time, their fairness, and imported hashes."""

import asyncio
from base64 import b64encode
from collections.abc import MutableMapping
from hashlib import pbkdf2_hmac
from typing import Any

import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from app import db
from app.db import tables
from app.db.tables import col
from app.domain.errors import BadRequest
from app.domain.viewer import SYSTEM
from app.observability import request_stats
from app.observability.request_stats import RequestStats
from app.security import passwords
from app.security.fair_queue import FairQueue, QueueFull
from app.services import new_passwords
from app.services.app_context import AppContext
from app.services.new_passwords import NewPassword
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make
from tests.support.fetching import fetch
from tests.support.logged import events

CREATE = change("createUsers", "results { status user { userName } errors { code message path } }")
LOGIN = change("login", "session { expiresAt }")


def _django(password: str) -> str:
    key = pbkdf2_hmac("sha256", password.encode(), b"seasalt2", 1_000)
    return f"pbkdf2_sha256$1000$seasalt2${b64encode(key).decode()}"


def _users(number: int) -> list[dict[str, Any]]:
    return [{"userName": f"new{at}", "password": f"{PASSWORD} {at}"} for at in range(number)]


@pytest.fixture
def context(app: Starlette) -> AppContext:
    context: AppContext = app.state.answering.app
    return context


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, context: AppContext) -> list[str]:
    """Make each hash wait, and return the list of the hashed passwords."""
    hashed: list[str] = []

    async def hash_slowly(hasher: Any, password: str) -> str:
        hashed.append(password)
        await asyncio.sleep(0.1)
        return passwords.DUMMY_HASH

    monkeypatch.setattr(passwords.PasswordHasher, "hash", hash_slowly)
    return hashed


class TestTime:
    """A change has one second, and the hashing another limit."""

    @pytest.fixture
    def overrides(self) -> dict[str, Any]:
        return {"OSTIARY_MUTATION_SECONDS": "1", "OSTIARY_BULK_HASHING_SECONDS": "3"}

    async def test_hashing_does_not_count_towards_the_time_of_the_change(
        self, api: Api, make: Make, slow: list[str]
    ) -> None:
        reply = await api(CREATE, as_=await make.admin(), input={"users": _users(36)})

        assert [each["status"] for each in answered(reply, "createUsers")["results"]] == ["CREATED"] * 36
        assert len(slow) == 36

    async def test_hashing_has_a_limit_of_its_own(
        self, api: Api, make: Make, database: db.Database, slow: list[str]
    ) -> None:
        root = await make.admin()

        async with unchanged(database):
            reply = await api(CREATE, as_=root, input={"users": _users(200)})

        assert codes(reply) == ["TIMEOUT"]
        assert 20 < len(slow) < 100
        number = len(slow)
        await asyncio.sleep(0.3)
        assert len(slow) == number

    async def test_several_changes_of_a_request_share_the_limit(self, api: Api, make: Make, slow: list[str]) -> None:
        call = "createUsers(input: ${0}) {{ errors {{ code }} }}"
        text = (
            f"mutation ($a: CreateUsersInput!, $b: CreateUsersInput!) {{ a: {call.format('a')} b: {call.format('b')} }}"
        )
        first, second = _users(80)[:40], _users(80)[40:]

        reply = await api(text, as_=await make.admin(), a={"users": first}, b={"users": second})

        assert reply["data"]["a"] == {"errors": []}
        assert codes(reply) == ["TIMEOUT"]


async def test_sign_ins_of_others_are_answered_meanwhile(api: Api, make: Make) -> None:
    root, _ = await make.admin(), await make.user("ann")
    bulk = asyncio.create_task(api(CREATE, as_=root, input={"users": _users(60)}))
    await asyncio.sleep(0.3)

    reply = await asyncio.wait_for(api(LOGIN, input={"userName": "ann", "password": PASSWORD}), 2)

    assert codes(reply) == []
    assert not bulk.done()
    answered(await bulk, "createUsers")


async def test_passwords_of_existing_users_are_neither_hashed_nor_changed(
    api: Api, make: Make, database: db.Database, slow: list[str]
) -> None:
    root, _ = await make.admin(), await make.user("new0")

    async with unchanged(database):
        reply = await api(CREATE, as_=root, input={"users": _users(1), "onConflict": "UPDATE"})
        assert answered(reply, "createUsers")["results"][0]["status"] == "UNCHANGED"
        trial = {"users": _users(3), "onConflict": "SKIP", "validateOnly": True}
        answered(await api(CREATE, as_=root, input=trial), "createUsers")
    assert slow == []
    answered(await api(CREATE, as_=root, input={"users": _users(3), "onConflict": "SKIP"}), "createUsers")
    assert len(slow) == 2


async def test_an_imported_hash_opens_and_is_renewed_at_the_first_sign_in(
    api: Api, make: Make, database: db.Database
) -> None:
    users = [{"userName": "ann", "passwordHash": _django(PASSWORD)}]
    answered(await api(CREATE, as_=await make.admin(), input={"users": users}), "createUsers")

    async def stored() -> str:
        statement = select(col(tables.User.password_hash)).where(col(tables.User.user_key) == "ann")
        return str((await fetch(database, statement))[0][0])

    assert codes(await api(LOGIN, input={"userName": "ann", "password": "wrong"})) == ["UNAUTHENTICATED"]
    assert await stored() == users[0]["passwordHash"]
    assert codes(await api(LOGIN, input={"userName": "ann", "password": PASSWORD})) == []
    renewed = await stored()
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert codes(await api(LOGIN, input={"userName": "ann", "password": PASSWORD})) == []
    assert await stored() == renewed


async def test_a_hash_is_refused_by_its_path_and_told_nowhere(
    api: Api, make: Make, database: db.Database, caplog: pytest.LogCaptureFixture
) -> None:
    root, secret = await make.admin(), "$2b$31$" + "s" * 53
    users = [
        {"userName": "ann", "passwordHash": secret},
        {"userName": "ben", "passwordHash": "c2VjcmV0"},
        {"userName": "cid", "password": PASSWORD, "passwordHash": _django(PASSWORD)},
    ]

    async with unchanged(database):
        replies = [
            await api(CREATE, as_=root, input={"users": users}),
            *[await api(change("createUser"), as_=root, input=user) for user in users],
        ]

    assert problems(replies[0]) == {f"INVALID_INPUT input.users.{at}.passwordHash" for at in range(3)}
    assert [problems(reply) for reply in replies[1:]] == [{"INVALID_INPUT input.passwordHash"}] * 3
    given = {"userName": "ann", "passwordHash": _django(PASSWORD)}
    replies.append(await api(CREATE, as_=root, input={"users": [given]}))
    told = f"{replies}{await events(database)}{caplog.text}"
    assert all(text not in told for text in (secret, "c2VjcmV0", "seasalt2"))
    stranger = await make.user()
    assert codes(await api(CREATE, as_=stranger, input={"users": users})) == ["FORBIDDEN"]


async def test_a_client_that_hangs_up_stops_the_hashing(context: AppContext, slow: list[str]) -> None:
    async def hang_up() -> MutableMapping[str, Any]:
        await asyncio.sleep(0.3)
        return {"type": "http.disconnect"}

    stats = RequestStats("", "POST")
    stats.receive = hang_up
    request_stats.CURRENT.set(stats)
    new = [NewPassword(("users", at), password=PASSWORD) for at in range(100)]

    with pytest.raises(BadRequest):
        await new_passwords.hash_new_passwords(context, SYSTEM, new)
    number = len(slow)
    await asyncio.sleep(0.3)

    assert number == len(slow) < 20
    assert context.hasher.queue.jobs == 0


async def test_a_full_queue_delays_the_hashing(
    context: AppContext, slow: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [QueueFull("Full.", 0), QueueFull("Full.", 0)]
    enter = FairQueue.enter

    async def refuse_at_first(*arguments: Any, **options: Any) -> None:
        if full:
            raise full.pop()
        await enter(*arguments, **options)

    monkeypatch.setattr(FairQueue, "enter", refuse_at_first)

    hashes = await new_passwords.hash_new_passwords(
        context, SYSTEM, [NewPassword(("users", at), password=PASSWORD) for at in range(3)]
    )

    assert hashes == [passwords.DUMMY_HASH] * 3
