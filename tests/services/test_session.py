"""Claims about signing in and out, and about the tokens that are still accepted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app import db
from app.config import Settings
from app.db import tables
from app.db.tables import col
from app.security import passwords
from tests.support.changes import another, answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make, Person
from tests.support.fetching import fetch

SESSION = "session { token expiresAt user { userName lastLoginAt } }"
LOGIN, CHANGE = change("login", SESSION), change("changePassword", SESSION)
RESET, SIGN_OUT = change("resetPassword", "user { userName }"), change("signOutEverywhere", "user { userName }")
ASSIGN = change("assignRoles")
REFRESH = f"mutation {{ refreshToken {{ {SESSION} errors {{ code path }} }} }}"
LOGOUT = "mutation { logout { query { viewer { user { userName } } } errors { code path } } }"
WHO = "{ viewer { user { userName } } }"

FRESH = "another horse another staple"
UNFIT = ("", "short", "x" * 1_025, f"{FRESH}\0")


async def _who(api: Api, token: str) -> Any:
    """Return the user name of a token, or the status of its refusal."""
    response = await api.client.post("/graphql", json={"query": WHO}, headers={"authorization": f"Bearer {token}"})
    if response.status_code != 200:
        assert codes(response.json()) == ["UNAUTHENTICATED"]
        return response.status_code
    return response.json()["data"]["viewer"]["user"]["userName"]


async def _ask(api: Api, token: str, query: str, **variables: Any) -> dict[str, Any]:
    """Send a query with a token."""
    body = {"query": query, "variables": variables}
    response = await api.client.post("/graphql", json=body, headers={"authorization": f"Bearer {token}"})
    reply: dict[str, Any] = response.json()
    return reply


async def _log_in(api: Api, person: Person, password: str = PASSWORD) -> str:
    reply = await api(LOGIN, input={"userName": person.user_name, "password": password})
    return str(answered(reply, "login")["session"]["token"])


async def test_a_name_in_any_letter_case_signs_in(api: Api, make: Make) -> None:
    await make.user("Ann", "user")

    for name in ("Ann", "ann", "ANN"):
        session = answered(await api(LOGIN, input={"userName": name, "password": PASSWORD}), "login")["session"]
        assert session["user"]["userName"] == await _who(api, session["token"]) == "Ann"


async def test_incorrect_unknown_and_deactivated_are_refused_alike(api: Api, make: Make, database: db.Database) -> None:
    await make.user("ann")
    await make.user("gone", "deactivated", "admin")
    await make.user("none", password_hash=None)
    tried = [("ann", "wrong"), ("ann", ""), ("ann", "x" * 2_000), ("ann", f"{PASSWORD}\0"), ("ghost", PASSWORD)]
    tried += [("gone", PASSWORD), ("none", PASSWORD), ("", PASSWORD), ("ann\0", PASSWORD)]

    async with unchanged(database):
        replies = [await api.post(LOGIN, input={"userName": name, "password": password}) for name, password in tried]

    assert len({response.text for response in replies}) == 1
    assert codes(replies[0].json()) == ["UNAUTHENTICATED"]
    assert not any("set-cookie" in response.headers for response in replies)


async def test_a_sign_in_is_remembered_with_its_moment(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann")
    moment = datetime(2031, 2, 3, 4, 5, 6, 789, UTC)
    database.clock = lambda: moment

    session = answered(await api(LOGIN, input={"userName": "ann", "password": PASSWORD}), "login")["session"]

    assert session["user"]["lastLoginAt"] == "2031-02-03T04:05:06.000789Z"
    assert session["expiresAt"] == "2031-02-10T04:05:06.000000Z"
    reply = await api("{ viewer { user { lastLoginAt } } }", as_=ann)
    assert reply["data"]["viewer"]["user"]["lastLoginAt"] == "2031-02-03T04:05:06.000789Z"


async def test_the_query_of_a_login_runs_as_the_user_who_signed_in(api: Api, make: Make) -> None:
    await make.user("ann")
    fields = {"userName": "ann", "password": PASSWORD}

    reply = await api(change("login", "query { viewer { user { userName } } }"), input=fields)

    assert answered(reply, "login")["query"]["viewer"]["user"] == {"userName": "ann"}


async def test_a_token_ends_with_its_time(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann")
    now = datetime(2031, 1, 1, tzinfo=UTC)
    database.clock = lambda: now
    token = api.token(ann)

    database.clock = lambda: now + timedelta(days=7, seconds=-1)
    assert await _who(api, token) == "ann"
    database.clock = lambda: now + timedelta(days=7)
    assert await _who(api, token) == 401


async def test_a_refresh_gives_a_new_token_and_keeps_the_old_one(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann")
    old = api.token(ann)

    async with unchanged(database):
        new = answered(await _ask(api, old, REFRESH), "refreshToken")["session"]["token"]

    assert new != old
    assert (await _who(api, old), await _who(api, new)) == ("ann", "ann")


async def test_a_logout_ends_this_token_alone(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    one, two = api.token(ann), api.token(ann)

    reply = await _ask(api, one, LOGOUT)

    assert answered(reply, "logout")["query"]["viewer"]["user"] is None
    assert (await _who(api, one), await _who(api, two)) == (401, "ann")


async def test_a_logout_is_kept_only_as_long_as_the_token_would_have_lived(
    api: Api, make: Make, database: db.Database
) -> None:
    ann = await make.user("ann")
    now = database.clock()
    await _ask(api, api.token(ann), LOGOUT)

    database.clock = lambda: now + timedelta(days=8)
    await _ask(api, api.token(ann), LOGOUT)

    assert len(await fetch(database, select(col(tables.RevokedToken.jti)))) == 1


async def test_logging_out_twice_in_one_request_is_refused_the_second_time(api: Api, make: Make) -> None:
    token = api.token(await make.user("ann"))

    reply = await _ask(api, token, "mutation { a: logout { errors { code } } b: logout { errors { code } } }")

    assert (reply["data"], codes(reply)) == ({"a": {"errors": []}, "b": None}, ["UNAUTHENTICATED"])


@pytest.mark.parametrize("named", [None, "id", "userName"])
async def test_signing_out_everywhere_ends_every_token_of_the_viewer(api: Api, make: Make, named: str | None) -> None:
    ann, bea = await make.user("Ann"), await make.user("bea")
    tokens = [api.token(ann), api.token(ann)]
    by = {"id": {"id": ann.node}, "userName": {"userName": "ANN"}, None: None}[named]

    reply = await _ask(api, tokens[0], SIGN_OUT, input={"user": by})

    assert answered(reply, "signOutEverywhere")["user"] == {"userName": "Ann"}
    assert [await _who(api, token) for token in (*tokens, api.token(bea))] == [401, 401, "bea"]


async def test_a_stranger_does_not_sign_out_others_nor_learn_who_exists(
    api: Api, make: Make, database: db.Database
) -> None:
    ann, eve = await make.user("ann"), await make.user("eve")
    others = [{"id": ann.node}, {"userName": "ann"}, {"userName": "ghost"}, {"id": "x"}]

    async with unchanged(database):
        replies = [await api(SIGN_OUT, as_=eve, input={"user": by}) for by in others]

    assert [codes(reply) for reply in replies] == [["FORBIDDEN"]] * 4
    assert len({str(reply) for reply in replies}) == 1


async def test_a_new_password_ends_every_token_and_answers_a_good_one(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    old = [api.token(ann), api.token(ann)]

    reply = await _ask(api, old[0], CHANGE, input={"oldPassword": PASSWORD, "newPassword": FRESH})

    new = answered(reply, "changePassword")["session"]["token"]
    assert [await _who(api, token) for token in (*old, new)] == [401, 401, "ann"]
    assert codes(await api(LOGIN, input={"userName": "ann", "password": PASSWORD})) == ["UNAUTHENTICATED"]
    assert await _who(api, await _log_in(api, ann, FRESH)) == "ann"


async def test_a_password_change_that_is_refused_changes_nothing(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann")
    incorrect = [{"oldPassword": old, "newPassword": FRESH} for old in ("wrong", "")]
    unfit = [{"oldPassword": PASSWORD, "newPassword": new} for new in UNFIT]

    async with unchanged(database):
        replies = [await api(CHANGE, as_=ann, input=fields) for fields in [*incorrect, *unfit]]

    paths = ["oldPassword"] * 2 + ["newPassword"] * 4
    assert [problems(reply) for reply in replies] == [{f"INVALID_INPUT input.{path}"} for path in paths]


async def test_an_administrator_sets_a_password_and_the_old_tokens_end(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann")
    token = api.token(ann)

    reply = await api(RESET, as_=root, input={"user": {"userName": "Ann"}, "newPassword": FRESH})

    assert answered(reply, "resetPassword")["user"] == {"userName": "ann"}
    assert await _who(api, token) == 401
    assert await _who(api, await _log_in(api, ann, FRESH)) == "ann"


async def test_a_reset_keeps_the_password_policy(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann")

    async with unchanged(database):
        replies = [await api(RESET, as_=root, input={"user": {"id": ann.node}, "newPassword": new}) for new in UNFIT]

    assert [problems(reply) for reply in replies] == [{"INVALID_INPUT input.newPassword"}] * 4


async def test_who_is_deactivated_is_out_on_the_next_request_everywhere(
    api: Api, make: Make, settings: Settings
) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    token = api.token(ann)

    async with another(settings) as elsewhere:
        assert await _who(elsewhere, token) == "ann"
        answered(await api(ASSIGN, as_=root, input={"user": {"id": ann.node}, "roles": ["deactivated"]}), "assignRoles")
        assert (await _who(elsewhere, token), await _who(api, token)) == (401, 401)


async def test_a_reactivated_user_uses_their_token_again(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "deactivated")
    token = api.token(ann)
    assert await _who(api, token) == 401

    await api(ASSIGN, as_=root, input={"user": {"id": ann.node}, "roles": []})

    assert await _who(api, token) == "ann"


async def test_what_ends_a_token_here_ends_it_on_another_worker(api: Api, make: Make, settings: Settings) -> None:
    ann = await make.user("ann")
    one, two, three = api.token(ann), api.token(ann), api.token(ann)

    async with another(settings) as elsewhere:
        answered(await _ask(elsewhere, one, LOGOUT), "logout")
        assert (await _who(api, one), await _who(api, two)) == (401, "ann")
        answered(await _ask(api, two, SIGN_OUT, input={}), "signOutEverywhere")
        assert await _who(elsewhere, three) == 401


async def test_what_is_no_token_opens_nothing(api: Api) -> None:
    headers = [{b"authorization": f"Bearer {token}".encode()} for token in ("", "x", "a.b.c", "ü", "x" * 10_000)]

    empty, *bad = [await api.client.post("/graphql", json={"query": WHO}, headers=each) for each in headers]

    assert [(each.status_code, codes(each.json())) for each in bad] == [(401, ["UNAUTHENTICATED"])] * 4
    assert empty.json() == {"data": {"viewer": {"user": None}}}


async def test_an_old_kind_of_hash_is_replaced_at_the_next_login(api: Api, make: Make, database: db.Database) -> None:
    weak = passwords.ARGON2ID.using(memory_cost=1_024, time_cost=1).hash(PASSWORD)
    ann = await make.user("ann", password_hash=weak)
    stored = select(col(tables.User.password_hash)).where(col(tables.User.id) == ann.id)

    await _log_in(api, ann)
    fresh = (await fetch(database, stored))[0][0]
    await _log_in(api, ann)

    assert (await fetch(database, stored))[0][0] == fresh != weak
    assert fresh.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_hash_of_an_unknown_kind_lets_nobody_in(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann")
    async with database.write() as tx:
        await tx.rows(update(tables.User).where(col(tables.User.id) == ann.id).values(password_hash=PASSWORD))

    async with unchanged(database):
        reply = await api(LOGIN, input={"userName": "ann", "password": PASSWORD})

    assert codes(reply) == ["UNAUTHENTICATED"]
