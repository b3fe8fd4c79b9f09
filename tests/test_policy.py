"""The access matrix: every mutation, asked by everybody that the policy tells apart."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from graphql import (
    EnumValueNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    parse,
)

from app import db, main
from app.auth import EVERYTHING, Permission
from app.schema import ids
from tests.asking import Api, codes
from tests.changes import change, problems, unchanged
from tests.make import PASSWORD, Make, Person, everything

NEW_PASSWORD = "another horse another staple"
NUMBERS = count(1)
MANAGE = Permission.USERS_MANAGE
ROLES = Permission.ROLES_MANAGE

Given = Callable[[Make], Awaitable[dict[str, Any] | None]]


@dataclass(frozen=True)
class Case:
    """A call that succeeds for who may make it: what it is given, and what makes it a refused one."""

    given: Given
    requires: Permission | None = None
    wrong: dict[str, Any] = field(default_factory=dict)
    is_open: bool = False
    has_trial: bool = True
    writes: bool = True


async def _nothing(make: Make) -> None:
    return None


def _user(**more: Any) -> Given:
    async def given(make: Make) -> dict[str, Any]:
        return {"user": {"id": (await make.user()).node}, **more}

    return given


def _role(**more: Any) -> Given:
    async def given(make: Make) -> dict[str, Any]:
        return {"role": {"id": ids.encode("Role", await make.role(f"role number {next(NUMBERS)}"))}, **more}

    return given


def _named(name: str, **more: Any) -> Given:
    async def given(make: Make) -> dict[str, Any]:
        return {name: f"new{next(NUMBERS)}", **more}

    return given


async def _login(make: Make) -> dict[str, Any]:
    return {"userName": (await make.user()).user_name, "password": PASSWORD}


async def _passwords(make: Make) -> dict[str, Any]:
    return {"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD}


async def _several(make: Make) -> dict[str, Any]:
    return {"users": [{"userName": f"new{next(NUMBERS)}", "roles": []} for _ in range(2)]}


async def _address(make: Make) -> dict[str, Any]:
    return {"user": {"id": (await make.user()).node}, "email": f"new{next(NUMBERS)}@b.example"}


NOBODY_OF_THAT_NAME = {"userName": "ghost"}

MUTATION_MATRIX: dict[str, Case] = {
    "login": Case(_login, is_open=True, has_trial=False),
    "refreshToken": Case(_nothing, has_trial=False, writes=False),
    "logout": Case(_nothing, has_trial=False),
    "signOutEverywhere": Case(_user(), MANAGE, {"user": NOBODY_OF_THAT_NAME}),
    "changePassword": Case(_passwords, wrong={"newPassword": "short"}),
    "resetPassword": Case(_user(newPassword=NEW_PASSWORD), MANAGE, {"newPassword": "short"}),
    "createUser": Case(_named("userName", roles=[]), MANAGE, {"userName": "", "email": "x"}),
    "createUsers": Case(_several, MANAGE, {"users": [{"userName": ""}, {"userName": "b", "roles": ["none"]}]}),
    "updateUser": Case(_address, MANAGE, {"email": "nowhere"}),
    "deleteUser": Case(_user(), MANAGE, {"successor": NOBODY_OF_THAT_NAME}),
    "setUserMetadata": Case(_user(metadata={"roles": ["fresh"]}), MANAGE, {"metadata": []}),
    "assignRoles": Case(_user(roles=["deactivated"]), MANAGE, {"roles": ["none", "user", "such"]}),
    "createRole": Case(_named("name"), ROLES, {"name": "a/b", "description": "x" * 1_001}),
    "updateRole": Case(_role(description="new"), ROLES, {"name": "ADMIN"}),
    "deleteRole": Case(_role(), ROLES, {"role": {"name": "admin"}}),
}
EVERY = sorted(MUTATION_MATRIX)
TRIED = [name for name in EVERY if MUTATION_MATRIX[name].has_trial]


def _mutations() -> dict[str, FieldDefinitionNode]:
    """The mutations of the SDL."""
    found = [node for node in parse(main.sdl()).definitions if isinstance(node, ObjectTypeDefinitionNode)]
    (mutation,) = (node for node in found if node.name.value == "Mutation")
    return {each.name.value: each for each in mutation.fields or ()}


def _requires(mutation: FieldDefinitionNode) -> str | None:
    values = [
        argument.value.value
        for directive in mutation.directives or ()
        for argument in directive.arguments or ()
        if (directive.name.value, argument.name.value) == ("requires", "permission")
        and isinstance(argument.value, EnumValueNode)
    ]
    return values[0] if values else None


def test_every_mutation_is_in_the_access_matrix() -> None:
    assert set(_mutations()) == set(MUTATION_MATRIX)


def test_the_schema_names_the_permission_that_each_mutation_needs() -> None:
    required = {name: case.requires.name if case.requires else None for name, case in MUTATION_MATRIX.items()}

    assert {name: _requires(mutation) for name, mutation in _mutations().items()} == required


def test_every_change_that_can_be_undone_can_be_tried() -> None:
    tried = {name for name, node in _mutations().items() if node.arguments and name != "login"}

    assert tried == set(TRIED)


async def _ask(api: Api, name: str, as_: Person | None, given: dict[str, Any] | None) -> dict[str, Any]:
    if given is None:
        return await api(f"mutation {{ {name} {{ errors {{ code message path }} }} }}", as_=as_)
    return await api(change(name), as_=as_, input=given)


@pytest.mark.parametrize("name", EVERY)
async def test_whoever_may_not_changes_nothing(api: Api, make: Make, database: db.Database, name: str) -> None:
    case = MUTATION_MATRIX[name]
    deactivated = await make.user("gone", "admin", "deactivated")
    refused: list[tuple[Person | None, str]] = [(deactivated, "UNAUTHENTICATED")]
    if not case.is_open:
        refused += [(None, "UNAUTHENTICATED")]
    if case.requires:
        refused += [(await make.user("eve"), "FORBIDDEN")]
        refused += [(await make.holder(EVERYTHING & ~case.requires), "FORBIDDEN")]
    given = await case.given(make)

    for asker, code in refused:
        async with unchanged(database):
            reply = await _ask(api, name, asker, given)
            wrong = await _ask(api, name, asker, {**given, **case.wrong} if given else given)
        assert codes(reply) == codes(wrong) == [code], asker


@pytest.mark.parametrize("name", EVERY)
async def test_whoever_may_makes_the_change(api: Api, make: Make, database: db.Database, name: str) -> None:
    case = MUTATION_MATRIX[name]
    askers: list[Person | None] = [await make.admin(), await make.holder(case.requires or Permission.NONE)]
    if case.is_open:
        askers.append(None)

    for asker in askers:
        given = await case.given(make)
        before = await everything(database)
        assert codes(await _ask(api, name, asker, given)) == [], asker
        assert (await everything(database) != before) is case.writes


@pytest.mark.parametrize("name", TRIED)
async def test_a_trial_writes_nothing_and_is_refused_as_the_change_is(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    case = MUTATION_MATRIX[name]
    root, given = await make.admin(), await case.given(make)
    assert given is not None
    wrong = given | case.wrong

    async with unchanged(database):
        tried = await _ask(api, name, root, given | {"validateOnly": True})
        tried_wrong = await _ask(api, name, root, wrong | {"validateOnly": True})
        done_wrong = await _ask(api, name, root, wrong)

    assert codes(tried) == []
    assert problems(tried_wrong)
    assert tried_wrong == done_wrong


def _strange_ids(kind: str, other: str, stale: int) -> list[dict[str, str]]:
    texts = [ids.encode(kind, stale), ids.encode(other, 1), ids.encode(kind, 2**31), ids.encode(kind, 0)]
    return [{"id": text} for text in [*texts, ids.encode(kind, 2**70), "", "x", "VXNlcjox=", "ü", "\0", "1"]]


def _about(kind: str) -> list[tuple[str, str]]:
    """The mutations whose input names a row of this kind."""
    inputs = [node for node in parse(main.sdl()).definitions if isinstance(node, InputObjectTypeDefinitionNode)]
    holding = {node.name.value for node in inputs if any(each.name.value == kind for each in node.fields or ())}
    return [(name, kind) for name in EVERY if f"{name[0].upper()}{name[1:]}Input" in holding]


@pytest.mark.parametrize(("name", "kind"), [*_about("user"), *_about("role")])
async def test_what_does_not_exist_is_not_found(
    api: Api, make: Make, database: db.Database, name: str, kind: str
) -> None:
    root, given = await make.admin(), await MUTATION_MATRIX[name].given(make)
    assert given is not None
    ghosts = {
        "user": [{"userName": "ghost"}, {"userName": ""}, {"userName": "a\0"}, *_strange_ids("User", "Role", 999)],
        "role": [{"name": "ghost"}, {"name": ""}, {"name": "a\0"}, *_strange_ids("Role", "User", 999)],
    }

    async with unchanged(database):
        replies = [await _ask(api, name, root, given | {kind: ghost}) for ghost in ghosts[kind]]

    assert [problems(reply) for reply in replies] == [{f"NOT_FOUND input.{kind}"}] * len(ghosts[kind])


async def test_a_user_is_named_in_exactly_one_way(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    one = {"id": root.node, "userName": "root"}
    ways: list[Any] = [None, {}, one, {"id": None}, {"userName": None}, one | {"id": None}, one | {"userName": None}]

    async with unchanged(database):
        replies = [await api(change("deleteUser"), as_=root, input={"user": by}) for by in ways]

    assert [codes(reply) for reply in replies] == [["BAD_USER_INPUT"]] * len(ways)
