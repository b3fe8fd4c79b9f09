"""Claims about revisions: every change of an object's own values increments its revision, and an update can require it.

They walk over all inputs that have `ifRevision`.
"""

import asyncio
from functools import partial
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, get_named_type
from sqlalchemy import select, text

from app import db
from app.config import Settings
from app.db import Freshness
from app.db.tables import User, col
from app.domain.viewer import ALL_PERMISSIONS, Viewer
from app.services import audit, resources, users
from tests.oracle.matrix import World
from tests.policy.test_policy import MUTATION_MATRIX
from tests.support.changes import another, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, Person
from tests.support.replication import until
from tests.support.walking import mutation_type

STALE = {"CONFLICT input.ifRevision"}


def _input_of(name: str) -> GraphQLInputObjectType | None:
    argument = mutation_type().fields[name].args.get("input")
    kind = None if argument is None else get_named_type(argument.type)
    return kind if isinstance(kind, GraphQLInputObjectType) else None


def _has_revision(name: str) -> bool:
    kind = _input_of(name)
    return kind is not None and "ifRevision" in kind.fields


UPDATES = sorted(name for name in MUTATION_MATRIX if _has_revision(name))


def test_every_update_of_an_object_with_a_revision_can_require_it() -> None:
    """The other updates concern memberships, managers, access and passwords, which are no values of the object."""
    verbs = ("update", "set", "assign", "transfer", "patch", "rename", "add", "remove")
    updates = {name for name in MUTATION_MATRIX if name.startswith(verbs) and "Member" not in name}

    assert updates - {*UPDATES} == {"setGroupManager"}


async def _send(api: Api, name: str, as_: Person | None, data: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return await api(change(name), as_=as_, input={**(data or {}), **more})


@pytest.mark.parametrize("name", UPDATES)
async def test_an_outdated_revision_is_refused_and_a_change_makes_a_new_one(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)

    async with unchanged(database):
        for revision in (0, 2, -1):
            reply = await _send(api, name, root, scene.input, ifRevision=revision)
            assert problems(reply) == STALE
            assert "revision 1" in str(reply)
            assert problems(await _send(api, name, root, scene.input, ifRevision=revision, validateOnly=True)) == STALE
    assert codes(await _send(api, name, root, scene.input, ifRevision=1)) == []
    async with unchanged(database):
        assert problems(await _send(api, name, root, scene.input, ifRevision=1)) == STALE
        assert codes(await _send(api, name, root, scene.input, ifRevision=None, validateOnly=True)) == []
    assert "revision 2" in str(await _send(api, name, root, scene.input, ifRevision=1))


@pytest.mark.parametrize("name", UPDATES)
async def test_a_user_without_the_right_learns_no_revision(api: Api, make: Make, name: str) -> None:
    case = MUTATION_MATRIX[name]
    for world in case.worlds:
        scene = await case.scene(make, world)
        for kind, asker in case.family.askers.items():
            if kind not in case.may:
                person = await asker(make, scene)
                plain = await _send(api, name, person, scene.input)
                assert await _send(api, name, person, scene.input, ifRevision=99) == plain, kind


@pytest.mark.parametrize("name", UPDATES)
async def test_of_two_writers_with_one_revision_one_wins(api: Api, make: Make, settings: Settings, name: str) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)

    async with another(settings) as second:
        replies = await asyncio.gather(
            *(_send(each, name, root, scene.input, ifRevision=1) for each in (api, second, api, second))
        )

    assert sorted(codes(reply) for reply in replies) == [[], ["CONFLICT"], ["CONFLICT"], ["CONFLICT"]]


OTHER_CHANGES = {"lockResource", "grantAccess", "submitAccess", "beginUpload", "addGroupMembers", "addOrgMember"}
KINDS = ("Org", "Group", "Resource")
REVISION = f"query ($id: ID!) {{ node(id: $id) {{ {' '.join(f'... on {kind} {{ revision }}' for kind in KINDS)} }} }}"


@pytest.mark.parametrize("name", sorted(OTHER_CHANGES))
async def test_other_changes_keep_the_revision(api: Api, make: Make, name: str) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)

    assert codes(await _send(api, name, root, scene.input)) == []

    for thing in (scene.org, scene.group, scene.resource):
        if thing.id:
            assert (await api(REVISION, as_=root, id=thing.node))["data"]["node"] == {"revision": 1}


VALUES = "query ($id: ID!) { node(id: $id) { ... on User { revision } ... on Resource { revision } } }"


async def test_values_that_stay_the_same_beside_others_that_change_keep_their_revision(
    api: Api, make: Make, database: db.Database
) -> None:
    """A transaction of several objects is not undone, although one of them is the same as before."""
    root, ann, ben = await make.admin(), await make.user("ann"), await make.user("ben", email="ben@example.org")
    reef, wood = await make.resource(await make.org()), await make.resource(await make.org())
    viewer, same, other = Viewer(root.id, ALL_PERMISSIONS), {"turn": 1}, {"turn": 2}
    for thing in (reef, wood):
        await api(change("updateResource"), as_=root, input={"resource": {"id": thing.node}, "metadata": same})

    async with audit.transaction(database, viewer, "applyState") as tx:
        for person, email in ((ann, "ann@example.org"), (ben, "new@example.org"), (ben, "ben@example.org")):
            await users.update_user(tx, viewer, ("id", person.id), users.UserUpdate(email=email))
        for thing, metadata in ((reef, same), (wood, other)):
            await resources.update_resource(tx, viewer, ("id", thing.id), resources.ResourceUpdate(metadata=metadata))

    found = [(await api(VALUES, as_=root, id=each.node))["data"]["node"]["revision"] for each in (ann, ben, reef, wood)]
    assert found == [2, 1, 2, 3]


async def test_several_values_at_once_are_one_revision(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann")
    await make.role("keeping")
    values = {"email": "ann@example.org", "displayName": "Ann", "roles": ["keeping"]}

    assert codes(await _send(api, "updateUser", root, {"user": {"id": ann.node}, **values}, validateOnly=True)) == []
    assert codes(await _send(api, "updateUser", root, {"user": {"id": ann.node}, **values})) == []
    assert codes(await _send(api, "updateUser", root, {"user": {"id": ann.node}, **values})) == []

    assert (await api(VALUES, as_=root, id=ann.node))["data"]["node"] == {"revision": 2}


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_a_role_that_is_renamed_while_a_change_waits_for_its_user_is_no_change_of_the_user(
    api: Api, make: Make, database: db.Database
) -> None:
    """The state before the change is read with the lock; what other tables had before the wait must still be true."""
    root, _ = await make.admin(), await make.role("divers")
    ann = await make.user("ann", "divers")

    async def waits(number: int, or_ends: asyncio.Task[Any] | None = None) -> bool:
        ((found,),) = await database.ask(_WAITS, freshness=Freshness.PRIMARY)
        return bool(found == number) or (or_ends is not None and or_ends.done())

    async with database.write() as tx:
        await tx.rows(select(col(User.id)).where(col(User.id) == ann.id).with_for_update())
        update = asyncio.create_task(_send(api, "updateUser", root, {"user": {"id": ann.node}, "email": "a@b.org"}))
        await until(partial(waits, 1))
        rename = asyncio.create_task(_send(api, "updateRole", root, {"role": {"name": "divers"}, "name": "swimmers"}))
        await until(partial(waits, 2, rename))

    assert [codes(await each) for each in (update, rename)] == [[], []]
    changes = "{ auditEvents(first: 2) { nodes { action changes { nodes { before after } } } } }"
    events = (await api(changes, as_=root))["data"]["auditEvents"]["nodes"]
    (change_of_user,) = next(each["changes"]["nodes"] for each in events if each["action"] == "updateUser")
    assert change_of_user == {"before": {"email": None}, "after": {"email": "a@b.org"}}


_WAITS = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
