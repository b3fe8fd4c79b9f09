"""Claims about renaming users, display names, and the details that users change themselves."""

import asyncio
from typing import Any

import pytest

from app import db
from app.db import tables
from app.domain.viewer import Permission
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make, Person, rows_of, stored_person
from tests.support.logged import logged
from tests.support.rest_client import Rest

WHO = "{ viewer { user { userName displayName email } } }"
SHOWN = "user { userName displayName email }"
RENAME, OWN, UPDATE = (change(name, SHOWN) for name in ("renameUser", "updateViewer", "updateUser"))
LOGIN = "mutation ($input: LoginInput!) { login(input: $input) { session { token } errors { code } } }"
OUT = "mutation ($input: SignOutEverywhereInput!) { signOutEverywhere(input: $input) { errors { code } } }"


async def _who(api: Api, token: Person | str) -> str | None:
    reply = await api(WHO, as_=token)
    return None if "errors" in reply else reply["data"]["viewer"]["user"]["userName"]


async def _login(api: Api, name: str, password: str = PASSWORD) -> str:
    reply = await api(LOGIN, input={"userName": name, "password": password})
    token: str = answered(reply, "login")["session"]["token"]
    return token


async def _rename(api: Api, root: Person, old: str, new: str) -> None:
    answered(await api(RENAME, as_=root, input={"user": {"userName": old}, "userName": new}), "renameUser")


async def test_sessions_and_api_tokens_of_every_name_stay_valid(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    script, _ = await make.api_token(ann)
    tokens = [await _login(api, "ann"), script]
    for old, new in (("ann", "Anna"), ("ANNA", "anne"), ("anne", "Ann"), ("ann", "ANN"), ("ann", "hanna")):
        await _rename(api, root, old, new)
        tokens.append(await _login(api, new))
        assert {await _who(api, each) for each in tokens} == {new}

    reply = await api("mutation { refreshToken { session { token } errors { code } } }", as_=tokens[0])
    tokens.append(answered(reply, "refreshToken")["session"]["token"])
    assert await _who(api, tokens[-1]) == "hanna"
    answered(await api(OUT, as_=root, input={"user": {"userName": "hanna"}}), "signOutEverywhere")
    assert [await _who(api, each) for each in tokens] == [None, "hanna"] + [None] * (len(tokens) - 2)


async def test_the_old_name_is_free_and_its_new_user_shares_nothing_with_the_old_one(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    old = await _login(api, "ann")
    await _rename(api, root, "ann", "anna")
    assert "errors" in await api(LOGIN, input={"userName": "ann", "password": PASSWORD})

    other = await make.user("Ann", "user", email="other@b.example")

    assert await _who(api, old) == "anna"
    assert await _who(api, await _login(api, "ann")) == "Ann"
    assert ann.id != other.id
    await _rename(api, root, "Ann", "bea")
    assert [await _who(api, each) for each in (old, other)] == ["anna", "bea"]


async def test_a_token_with_the_new_name_alone_is_nobodys(api: Api, make: Make) -> None:
    """Where ids come again, the name and the generation are what tells accounts apart."""
    root, ann = await make.admin(), await make.user("ann", "user")
    await _rename(api, root, "ann", "anna")

    assert await _who(api, Person(ann.id, "anna")) is None
    assert await _who(api, Person(ann.id, "bea")) is None
    assert await _who(api, ann) == "anna"


async def test_what_was_recorded_keeps_the_name(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    reef = await make.resource(await make.org("reef", ann), owner=ann)
    lock = change("lockResource", "resource { lock { lockedByName lockedBy { userName } } }")
    answered(await api(lock, as_=ann, input={"resource": {"id": reef.node}, "reason": "Because."}), "lockResource")

    async with logged(database) as since:
        await _rename(api, root, "ann", "anna")

    ((before, after),) = since.one.changes.values()
    assert (before, after) == ({"userName": "ann"}, {"userName": "anna"})
    query = "query ($id: ID!) { node(id: $id) { ... on Resource { lock { lockedByName lockedBy { userName } } } } }"
    locked = (await api(query, as_=ann, id=reef.node))["data"]["node"]["lock"]
    assert locked == {"lockedByName": "ann", "lockedBy": {"userName": "anna"}}
    events = "query ($name: String!) { auditEvents(filter: {actorName: {eq: $name}}) { nodes { action } } }"
    actions = [(await api(events, as_=root, name=name))["data"]["auditEvents"]["nodes"] for name in ("ann", "anna")]
    assert actions == [[{"action": "lockResource"}], []]


async def test_an_invalid_or_taken_name_changes_nothing(api: Api, make: Make, database: db.Database) -> None:
    root, _, bea = await make.admin(), await make.user("ann"), await make.user("bea")
    cases = {"": "INVALID_INPUT", "a b": "INVALID_INPUT", "meta": "INVALID_INPUT", "ANN": "CONFLICT"}

    async with unchanged(database):
        for name, code in cases.items():
            reply = await api(RENAME, as_=root, input={"user": {"id": bea.node}, "userName": name})
            assert problems(reply) == {f"{code} input.userName"}
        assert codes(await api(RENAME, as_=root, input={"user": {"id": bea.node}, "userName": "bea"})) == []
        tried = {"user": {"id": bea.node}, "userName": "free", "validateOnly": True}
        assert codes(await api(RENAME, as_=root, input=tried)) == []


async def test_who_holds_more_is_not_renamed(api: Api, make: Make, database: db.Database) -> None:
    clerk, boss = await make.holder(Permission.USERS_MANAGE), await make.admin("boss")

    async with unchanged(database):
        reply = await api(RENAME, as_=clerk, input={"user": {"id": boss.node}, "userName": "free"})

    assert codes(reply) == ["FORBIDDEN"]


async def test_of_two_who_take_a_name_one_gets_it(api: Api, make: Make) -> None:
    root = await make.admin()
    people = await make.users([f"person{at}" for at in range(5)])

    inputs = [{"user": {"id": each.node}, "userName": "wanted"} for each in people]
    replies = await asyncio.gather(*(api(RENAME, as_=root, input=each) for each in inputs))

    assert sorted(problems(reply) for reply in replies) == [set(), *[{"CONFLICT input.userName"}] * 4]


async def test_a_display_name_is_shown_listed_and_removed(api: Api, make: Make) -> None:
    root = await make.admin()
    create = change("createUser", SHOWN)
    for name, display_name in (("zoe", " Älva "), ("bob", None), ("cid", "")):
        reply = await api(create, as_=root, input={"userName": name, "displayName": display_name})
        assert answered(reply, "createUser")["user"]["displayName"] == ("Älva" if name == "zoe" else None)
    query = """query ($filter: UserFilter) { users(filter: $filter, orderBy: [{field: DISPLAY_NAME}]) {
      nodes { userName } } }"""

    async def listed(**condition: str) -> list[str]:
        nodes = (await api(query, as_=root, filter={"displayName": condition}))["data"]["users"]["nodes"]
        return [node["userName"] for node in nodes]

    assert await listed(startsWith="") == ["zoe", "bob", "cid", "root"]
    assert (await listed(startsWith="al"), await listed(eq="ÄLVA"), await listed(eq="alva")) == (["zoe"], ["zoe"], [])
    await _rename(api, root, "zoe", "yve")
    await _rename(api, root, "bob", "xan")
    assert await listed(startsWith="") == ["yve", "cid", "root", "xan"]
    removed = await api(UPDATE, as_=root, input={"user": {"userName": "yve"}, "displayName": " "})
    assert answered(removed, "updateUser")["user"]["displayName"] is None
    kept = await api(UPDATE, as_=root, input={"user": {"userName": "yve"}, "displayName": None})
    assert answered(kept, "updateUser")["user"]["displayName"] is None
    assert await listed(startsWith="") == ["cid", "root", "xan", "yve"]
    account = {"userName": "importer", "displayName": "Nightly import"}
    reply = await api(change("createServiceAccount", SHOWN), as_=root, input=account)
    assert answered(reply, "createServiceAccount")["user"]["displayName"] == "Nightly import"


@pytest.mark.parametrize("name", ["a\nb", "x" * 201, "a\u202eb", "a\0"])
async def test_a_display_name_of_another_form_is_refused(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    root, ann = await make.admin(), await make.user("ann")
    inputs: dict[str, dict[str, Any]] = {
        "createUser": {"userName": "new"},
        "createServiceAccount": {"userName": "new"},
        "updateUser": {"user": {"id": ann.node}},
        "updateViewer": {},
    }

    async with unchanged(database):
        for mutation, fields in inputs.items():
            reply = await api(change(mutation), as_=root, input={**fields, "displayName": name})
            assert problems(reply) == {"INVALID_INPUT input.displayName"}, mutation
        several = {"users": [{"userName": "new", "displayName": name}]}
        assert problems(await api(change("createUsers"), as_=root, input=several)) == {
            "INVALID_INPUT input.users.0.displayName"
        }


async def test_whoever_sees_a_user_sees_the_display_name(api: Api, make: Make) -> None:
    ann, bea, cid = await make.user("ann", display_name="Ann A."), await make.user("bea"), await make.user("cid")
    await make.group("crew", ann, bea)
    query = '{ user(by: {userName: "ann"}) { displayName email } }'

    seen = [(await api(query, as_=each))["data"]["user"] for each in (bea, cid, None)]

    assert seen == [{"displayName": "Ann A.", "email": None}, None, None]


async def test_users_name_themselves_and_change_their_address_by_their_password(api: Api, make: Make) -> None:
    ann = await make.user("ann", "user", email="ann@b.example")
    cases: list[tuple[dict[str, Any], tuple[str | None, str | None]]] = [
        ({}, (None, "ann@b.example")),
        ({"displayName": "Ann A.", "email": None}, ("Ann A.", "ann@b.example")),
        ({"email": " ann@b.example ", "password": None}, ("Ann A.", "ann@b.example")),
        ({"email": "new@b.example", "password": PASSWORD}, ("Ann A.", "new@b.example")),
        ({"displayName": "", "email": "", "password": PASSWORD}, (None, None)),
    ]

    for fields, expected in cases:
        user = answered(await api(OWN, as_=ann, input=fields), "updateViewer")["user"]
        assert (user["displayName"], user["email"]) == expected, fields


async def test_without_the_right_password_the_address_stays(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann", "user")
    await make.user("bea", email="bea@b.example")
    new, right = {"displayName": "Ann A.", "email": "new@b.example"}, {"password": PASSWORD}

    async with unchanged(database):
        for fields in ({}, {"password": None}, {"password": "wrong"}, {"password": "wrong", "validateOnly": True}):
            assert problems(await api(OWN, as_=ann, input=new | fields)) == {"INVALID_INPUT input.password"}
        assert codes(await api(OWN, as_=ann, input=new | right | {"validateOnly": True})) == []
        taken = await api(OWN, as_=ann, input=new | right | {"email": "BEA@b.example"})
        assert problems(taken) == {"CONFLICT input.email"}
        invalid = await api(OWN, as_=ann, input={**right, "email": "x", "displayName": "a\nb"})
        assert problems(invalid) == {"INVALID_INPUT input.email", "INVALID_INPUT input.displayName"}


async def test_wrong_passwords_are_counted_as_guesses(api: Api, make: Make) -> None:
    ann = await make.user("ann", "user")
    fields = {"email": "new@b.example", "password": "wrong"}

    replies = [await api(OWN, as_=ann, input=fields) for _ in range(11)]

    assert [codes(reply) for reply in replies] == [["INVALID_INPUT"]] * 10 + [["RATE_LIMITED"]]
    assert codes(await api(OWN, as_=ann, input={"displayName": "Ann A."})) == [], "a name alone is no guess"
    assert codes(await api(LOGIN, input={"userName": "ann", "password": PASSWORD})) == ["RATE_LIMITED"]


async def test_own_details_are_not_for_api_tokens_and_strangers(api: Api, make: Make, database: db.Database) -> None:
    token, _ = await make.api_token(await make.user("ann", "user"))
    await api(WHO, as_=token)
    await make.app.last_used.flush()

    async with unchanged(database):
        replies = [await api(OWN, as_=each, input={"displayName": "Ann A."}) for each in (token, None)]

    assert [codes(reply) for reply in replies] == [["FORBIDDEN"], ["UNAUTHENTICATED"]]


async def test_what_changes_nothing_writes_nothing(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann", "user", email="ann@b.example", display_name="Ann A.")

    async with unchanged(database):
        for fields in ({}, {"displayName": "Ann A."}, {"email": "ann@b.example"}):
            assert codes(await api(OWN, as_=ann, input=fields)) == []


async def test_both_faces_know_the_new_name(api: Api, rest: Rest, make: Make, database: db.Database) -> None:
    root = await make.admin()
    await make.user("ann", "user")
    await _rename(api, root, "ann", "anna")

    users = (await rest("GET", "/users", root)).json()

    assert [user["userName"] for user in users] == ["anna", "root"]
    assert (await rest("GET", "/users/ann/meta", root)).status_code == 400
    assert (await stored_person(database, "anna")).user_name == "anna"
    assert await rows_of(database, tables.User) == 2
