"""Claims about API tokens: how they are created, listed and revoked, and which operations they permit."""

import re
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from app import db
from app.config import Settings
from app.db import tables
from app.db.tables import col
from app.domain.viewer import Permission
from app.security import api_token_format
from app.services.api_tokens import MAX_TOKENS, RECORD_INTERVAL
from tests.support.changes import another, answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make, Person, rows_of
from tests.support.fetching import fetch

CREATE = change("createApiToken", "token apiToken { id name prefix permissions isLimited expiresAt user { userName } }")
REVOKE = change("revokeApiToken", "revokedApiTokenId")
ASSIGN, DELETE = change("assignRoles"), change("deleteUser")
ACCOUNT = change("createServiceAccount", "user { id userName isServiceAccount roles { name } }")
WHO = "{ viewer { user { userName } permissions apiToken { name } } }"
LIST = "{ apiTokens { totalCount nodes { name prefix lastUsedAt user { userName } } } }"
FORM = re.compile(r"ost_[0-9A-Za-z]{49}")


async def ask(api: Api, token: str, query: str, **variables: Any) -> dict[str, Any]:
    """Send a query with a token."""
    reply: dict[str, Any] = (await post(api, token, query, **variables)).json()
    return reply


async def post(api: Api, token: str, query: str, **variables: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    return await api.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)


async def create_token(api: Api, as_: Person, **fields: Any) -> tuple[str, str]:
    """Create an API token; return its text and its id."""
    payload = answered(await api(CREATE, as_=as_, input={"name": "script", **fields}), "createApiToken")
    return payload["token"], payload["apiToken"]["id"]


async def robot(api: Api, as_: Person, *roles: str) -> dict[str, Any]:
    """Create a service account."""
    reply = await api(ACCOUNT, as_=as_, input={"userName": "robot", "roles": roles})
    user: dict[str, Any] = answered(reply, "createServiceAccount")["user"]
    return user


async def authenticated_user(api: Api, token: str) -> Any:
    """Return the user name that a token authenticates, or the status of the refusal."""
    response = await post(api, token, WHO)
    return response.json()["data"]["viewer"]["user"]["userName"] if response.is_success else response.status_code


async def test_a_token_is_shown_once_and_lets_its_owner_in(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann", "user")
    now = datetime.fromisoformat("2031-02-03T04:05:06+00:00")
    database.clock = lambda: now

    token, key = await create_token(api, ann, permissions=["ORGS_CREATE"])

    assert FORM.fullmatch(token)
    assert api_token_format.is_valid(token)
    tokens_page = (await api("{ apiTokens { nodes { id name prefix expiresAt lastUsedAt } } }", as_=ann))["data"][
        "apiTokens"
    ]
    end = "2032-02-03T04:05:06.000000Z"
    assert tokens_page == {
        "nodes": [{"id": key, "name": "script", "prefix": token[:10], "expiresAt": end, "lastUsedAt": None}]
    }
    assert (await ask(api, token, WHO))["data"]["viewer"] == {
        "user": {"userName": "ann"},
        "permissions": ["ORGS_CREATE"],
        "apiToken": {"name": "script"},
    }
    stored = (await fetch(database, select(*tables.ApiToken.__table__.c)))[0]  # type: ignore[attr-defined]  # mapped
    assert not any(token[10:] in str(each) for each in stored)


async def test_it_lets_in_over_rest_too(api: Api, make: Make) -> None:
    token, _ = await create_token(api, await make.user("ann", "user"), permissions=["ORGS_CREATE"])
    headers = {"authorization": f"Bearer {token}"}

    response = await api.client.post("/orgs", data={"slug": "reef", "name": "Reef"}, headers=headers)

    assert response.status_code == 201
    assert "set-cookie" not in response.headers


async def test_it_carries_at_most_what_its_owner_holds_at_the_moment(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "admin")
    token, _ = await create_token(api, ann, permissions=["USERS_VIEW", "ROLES_MANAGE"])
    bare, _ = await create_token(api, ann, name="bare")

    first = (await ask(api, token, WHO))["data"]["viewer"]["permissions"]
    answered(await api(ASSIGN, as_=root, input={"user": {"id": ann.node}, "roles": ["user"]}), "assignRoles")
    then = (await ask(api, token, WHO))["data"]["viewer"]["permissions"]

    assert (first, then) == (["USERS_VIEW", "ROLES_MANAGE"], [])
    assert (await ask(api, bare, WHO))["data"]["viewer"]["permissions"] == []
    refused = await ask(api, bare, change("createOrg"), input={"slug": "reef", "name": "Reef"})
    assert codes(refused) == ["FORBIDDEN"]


async def test_a_token_has_no_permission_that_its_creator_does_not_hold(
    api: Api, make: Make, database: db.Database
) -> None:
    ann = await make.user("ann", "user")

    async with unchanged(database):
        reply = await api(CREATE, as_=ann, input={"name": "script", "permissions": ["ORGS_CREATE", "USERS_VIEW"]})

    assert codes(reply) == ["FORBIDDEN"]


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": " " * 3}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"expiresAt": "2001-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "2999-01-01T00:00:00Z"}, "expiresAt"),
        ({"orgs": [], "permissions": ["USERS_VIEW"]}, "permissions"),
        ({"resources": [], "permissions": ["ORGS_CREATE"]}, "permissions"),
        ({"orgs": [{"slug": "x"}] * 101}, "orgs"),
    ],
)
async def test_an_invalid_token_is_not_created(
    api: Api, make: Make, database: db.Database, data: dict[str, Any], path: str
) -> None:
    root = await make.admin()

    async with unchanged(database):
        reply = await api(CREATE, as_=root, input={"name": "script", **data})

    assert problems(reply) == {f"INVALID_INPUT input.{path}"}


async def test_a_name_is_taken_once_for_each_owner_and_in_any_letter_case(
    api: Api, make: Make, database: db.Database
) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")
    await create_token(api, ann, name="Script")
    await create_token(api, bea, name="script")

    async with unchanged(database):
        reply = await api(CREATE, as_=ann, input={"name": " SCRIPT "})

    assert problems(reply) == {"CONFLICT input.name"}


async def test_there_is_an_end_to_how_many_somebody_has(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann")
    row = {"user_id": ann.id, "prefix": "", "permissions": 0, "is_limited": False, "created_at": database.clock()}
    async with database.write() as tx:
        rows = [{**row, "name": f"t{at}", "name_key": f"t{at}", "hash": f"h{at}"} for at in range(MAX_TOKENS)]
        await tx.insert(tables.ApiToken, rows)

    assert problems(await api(CREATE, as_=ann, input={"name": "one more"})) == {"CONFLICT input"}
    assert await rows_of(database, tables.ApiToken) == MAX_TOKENS


@pytest.mark.parametrize("overrides", [{"OSTIARY_API_TOKEN_EXPIRATION_IN_DAYS": " "}])
async def test_where_no_end_is_demanded_it_needs_none(api: Api, make: Make) -> None:
    ann = await make.user("ann")

    payload = answered(await api(CREATE, as_=ann, input={"name": "script"}), "createApiToken")

    assert payload["apiToken"]["expiresAt"] is None


async def test_it_ends_with_its_time_on_the_second(api: Api, make: Make, database: db.Database) -> None:
    now = datetime.fromisoformat("2031-02-03T04:05:06+00:00")
    database.clock = lambda: now
    token, _ = await create_token(api, await make.user("ann"), expiresAt="2031-03-03T04:05:06Z")

    database.clock = lambda: now + timedelta(days=28, microseconds=-1)
    assert await authenticated_user(api, token) == "ann"
    database.clock = lambda: now + timedelta(days=28)
    assert await authenticated_user(api, token) == 401


async def test_what_ends_it_ends_it_at_the_next_request_on_every_worker(
    api: Api, make: Make, settings: Settings
) -> None:
    root, people = await make.admin(), [await make.user(name) for name in ("ann", "bea", "cleo")]
    ann, bea, cleo = people
    tokens = [await create_token(api, person) for person in people]

    async with another(settings) as elsewhere:
        assert [await authenticated_user(elsewhere, token) for token, _ in tokens] == ["ann", "bea", "cleo"]
        answered(await api(REVOKE, as_=ann, input={"apiToken": tokens[0][1]}), "revokeApiToken")
        answered(await api(ASSIGN, as_=root, input={"user": {"id": bea.node}, "roles": ["deactivated"]}), "assignRoles")
        answered(await api(DELETE, as_=root, input={"user": {"id": cleo.node}}), "deleteUser")
        assert [await authenticated_user(worker, token) for worker in (elsewhere, api) for token, _ in tokens] == [
            401
        ] * 6


async def test_a_new_password_and_signing_out_everywhere_leave_it(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    token, _ = await create_token(api, ann)

    data = {"oldPassword": PASSWORD, "newPassword": "another horse another staple"}
    session = answered(await api(change("changePassword", "session { token }"), as_=ann, input=data), "changePassword")
    answered(await ask(api, session["session"]["token"], change("signOutEverywhere"), input={}), "signOutEverywhere")

    assert await authenticated_user(api, session["session"]["token"]) == 401
    assert await authenticated_user(api, token) == "ann"


NO_BUSINESS: dict[str, dict[str, Any] | None] = {
    "refreshToken": None,
    "logout": None,
    "signOutEverywhere": {},
    "changePassword": {"oldPassword": PASSWORD, "newPassword": "another horse another staple"},
    "resetPassword": {"user": {"userName": "bea"}, "newPassword": "another horse another staple"},
    "createApiToken": {"name": "another"},
}


@pytest.mark.parametrize("name", NO_BUSINESS)
async def test_it_is_no_session(api: Api, make: Make, database: db.Database, name: str) -> None:
    root, _ = await make.admin(), await make.user("bea")
    token, _ = await create_token(api, root, permissions=[each.name for each in Permission])
    data = NO_BUSINESS[name]
    text = f"mutation {{ {name} {{ errors {{ code }} }} }}" if data is None else change(name)
    await authenticated_user(api, token)
    await make.app.last_used.flush()

    async with unchanged(database):
        response = await post(api, token, text, **({} if data is None else {"input": data}))

    assert codes(response.json()) == ["FORBIDDEN"]
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("path", ["authenticate/refresh", "changepwd"])
async def test_it_is_no_session_over_rest_either(api: Api, make: Make, path: str) -> None:
    token, _ = await create_token(api, await make.admin())
    body = {"oldPassword": PASSWORD, "newPassword": "another horse another staple"}

    response = await api.client.post(f"/users/{path}", json=body, headers={"authorization": f"Bearer {token}"})

    assert response.status_code == 403
    assert "set-cookie" not in response.headers


async def test_in_a_cookie_it_is_nobodys(api: Api, make: Make) -> None:
    token, _ = await create_token(api, await make.user("ann"))

    response = await api.client.post("/graphql", json={"query": WHO}, headers={"cookie": f"jwtToken={token}"})

    assert response.json()["data"]["viewer"] == {"user": None, "permissions": [], "apiToken": None}


async def test_it_ends_itself_and_no_other_one(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann")
    (token, own), (_, other) = await create_token(api, ann), await create_token(api, ann, name="other")

    assert codes(await ask(api, token, REVOKE, input={"apiToken": other})) == ["FORBIDDEN"]
    assert await rows_of(database, tables.ApiToken) == 2
    revoked = answered(await ask(api, token, REVOKE, input={"apiToken": own}), "revokeApiToken")
    assert revoked == {"revokedApiTokenId": own, "errors": []}
    assert await authenticated_user(api, token) == 401


async def test_others_neither_see_nor_end_it(api: Api, make: Make, database: db.Database) -> None:
    ann, eve, vera = await make.user("ann"), await make.user("eve"), await make.holder(Permission.USERS_VIEW, "vera")
    token, key = await create_token(api, ann)
    query = 'query ($id: ID!) { apiTokens { totalCount } node(id: $id) { id } user(by: {userName: "ann"}) '
    query += "{ apiTokens { totalCount } } }"

    seen = [(await api(query, as_=person, id=key))["data"] for person in (eve, vera, None)]
    async with unchanged(database):
        replies = [await api(REVOKE, as_=person, input={"apiToken": key}) for person in (eve, vera, None)]

    nothing = {"apiTokens": {"totalCount": 0}, "node": None, "user": None}
    assert seen[0] == seen[2] == nothing
    assert seen[1] == {
        "apiTokens": {"totalCount": 1},
        "node": {"id": key},
        "user": {"apiTokens": {"totalCount": 1}},
    }
    assert [codes(reply) for reply in replies] == [["FORBIDDEN"], ["FORBIDDEN"], ["UNAUTHENTICATED"]]
    assert await authenticated_user(api, token) == "ann"


async def test_a_manager_ends_tokens_of_those_who_hold_no_more(api: Api, make: Make, database: db.Database) -> None:
    boss = await make.holder(Permission.USERS_MANAGE)
    (_, of_ann), (_, of_root) = (
        await create_token(api, await make.user("ann")),
        await create_token(api, await make.admin()),
    )

    answered(await api(REVOKE, as_=boss, input={"apiToken": of_ann}), "revokeApiToken")
    assert codes(await api(REVOKE, as_=boss, input={"apiToken": of_root})) == ["FORBIDDEN"]
    assert await rows_of(database, tables.ApiToken) == 1


async def test_its_last_use_is_written_once_a_minute_and_costs_no_statement(
    api: Api, make: Make, database: db.Database, settings: Settings
) -> None:
    ann = await make.user("ann")
    token, _ = await create_token(api, ann)
    now = database.clock()
    last = select(col(tables.ApiToken.last_used_at))

    async def used_at(later: timedelta, worker: Api = api) -> Any:
        worker._context.database.clock = lambda: now + later
        headers = {"authorization": f"Bearer {token}", "ostiary-stats": "1"}
        reply = (await worker.client.post("/graphql", json={"query": WHO}, headers=headers)).json()
        await worker._context.last_used.flush()
        return (await fetch(database, last))[0][0] - now, reply["extensions"]["stats"]["statements"]

    async with another(settings) as elsewhere:
        first = await used_at(timedelta(0))
        again = await used_at(RECORD_INTERVAL / 2)
        there = await used_at(RECORD_INTERVAL / 2, elsewhere)
        later = await used_at(RECORD_INTERVAL)

    assert [each[0] for each in (first, again, there, later)] == [timedelta(0)] * 3 + [RECORD_INTERVAL]
    assert len({each[1] for each in (first, again, there, later)}) == 1


async def test_a_service_account_comes_with_tokens_alone(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    user = await robot(api, root, "user")
    by = {"id": user["id"]}

    token, _ = await create_token(api, root, user=by, permissions=["ORGS_CREATE"])

    assert user == {"userName": "robot", "isServiceAccount": True, "roles": [{"name": "user"}], **by}
    assert (await ask(api, token, WHO))["data"]["viewer"]["permissions"] == ["ORGS_CREATE"]
    await make.app.last_used.flush()
    async with unchanged(database):
        data = {"user": by, "newPassword": "another horse another staple"}
        reset = await api(change("resetPassword"), as_=root, input=data)
        login = await api(change("login"), input={"userName": "robot", "password": ""})
    assert problems(reset) == {"INVALID_INPUT input.user"}
    assert codes(login) == ["UNAUTHENTICATED"]


async def test_a_service_account_with_a_stored_password_does_not_sign_in(
    api: Api, make: Make, database: db.Database
) -> None:
    person = await make.user("robot")
    async with database.write() as tx:
        await tx.rows(update(tables.User).values(is_service_account=True))

    async with unchanged(database):
        reply = await api(change("login"), input={"userName": "robot", "password": PASSWORD})
        refreshed = await api("mutation { refreshToken { session { token } } }", as_=person)

    assert codes(reply) == codes(refreshed) == ["UNAUTHENTICATED"]


async def test_nobody_makes_a_token_in_the_name_of_a_person(api: Api, make: Make, database: db.Database) -> None:
    root, ann, boss = await make.admin(), await make.user("ann"), await make.holder(Permission.USERS_MANAGE)
    account = await robot(api, root, "admin")

    async with unchanged(database):
        replies = [
            await api(CREATE, as_=root, input={"name": "x", "user": {"id": ann.node}}),
            await api(CREATE, as_=boss, input={"name": "x", "user": {"id": account["id"]}}),
            await api(CREATE, as_=ann, input={"name": "x", "user": {"id": account["id"]}}),
        ]

    assert problems(replies[0]) == {"INVALID_INPUT input.user"}
    assert [codes(reply) for reply in replies[1:]] == [["FORBIDDEN"]] * 2


async def test_the_last_administrator_is_a_person(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    await robot(api, root, "admin")

    async with unchanged(database):
        reply = await api(ASSIGN, as_=root, input={"user": {"id": root.node}, "roles": ["user"]})

    assert problems(reply) == {"PROTECTED input.roles"}
