"""The access matrix of orgs, groups, resources, grants and locks."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.domain import resource_roles
from app.domain.viewer import Permission
from tests.oracle.matrix import (
    NOBODY_OF_THAT_NAME,
    NUMBERS,
    OF_GROUPS,
    OF_MEMBERS,
    OF_ORGS,
    OF_RESOURCES,
    PERMITTED,
    SEEN_OR_NOT,
    SUCCESS,
    Case,
    Family,
    Scene,
    Setting,
    World,
    long_ago,
    registry,
    with_name,
)
from tests.support.factories import Entity, Make, Person

ORGS = Permission.ORGS_MANAGE
GROUPS = Permission.GROUPS_MANAGE
RESOURCES = Permission.RESOURCES_MANAGE
READ = {"roles": ["METADATA_READ"]}

InputOf = Callable[[Person], dict[str, Any]]
"""The rest of an input, which may contain a user."""


def _nothing_more(person: Person) -> dict[str, Any]:
    return {}


def _of(**more: Any) -> InputOf:
    return lambda person: more


def _user(**more: Any) -> InputOf:
    return lambda person: {"user": {"userName": person.user_name}, **more}


def _org(input_of: InputOf, invalid: Mapping[str, Any], *, belongs: bool = False) -> Setting:
    """Return a setting about an org with a resource, which is locked in the locked world; the user may be a member."""

    async def scene(make: Make, world: World) -> Scene:
        owner, subject = await make.user(), await make.user()
        org = await make.org(owner=owner, is_public=world is World.OPEN)
        resource = await make.resource(org, general=0)
        if belongs:
            await make.member(org, subject)
        if world is World.LOCKED:
            await make.locked(resource)
        return Scene({"org": {"slug": org.slug}, **input_of(subject)}, invalid, org, owner=owner, subject=subject)

    return scene


async def _move(make: Make, world: World) -> Scene:
    """Return a setting about the resource of an org, which moves to another org."""
    base, home = await _org(_nothing_more, {})(make, world), await make.org()
    resource = await make.resource(base.org, general=0)
    if world is World.LOCKED:
        await make.locked(resource)
    orgs = {"source": {"slug": base.org.slug}, "destination": {"slug": home.slug}}
    return replace(base, input={**orgs, "slugs": [resource.slug]}, invalid={"slugs": []})


async def _merge(make: Make, world: World) -> Scene:
    base = await _move(make, world)
    orgs = {name: value for name, value in (base.input or {}).items() if name != "slugs"}
    return replace(base, input=orgs, invalid={"destination": orgs["source"]})


async def _new_resource(make: Make, world: World) -> Scene:
    input_of = _of(type="DATASET", slug=f"new-{next(NUMBERS)}", name="New")
    return await _org(input_of, {"type": "NONE", "slug": "-", "name": ""})(make, world)


def _heir(person: Person) -> dict[str, Any]:
    return {"owner": {"userName": person.user_name}}


ABOVE_ALL = PERMITTED | {"owner", "ADMIN"}
CREATES = Family(OF_ORGS.askers, SEEN_OR_NOT, OF_ORGS.outsiders, OF_ORGS.kind)

OF_AN_ORG = {
    "createOrg": Case(
        with_name("slug", {"slug": "-", "name": ""}, name="New"),
        registry(Permission.ORGS_CREATE),
        PERMITTED,
        Permission.ORGS_CREATE,
    ),
    "updateOrg": Case(
        _org(_of(name="New"), {"name": ""}), OF_ORGS, ABOVE_ALL | {"READ_WRITE", "READ_WRITE_DELETE"}, ORGS
    ),
    "deleteOrg": Case(
        _org(_nothing_more, {"org": {"slug": "ghost"}}), OF_ORGS, ABOVE_ALL | {"READ_WRITE_DELETE"}, ORGS, "LOCKED"
    ),
    "transferOrg": Case(_org(_heir, {"owner": NOBODY_OF_THAT_NAME}), OF_ORGS, PERMITTED | {"owner"}, ORGS, "LOCKED"),
    "setOrgQuota": Case(_org(_of(quotaBytes=1), {"quotaBytes": -1}), OF_ORGS, PERMITTED, ORGS),
    "mergeOrgs": Case(_merge, OF_ORGS, PERMITTED, ORGS, "LOCKED"),
    "moveResources": Case(_move, OF_ORGS, PERMITTED, ORGS, "LOCKED"),
    "addOrgMember": Case(_org(_user(level="ADMIN"), {"user": NOBODY_OF_THAT_NAME}), OF_ORGS, ABOVE_ALL, ORGS),
    "updateOrgMember": Case(
        _org(_user(level="ADMIN"), {"user": NOBODY_OF_THAT_NAME}, belongs=True), OF_MEMBERS, ABOVE_ALL, ORGS
    ),
    "removeOrgMember": Case(
        _org(_user(), {"user": NOBODY_OF_THAT_NAME}, belongs=True), OF_MEMBERS, ABOVE_ALL | {"the user"}, ORGS
    ),
}


def _group(input_of: InputOf, invalid: Mapping[str, Any], *, belongs: bool = False) -> Setting:
    """Return a setting about a group; the user may be a member."""

    async def scene(make: Make, world: World) -> Scene:
        subject = await make.user()
        group = await make.group(None, *([subject] if belongs else []))
        return Scene({"group": {"slug": group.slug}, **input_of(subject)}, invalid, group=group)

    return scene


def _new_members(person: Person) -> dict[str, Any]:
    return {"members": [{"user": {"userName": person.user_name}}]}


def _members(person: Person) -> dict[str, Any]:
    return {"members": [{"userName": person.user_name}]}


MANAGERS = PERMITTED | {"manager"}

OF_A_GROUP = {
    "createGroup": Case(
        with_name("slug", {"slug": "general", "displayName": ""}, displayName="New"),
        registry(GROUPS),
        PERMITTED,
        GROUPS,
    ),
    "updateGroup": Case(_group(_of(displayName="New"), {"displayName": ""}), OF_GROUPS, PERMITTED, GROUPS),
    "deleteGroup": Case(_group(_nothing_more, {"group": {"slug": "ghost"}}), OF_GROUPS, PERMITTED, GROUPS),
    "addGroupMembers": Case(_group(_new_members, {"members": []}), OF_GROUPS, MANAGERS, GROUPS),
    "removeGroupMembers": Case(_group(_members, {"members": []}, belongs=True), OF_GROUPS, MANAGERS, GROUPS),
    "updateGroupMember": Case(
        _group(_user(isManager=True), {"expiresAt": "2020-01-01T00:00:00Z"}, belongs=True), OF_GROUPS, MANAGERS, GROUPS
    ),
    "setGroupManager": Case(
        _group(_user(isManager=True), {"user": NOBODY_OF_THAT_NAME}, belongs=True), OF_GROUPS, MANAGERS, GROUPS
    ),
}


async def place(make: Make, world: World, *, locked: bool = False) -> Scene:
    """Create a resource in a private org, visible to every signed-in user or to none, and a user with an entry."""
    owner, keeper, subject = await make.user(), await make.user(), await make.user()
    org = await make.org(owner=owner)
    resource = await make.resource(
        org, owner=keeper, general=resource_roles.METADATA_READ if world is World.OPEN else 0
    )
    await make.grant(resource, subject)
    if locked or world is World.LOCKED:
        await make.locked(resource)
    return Scene(None, {}, org, resource=resource, owner=owner, keeper=keeper, subject=subject)


def _resource(input_of: InputOf, invalid: Mapping[str, Any], *, locked: bool = False) -> Setting:
    """Return a setting about a resource."""

    async def scene(make: Make, world: World) -> Scene:
        base = await place(make, world, locked=locked)
        assert base.subject is not None
        return replace(base, input={"resource": {"id": base.resource.node}, **input_of(base.subject)}, invalid=invalid)

    return scene


async def _configuration(make: Make, world: World) -> Scene:
    base, group = await place(make, world), await make.group()
    assert base.subject is not None
    entries = {
        "general": {"roles": []},
        "groups": [{"group": {"slug": group.slug}, **READ}],
        "users": [{"user": {"userName": base.subject.user_name}, "roles": ["ADMIN"]}],
    }
    values = {"resource": {"id": base.resource.node}, "revision": 1, **entries}
    return replace(base, input=values, invalid={"general": None, "anyone": {"roles": ["ADMIN"]}})


async def _batch(make: Make, world: World) -> Scene:
    base, group = await place(make, world), await make.group()
    entry = {"resource": {"id": base.resource.node}, "subject": {"group": {"slug": group.slug}}, **READ}
    return replace(base, input={"grants": [entry]}, invalid={"grants": [entry | {"expiresAt": long_ago(make)}]})


async def _entry(make: Make, world: World) -> Scene:
    base, group = await place(make, world), await make.group()
    values = {"resource": {"id": base.resource.node}, "subject": {"group": {"slug": group.slug}}, **READ}
    return replace(base, input=values, invalid={"expiresAt": long_ago(make)})


def _subject(person: Person) -> dict[str, Any]:
    return {"subject": {"user": {"userName": person.user_name}}}


ADMINS = PERMITTED | {"ADMIN", "ADMIN by a group", "org: ADMIN", "org: owner", "owner"}
WRITERS = ADMINS | {"METADATA_WRITE", "org: READ_WRITE", "org: READ_WRITE_DELETE"}
NAMERS = PERMITTED | {"org: READ_WRITE", "org: READ_WRITE_DELETE", "org: ADMIN", "org: owner"}
DELETERS = ADMINS | {"org: READ_WRITE_DELETE", "ORGS_MANAGE", "all but the permission"}


def _administered(scene: Setting, locked: str) -> Case:
    return Case(scene, OF_RESOURCES, ADMINS, locked=locked)


OF_A_RESOURCE = {
    "createResource": Case(_new_resource, CREATES, ABOVE_ALL | {"READ_WRITE", "READ_WRITE_DELETE"}),
    "updateResource": Case(_resource(_of(name="New"), {"name": ""}), OF_RESOURCES, WRITERS, locked="LOCKED"),
    "patchResourceMetadata": Case(
        _resource(_of(patch={"depth": 1}), {"patch": []}), OF_RESOURCES, WRITERS, locked="LOCKED"
    ),
    "renameResource": Case(
        _resource(lambda _: {"slug": f"new-{next(NUMBERS)}"}, {"slug": "-"}), OF_RESOURCES, NAMERS, locked="LOCKED"
    ),
    "transferResource": Case(
        _resource(_heir, {"owner": NOBODY_OF_THAT_NAME}),
        OF_RESOURCES,
        ADMINS - {"ADMIN", "ADMIN by a group"},
        locked="LOCKED",
    ),
    "deleteResource": Case(
        _resource(_nothing_more, {"resource": {"id": Entity("Resource", 999_999, "").node}}),
        OF_RESOURCES,
        DELETERS,
        locked="LOCKED",
    ),
    "createResourceType": Case(
        with_name("name", {"name": "small"}, "NEW", hasData=True), registry(RESOURCES), PERMITTED, RESOURCES
    ),
    "submitAccess": _administered(_configuration, SUCCESS),
    "grantAccess": _administered(_entry, SUCCESS),
    "revokeAccess": _administered(_resource(_subject, {"subject": {"anyone": True}}), SUCCESS),
    "grantAccessBatch": _administered(_batch, SUCCESS),
    "lockResource": _administered(_resource(_of(reason="Because."), {"reason": " "}), "CONFLICT"),
    "unlockResource": _administered(_resource(_of(reason="Because."), {"reason": " "}, locked=True), SUCCESS),
}
THINGS = OF_AN_ORG | OF_A_GROUP | OF_A_RESOURCE
