"""Claims about owners: who changes one, who becomes none, and that a lock keeps those that are."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, build_schema, get_named_type
from sqlalchemy import select

from app import db, main
from app.config import Settings
from app.db import tables
from app.db.tables import col
from app.domain import resource_roles
from app.domain.errors import Problem
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import SYSTEM, Permission, Viewer
from app.services import audit, external_accounts, locks, orgs, resources, user_deletion, users
from app.services.external_accounts import ProviderIdentity
from tests.db.test_at_once import SETTLE, behind
from tests.support.changes import another, answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person, rows_of, stale
from tests.support.fetching import fetch
from tests.support.rest_client import Rest

ASLEEP = {"userName": "asleep"}
Ask = Callable[[Api, Rest, Person, "World"], Awaitable[Any]]


class World:
    """Ann owns an org with a resource of bob's in it; and a resource in bob's org."""

    def __init__(self, org: Entity, inside: Entity, outside: Entity, ann: Person) -> None:
        self.org, self.inside, self.outside, self.ann = org, inside, outside, ann


@pytest.fixture
async def world(make: Make) -> World:
    ann, bob = await make.user("ann"), await make.user("bob")
    await make.user("asleep", "deactivated")
    org, other = await make.org("reef", ann), await make.org("other", bob)
    inside, outside = await make.resource(org, owner=bob), await make.resource(other, owner=ann)
    return World(org, inside, outside, ann)


async def _graphql(api: Api, as_: Person, name: str, fields: dict[str, Any]) -> list[str]:
    return codes(await api(change(name), as_=as_, input=fields))


def _asking(name: str, give: Callable[["World", str], dict[str, Any]]) -> Ask:
    async def ask(api: Api, rest: Rest, root: Person, world: World, heir: str = "asleep") -> list[str]:
        return await _graphql(api, root, name, give(world, heir))

    return ask


def _calling(method: str, path: str, body: Callable[[str], Any]) -> Ask:
    async def ask(api: Api, rest: Rest, root: Person, world: World, heir: str = "asleep") -> list[str]:
        reply = await rest(method, path.format(heir), root, json=body(heir))
        return [] if reply.status_code < 300 else [str(reply.status_code)]

    return ask


BECOMING: dict[str, Any] = {
    "createOrg": _asking("createOrg", lambda _, heir: {"slug": "new", "name": "New", "owner": {"userName": heir}}),
    "transferOrg": _asking("transferOrg", lambda w, heir: {"org": {"slug": "reef"}, "owner": {"userName": heir}}),
    "transferResource": _asking(
        "transferResource", lambda w, heir: {"resource": {"id": w.outside.node}, "owner": {"userName": heir}}
    ),
    "deleteUser": _asking("deleteUser", lambda _, heir: {"user": {"userName": "ann"}, "successor": {"userName": heir}}),
    "POST /orgs": _calling("POST", "/orgs", lambda heir: {"slug": "new", "name": "New", "owner": heir}),
    "PUT /orgs": _calling("PUT", "/orgs/reef", lambda heir: {"slug": "reef", "name": "Reef", "owner": heir}),
    "DELETE /users/{}": _calling("DELETE", "/users/ann?successor={}", lambda _: None),
    "DELETE /users": _calling("DELETE", "/users", lambda heir: {"userName": "ann", "successor": heir}),
}
"""Requests that make a named user an owner."""


@pytest.mark.parametrize("action", BECOMING)
async def test_a_deactivated_user_becomes_no_owner(
    api: Api, rest: Rest, make: Make, database: db.Database, world: World, action: str
) -> None:
    root = await make.admin()

    async with unchanged(database):
        assert await BECOMING[action](api, rest, root, world) in (["INVALID_INPUT"], ["400"])
    assert await BECOMING[action](api, rest, root, world, "root") == []
    assert await stale(database) == set()


async def test_what_a_deactivated_user_owns_stays_theirs(api: Api, rest: Rest, make: Make, world: World) -> None:
    root = await make.admin()
    answered(
        await api(change("assignRoles"), as_=root, input={"user": {"userName": "ann"}, "roles": ["deactivated"]}),
        "assignRoles",
    )

    sent_back = await rest("PUT", "/orgs/reef", root, json={"slug": "reef", "name": "Reef", "owner": "ann"})

    assert sent_back.status_code < 300
    reply = await api('{ org(by: {slug: "reef"}) { name owner { userName } } }', as_=root)
    assert reply["data"]["org"] == {"name": "Reef", "owner": {"userName": "ann"}}


async def test_every_input_that_names_an_owner_is_tested_here() -> None:
    built = build_schema(main.sdl())
    assert built.mutation_type is not None
    naming = {
        name
        for name, field in built.mutation_type.fields.items()
        for argument in field.args.values()
        if isinstance(kind := get_named_type(argument.type), GraphQLInputObjectType)
        and kind.fields.keys() & {"owner", "successor", "newOwner", "heir"}
    }
    assert naming == {name for name in BECOMING if " " not in name}


async def _deactivating(tx: db.Transaction, user: Person) -> None:
    await users.assign_roles(tx, SYSTEM, ("id", user.id), ["deactivated"])


def _on(service: Any, *arguments: Any) -> Callable[[db.Transaction, Viewer], Awaitable[Any]]:
    return lambda tx, viewer: service(tx, viewer, *arguments)


async def _becoming(make: Make, world: World, heir: Person) -> dict[str, Callable[[db.Transaction, Viewer], Any]]:
    """Return the changes that make a user an owner, as calls of services."""
    terms = make.app.storage_policy
    by = ("id", heir.id)
    new = resources.ResourceCreate(("slug", "reef"), "DATASET", "new", "New")
    transfer = resources.Transfer(owner=by)
    return {
        "transferred org": _on(orgs.transfer_org, ("slug", "reef"), by),
        "transferred resource": _on(resources.transfer_resource, ("id", world.outside.id), transfer, terms),
        "org for another": _on(orgs.create_org, orgs.OrgCreate("new", "New", owner=by)),
        "own org": lambda tx, _: orgs.create_org(tx, _as(heir), orgs.OrgCreate("new", "New")),
        "own resource": lambda tx, _: resources.create_resource(tx, _as(heir), new),
    }


def _as(person: Person) -> Viewer:
    return Viewer(person.id, SYSTEM.permissions)


async def _refusal(database: db.Database, act: Callable[[db.Transaction], Awaitable[Any]]) -> str:
    """Return the error of a change by another worker; empty when it succeeds."""
    try:
        async with audit.transaction(database, SYSTEM, "test") as tx:
            await act(tx)
    except Problem as refused:
        return refused.message
    return ""


RACES = ["transferred org", "transferred resource", "org for another", "own org", "own resource"]


@pytest.mark.parametrize("name", RACES)
async def test_who_is_deactivated_at_that_moment_becomes_no_owner(
    make: Make, database: db.Database, second_db: db.Database, world: World, name: str
) -> None:
    """The deactivation came first and is not committed yet: the change waits for it and sees it."""
    heir, root = await make.user("heir"), await make.admin()
    await make.member(world.org, heir, MemberLevel.ADMIN)
    act = (await _becoming(make, world, heir))[name]

    refused = await behind(
        database, lambda tx: _deactivating(tx, heir), _refusal(second_db, lambda tx: act(tx, _as(root)))
    )

    assert "cannot become an owner" in refused
    owners = [*await fetch(database, select(col(tables.Org.owner_id)))]
    owners += [*await fetch(database, select(col(tables.Resource.owner_id)))]
    assert (heir.id,) not in owners


async def test_a_user_who_is_made_deactivated_gets_no_org_of_their_own(make: Make, database: db.Database) -> None:
    async with database.write() as tx:
        said = ProviderIdentity("asleep", {"roles": ["deactivated"]})
        await external_accounts.synchronize(tx, said, with_orgs=True)
        await external_accounts.synchronize(tx, ProviderIdentity("awake", {"roles": []}), with_orgs=True)

    assert [row[0] for row in await fetch(database, select(col(tables.Org.slug)))] == ["awake"]


OWNER_CHANGES: dict[str, Any] = {
    "transferOrg": lambda w: {"org": {"slug": "reef"}, "owner": {"userName": "root"}},
    "deleteUser": lambda w: {"user": {"userName": "ann"}, "successor": {"userName": "root"}},
    "deleteUser without a successor": lambda w: {"user": {"userName": "ann"}},
}
SAYS = {
    "transferOrg": ("input.org", "1 resource of this org is locked. Unlock it first."),
    "deleteUser": ("input.user", "2 resources of this user are locked. Unlock them first."),
}


@pytest.mark.parametrize("what", OWNER_CHANGES)
async def test_a_locked_resource_keeps_its_owner_and_the_owner_of_its_org(
    api: Api, make: Make, database: db.Database, world: World, what: str
) -> None:
    root, name = await make.admin(), what.split(maxsplit=1)[0]
    fields = OWNER_CHANGES[what](world)
    for thing in (world.inside, world.outside):
        await make.locked(thing)

    async with unchanged(database):
        reply = await api(change(name), as_=root, input=fields)
    error = reply["data"][name]["errors"][0]
    assert (error["code"], ".".join(error["path"]), error["message"]) == ("LOCKED", *SAYS[name])

    for thing in (world.inside, world.outside):
        answered(
            await api(change("unlockResource"), as_=root, input={"resource": {"id": thing.node}, "reason": "Now."}),
            "unlockResource",
        )
    answered(await api(change(name), as_=root, input=fields), name)


async def test_rest_keeps_the_owners_of_what_is_locked(
    rest: Rest, make: Make, database: db.Database, world: World
) -> None:
    root = await make.admin()
    await make.locked(world.inside)

    async with unchanged(database):
        for method, path, body in (
            ("PUT", "/orgs/reef", {"slug": "reef", "name": "Reef", "owner": "root"}),
            ("DELETE", "/users/ann", None),
            ("DELETE", "/users/ann?successor=root", None),
            ("DELETE", "/users", {"userName": "ann"}),
        ):
            reply = await rest(method, path, root, json=body)
            assert (reply.status_code, "locked" in reply.json()["error"]) == (400, True), path
    same = await rest("PUT", "/orgs/reef", root, json={"slug": "reef", "name": "New", "owner": "ann"})
    assert same.status_code < 300, "the owner stays, so nothing is refused"


CHANGES: dict[str, Callable[[db.Transaction, "World", Person], Awaitable[Any]]] = {
    "transferOrg": lambda tx, w, heir: orgs.transfer_org(tx, _as(heir), ("slug", "reef"), ("id", heir.id)),
    "deleteUser": lambda tx, w, heir: _deleting(tx, w.ann, heir),
}


async def _deleting(tx: db.Transaction, user: Person, heir: Person) -> Any:
    return await user_deletion.delete_user(tx, _as(heir), ("id", user.id), ("id", heir.id))


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("thing", ["inside", "outside"])
async def test_a_lock_that_is_being_set_keeps_the_owner(
    make: Make, database: db.Database, second_db: db.Database, world: World, name: str, thing: str
) -> None:
    if (name, thing) == ("transferOrg", "outside"):
        return  # that resource is in another org
    root = await make.admin()

    key = getattr(world, thing).id
    refused = await behind(
        database,
        lambda tx: locks.lock_resource(tx, _as(root), ("id", key), "Now."),
        _refusal(second_db, lambda tx: CHANGES[name](tx, world, root)),
    )

    assert "locked" in refused
    assert await rows_of(database, tables.Lock) == 1


@pytest.fixture
async def other(settings: Settings) -> AsyncIterator[Api]:
    async with another(settings) as worker:
        yield worker


@pytest.mark.parametrize("name", CHANGES)
async def test_a_lock_waits_for_a_change_of_owner(
    other: Api, make: Make, database: db.Database, world: World, name: str
) -> None:
    root = await make.admin()
    fields = {"resource": {"id": world.inside.node}, "reason": "Now."}

    async with database.write() as tx:
        await CHANGES[name](tx, world, root)
        waiting = asyncio.ensure_future(other(change("lockResource"), as_=root, input=fields))
        await asyncio.sleep(SETTLE)
        assert not waiting.done()
    assert codes(await waiting) == []


async def test_a_granted_admin_takes_nothing_from_an_owner(
    api: Api, make: Make, database: db.Database, world: World
) -> None:
    eve = await make.user("eve")
    await make.org("lair", eve)
    await make.grant(world.outside, eve, resource_roles.ADMIN)
    await make.grant(world.outside, await make.group(None, eve), resource_roles.ADMIN)
    await make.member(await make.org("there"), eve, MemberLevel.ADMIN)

    async with unchanged(database):
        for fields in ({"owner": {"userName": "eve"}}, {"org": {"slug": "lair"}}, {"org": {"slug": "there"}}, {}):
            by = {"resource": {"id": world.outside.node}}
            assert await _graphql(api, eve, "transferResource", by | fields) == ["FORBIDDEN"]


@pytest.mark.parametrize("who", ["owner", "org owner", "org admin", "registry"])
async def test_owners_of_both_and_administrators_transfer(api: Api, make: Make, world: World, who: str) -> None:
    is_registry = who == "registry"
    person = await make.holder(Permission.RESOURCES_MANAGE, "x") if is_registry else await make.user("x")
    org = await make.org(None, person if who == "org owner" else None)
    reef = await make.resource(org, owner=person if who == "owner" else None)
    if who == "org admin":
        await make.member(org, person, MemberLevel.ADMIN)

    fields = {"resource": {"id": reef.node}, "owner": {"userName": "x"}}
    assert problems(await api(change("transferResource"), as_=person, input=fields)) == set()
