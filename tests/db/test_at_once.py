"""Two clients at the same moment, each at a worker of its own: one after the other, never a mixture."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from app import db
from app.config import Settings
from app.db import Transaction, tables
from app.db.tables import col
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import Permission, Viewer
from app.services import access, access_index, groups, locks, orgs, resources, user_deletion
from tests.support.changes import another, change
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person, rows_of
from tests.support.fetching import fetch

TIMES = 3
SETTLE = 0.15
"""Seconds in which a waiting change surely arrives where it waits."""

SUBMIT = change("submitAccess", "resource { access { revision general { roles } } }")
GRANT = change("grantAccess", "resource { access { users { user { userName } } } }")
READ = ["METADATA_READ"]
First = Callable[[Transaction], Awaitable[Any]]


@pytest.fixture
async def other(api: Api, settings: Settings) -> AsyncIterator[Api]:
    """The second worker."""
    async with another(settings) as worker:
        yield worker


def of(thing: Entity, **fields: Any) -> dict[str, Any]:
    return {"resource": {"id": thing.node}, **fields}


def seen(person: Person) -> Viewer:
    """Return the viewer of a user."""
    return Viewer(person.id, Permission.NONE)


async def behind(database: db.Database, first: First, second: Awaitable[Any]) -> Any:
    """Return the response of a change that starts while another transaction is open, and waits for it."""
    async with database.write() as tx:
        await first(tx)
        waiting = asyncio.ensure_future(second)
        await asyncio.sleep(SETTLE)
    return await waiting


def outcomes(*replies: dict[str, Any]) -> list[list[str]]:
    return sorted(codes(reply) for reply in replies)


async def test_of_two_configurations_with_one_revision_one_succeeds(api: Api, other: Api, make: Make) -> None:
    ann = await make.user("ann")
    reef = await make.resource(await make.org(), owner=ann)
    choices, standing = [READ, ["METADATA_WRITE"], ["DATASET_DATA_READ"]], list[str]()
    for revision in range(1, TIMES + 1):
        changes = [roles for roles in choices if roles != standing][:2]  # what stands already would be no change
        sent = [of(reef, revision=revision, general={"roles": roles}) for roles in changes]

        replies = await asyncio.gather(api(SUBMIT, as_=ann, input=sent[0]), other(SUBMIT, as_=ann, input=sent[1]))

        assert outcomes(*replies) == [[], ["CONFLICT"]]
        won = sent[0] if codes(replies[0]) == [] else sent[1]
        standing = won["general"]["roles"]
        stands = {"access": {"revision": revision + 1, "general": {"roles": won["general"]["roles"]}}}
        assert [reply["data"]["submitAccess"]["resource"] for reply in replies] == [stands, stands]


async def test_of_two_locks_one_succeeds(api: Api, other: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann")
    reef = await make.resource(await make.org(), owner=ann)
    for at in range(TIMES):
        for name in ("lockResource", "unlockResource"):
            lock = of(reef, reason="Now.")
            replies = await asyncio.gather(*(each(change(name), as_=ann, input=lock) for each in (api, other)))
            assert outcomes(*replies) == [[], ["CONFLICT"]]
        assert await rows_of(database, tables.LockEvent) == 2 * (at + 1)


async def test_grants_to_different_subjects_at_once_both_stand(api: Api, other: Api, make: Make) -> None:
    ann = await make.user("ann")
    await make.users(["bob", "cid"])
    for _ in range(TIMES):
        reef = await make.resource(await make.org(), owner=ann)
        grants = [of(reef, subject={"user": {"userName": name}}, roles=READ) for name in ("bob", "cid")]

        replies = await asyncio.gather(api(GRANT, as_=ann, input=grants[0]), other(GRANT, as_=ann, input=grants[1]))

        assert outcomes(*replies) == [[], []]
        subjects = [reply["data"]["grantAccess"]["resource"]["access"]["users"] for reply in replies]
        assert {"user": {"userName": "bob"}} in max(subjects, key=len)
        assert {"user": {"userName": "cid"}} in max(subjects, key=len)


async def test_of_two_memberships_one_succeeds(api: Api, other: Api, make: Make) -> None:
    ann, _ = await make.user("ann"), await make.user("bob")
    for _ in range(TIMES):
        org = await make.org(owner=ann)
        membership = {"org": {"slug": org.slug}, "user": {"userName": "bob"}}
        replies = await asyncio.gather(
            *(each(change("addOrgMember"), as_=ann, input=membership) for each in (api, other))
        )
        assert outcomes(*replies) == [[], ["CONFLICT"]]


async def test_an_update_and_a_lock_at_once_never_mix(api: Api, other: Api, make: Make, database: db.Database) -> None:
    ann, org = await make.user("ann"), await make.org()
    ask = "query ($id: ID!) { resource(by: {id: $id}) { name } }"
    for _ in range(TIMES):
        reef = await make.resource(org, owner=ann, name="Old")
        updated, locked = await asyncio.gather(
            api(change("updateResource"), as_=ann, input=of(reef, name="New")),
            other(change("lockResource"), as_=ann, input=of(reef, reason="Now.")),
        )
        assert codes(locked) == []
        expected = {(): "New", ("LOCKED",): "Old"}[tuple(codes(updated))]
        assert (await api(ask, as_=ann, id=reef.node))["data"]["resource"]["name"] == expected


async def test_an_org_that_goes_takes_what_is_made_in_it_or_gets_nothing(
    api: Api, other: Api, make: Make, database: db.Database
) -> None:
    ann = await make.user("ann")
    for at in range(TIMES):
        org = await make.org(f"org-{at}", owner=ann)
        dataset = {"org": {"slug": org.slug}, "type": "DATASET", "slug": "reef", "name": "Reef"}
        created, deleted = await asyncio.gather(
            api(change("createResource"), as_=ann, input=dataset),
            other(change("deleteOrg", "deletedResources"), as_=ann, input={"org": {"slug": org.slug}}),
        )
        number = deleted["data"]["deleteOrg"]["deletedResources"]
        assert (codes(created), number) in [([], 1), (["NOT_FOUND"], 0)]
        assert [await rows_of(database, each) for each in (tables.Resource, tables.Access, tables.Org)] == [0, 0, 0]


async def test_what_waited_for_a_lock_finds_the_resource_locked(
    api: Api, other: Api, make: Make, database: db.Database
) -> None:
    ann = await make.user("ann")
    org, there = await make.org(owner=ann), await make.org(owner=ann)
    waiting: list[tuple[str, dict[str, Any], str]] = [
        ("updateResource", {"name": "New"}, "LOCKED"),
        ("transferResource", {"org": {"slug": there.slug}}, "LOCKED"),
        ("deleteResource", {}, "LOCKED"),
        ("lockResource", {"reason": "Mine."}, "CONFLICT"),
    ]
    for name, fields, code in waiting:
        reef = await make.resource(org, owner=ann)
        locking = partial(locks.lock_resource, viewer=seen(ann), resource=("id", reef.id), reason="First.")
        reply = await behind(database, locking, other(change(name), as_=ann, input=of(reef, **fields)))
        assert (name, codes(reply)) == (name, [code])
    gone = await api(change("deleteOrg"), as_=ann, input={"org": {"slug": org.slug}})
    assert codes(gone) == ["LOCKED"]


@dataclass(frozen=True)
class World:
    """The objects that the next two tests change and delete; ann owns all but the group."""

    org: Entity
    group: Entity
    bob: Person
    reef: Entity
    lost: Entity


async def _world(make: Make, ann: Person) -> World:
    org, bob = await make.org(owner=ann), await make.user()
    reef, lost = await make.resource(await make.org(), owner=ann), await make.resource(org, owner=ann)
    return World(org, await make.group(None, bob), bob, reef, lost)


def _deleting(what: str, boss: Viewer, world: World) -> First:
    makes: dict[str, First] = {
        "org": lambda tx: orgs.delete_org(tx, boss, ("id", world.org.id)),
        "group": lambda tx: groups.delete_group(tx, boss, ("id", world.group.id)),
        "user": lambda tx: user_deletion.delete_user(tx, boss, ("id", world.bob.id)),
        "resource": lambda tx: resources.delete_resource(tx, boss, ("id", world.lost.id)),
    }
    return makes[what]


def _waiting(world: World) -> list[tuple[str, str, dict[str, Any]]]:
    """Changes that wait for a deletion: of what, the change, its input."""
    by_slug, by_name = {"slug": world.org.slug}, {"userName": world.bob.user_name}
    model = {"org": by_slug, "type": "MODEL", "slug": "tide", "name": "Tide"}
    groups_ = [{"group": {"id": world.group.node}, "roles": READ}]
    return [
        ("group", "grantAccess", of(world.reef, subject={"group": {"slug": world.group.slug}}, roles=READ)),
        ("group", "submitAccess", of(world.reef, revision=1, general={"roles": []}, groups=groups_)),
        ("user", "grantAccess", of(world.reef, subject={"user": by_name}, roles=READ)),
        ("user", "transferResource", of(world.reef, owner=by_name)),
        ("org", "createResource", model),
        ("org", "transferResource", of(world.reef, org=by_slug)),
        ("org", "updateResource", of(world.lost, name="New")),
        ("org", "updateOrg", {"org": by_slug, "name": "New"}),
        ("resource", "lockResource", of(world.lost, reason="Now.")),
        ("resource", "grantAccess", of(world.lost, subject={"general": True}, roles=READ)),
    ]


async def test_what_waited_for_a_deletion_finds_nothing(
    api: Api, other: Api, make: Make, database: db.Database
) -> None:
    ann, root = await make.user("ann"), await make.admin()
    boss = Viewer(root.id, ~Permission.NONE)

    for at in range(len(_waiting(await _world(make, ann)))):
        world = await _world(make, ann)
        deleted, name, fields = _waiting(world)[at]
        asker = root if deleted == "user" else ann
        deleting = _deleting(deleted, boss, world)
        reply = await behind(database, deleting, other(change(name), as_=asker, input=fields))
        assert (name, codes(reply)) == (name, ["NOT_FOUND"])


async def test_what_waited_for_a_right_to_end_has_it_no_longer(
    api: Api, other: Api, make: Make, database: db.Database
) -> None:
    ann, bob = await make.user("ann"), await make.user("bob")
    org, reef = await make.org(owner=ann), await make.resource(await make.org(), owner=ann)
    await make.member(org, bob, MemberLevel.READ_WRITE)
    await make.grant(reef, bob, resource_roles.ADMIN)
    entry = access.GrantEntry(SubjectType.USER, 0, ref=("user_name", "bob"))

    async def revoked(tx: Transaction) -> Any:
        return await access.revoke_access(tx, seen(ann), ("id", reef.id), entry)

    async def removed(tx: Transaction) -> Any:
        return await orgs.remove_org_member(tx, seen(ann), ("id", org.id), ("user_name", "bob"))

    reply = await behind(database, revoked, other(change("updateResource"), as_=bob, input=of(reef, name="New")))
    assert codes(reply) == ["FORBIDDEN"]
    renamed = {"org": {"slug": org.slug}, "name": "New"}
    assert codes(await behind(database, removed, other(change("updateOrg"), as_=bob, input=renamed))) == ["NOT_FOUND"]


@pytest.mark.parametrize(("kind", "name"), [("group", "deleteGroup"), ("org", "deleteOrg")])
async def test_the_index_holds_what_it_must_after_a_race(
    api: Api, other: Api, make: Make, database: db.Database, kind: str, name: str
) -> None:
    ann, root = await make.user("ann"), await make.admin()
    world = await _world(make, ann)
    thing = world.group if kind == "group" else world.org
    await make.grant(world.lost, world.group)

    async def renamed(tx: Transaction) -> Any:
        return await resources.update_resource(
            tx, seen(ann), ("id", world.lost.id), resources.ResourceUpdate(name="New")
        )

    reply = await behind(database, renamed, other(change(name), as_=root, input={kind: {"id": thing.node}}))
    assert codes(reply) == []
    stored = await fetch(database, select(*[col(getattr(tables.Access, each)) for each in access_index.COLUMNS]))
    assert sorted(stored, key=repr) == sorted(await fetch(database, access_index.definition()), key=repr)
