"""Rows of the access matrix: the input of a mutation, the users who send it, and the outcome for each."""

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from itertools import count
from typing import Any

from app.domain import refs, resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import ALL_PERMISSIONS, Permission
from tests.support.factories import Entity, Make, Person

NUMBERS = count(1)
SUCCESS = ""
"""The outcome of a mutation that succeeds; any other outcome is the code of the refusal."""

NOTHING = Entity("Nothing", 0, "")
NOBODY_OF_THAT_NAME = {"userName": "ghost"}


class World(Enum):
    """The state of the object of a mutation."""

    OPEN = "known to everybody"
    HIDDEN = "known to its own people alone"
    LOCKED = "known to its own people alone, and locked"


@dataclass(frozen=True)
class Scene:
    """The rows before a mutation: its input, the values that make it invalid, and its objects."""

    input: dict[str, Any] | None
    invalid: Mapping[str, Any] = field(default_factory=dict)
    org: Entity = NOTHING
    group: Entity = NOTHING
    resource: Entity = NOTHING
    owner: Person | None = None
    keeper: Person | None = None
    subject: Person | None = None


Setting = Callable[[Make, World], Awaitable[Scene]]
Asker = Callable[[Make, Scene], Awaitable[Person | None]]


@dataclass(frozen=True)
class Family:
    """Mutations that the same users send. `outsiders` do not see a hidden object of this `kind`."""

    askers: Mapping[str, Asker]
    worlds: tuple[World, ...] = (World.OPEN,)
    outsiders: Set[str] = frozenset()
    kind: str = "Nothing"


@dataclass(frozen=True)
class Case:
    """A mutation: its scene, and the names of the users of the family who may make the change.

    `requires` is the permission that the schema names. `locked` is the outcome for permitted users while the object
    is locked, None where a lock has no effect.
    """

    scene: Setting
    family: Family
    may: Set[str]
    requires: Permission | None = None
    locked: str | None = None
    is_open: bool = False
    has_trial: bool = True
    writes: bool = True

    @property
    def worlds(self) -> list[World]:
        """Return the worlds in which the mutation is sent."""
        return [world for world in self.family.worlds if world is not World.LOCKED or self.locked is not None]

    def outcome(self, asker: str, world: World) -> str:
        """Return the outcome. The order is: hidden is not found, visible may be forbidden, permitted may be locked."""
        if asker == "deactivated" or (asker == "nobody" and not self.is_open):
            return "UNAUTHENTICATED"
        if world is not World.OPEN and asker in self.family.outsiders:
            return "NOT_FOUND"
        if asker not in self.may:
            return "FORBIDDEN"
        return str(self.locked) if world is World.LOCKED else SUCCESS


async def _nobody(make: Make, scene: Scene) -> Person | None:
    return None


async def _stranger(make: Make, scene: Scene) -> Person | None:
    return await make.user()


async def _admin(make: Make, scene: Scene) -> Person | None:
    return await make.user(None, "admin")


async def _deactivated(make: Make, scene: Scene) -> Person | None:
    return await make.user(None, "admin", "deactivated")


async def the_user(make: Make, scene: Scene) -> Person | None:
    return scene.subject


async def _owner(make: Make, scene: Scene) -> Person | None:
    return scene.owner


async def _keeper(make: Make, scene: Scene) -> Person | None:
    return scene.keeper


def _holding(permissions: Permission) -> Asker:
    async def holder(make: Make, scene: Scene) -> Person | None:
        return await make.holder(permissions)

    return holder


def _of_org(level: MemberLevel, *, ended: bool = False) -> Asker:
    async def member(make: Make, scene: Scene) -> Person | None:
        person = await make.user()
        await make.member(scene.org, person, level, expires_at=make.app.database.clock() if ended else None)
        return person

    return member


def _of_group(*, is_manager: bool, ended: bool = False) -> Asker:
    async def member(make: Make, scene: Scene) -> Person | None:
        person, end = await make.user(), make.app.database.clock() if ended else None
        await make.group_member(scene.group, person, is_manager=is_manager, expires_at=end)
        return person

    return member


def _granted(mask: int, *, ended: bool = False) -> Asker:
    async def grantee(make: Make, scene: Scene) -> Person | None:
        person = await make.user()
        await make.grant(scene.resource, person, mask, expires_at=make.app.database.clock() if ended else None)
        return person

    return grantee


def _through_group(*, ended: bool = False) -> Asker:
    async def member(make: Make, scene: Scene) -> Person | None:
        person, group = await make.user(), await make.group()
        await make.group_member(group, person, expires_at=make.app.database.clock() if ended else None)
        await make.grant(scene.resource, group, resource_roles.ADMIN)
        return person

    return member


def asked_by(rules: Permission) -> dict[str, Asker]:
    """Return the users of every mutation: one with only this permission, one with all the others, and more."""
    return {
        "nobody": _nobody,
        "deactivated": _deactivated,
        "stranger": _stranger,
        "all but the permission": _holding(ALL_PERMISSIONS & ~rules),
        "the permission": _holding(rules),
        "admin": _admin,
    }


PERMITTED = frozenset({"the permission", "admin"})
"""The users who make a change by a permission."""

SIGNED_IN = PERMITTED | {"stranger", "all but the permission"}
SEEN_OR_NOT = World.OPEN, World.HIDDEN

_LEVELS: dict[str, Asker] = {level.name: _of_org(level) for level in MemberLevel}
UNSEEING = "all but what sees it"
_SEES = Permission.RESOURCES_VIEW | Permission.RESOURCES_MANAGE | Permission.ORGS_MANAGE
_STRANGERS = frozenset({"stranger", UNSEEING, "ended"})


def registry(rules: Permission) -> Family:
    """Return the family of mutations without one object, or about users and roles."""
    return Family(asked_by(rules))


OF_ORGS = Family(
    {
        **asked_by(Permission.ORGS_MANAGE),
        UNSEEING: _holding(ALL_PERMISSIONS & ~_SEES),
        **_LEVELS,
        "ended": _of_org(MemberLevel.ADMIN, ended=True),
        "owner": _owner,
    },
    tuple(World),
    _STRANGERS,
    "Org",
)
OF_MEMBERS = Family({**OF_ORGS.askers, "the user": the_user}, OF_ORGS.worlds, OF_ORGS.outsiders, OF_ORGS.kind)
OF_GROUPS = Family(
    {
        **asked_by(Permission.GROUPS_MANAGE),
        "member": _of_group(is_manager=False),
        "manager": _of_group(is_manager=True),
        "ended": _of_group(is_manager=True, ended=True),
    }
)
OF_RESOURCES = Family(
    {
        **asked_by(Permission.RESOURCES_MANAGE),
        UNSEEING: _holding(ALL_PERMISSIONS & ~_SEES),
        "ORGS_MANAGE": _holding(Permission.ORGS_MANAGE),
        "METADATA_READ": _granted(resource_roles.METADATA_READ),
        "METADATA_WRITE": _granted(resource_roles.METADATA_WRITE),
        "DATASET_DATA_WRITE": _granted(resource_roles.DATA_WRITE),
        "ADMIN": _granted(resource_roles.ADMIN),
        "ADMIN by a group": _through_group(),
        "ended": _granted(resource_roles.ADMIN, ended=True),
        "ended in a group": _through_group(ended=True),
        **{f"org: {name}": asker for name, asker in _LEVELS.items()},
        "org: ended": _of_org(MemberLevel.ADMIN, ended=True),
        "org: owner": _owner,
        "owner": _keeper,
    },
    tuple(World),
    _STRANGERS | {"ORGS_MANAGE", "ended in a group", "org: ended"},
    "Resource",
)


def with_nothing(values: dict[str, Any] | None = None, invalid: Mapping[str, Any] | None = None) -> Setting:
    """Return a setting with a constant input."""

    async def scene(make: Make, world: World) -> Scene:
        return Scene(values, invalid or {})

    return scene


def with_name(name: str, invalid: Mapping[str, Any], word: str = "new", /, **more: Any) -> Setting:
    """Return a setting with a new name in this field."""

    async def scene(make: Make, world: World) -> Scene:
        return Scene({name: f"{word}{next(NUMBERS)}", **more}, invalid)

    return scene


def with_user(invalid: Mapping[str, Any], *, holds: Sequence[str] = (), **more: Any) -> Setting:
    """Return a setting about a user who holds these roles."""

    async def scene(make: Make, world: World) -> Scene:
        user = await make.user(None, *holds)
        return Scene({"user": {"id": user.node}, **more}, invalid, subject=user)

    return scene


def with_role(invalid: Mapping[str, Any], **more: Any) -> Setting:
    """Return a setting about a role."""

    async def scene(make: Make, world: World) -> Scene:
        role = await make.role(f"role number {next(NUMBERS)}")
        return Scene({"role": {"id": refs.encode("Role", role)}, **more}, invalid)

    return scene


def long_ago(make: Make) -> str:
    """Return an expiry in the past."""
    return (make.app.database.clock() - timedelta(days=1)).isoformat()
