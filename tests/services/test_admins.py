"""Claims about administrators: the last one stays, and no user grants or revokes what they do not have."""

import asyncio
from typing import Any

import pytest

from app import db
from app.config import Settings
from app.domain.viewer import ALL_PERMISSIONS, Permission
from tests.support.changes import another, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, Person

ACTIVE_ADMINS = """
{ users(filter: {and: [{roleName: {eq: "admin"}}, {not: {isDeactivated: true}}]}) { totalCount nodes { userName } } }
"""

Call = tuple[str, dict[str, Any]]

EXPIRES: dict[str, tuple[Call, str]] = {
    "deleted": (("deleteUser", {}), "input.user"),
    "assigned": (("assignRoles", {"roles": ["user"]}), "input.roles"),
    "deactivated": (("assignRoles", {"roles": ["admin", "Deactivated"]}), "input.roles"),
    "updated": (("updateUser", {"roles": []}), "input.roles"),
    "synchronized": (("setUserMetadata", {"metadata": {"roles": ["editor"]}}), "input.metadata.roles"),
    "emptied": (("setUserMetadata", {"metadata": {"roles": []}}), "input.metadata.roles"),
}
"""Each mutation that ends an administrator, and its errors when they are the last one."""


async def _do(api: Api, asker: Person, target: Person, call: Call) -> dict[str, Any]:
    name, fields = call
    return await api(change(name), as_=asker, input={"user": {"id": target.node}, **fields})


async def _admins(api: Api, asker: Person) -> list[str]:
    nodes = (await api(ACTIVE_ADMINS, as_=asker))["data"]["users"]["nodes"]
    return [node["userName"] for node in nodes]


@pytest.mark.parametrize("end", EXPIRES)
async def test_the_last_administrator_stays(api: Api, make: Make, database: db.Database, end: str) -> None:
    root = await make.admin()
    await make.user("asleep", "admin", "deactivated")
    call, path = EXPIRES[end]

    async with unchanged(database):
        reply = await _do(api, root, root, call)

    assert problems(reply) == {f"PROTECTED {path}"}


@pytest.mark.parametrize("end", EXPIRES)
async def test_the_last_but_one_goes(api: Api, make: Make, end: str) -> None:
    root, other = await make.admin(), await make.admin("other")

    reply = await _do(api, root, other, EXPIRES[end][0])

    assert problems(reply) == set()
    assert await _admins(api, root) == ["root"]


@pytest.mark.parametrize("end", EXPIRES)
async def test_of_two_who_end_each_other_at_the_same_moment_one_stays(
    api: Api, make: Make, settings: Settings, end: str
) -> None:
    watch = await make.holder(Permission.USERS_VIEW)
    one, two = await make.admin("one"), await make.admin("two")

    async with another(settings) as elsewhere:
        replies = await asyncio.gather(
            _do(api, one, two, EXPIRES[end][0]),
            _do(elsewhere, two, one, EXPIRES[end][0]),
            _do(api, two, one, EXPIRES[end][0]),
            _do(elsewhere, one, two, EXPIRES[end][0]),
        )

    assert len(await _admins(api, watch)) == 1
    assert {code for reply in replies for code in codes(reply)} <= {
        "PROTECTED",
        "NOT_FOUND",
        "FORBIDDEN",
        "UNAUTHENTICATED",
    }


OVER: dict[str, Call] = {
    "delete": ("deleteUser", {}),
    "give": ("assignRoles", {"roles": []}),
    "deactivate": ("assignRoles", {"roles": ["deactivated"]}),
    "update": ("updateUser", {"email": "mine@b.example"}),
    "tell": ("setUserMetadata", {"metadata": {}}),
    "reset": ("resetPassword", {"newPassword": "mine from now on"}),
    "sign out": ("signOutEverywhere", {}),
}


async def test_who_manages_users_rules_over_nobody_who_holds_more(api: Api, make: Make, database: db.Database) -> None:
    clerk = await make.holder(Permission.USERS_MANAGE)
    stronger = [
        await make.admin(),
        await make.holder(Permission.USERS_MANAGE | Permission.AUDIT_VIEW),
        await make.user("asleep", "admin", "deactivated"),
    ]

    async with unchanged(database):
        replies = {action: [await _do(api, clerk, each, call) for each in stronger] for action, call in OVER.items()}

    assert {action: [*map(codes, each)] for action, each in replies.items()} == dict.fromkeys(OVER, [["FORBIDDEN"]] * 3)


async def test_who_manages_users_rules_over_those_who_hold_no_more(api: Api, make: Make) -> None:
    await make.admin()
    clerk, *equals = [await make.holder(Permission.USERS_MANAGE) for _ in range(1 + len(OVER))]

    replies = [await _do(api, clerk, *each) for each in zip(equals, OVER.values(), strict=True)]

    assert [codes(reply) for reply in replies] == [[]] * len(OVER)


async def test_a_manager_of_users_grants_only_permissions_they_have(
    api: Api, make: Make, database: db.Database
) -> None:
    await make.admin()
    clerk, ann = await make.holder(Permission.USERS_MANAGE), await make.user("ann")
    await make.role("label")
    await make.role("auditor", Permission.AUDIT_VIEW)
    forbidden: list[Call] = [
        ("assignRoles", {"roles": ["label", "auditor"]}),
        ("updateUser", {"roles": ["admin"]}),
        ("setUserMetadata", {"metadata": {"roles": ["auditor"]}}),
    ]

    async with unchanged(database):
        replies = [await _do(api, clerk, ann, call) for call in forbidden]
        replies += [await _do(api, clerk, clerk, call) for call in forbidden]

    assert [codes(reply) for reply in replies] == [["FORBIDDEN"]] * 6
    assert codes(await _do(api, clerk, ann, ("assignRoles", {"roles": ["label"]}))) == []


async def test_everything_but_one_permission_is_not_enough_for_an_administrator(
    api: Api, make: Make, database: db.Database
) -> None:
    root = await make.admin()
    almost = await make.holder(ALL_PERMISSIONS & ~Permission.AUDIT_VIEW)

    async with unchanged(database):
        reply = await _do(api, almost, root, ("assignRoles", {"roles": []}))

    assert codes(reply) == ["FORBIDDEN"]
