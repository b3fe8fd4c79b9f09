"""Claims about `Viewer.hasDefaultPassword`: an administrator sees that they still have the published password."""

from functools import cache
from typing import Any

import pytest

from app.config import DEFAULT_PASSWORD, Settings
from app.security import passwords
from app.security.passwords import PasswordHasher
from app.security.session_tokens import TokenClaims
from app.services import session
from tests.support.changes import another, answered, change, problems
from tests.support.client import Api
from tests.support.factories import PASSWORD, Make, Person
from tests.support.rest_client import Rest

pytestmark = pytest.mark.usefixtures("from_this_machine")

HAS = "{ viewer { hasDefaultPassword } }"
SESSION = "session { token } query { viewer { hasDefaultPassword } }"
LOGIN, CHANGE = change("login", SESSION), change("changePassword", SESSION)
RESET = change("resetPassword")
REFRESH = "mutation { refreshToken { session { token } errors { code message path } } }"

FRESH = "another horse another staple"


@cache
def _hash() -> str:
    return passwords.hash_password(DEFAULT_PASSWORD)


async def _admin(make: Make, name: str = "admin") -> Person:
    return await make.user(name, "admin", password_hash=_hash())


async def _log_in(api: Api, name: str, password: str = DEFAULT_PASSWORD) -> tuple[str, bool]:
    """Return the token of a new session, and what its answer says."""
    payload = answered(await api(LOGIN, input={"userName": name, "password": password}), "login")
    return payload["session"]["token"], payload["query"]["viewer"]["hasDefaultPassword"]


async def _has(api: Api, token: Person | str | None) -> Any:
    """Return the field, which both executors answer alike: a plan answers the second time."""
    one, two = await api(HAS, as_=token), await api(HAS, as_=token)
    assert one == two
    return "refused" if "errors" in one else one["data"]["viewer"]["hasDefaultPassword"]


async def test_an_administrator_with_the_default_password_is_told_in_every_session(
    api: Api, rest: Rest, make: Make
) -> None:
    await _admin(make)

    token, in_the_answer = await _log_in(api, "ADMIN")
    form = {"username": "admin", "password": DEFAULT_PASSWORD}
    by_rest = (await rest("POST", "/users/authenticate", data=form)).json()["token"]
    refreshed = answered(await api(REFRESH, as_=token), "refreshToken")["session"]["token"]
    authorization = {"authorization": f"Bearer {by_rest}"}
    refreshed_by_rest = (await rest("POST", "/users/authenticate/refresh", headers=authorization)).json()["token"]

    assert in_the_answer is True
    assert [await _has(api, each) for each in (token, by_rest, refreshed, refreshed_by_rest)] == [True] * 4


async def test_a_new_password_shows_at_once_on_every_worker(api: Api, make: Make, settings: Settings) -> None:
    await _admin(make)
    token, _ = await _log_in(api, "admin")

    async with another(settings) as elsewhere:
        assert await _has(elsewhere, token) is True
        changed = {"oldPassword": DEFAULT_PASSWORD, "newPassword": FRESH}
        payload = answered(await api(CHANGE, as_=token, input=changed), "changePassword")

        assert payload["query"]["viewer"]["hasDefaultPassword"] is False
        for worker in (api, elsewhere):
            assert await _has(worker, payload["session"]["token"]) is False
            assert await _has(worker, token) == "refused"
    assert (await _log_in(api, "admin", FRESH))[1] is False


async def test_a_change_that_is_refused_or_only_tried_changes_nothing(api: Api, make: Make) -> None:
    await _admin(make)
    token, _ = await _log_in(api, "admin")

    wrong = await api(CHANGE, as_=token, input={"oldPassword": FRESH, "newPassword": FRESH})
    tried = {"oldPassword": DEFAULT_PASSWORD, "newPassword": FRESH, "validateOnly": True}

    assert problems(wrong) == {"INVALID_INPUT input.oldPassword"}
    assert problems(await api(CHANGE, as_=token, input=tried)) == set()
    assert await _has(api, token) is True


@pytest.mark.parametrize("overrides", [{"OSTIARY_PASSWORD_POLICY": "null"}])
async def test_who_returns_to_the_default_password_is_told_again(api: Api, make: Make) -> None:
    await make.admin()
    token, before = await _log_in(api, "root", PASSWORD)

    changed = {"oldPassword": PASSWORD, "newPassword": DEFAULT_PASSWORD}
    payload = answered(await api(CHANGE, as_=token, input=changed), "changePassword")

    assert (before, payload["query"]["viewer"]["hasDefaultPassword"]) == (False, True)
    assert await _has(api, payload["session"]["token"]) is True


async def test_a_password_that_another_administrator_sets_ends_the_session(api: Api, make: Make) -> None:
    await _admin(make)
    root = await make.admin()
    token, _ = await _log_in(api, "admin")

    answered(await api(RESET, as_=root, input={"user": {"userName": "admin"}, "newPassword": FRESH}), "resetPassword")

    assert await _has(api, token) == "refused"
    assert (await _log_in(api, "admin", FRESH))[1] is False


async def test_it_tells_nobody_about_others(api: Api, make: Make) -> None:
    """Neither those who administer the registry beside them, nor a user who is no administrator."""
    admin, root = await _admin(make), await make.admin()
    await make.user("ann", "user", password_hash=_hash())
    script, _ = await make.api_token(admin)

    assert (await _log_in(api, "ann"))[1] is False
    assert (await _log_in(api, "root", PASSWORD))[1] is False
    assert [await _has(api, each) for each in (root, script, None)] == [False] * 3


async def test_it_costs_neither_a_statement_nor_a_hash(api: Api, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    await _admin(make)
    token, _ = await _log_in(api, "admin")

    async def verify(*_: Any) -> Any:
        pytest.fail("a password is compared")

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    many = " ".join(f"a{at}: viewer {{ hasDefaultPassword }}" for at in range(20))
    replies = [
        await api.client.post(
            "/graphql",
            json={"query": text},
            headers={"authorization": f"Bearer {token}", "ostiary-stats": "1"},
        )
        for text in ("{ viewer { permissions } }", f"{{ {many} }}") * 3
    ]

    assert len({reply.json()["extensions"]["stats"]["statements"] for reply in replies[2:]}) == 1
    assert replies[-1].json()["data"] == {f"a{at}": {"hasDefaultPassword": True} for at in range(20)}


@pytest.mark.parametrize("overrides", [{}, {"OSTIARY_EXTERNAL_AUTH_URL": "http://127.0.0.1:9/in"}])
async def test_it_is_false_where_a_provider_keeps_the_passwords(
    api: Api, make: Make, overrides: dict[str, str]
) -> None:
    admin = await _admin(make)
    claims = TokenClaims(admin.id, admin.user_name, True, admin.generation, default_password=True)

    token = make.app.signer.issue(claims, make.app.database.clock()).token

    assert await _has(api, token) is not bool(overrides)


async def test_a_password_in_another_unicode_form_is_the_same(api: Api, make: Make) -> None:
    """Full-width letters have the same normal form, so they sign in too."""
    await _admin(make)

    full_width = "".join(chr(ord(letter) + 0xFEE0) for letter in DEFAULT_PASSWORD)

    assert (await _log_in(api, "admin", full_width))[1] is True


async def test_the_session_of_a_user_who_was_no_administrator_at_sign_in_is_not_one(make: Make) -> None:
    await make.user("ann", "user", password_hash=_hash())

    assert not (await session.log_in(make.app, "ann", DEFAULT_PASSWORD)).viewer.has_default_password
