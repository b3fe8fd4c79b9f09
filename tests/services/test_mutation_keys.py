"""Claims about idempotency keys: a repeated change answers the same and changes nothing, on every worker."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import db
from app.config import Settings
from app.db import tables
from app.db.tables import MutationKey
from app.domain import refs
from app.services import mutation_keys
from tests.policy.test_limited_tokens import ByToken
from tests.support.changes import another, answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make, Person, rows_of
from tests.support.fetching import fetch

GROUP = change("createGroup", "group { id slug }")
USERS = change("createUsers", "results { index user { userName } errors { code } }")
TOKEN = change("createApiToken", "token apiToken { id name }")
PASSWORDS = change("changePassword", "session { token }")
DELETE = change("deleteUser", "deletedUserId orgsTransferred resourcesTransferred")
BAD_KEYS = ["", "x" * 129, "a\nb", "é", "a\x7f"]


@pytest.fixture
async def root(make: Make) -> Person:
    return await make.admin()


async def test_a_repeated_change_answers_the_same(api: Api, root: Person, database: db.Database) -> None:
    given = {"slug": "crew", "displayName": "Crew", "clientMutationKey": "a key: ~1"}
    first = answered(await api(GROUP, root, input=given), "createGroup")
    async with unchanged(database):
        assert answered(await api(GROUP, root, input=given), "createGroup") == first
    assert first["group"]["slug"] == "crew"


async def test_another_worker_answers_the_same(
    api: Api, root: Person, database: db.Database, settings: Settings
) -> None:
    given = {"users": [{"userName": "ann"}, {"userName": "bob"}], "clientMutationKey": "sync-1"}
    first = answered(await api(USERS, root, input=given), "createUsers")
    assert [each["user"]["userName"] for each in first["results"]] == ["ann", "bob"]
    async with another(settings) as elsewhere, unchanged(database):
        assert answered(await elsewhere(USERS, root, input=given), "createUsers") == first


async def test_plain_values_are_answered_again(api: Api, root: Person, make: Make) -> None:
    ann = await make.user("ann")
    await make.user("bob")
    await make.org("lab", ann)
    given = {"user": {"userName": "ann"}, "successor": {"userName": "bob"}, "clientMutationKey": "leave"}
    first = answered(await api(DELETE, root, input=given), "deleteUser")
    assert first == {
        "deletedUserId": refs.encode("User", ann.id),
        "orgsTransferred": 1,
        "resourcesTransferred": 0,
        "errors": [],
    }
    assert answered(await api(DELETE, root, input=given), "deleteUser") == first


async def test_the_object_is_read_again(api: Api, root: Person) -> None:
    given = {"slug": "crew", "displayName": "Crew", "clientMutationKey": "k"}
    group = answered(await api(GROUP, root, input=given), "createGroup")["group"]
    await api(change("deleteGroup"), root, input={"group": {"id": group["id"]}})
    assert answered(await api(GROUP, root, input=given), "createGroup")["group"] is None


@pytest.mark.parametrize(
    ("mutation", "values"),
    [
        (GROUP, {"slug": "other", "displayName": "Crew"}),
        (change("createRole"), {"name": "crew"}),
    ],
    ids=["other input", "other mutation"],
)
async def test_a_key_belongs_to_one_change(
    api: Api, root: Person, database: db.Database, mutation: str, values: dict[str, Any]
) -> None:
    answered(
        await api(GROUP, root, input={"slug": "crew", "displayName": "Crew", "clientMutationKey": "k"}), "createGroup"
    )
    async with unchanged(database):
        reply = await api(mutation, root, input={**values, "clientMutationKey": "k"})
    assert problems(reply) == {"CONFLICT input.clientMutationKey"}


async def test_a_change_without_effect_is_not_made_later(api: Api, root: Person, make: Make) -> None:
    """The role was granted already; a repetition after its revocation must not grant it."""
    thing = await make.resource(await make.org(), owner=root, general=None)
    grant = "mutation ($input: GrantAccessInput!) { grantAccess(input: $input) { errors { message } } }"
    entry = {"resource": {"id": thing.node}, "subject": {"general": True}, "roles": ["METADATA_READ"]}
    for key in ("first", "second"):
        await api(grant, as_=root, input={**entry, "clientMutationKey": key})
    await api(grant, as_=root, input={**entry, "roles": []})

    for key in ("first", "second"):
        reply = await api(grant, as_=root, input={**entry, "clientMutationKey": key})
        assert reply["data"]["grantAccess"]["errors"] == []
    read = await api(
        "query ($id: ID!) { resource(by: {id: $id}) { access { general { roles } } } }", as_=root, id=thing.node
    )
    assert read["data"]["resource"]["access"]["general"]["roles"] == []


async def test_users_have_keys_of_their_own(api: Api, root: Person, make: Make) -> None:
    other = await make.admin("other")
    for who, slug in ((root, "crew"), (other, "team")):
        given = {"slug": slug, "displayName": slug, "clientMutationKey": "k"}
        assert answered(await api(GROUP, who, input=given), "createGroup")["group"]["slug"] == slug


async def test_an_api_token_has_keys_of_its_own(api: Api, root: Person) -> None:
    given = {"slug": "crew", "displayName": "Crew", "clientMutationKey": "k"}
    answered(await api(GROUP, root, input=given), "createGroup")
    wanted = {"name": "script", "permissions": ["GROUPS_MANAGE"]}
    token = answered(await api(TOKEN, root, input=wanted), "createApiToken")["token"]
    by_token, other = ByToken.of(api, token), {**given, "slug": "team"}

    assert codes(await by_token(GROUP, root, input=given)) == ["CONFLICT"], "the slug is taken"
    first, again = [answered(await by_token(GROUP, root, input=other), "createGroup") for _ in range(2)]
    assert first == again


@pytest.mark.parametrize("key", BAD_KEYS)
@pytest.mark.parametrize("tries", [False, True])
async def test_invalid_keys_are_rejected(api: Api, root: Person, key: str, *, tries: bool) -> None:
    given = {"slug": "crew", "displayName": "Crew", "clientMutationKey": key, "validateOnly": tries}
    assert problems(await api(GROUP, root, input=given)) == {"INVALID_INPUT input.clientMutationKey"}


async def test_anonymous_callers_have_no_keys(api: Api) -> None:
    given = {"slug": "crew", "displayName": "Crew", "clientMutationKey": "k"}
    assert problems(await api(GROUP, input=given)) == {"INVALID_INPUT input.clientMutationKey"}


async def test_a_rejected_change_can_be_sent_again(api: Api, root: Person, make: Make) -> None:
    await make.group("crew")
    given = {"slug": "crew", "displayName": "Crew", "clientMutationKey": "k"}
    assert problems(await api(GROUP, root, input=given)) == {"CONFLICT input.slug"}
    await api(change("deleteGroup"), root, input={"group": {"slug": "crew"}})
    assert answered(await api(GROUP, root, input=given), "createGroup")["group"]["slug"] == "crew"


async def test_a_rejected_batch_can_be_sent_again(api: Api, root: Person, make: Make, database: db.Database) -> None:
    await make.user("ann")
    given = {"users": [{"userName": "ann"}], "clientMutationKey": "k"}
    for _ in range(2):
        assert problems(await api(USERS, root, input=given)) == {"CONFLICT input.users.0.userName"}
    assert await rows_of(database, MutationKey) == 0


async def test_a_tried_change_uses_no_key(api: Api, root: Person, database: db.Database) -> None:
    given = {"slug": "crew", "displayName": "Crew", "clientMutationKey": "k"}
    async with unchanged(database):
        answered(await api(GROUP, root, input={**given, "validateOnly": True}), "createGroup")
    answered(await api(GROUP, root, input=given), "createGroup")
    assert problems(await api(GROUP, root, input={**given, "validateOnly": True})) == {"CONFLICT input.slug"}


async def test_secrets_are_not_stored(api: Api, root: Person, database: db.Database) -> None:
    given = {"name": "sync", "clientMutationKey": "k"}
    first = answered(await api(TOKEN, root, input=given), "createApiToken")
    again = answered(await api(TOKEN, root, input=given), "createApiToken")
    assert again == {**first, "token": None}
    assert first["token"] not in str(await fetch(database, select(MutationKey)))


async def test_a_new_password_is_set_once(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann", "user")
    new = "a password that nobody guesses"
    given = {"oldPassword": PASSWORD, "newPassword": new, "clientMutationKey": "k"}
    session = answered(await api(PASSWORDS, ann, input=given), "changePassword")["session"]
    async with unchanged(database):  # a wrong guess would be counted
        assert answered(await api(PASSWORDS, session["token"], input=given), "changePassword")["session"] is None
    stored = str(await fetch(database, select(MutationKey)))
    assert new not in stored
    assert PASSWORD not in stored
    different = {**given, "newPassword": f"{new}!"}
    assert problems(await api(PASSWORDS, session["token"], input=different)) == {"CONFLICT input.clientMutationKey"}


async def test_keys_are_kept_for_a_day(
    api: Api, root: Person, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutation_keys, "MAX_DELETED", 2)
    begin = database.clock()
    for number in range(4):
        given = {"slug": f"crew{number}", "displayName": "Crew", "clientMutationKey": f"k{number}"}
        answered(await api(GROUP, root, input=given), "createGroup")
    async with database.write() as tx:
        old = begin - timedelta(hours=24, seconds=1)
        await tx.rows(tables.MutationKey.__table__.update().values(created_at=old))  # type: ignore[attr-defined]  # SQLModel adds it
    given = {"slug": "crew0", "displayName": "Crew", "clientMutationKey": "k0"}
    assert problems(await api(GROUP, root, input=given)) == {"CONFLICT input.slug"}
    given["slug"] = "crew9"
    answered(await api(GROUP, root, input=given), "createGroup")
    assert await rows_of(database, MutationKey) <= 4
    assert answered(await api(GROUP, root, input=given), "createGroup")["group"]["slug"] == "crew9"


async def test_users_who_are_deleted_leave_no_keys(api: Api, root: Person, make: Make, database: db.Database) -> None:
    other = await make.admin("other")
    given = {"slug": "crew", "displayName": "Crew", "clientMutationKey": "k"}
    answered(await api(GROUP, other, input=given), "createGroup")
    answered(await api(DELETE, root, input={"user": {"userName": "other"}}), "deleteUser")
    assert await rows_of(database, MutationKey) == 0


async def test_without_a_key_there_is_no_statement_more(api: Api, root: Person) -> None:
    numbers = [
        await api.statements(
            GROUP, root, input={"slug": f"crew-{key}".lower(), "displayName": "Crew", "clientMutationKey": key}
        )
        for key in (None, "k")
    ]
    assert numbers[0] < numbers[1] <= numbers[0] + 7


@pytest.mark.parametrize("workers", [1, 2])
async def test_concurrent_requests_make_one_change(
    api: Api, root: Person, settings: Settings, database: db.Database, workers: int
) -> None:
    async with another(settings) as elsewhere:
        clients = [api, elsewhere][:workers] * (4 // workers)
        for number in range(5):
            given = {"users": [{"userName": f"ann{number}"}], "clientMutationKey": f"k{number}"}
            replies = await asyncio.gather(*(each(USERS, root, input=given) for each in clients))
            assert [each["data"] for each in replies] == [replies[0]["data"]] * 4
            assert answered(replies[0], "createUsers")["results"][0]["user"]["userName"] == f"ann{number}"
    assert await rows_of(database, MutationKey) == 5


async def test_a_failed_commit_stores_nothing(
    api: Api, root: Person, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*arguments: object, **names: object) -> None:
        raise RuntimeError

    given = {"slug": "crew", "displayName": "Crew", "clientMutationKey": "k"}
    with monkeypatch.context() as patch:
        patch.setattr(mutation_keys.KeyedChange, "_store", fail)
        async with unchanged(database):
            assert codes(await api(GROUP, root, input=given)) == ["INTERNAL_SERVER_ERROR"]
    assert answered(await api(GROUP, root, input=given), "createGroup")["group"]["slug"] == "crew"
