"""Claims about changing and deleting users."""

from typing import Any

from app import db
from app.db import tables
from app.domain.viewer import Permission
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, Person, rows_of

USER = "user { userName email metadata roles { name permissions } }"
UPDATE, ASSIGN, SET = change("updateUser", USER), change("assignRoles", USER), change("setUserMetadata", USER)
DELETE = change("deleteUser", "deletedUserId")


def _by(person: Person) -> dict[str, str]:
    return {"id": person.node}


def _names(user: dict[str, Any]) -> list[str]:
    return [role["name"] for role in user["roles"]]


async def test_an_address_is_changed_or_taken_away_and_stays_when_absent(api: Api, make: Make) -> None:
    root = await make.admin()
    cases: list[tuple[dict[str, Any], str | None]] = [
        ({}, "ann@b.example"),
        ({"email": None}, "ann@c.example"),
        ({"clear": ["EMAIL"]}, None),
        ({"clear": ["EMAIL", "EMAIL"], "email": None}, None),
        ({"clear": None}, "ann@f.example"),
        ({"email": ""}, None),
        ({"email": "  "}, None),
        ({"email": " New@B.example "}, "New@B.example"),
        ({"email": "ANN@j.example"}, "ANN@j.example"),
    ]

    for at, (fields, expected) in enumerate(cases):
        await make.user(f"ann{at}", "user", email=f"ann@{'bcdefghij'[at]}.example")
        reply = await api(UPDATE, as_=root, input={"user": {"userName": f"ANN{at}"}} | fields)
        user = answered(reply, "updateUser")["user"]
        assert (user["email"], user["userName"], _names(user)) == (expected, f"ann{at}", ["user"])


async def test_an_address_of_somebody_else_is_not_taken(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann")
    await make.user("bea", email="bea@b.example")

    async with unchanged(database):
        reply = await api(UPDATE, as_=root, input={"user": _by(ann), "email": "BEA@B.example"})

    assert problems(reply) == {"CONFLICT input.email"}


async def test_a_value_and_its_removal_exclude_each_other(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")

    async with unchanged(database):
        for email in ("new@b.example", ""):
            fields = {"user": _by(ann), "roles": None, "email": email, "clear": ["EMAIL"]}
            assert problems(await api(UPDATE, as_=root, input=fields)) == {"INVALID_INPUT input.email"}


async def test_an_update_is_whole_or_not_at_all(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    update = {"user": _by(ann), "email": "ann@b.example", "roles": ["user", "nobody"]}

    async with unchanged(database):
        reply = await api(UPDATE, as_=root, input=update)

    assert problems(reply) == {"INVALID_INPUT input.roles.1"}


async def test_assigned_roles_are_all_roles_of_the_user(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    await make.role("Editor")

    for roles, expected in ((["EDITOR", "editor"], ["Editor"]), (["user", "editor"], ["Editor", "user"]), ([], [])):
        reply = await api(ASSIGN, as_=root, input={"user": _by(ann), "roles": roles})
        assert _names(answered(reply, "assignRoles")["user"]) == expected


async def test_every_unknown_role_is_named(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")

    async with unchanged(database):
        reply = await api(ASSIGN, as_=root, input={"user": _by(ann), "roles": ["", "user", "Straße", "a\0"]})

    assert problems(reply) == {f"INVALID_INPUT input.roles.{at}" for at in (0, 2, 3)}


async def test_metadata_is_replaced_and_roles_stay_without_a_list_of_them(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "user", details={"old": 1})

    reply = await api(SET, as_=root, input={"user": _by(ann), "metadata": {"new": {"b": 1, "a": None}}})

    user = answered(reply, "setUserMetadata")["user"]
    assert (user["metadata"], _names(user)) == ({"new": {"b": 1, "a": None}}, ["user"])
    assert list(user["metadata"]["new"]) == ["b", "a"]


async def test_roles_in_metadata_replace_those_of_the_user_and_are_created_without_permissions(
    api: Api, make: Make
) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    metadata = {"roles": ["Editor", "deputy", "EDITOR"], "maxStorageMB": 1}

    reply = await api(SET, as_=root, input={"user": _by(ann), "metadata": metadata})

    user = answered(reply, "setUserMetadata")["user"]
    assert user["metadata"] == metadata
    assert [(role["name"].lower(), role["permissions"]) for role in user["roles"]] == [("deputy", []), ("editor", [])]


async def test_metadata_does_not_give_what_one_does_not_hold(api: Api, make: Make, database: db.Database) -> None:
    clerk, ann = await make.holder(Permission.USERS_MANAGE), await make.user("ann")

    async with unchanged(database):
        reply = await api(SET, as_=clerk, input={"user": _by(ann), "metadata": {"roles": ["new", "Admin"]}})

    assert codes(reply) == ["FORBIDDEN"]


async def test_metadata_of_an_invalid_form_changes_nothing(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    cases: list[tuple[Any, str]] = [
        ([], ""),
        ({"k": "x" * 65_536}, ""),
        ({"maxStorageMB": False}, ".maxStorageMB"),
        ({"roles": {"a": 1}}, ".roles"),
        ({"roles": ["ok", " end"]}, ".roles.1"),
    ]

    async with unchanged(database):
        replies = [await api(SET, as_=root, input={"user": _by(ann), "metadata": metadata}) for metadata, _ in cases]

    assert [problems(reply) for reply in replies] == [{f"INVALID_INPUT input.metadata{path}"} for _, path in cases]


async def test_a_deleted_user_is_gone_with_their_roles_and_their_token(
    api: Api, make: Make, database: db.Database
) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")

    reply = await api(DELETE, as_=root, input={"user": _by(ann)})

    assert answered(reply, "deleteUser")["deletedUserId"] == ann.node
    response = await api.post("{ viewer { user { id } } }", ann)
    assert (response.status_code, codes(response.json())) == (401, ["UNAUTHENTICATED"])
    assert (await rows_of(database, tables.User), await rows_of(database, tables.UserRole)) == (1, 1)


async def test_the_name_of_a_deleted_user_is_free_but_their_token_opens_nothing(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", email="ann@b.example")
    await api(DELETE, as_=root, input={"user": _by(ann)})

    await make.user("Ann", "admin", email="ann@b.example")

    assert (await api.post("{ viewer { user { id } } }", ann)).status_code == 401


async def test_a_successor_is_somebody_else_who_exists(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann")
    inputs = [{"user": _by(ann), "successor": {"userName": name}} for name in ("ann", "ANN", "ghost")]

    async with unchanged(database):
        replies = [await api(DELETE, as_=root, input=fields) for fields in inputs]

    expected = ["INVALID_INPUT", "INVALID_INPUT", "NOT_FOUND"]
    assert [problems(reply) for reply in replies] == [{f"{code} input.successor"} for code in expected]


async def test_a_user_is_deleted_in_favour_of_a_successor(api: Api, make: Make) -> None:
    root, ann, bea = await make.admin(), await make.user("ann"), await make.user("bea")

    reply = await api(DELETE, as_=root, input={"user": _by(ann), "successor": _by(bea)})

    assert answered(reply, "deleteUser")["deletedUserId"] == ann.node


async def test_what_is_deleted_twice_is_not_found(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann")

    first = await api(DELETE, as_=root, input={"user": _by(ann)})
    second = await api(DELETE, as_=root, input={"user": _by(ann)})

    assert (problems(first), problems(second)) == (set(), {"NOT_FOUND input.user"})
