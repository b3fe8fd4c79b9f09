"""Claims about accounts that an identity provider keeps: how they come, what follows, and what is not done here."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.config import Settings
from app.db import tables
from app.db.tables import col
from app.domain.viewer import Permission
from tests.support.changes import another, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD as LOCAL_PASSWORD
from tests.support.factories import Make, rows_of
from tests.support.fetching import fetch
from tests.support.provider import FACES, PASSWORD, Provider, Reply, over_graphql, over_rest

NOBODY_ANSWERS = "http://127.0.0.1:9/"
TOKEN = "a token of theirs"
ME = "{ viewer { user { userName metadata roles { name permissions } lastLoginAt email } } }"
REFRESH = "mutation { refreshToken { session { token } errors { code } } }"


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider() as server:
        yield server


@pytest.fixture
def overrides(provider: Provider) -> dict[str, str]:
    return {"OSTIARY_EXTERNAL_AUTH_URL": provider.url}


async def _me(client: httpx.AsyncClient, reply: Reply) -> dict[str, Any]:
    """Return the user who signed in, as they see themselves."""
    assert reply.code == "", reply
    headers = {"authorization": f"Bearer {reply.token}"}
    said = (await client.post("/graphql", json={"query": ME}, headers=headers)).json()
    me: dict[str, Any] = said["data"]["viewer"]["user"]
    return me


async def _log_in(client: httpx.AsyncClient, user_name: str = "ann") -> dict[str, Any]:
    return await _me(client, await over_rest(client, userName=user_name, password=PASSWORD))


def _names(me: dict[str, Any]) -> list[str]:
    return [role["name"] for role in me["roles"]]


@pytest.mark.parametrize("channel", FACES)
async def test_a_first_sign_in_makes_the_user(
    client: httpx.AsyncClient, provider: Provider, database: db.Database, channel: str
) -> None:
    provider.people["Ann"] = {"maxStorageMB": 10.5, "ou": ["reefs", None], "email": "ann@b.example"}

    me = await _me(client, await FACES[channel](client, userName="Ann", password=PASSWORD))

    assert me.pop("lastLoginAt") is not None
    assert me == {
        "userName": "Ann",
        "metadata": provider.people["Ann"],
        "roles": [{"name": "user", "permissions": ["ORGS_CREATE"]}],
        "email": None,
    }
    stored = await fetch(database, select(col(tables.User.user_key), col(tables.User.password_hash)))
    assert stored == [("ann", None)]


async def test_roles_and_metadata_and_quota_follow_at_every_sign_in(
    client: httpx.AsyncClient, provider: Provider, make: Make
) -> None:
    await make.admin()
    said: list[dict[str, Any]] = [
        {"maxStorageMB": 1, "roles": ["Diver", "user"]},
        {"maxStorageMB": 2, "roles": ["diver", "admin"], "is": 1},
        {"is": 1},
        {"is": True},
        {"is": 1.0},
        {"roles": []},
        {},
    ]
    seen = []
    for provider.people["ann"] in said:
        me = await _log_in(client)
        seen.append((str(me["metadata"]), _names(me)))

    assert seen == [
        (str(said[0]), ["Diver", "user"]),
        (str(said[1]), ["admin", "Diver"]),
        (str(said[2]), ["admin", "Diver"]),
        (str(said[3]), ["admin", "Diver"]),
        (str(said[4]), ["admin", "Diver"]),
        (str(said[5]), []),
        (str(said[6]), []),
    ]


async def test_a_role_that_is_none_yet_is_made_without_permissions(
    client: httpx.AsyncClient, provider: Provider, make: Make
) -> None:
    await make.role("Auditor", Permission.AUDIT_VIEW)
    provider.people["ann"] = {"roles": ["AUDITOR", "Deep Sea"]}

    me = await _log_in(client)

    assert me["roles"] == [
        {"name": "Auditor", "permissions": ["AUDIT_VIEW"]},
        {"name": "Deep Sea", "permissions": []},
    ]


async def test_nothing_that_is_called_a_password_is_stored(client: httpx.AsyncClient, provider: Provider) -> None:
    provider.people["ann"] = {"Password": PASSWORD, "deep": [{"password": PASSWORD, "passwordAge": 3}]}

    me = await _log_in(client)

    assert me["metadata"] == {"deep": [{"passwordAge": 3}]}


async def test_a_name_in_any_letter_case_is_the_same_user(client: httpx.AsyncClient, provider: Provider) -> None:
    provider.people |= {"Ann": {}, "aNN": {"seen": "twice", "username": "somebody else"}}

    first, second = await _log_in(client, "Ann"), await _log_in(client, "aNN")

    assert (first["userName"], second["userName"]) == ("Ann", "Ann")
    assert second["metadata"] == provider.people["aNN"]


async def test_an_existing_user_keeps_their_data(client: httpx.AsyncClient, provider: Provider, make: Make) -> None:
    await make.user("Ann", "user", email="ann@b.example", details={"old": 1})
    provider.people["ann"] = {}

    me = await _log_in(client)

    assert (me["userName"], me["email"], _names(me), me["metadata"]) == ("Ann", "ann@b.example", ["user"], {})


@pytest.mark.parametrize("name", ["ann.smith", "a-b_c", "ann+reef@b.example", "@1", "x" * 127])
async def test_a_user_name_of_the_provider_may_say_more_than_a_local_one(
    client: httpx.AsyncClient, api: Api, provider: Provider, make: Make, name: str
) -> None:
    root = await make.admin()
    provider.people[name] = {}

    await _log_in(client, name)
    reply = await api("query ($name: String!) { user(by: {userName: $name}) { userName } }", as_=root, name=name)

    assert reply["data"]["user"] == {"userName": name}


@pytest.mark.parametrize("name", ["roles", "Anonymous", "ann b", "Änn", "\u212aate", "..", "x" * 128, "a/b"])
async def test_a_user_name_that_cannot_be_is_refused_in_words(
    client: httpx.AsyncClient, provider: Provider, make: Make, database: db.Database, name: str
) -> None:
    await make.user("kate")  # as whom the one with the sign of kelvin would be taken
    provider.people[name] = {"roles": ["fresh"]}
    provider.tokens[TOKEN] = {"username": name, "roles": ["fresh"]}

    async with unchanged(database):
        replies = [await log_in(client, userName=name, password=PASSWORD) for log_in in FACES.values()]
        replies += [await log_in(client, token=TOKEN) for log_in in FACES.values()]

    assert {reply.code for reply in replies} == {"SERVICE_UNAVAILABLE"}
    assert "answer cannot be used: " in replies[0].text
    assert "user name" in replies[0].text


@pytest.mark.parametrize("channel", FACES)
async def test_a_token_says_itself_whose_it_is(
    client: httpx.AsyncClient, provider: Provider, make: Make, channel: str
) -> None:
    await make.user("Ann")
    provider.tokens = {TOKEN: {"username": "ann", "roles": ["user"]}, "other": {"username": "Bea"}}

    ann = await _me(client, await FACES[channel](client, token=TOKEN))
    bea = await _me(client, await FACES[channel](client, token="other"))

    assert (ann["userName"], _names(ann), ann["metadata"]) == ("Ann", ["user"], provider.tokens[TOKEN])
    assert (bea["userName"], _names(bea)) == ("Bea", ["user"])


@pytest.mark.parametrize("said", [{}, {"username": None}, {"username": 5}, {"userName": "ann"}, {"username": ""}])
async def test_a_token_without_a_name_lets_nobody_in(
    client: httpx.AsyncClient, provider: Provider, database: db.Database, said: dict[str, Any]
) -> None:
    provider.tokens[TOKEN] = said

    async with unchanged(database):
        replies = [await log_in(client, token=TOKEN) for log_in in FACES.values()]

    assert {reply.code for reply in replies} == {"SERVICE_UNAVAILABLE"}


async def test_over_rest_a_token_goes_before_a_password(client: httpx.AsyncClient, provider: Provider) -> None:
    provider.tokens[TOKEN] = {"username": "ann"}
    provider.people["bea"] = {}

    by_token = await over_rest(client, userName="bea", password=PASSWORD, token=TOKEN)
    by_password = await over_rest(client, userName="bea", password=PASSWORD, token=" ")

    assert (await _me(client, by_token))["userName"] == "ann"
    assert (await _me(client, by_password))["userName"] == "bea"


MIXED: list[tuple[dict[str, str], set[str]]] = [
    ({}, {"userName", "password"}),
    ({"userName": "ann"}, {"password"}),
    ({"password": PASSWORD}, {"userName"}),
    ({"userName": "ann", "token": TOKEN}, {"token"}),
    ({"userName": "ann", "password": PASSWORD, "token": TOKEN}, {"token"}),
]


@pytest.mark.parametrize(("fields", "invalid"), MIXED)
async def test_over_graphql_it_is_the_one_or_the_other(
    api: Api, provider: Provider, database: db.Database, fields: dict[str, str], invalid: set[str]
) -> None:
    async with unchanged(database):
        reply = await api(change("login"), input=fields)

    assert problems(reply) == {f"INVALID_INPUT input.{name}" for name in invalid}
    assert provider.heard == []


@pytest.mark.parametrize("overrides", [{}])
async def test_without_a_provider_no_token_is_good(
    client: httpx.AsyncClient, make: Make, database: db.Database
) -> None:
    await make.user("ann")

    async with unchanged(database):
        replies = [await log_in(client, token=TOKEN) for log_in in FACES.values()]

    assert {reply.code for reply in replies} == {"UNAUTHENTICATED"}


async def test_no_local_password_signs_anybody_in(
    client: httpx.AsyncClient, provider: Provider, make: Make, database: db.Database
) -> None:
    await make.user("ann", "admin")

    async with unchanged(database):
        existing = [await log_in(client, userName="ann", password=LOCAL_PASSWORD) for log_in in FACES.values()]
        unknown = [await log_in(client, userName="bea", password=LOCAL_PASSWORD) for log_in in FACES.values()]
        await provider.stop()
        away = [await log_in(client, userName="ann", password=LOCAL_PASSWORD) for log_in in FACES.values()]

    assert existing == unknown
    assert {reply.code for reply in existing} == {"UNAUTHENTICATED"}
    assert {reply.code for reply in away} == {"SERVICE_UNAVAILABLE"}


async def test_who_is_deactivated_by_the_provider_is_out_at_once(
    client: httpx.AsyncClient, api: Api, provider: Provider, make: Make
) -> None:
    root = await make.admin()
    provider.people["ann"] = {}
    first = await over_rest(client, userName="ann", password=PASSWORD)
    before = await _me(client, first)
    provider.people["ann"] = {"roles": ["user", "Deactivated"]}
    refusal = await over_rest(client, userName="ann", password="wrong")

    reply = await over_rest(client, userName="ann", password=PASSWORD)
    old = await client.post("/graphql", json={"query": ME}, headers={"authorization": f"Bearer {first.token}"})
    stored = await api('{ user(by: {userName: "ann"}) { roles { name } lastLoginAt } }', as_=root)

    assert reply == refusal
    assert reply.code == "UNAUTHENTICATED"
    assert old.status_code == 401
    assert stored["data"]["user"] == {
        "roles": [{"name": "deactivated"}, {"name": "user"}],
        "lastLoginAt": before["lastLoginAt"],
    }


async def test_who_is_deactivated_here_stays_out_while_the_provider_says_nothing_of_roles(
    client: httpx.AsyncClient, api: Api, provider: Provider, make: Make
) -> None:
    root = await make.admin()
    ann = await make.user("ann", "user")
    provider.people["ann"] = {}
    fields = {"user": {"id": ann.node}, "metadata": {"roles": ["deactivated"]}}

    assert codes(await api(change("setUserMetadata"), as_=root, input=fields)) == []
    out = await over_rest(client, userName="ann", password=PASSWORD)
    provider.people["ann"] = {"roles": ["user"]}
    back = await _log_in(client)

    assert out.code == "UNAUTHENTICATED"
    assert _names(back) == ["user"]


@pytest.mark.parametrize("roles", [["user"], [], ["admin", "deactivated"]])
async def test_the_last_administrator_stays_whatever_the_provider_says(
    client: httpx.AsyncClient, provider: Provider, make: Make, database: db.Database, roles: list[str]
) -> None:
    await make.user("ann", "admin")
    await make.user("asleep", "admin", "deactivated")
    provider.people["ann"] = {"roles": [*roles, "fresh"], "new": 1}

    async with unchanged(database):
        replies = [await log_in(client, userName="ann", password=PASSWORD) for log_in in FACES.values()]

    assert {reply.code for reply in replies} == {"PROTECTED"}
    await make.user("bea", "admin")
    assert (await over_rest(client, userName="ann", password=PASSWORD)).code in {"", "UNAUTHENTICATED"}


async def test_two_first_sign_ins_at_the_same_moment_make_one_user(
    client: httpx.AsyncClient, provider: Provider, settings: Settings, database: db.Database
) -> None:
    provider.people |= {"ann": {"roles": ["fresh"]}, "ANN": {"roles": ["fresh", "other"]}}

    async with another(settings) as elsewhere:
        replies = await asyncio.gather(
            *(
                log_in(http_client, userName=name, password=PASSWORD)
                for log_in in (over_rest, over_graphql)
                for http_client in (client, elsewhere.client)
                for name in ("ann", "ANN")
            )
        )

    assert [reply.code for reply in replies] == [""] * 8
    assert await rows_of(database, tables.User) == 1


async def test_who_signs_in_changes_no_accounts_in_the_same_request_either(
    api: Api, provider: Provider, database: db.Database
) -> None:
    provider.people["ann"] = {"roles": ["admin"]}
    both = """mutation ($login: LoginInput!) {
        login(input: $login) { errors { code } } createUser(input: {userName: "eve"}) { errors { code } }
    }"""

    reply = await api(both, login={"userName": "ann", "password": PASSWORD})

    assert codes(reply) == ["PROTECTED"]
    assert await rows_of(database, tables.User) == 1


async def test_a_token_from_before_stays_good_while_the_provider_is_away(
    api: Api, provider: Provider, make: Make
) -> None:
    ann = await make.user("ann")
    await provider.stop()

    assert codes(await api(REFRESH, as_=ann)) == []
