"""Claims about acting as another account: nobody gets more than they hold by a password, a token or a succession."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from app import db
from app.domain import refs, resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.support.changes import change, unchanged
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make, Person
from tests.support.rest_client import Rest

NEW = "another horse another staple"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
async def root(make: Make) -> Person:
    """An administrator, without whom nobody is deleted."""
    return await make.admin()


Hold = Callable[[Make, Person, Person], Awaitable[Any]]


async def _owns_org(make: Make, it: Person, boss: Person) -> None:
    await make.member(await make.org(None, it), boss, MemberLevel.ADMIN)


async def _in_org(make: Make, it: Person, boss: Person) -> None:
    await make.member(await make.org(), it, MemberLevel.READ_ONLY)


async def _higher_in_org(make: Make, it: Person, boss: Person) -> None:
    org = await make.org()
    await make.member(org, it, MemberLevel.ADMIN)
    await make.member(org, boss, MemberLevel.READ_WRITE)


async def _longer_in_org(make: Make, it: Person, boss: Person) -> None:
    org = await make.org()
    await make.member(org, it)
    await make.member(org, boss, expires_at=make.app.database.clock() + DAY)


async def _in_group(make: Make, it: Person, boss: Person) -> None:
    await make.group(None, it)


async def _manages_group(make: Make, it: Person, boss: Person) -> None:
    await make.group_member(await make.group("crew", boss), it, is_manager=True)


async def _longer_in_group(make: Make, it: Person, boss: Person) -> None:
    group = await make.group("crew", it)
    await make.group_member(group, boss, expires_at=make.app.database.clock() + DAY)


async def _owns_resource(make: Make, it: Person, boss: Person) -> None:
    reef = await make.resource(await make.org(), owner=it)
    await make.grant(reef, boss, resource_roles.ADMIN)


async def _granted(make: Make, it: Person, boss: Person) -> None:
    await make.grant(await make.resource(await make.org(), general=0), it)


async def _granted_more(make: Make, it: Person, boss: Person) -> None:
    reef = await make.resource(await make.org())
    await make.grant(reef, it, resource_roles.DATA_WRITE)
    await make.grant(reef, boss, resource_roles.METADATA_WRITE)


async def _granted_longer(make: Make, it: Person, boss: Person) -> None:
    reef = await make.resource(await make.org())
    await make.grant(reef, it, resource_roles.METADATA_WRITE)
    await make.grant(reef, boss, resource_roles.ADMIN, make.app.database.clock() + DAY)


ORGS, GROUPS, RESOURCES = Permission.ORGS_MANAGE, Permission.GROUPS_MANAGE, Permission.RESOURCES_MANAGE
MORE: dict[str, tuple[Hold, Permission]] = {
    "owns an org": (_owns_org, ORGS),
    "is in an org": (_in_org, ORGS),
    "is higher in an org": (_higher_in_org, ORGS),
    "is longer in an org": (_longer_in_org, ORGS),
    "is in a group": (_in_group, GROUPS),
    "manages a group": (_manages_group, GROUPS),
    "is longer in a group": (_longer_in_group, GROUPS),
    "owns a resource": (_owns_resource, RESOURCES),
    "has a grant": (_granted, RESOURCES),
    "has more by a grant": (_granted_more, RESOURCES),
    "has a grant for longer": (_granted_longer, RESOURCES),
}
"""Rights that an account has and its manager lacks, with the permission by which the manager could take them anyway."""


async def _nothing(make: Make, it: Person, boss: Person) -> None:
    """Grant the account what every user has, and what has ended."""
    ended = make.app.database.clock()
    await make.member(await make.org(), it, MemberLevel.ADMIN, ended)
    await make.group_member(await make.group(), it, is_manager=True, expires_at=ended)
    await make.grant(await make.resource(await make.org()), it, resource_roles.ADMIN, ended)


async def _the_same(make: Make, it: Person, boss: Person) -> None:
    """Grant the account as much as the manager has, by the same and by other paths."""
    end = make.app.database.clock() + DAY
    await make.member(mine := await make.org(None, boss), it, MemberLevel.ADMIN)
    await make.member(theirs := await make.org(), it, MemberLevel.READ_WRITE, end)
    await make.member(theirs, boss, MemberLevel.READ_WRITE, end)
    await make.group("crew", it, boss)
    await make.resource(mine, owner=it)
    await make.grant(await make.resource(theirs), it, resource_roles.METADATA_WRITE, end - timedelta(hours=1))
    await make.grant(reef := await make.resource(await make.org()), it, resource_roles.METADATA_READ)
    await make.grant(reef, await make.group("boats", boss), resource_roles.METADATA_WRITE)


NO_MORE: dict[str, Hold] = {"nothing": _nothing, "the same": _the_same}


FORBIDDEN = ["FORBIDDEN"]


async def _token(api: Api, rest: Rest, boss: Person, it: Person) -> list[Any]:
    return codes(await api(change("createApiToken"), as_=boss, input={"name": "t", "user": {"id": it.node}}))


async def _reset(api: Api, rest: Rest, boss: Person, it: Person) -> list[Any]:
    fields = {"user": {"id": it.node}, "newPassword": NEW}
    return codes(await api(change("resetPassword"), as_=boss, input=fields))


async def _succession(api: Api, rest: Rest, boss: Person, it: Person) -> list[Any]:
    fields = {"user": {"id": it.node}, "successor": {"userName": boss.user_name}}
    return codes(await api(change("deleteUser"), as_=boss, input=fields))


def _called(method: str, path: str, **body: str) -> Any:
    async def call(api: Api, rest: Rest, boss: Person, it: Person) -> list[Any]:
        reply = await rest(method, path.format(it.user_name, boss.user_name), boss, json=body or None)
        return ["FORBIDDEN"] if reply.status_code == 403 else [] if reply.status_code < 300 else [reply.status_code]

    return call


WAYS: dict[str, Any] = {
    "createApiToken": _token,
    "resetPassword": _reset,
    "deleteUser": _succession,
    "PUT changepwd": _called("PUT", "/users/{}/changepwd", newPassword=NEW),
    "PUT changepwd with the old one": _called(
        "PUT", "/users/{}/changepwd", currentPassword=PASSWORD, newPassword=f"{NEW}!"
    ),
    "DELETE": _called("DELETE", "/users/{}?successor={}"),
}
"""Actions that take over an account or its rights; the first is for service accounts only."""


async def _account(make: Make, action: str) -> Person:
    return await make.user("it", is_service_account=action == "createApiToken")


@pytest.mark.parametrize("action", WAYS)
@pytest.mark.parametrize("what", MORE)
async def test_who_holds_more_is_acted_as_only_by_who_could_take_it_anyway(
    api: Api, rest: Rest, make: Make, database: db.Database, what: str, action: str
) -> None:
    hold, permission = MORE[what]
    boss = await make.holder(Permission.USERS_MANAGE | (ORGS | GROUPS | RESOURCES) & ~permission, "boss")
    able = await make.holder(Permission.USERS_MANAGE | permission, "able")
    it = await _account(make, action)
    await hold(make, it, boss)

    async with unchanged(database):
        assert await WAYS[action](api, rest, boss, it) == FORBIDDEN
    assert await WAYS[action](api, rest, able, it) == []


@pytest.mark.parametrize("action", WAYS)
@pytest.mark.parametrize("what", NO_MORE)
async def test_who_holds_no_more_is_acted_as(api: Api, rest: Rest, make: Make, what: str, action: str) -> None:
    boss = await make.holder(Permission.USERS_MANAGE, "boss")
    it = await _account(make, action)
    await NO_MORE[what](make, it, boss)

    assert await WAYS[action](api, rest, boss, it) == []


async def test_what_gives_nothing_needs_no_comparison(api: Api, make: Make) -> None:
    boss, it = await make.holder(Permission.USERS_MANAGE, "boss"), await make.user("it")
    await _owns_org(make, it, boss)
    _, key = await make.api_token(it)

    for name, fields in (
        ("signOutEverywhere", {"user": {"id": it.node}}),
        ("revokeApiToken", {"apiToken": refs.encode("ApiToken", key)}),
        ("assignRoles", {"user": {"id": it.node}, "roles": ["deactivated"]}),
        ("deleteUser", {"user": {"id": it.node}}),
    ):
        assert codes(await api(change(name), as_=boss, input=fields)) == [], name


async def test_the_comparison_takes_the_same_number_of_statements_for_much_and_little(api: Api, make: Make) -> None:
    boss = await make.holder(Permission.USERS_MANAGE, "boss")
    little, much = await make.user("little"), await make.user("much")
    org = await make.org(None, boss)
    for at in range(20):
        await make.group(f"crew{at}", much, boss)
        await make.grant(await make.resource(org), much, resource_roles.ADMIN)

    counts = [
        await api.statements(change("resetPassword"), as_=boss, input={"user": {"id": it.node}, "newPassword": NEW})
        for it in (little, much)
    ]

    assert counts[0] == counts[1]
