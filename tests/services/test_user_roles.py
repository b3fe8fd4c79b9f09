"""Claims about adding and removing single roles, and about deactivation, which keeps the others."""

import asyncio
from typing import Any

import pytest

from app import db
from app.domain.viewer import Permission
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, Person
from tests.support.logged import logged

USER = "user { userName roles { name } }"
NAMES = ("addRoles", "removeRoles", "deactivateUser", "reactivateUser", "assignRoles")
CHANGES = {name: change(name, USER) for name in NAMES}


async def _send(api: Api, as_: Person, name: str, user: Person, *roles: str) -> dict[str, Any]:
    fields = {} if name.endswith("User") else {"roles": list(roles)}
    return await api(CHANGES[name], as_=as_, input={"user": {"id": user.node}, **fields})


async def _roles(api: Api, as_: Person, name: str, user: Person, *roles: str) -> list[str]:
    payload = answered(await _send(api, as_, name, user, *roles), name)
    return [role["name"] for role in payload["user"]["roles"]]


async def test_roles_are_added_and_removed_one_by_one(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    await make.role("Editor")

    assert await _roles(api, root, "addRoles", ann, "EDITOR", "editor", "user") == ["Editor", "user"]
    assert await _roles(api, root, "removeRoles", ann, "User", "admin") == ["Editor"]
    assert await _roles(api, root, "removeRoles", ann, "user", "Editor") == []


async def test_what_changes_nothing_writes_nothing(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")

    async with unchanged(database):
        assert await _roles(api, root, "addRoles", ann) == ["user"]
        assert await _roles(api, root, "addRoles", ann, "USER") == ["user"]
        assert await _roles(api, root, "removeRoles", ann, "admin") == ["user"]
        assert await _roles(api, root, "reactivateUser", ann) == ["user"]


async def test_every_unknown_role_is_not_found_at_its_index(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")

    async with unchanged(database):
        for name in ("addRoles", "removeRoles"):
            reply = await _send(api, root, name, ann, "user", "Straße", "a\0", "user")
            assert problems(reply) == {"NOT_FOUND input.roles.1", "NOT_FOUND input.roles.2"}


async def test_nobody_gives_or_takes_what_they_do_not_hold(api: Api, make: Make, database: db.Database) -> None:
    clerk, ann, boss = await make.holder(Permission.USERS_MANAGE), await make.user("ann"), await make.admin("boss")

    async with unchanged(database):
        assert codes(await _send(api, clerk, "addRoles", ann, "admin")) == ["FORBIDDEN"]
        for name in NAMES:
            assert codes(await _send(api, clerk, name, boss, "user")) == ["FORBIDDEN"], name
    assert await _roles(api, clerk, "deactivateUser", ann) == ["deactivated"]


async def test_a_deactivated_user_with_more_rights_is_not_reactivated(
    api: Api, make: Make, database: db.Database
) -> None:
    clerk, boss = await make.holder(Permission.USERS_MANAGE), await make.user("boss", "admin", "deactivated")

    async with unchanged(database):
        for name in ("reactivateUser", "removeRoles"):
            assert codes(await _send(api, clerk, name, boss, "deactivated")) == ["FORBIDDEN"]


async def test_deactivation_keeps_the_roles_and_refuses_every_token(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    await make.role("Editor")
    await _send(api, root, "addRoles", ann, "Editor")
    script, _ = await make.api_token(ann)
    query = "{ viewer { user { id } } }"

    assert await _roles(api, root, "deactivateUser", ann) == ["deactivated", "Editor", "user"]
    assert [(await api.post(query, each)).status_code for each in (ann, script)] == [401, 401]
    assert await _roles(api, root, "deactivateUser", ann) == ["deactivated", "Editor", "user"]
    assert await _roles(api, root, "reactivateUser", ann) == ["Editor", "user"]
    assert [(await api.post(query, each)).status_code for each in (ann, script)] == [200, 200]
    assert await _roles(api, root, "assignRoles", ann, "deactivated") == ["deactivated"]


@pytest.mark.parametrize(
    ("name", "role", "path"),
    [
        ("addRoles", "deactivated", "roles"),
        ("removeRoles", "admin", "roles"),
        ("deactivateUser", "", "user"),
    ],
)
async def test_the_last_active_administrator_stays(
    api: Api, make: Make, database: db.Database, name: str, role: str, path: str
) -> None:
    root = await make.admin()
    await make.user("gone", "admin", "deactivated")
    await make.user("robot", "admin", is_service_account=True)

    async with unchanged(database):
        assert problems(await _send(api, root, name, root, role)) == {f"PROTECTED input.{path}"}


async def test_of_two_administrators_who_deactivate_each_other_one_stays(api: Api, make: Make) -> None:
    ann, bob = await make.admin("ann"), await make.admin("bob")

    replies = await asyncio.gather(_send(api, ann, "deactivateUser", bob), _send(api, bob, "removeRoles", ann, "admin"))

    outcomes = sorted(str(codes(reply)) for reply in replies)
    assert outcomes[0] != outcomes[1] == "[]" or outcomes[0] == "['PROTECTED']", outcomes


async def test_roles_that_many_add_and_remove_at_once_are_all_kept(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    names = [f"Role {at}" for at in range(8)]
    for name in names:
        await make.role(name)
    await _send(api, root, "addRoles", ann, *names[4:])

    added = [_send(api, root, "addRoles", ann, name) for name in names[:4]]
    removed = [_send(api, root, "removeRoles", ann, name) for name in names[4:]]
    replies = await asyncio.gather(*added, *removed, _send(api, root, "deactivateUser", ann))

    assert [codes(reply) for reply in replies] == [[]] * 9
    assert await _roles(api, root, "reactivateUser", ann) == [*names[:4], "user"]


async def test_the_event_has_the_roles_before_and_after(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")

    async with logged(database) as since:
        await _send(api, root, "deactivateUser", ann)

    assert [*since.one.changes.values()] == [({"roles": ["user"]}, {"roles": ["deactivated", "user"]})]
