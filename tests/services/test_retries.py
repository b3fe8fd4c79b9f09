"""Claims about changes that other requests interfere with: the server tries again, then says RETRY."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from app import db
from app.config import Settings
from app.db import ForeignKeyViolation, Transaction, UniqueViolation
from app.domain.errors import Retry
from app.domain.viewer import SYSTEM
from app.observability import request_stats
from app.security.passwords import PasswordHasher
from app.services import audit, retries, users
from tests.support.changes import another, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make, Person
from tests.support.logged import logged
from tests.support.rest_client import Rest

MEMBERS = change("addGroupMembers", "group { id }")
USERS = change("createUsers", "results { user { userName } errors { code path } }")
USER = change("createUser", "user { userName }")
NEW_PASSWORD = "a password that nobody guesses"
INTERFERENCE = [Retry(), ForeignKeyViolation("some row"), UniqueViolation("some.column")]


class Failures:
    """Calls that fail a number of times before they succeed."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.left = error, times

    @contextmanager
    def of(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """Let the commit of audited changes fail: their last statement is the event."""
        row = Transaction.row

        async def failing(tx: Transaction, statement: Any, **values: Any) -> Any:
            if "new_action" in values and self.left:
                self.left -= 1
                raise self.error
            return await row(tx, statement, **values)

        with patch.context() as context:
            context.setattr(Transaction, "row", failing)
            yield


@pytest.fixture
async def root(make: Make) -> Person:
    return await make.admin()


@pytest.mark.parametrize("error", INTERFERENCE, ids=["retry", "foreign key", "unique"])
async def test_the_server_tries_again(
    api: Api, root: Person, database: db.Database, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    with Failures(error, retries.ATTEMPTS - 1).of(monkeypatch):
        async with logged(database) as since:
            assert codes(await api(change("createRole"), root, input={"name": "pilots"})) == []
    assert since.one.action == "createRole"


@pytest.mark.parametrize("error", INTERFERENCE[:2], ids=["retry", "foreign key"])
async def test_then_it_says_retry(
    api: Api, rest: Rest, root: Person, database: db.Database, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async with unchanged(database):
        with Failures(error, 2 * retries.ATTEMPTS).of(monkeypatch):
            reply = await api(change("createRole"), root, input={"name": "pilots"})
            response = await rest("POST", "/users/roles", root, json={"roleName": "pilots"})
    (entry,) = reply["errors"]
    assert (entry["extensions"], entry["path"]) == ({"code": "RETRY", "retryAfter": 1}, ["createRole"])
    assert (response.status_code, response.headers["retry-after"], response.json()["noRetry"]) == (503, "1", False)


async def test_an_error_of_the_server_itself_is_no_retry(
    api: Api, root: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Failures(UniqueViolation("some.column"), retries.ATTEMPTS).of(monkeypatch):
        assert codes(await api(change("createRole"), root, input={"name": "pilots"})) == ["INTERNAL_SERVER_ERROR"]


def _count(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """Return a list that gets an entry at each call of the hasher."""
    calls: list[str] = []
    method = getattr(PasswordHasher, name)

    async def counted(*arguments: Any) -> Any:
        calls.append(name)
        return await method(*arguments)

    monkeypatch.setattr(PasswordHasher, name, counted)
    return calls


async def test_a_new_password_is_hashed_once(api: Api, root: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = _count(monkeypatch, "hash_for")
    with Failures(Retry(), 2).of(monkeypatch):
        given = {"userName": "ann", "password": NEW_PASSWORD}
        assert codes(await api(USER, root, input=given)) == []
    assert len(hashed) == 1


@pytest.mark.parametrize("times", [2, retries.ATTEMPTS])
async def test_a_password_is_checked_once(api: Api, make: Make, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    ann = await make.user("ann", "user")
    verified, hashed = _count(monkeypatch, "verify"), _count(monkeypatch, "hash_for")
    with Failures(Retry(), times).of(monkeypatch):
        given = {"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD}
        expected = ["RETRY"] if times == retries.ATTEMPTS else []
        assert codes(await api(change("changePassword"), ann, input=given)) == expected
    assert (len(verified), len(hashed)) == (1, 1)


@pytest.mark.parametrize("times", [2, retries.ATTEMPTS])
async def test_a_sign_in_checks_its_password_once(
    api: Api, make: Make, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    await make.user("ann", "user")
    verified = _count(monkeypatch, "verify")
    with Failures(Retry(), times).of(monkeypatch):
        given = {"userName": "ann", "password": PASSWORD}
        expected = ["RETRY"] if times == retries.ATTEMPTS else []
        assert codes(await api(change("login"), input=given)) == expected
    assert len(verified) == 1


async def test_after_a_commit_nothing_is_tried_again(database: db.Database) -> None:
    calls = []

    async def commit_and_fail() -> None:
        calls.append(1)
        async with audit.transaction(database, SYSTEM, "createUser") as tx:
            await users.create_user(tx, SYSTEM, users.UserCreate(f"user{len(calls)}"))
        raise Retry

    token = request_stats.CURRENT.set(request_stats.RequestStats("", ""))
    with pytest.raises(Retry):
        await retries.run(commit_and_fail)
    request_stats.CURRENT.reset(token)
    assert len(calls) == 1


async def _both(*changes: Awaitable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(await asyncio.gather(*changes))


async def test_a_name_that_was_just_taken_is_a_conflict_at_its_path(api: Api, root: Person, settings: Settings) -> None:
    async with another(settings) as elsewhere:
        for number in range(12):
            users = [{"userName": f"own{number}x{at}"} for at in range(2)]
            shared = {"userName": f"shared{number}"}
            replies = await _both(
                api(USERS, root, input={"users": [users[0], shared]}),
                elsewhere(USERS, root, input={"users": [shared, users[1]]}),
            )
            rejected = [problems(reply) for reply in replies]
            assert sorted(map(len, rejected)) == [0, 1]
            expected = ({"CONFLICT input.users.1.userName"}, {"CONFLICT input.users.0.userName"})
            assert rejected in ([set(), expected[1]], [expected[0], set()])


async def test_a_user_who_was_just_deleted_is_not_found_at_their_path(
    api: Api, root: Person, make: Make, settings: Settings
) -> None:
    await make.group("crew")
    async with another(settings) as elsewhere:
        for number in range(12):
            await make.user(f"ann{number}")
            ann = {"userName": f"ann{number}"}
            added, deleted = await _both(
                api(MEMBERS, root, input={"group": {"slug": "crew"}, "members": [{"user": ann}]}),
                elsewhere(change("deleteUser"), root, input={"user": ann}),
            )
            assert codes(deleted) == []
            assert problems(added) <= {"NOT_FOUND input.members.0.user"}


async def test_one_member_is_added_once(api: Api, root: Person, make: Make, settings: Settings) -> None:
    await make.group("crew")
    async with another(settings) as elsewhere:
        for number in range(8):
            await make.user(f"ann{number}")
            given = {"group": {"slug": "crew"}, "members": [{"user": {"userName": f"ann{number}"}}]}
            replies = await _both(*(each(MEMBERS, root, input=given) for each in (api, elsewhere)))
            assert sorted(map(codes, replies)) == [[], ["CONFLICT"]]
            assert {path for each in replies for path in problems(each)} == {"CONFLICT input.members.0.user"}


async def test_a_deadlock_is_tried_again(database: db.Database) -> None:
    """On SQLite there is one writer, so both take turns."""
    attempts: list[str] = []
    has_first = asyncio.Barrier(2) if isinstance(database, db.PostgresDatabase) else None

    def crossing(first: str, second: str) -> Callable[[], Awaitable[str]]:
        async def run() -> str:
            async with database.write() as tx:
                await tx.lock(first)
                attempts.append(first)
                if has_first is not None and len(attempts) <= 2:
                    await has_first.wait()
                await tx.lock(second)
            return first

        return run

    assert await asyncio.gather(*(retries.run(crossing(*names)) for names in ("ab", "ba"))) == ["a", "b"]
    assert len(attempts) == (2 if has_first is None else 3)
