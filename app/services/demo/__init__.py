"""The demo world: users, orgs, groups and resources of a fictional region, with two years of history.

Services write everything, as the user who would do so, at the time when it would have happened. The same seed makes
the same world; only its last day is today.
"""

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import Integer, bindparam, literal, literal_column, select

from app.db import Freshness, Transaction
from app.db.tables import Group, KeyText, Lock, Org, Resource, Role, User, col
from app.domain.errors import Conflict, SettingsError
from app.domain.viewer import SYSTEM, Permission, Viewer
from app.query.relations import Keys, among
from app.security import passwords
from app.services import audit, provisioning, roles, users
from app.services.app_context import AppContext
from app.services.demo import names as words
from app.services.demo.resources import examples, random_resources, schedule_resource
from app.services.demo.story import DAY, Story, action_name, email_address, schedule_groups, schedule_orgs, user_name
from app.services.demo.uploads import schedule_upload
from app.services.resource_types import create_resource_type
from app.services.users import UserCreate

SEED = 1841
DURATION = timedelta(days=730)
"""The time between the first step of the demo world and today."""

HASHES_TO_TRY = 20
"""Different password hashes that the start compares with the demo's password; usually all users still share one."""


@dataclass(frozen=True, slots=True)
class DemoCounts:
    """The users who can sign in, and the number of all other objects."""

    user_names: tuple[str, ...]
    orgs: int
    groups: int
    resources: int
    locked: int

    @property
    def report(self) -> list[str]:
        """Return the lines that describe the new demo world."""
        counts = f"{len(self.user_names)} users, {self.orgs} orgs, {self.groups} groups, {self.resources} resources"
        return [f"Created the sample registry: {counts}, {self.locked} of them locked.", *tour_lines()]


def tour_lines() -> list[str]:
    """Return lines that say with which names to sign in, and what to look at."""
    width = max(len(name) for name, _ in words.TOUR)
    return [
        f"All users of the sample registry have the password {words.PASSWORD}",
        "Sign in as",
        *(f"  {name:<{width}}  {text}" for name, text in words.TOUR),
        "and run in GraphiQL:",
        *(f"  {line}" for line in words.QUERIES),
    ]


async def fill(app: AppContext) -> DemoCounts:
    """Create the demo world in one transaction; raise Conflict unless the database is empty."""
    if app.provider is not None:
        raise SettingsError("ExternalAuthUrl: remove it for the demo, whose users sign in with passwords")
    problems = passwords.check_policy(app.password_policy, words.PASSWORD)
    if problems:
        raise SettingsError(f"PasswordPolicy: the demo's password {words.PASSWORD} violates it. {' '.join(problems)}")
    password_hash = await app.hasher.hash(words.PASSWORD)
    async with audit.transaction(app.database, SYSTEM, "demo") as tx:
        await tx.lock("admins")
        await _require_empty(tx)
        story = Story(tx.now, Random(SEED))  # noqa: S311 - repeatable by its seed, no secret
        await _create_users(tx, story, password_hash, with_orgs=app.has_personal_orgs)
        schedule_orgs(story)
        schedule_groups(story)
        for resource in [*random_resources(story), *examples(story)]:
            schedule_resource(story, resource)
            schedule_upload(story, resource)
        for tx.now, step in sorted(story.steps, key=lambda dated: dated[0]):
            async with audit.sub_event(tx, step.keywords["viewer"], action_name(step)):
                await step(tx)
        tx.now = story.today
        return await _count_all(tx)


async def is_demo_password_valid(app: AppContext) -> bool:
    """Return whether the demo's password signs in a user of the demo world."""
    user_names = [user_name(name) for names_of_org in words.PEOPLE for name in names_of_org]
    for (stored,) in await app.database.ask(_HASHES, freshness=Freshness.PRIMARY, names=user_names):
        if (await app.hasher.verify(words.PASSWORD, stored)).ok:
            return True
    return False


_HASHES = (
    select(col(User.password_hash))
    .where(among(col(User.user_key), bindparam("names", type_=Keys(KeyText()))), col(User.password_hash).is_not(None))
    .distinct()
    .limit(HASHES_TO_TRY)
)

_COUNT: Any = literal_column("count(*)", Integer)


async def _count(tx: Transaction, table: Any, *conditions: Any) -> int:
    return int(await tx.value(select(_COUNT).select_from(table).where(*conditions)))


_IS_PERSONAL = (
    select(literal(1)).where(col(User.id) == col(Org.owner_id), col(User.user_name) == col(Org.name)).exists()
)
"""Condition of an org: it is the one that a new user gets with DroneDbClients or EnableDefaultUserOrganization."""


async def _require_empty(tx: Transaction) -> None:
    """Raise Conflict if there is more than the first administrator, who may have the org that settings give them."""
    counts = {
        "users": await _count(tx, User),
        "orgs": await _count(tx, Org, ~_IS_PERSONAL),
        "resources": await _count(tx, Resource),
        "groups": await _count(tx, Group),
        "roles of its own": await _count(tx, Role, ~col(Role.is_built_in)),
    }
    if counts["users"] > 1 or any(count for noun, count in counts.items() if noun != "users"):
        non_zero = ", ".join(f"{noun}: {count:,}" for noun, count in counts.items() if count)
        raise Conflict(f"the demo needs an empty database, and this one is in use ({non_zero}); nothing was changed")


async def _count_all(tx: Transaction) -> DemoCounts:
    active = [name for name in _all_names() if name != words.LEFT]
    return DemoCounts(
        tuple(user_name(name) for name in active),
        await _count(tx, Org),
        await _count(tx, Group),
        await _count(tx, Resource),
        await _count(tx, Lock),
    )


def _all_names() -> list[str]:
    members = [name for names_of_org in words.PEOPLE for name in names_of_org]
    return [*members, words.STEWARD, words.AUDITOR, words.CURATOR, words.STRANGER, words.LEFT]


ROLES = {
    "steward": ("Manages groups and sees all users.", Permission.USERS_VIEW | Permission.GROUPS_MANAGE),
    "auditor": (
        "Sees everything and changes nothing.",
        Permission.AUDIT_VIEW
        | Permission.ACCESS_VIEW
        | Permission.GROUPS_VIEW
        | Permission.RESOURCES_VIEW
        | Permission.USERS_VIEW,
    ),
    "checker": ("Checks access for a data service.", Permission.ACCESS_VIEW),
    "curator": ("Administers every resource of the registry.", Permission.RESOURCES_MANAGE | Permission.USERS_VIEW),
}
ROLES_BY_NAME = {
    words.STEWARD: ("user", "steward"),
    words.AUDITOR: ("user", "auditor"),
    words.CURATOR: ("user", "curator"),
    words.LEFT: ("user", "deactivated"),
}


async def _create_users(tx: Transaction, story: Story, password_hash: str, *, with_orgs: bool) -> None:
    """Create roles, a resource type and all users; the users themselves take all later steps."""
    tx.now = story.today - DURATION
    for name, (description, permissions) in ROLES.items():
        await roles.create_role(tx, SYSTEM, name, description, permissions)
    await create_resource_type(tx, SYSTEM, words.INSTRUMENT, has_data=False)
    for org, names in enumerate([*words.PEOPLE, tuple(_all_names()[-5:])]):
        tx.now = story.today - DURATION + org * DAY
        new = [_user(name, password_hash, org) for name in names]
        ids = await provisioning.provision(tx, SYSTEM, new, with_orgs=with_orgs)
        for name, key in zip(names, ids, strict=True):
            _, permissions = await roles.load_of_user(tx, key)
            story.viewers[name] = Viewer(key, permissions)


def _user(name: str, password_hash: str, org: int) -> UserCreate:
    metadata: dict[str, Any] = {"name": name}
    if org < len(words.ORGS):
        metadata["affiliation"] = words.ORGS[org].name
        if name == words.PEOPLE[org][0]:
            metadata["maxStorageMB"] = 20_480
    role_names = ROLES_BY_NAME.get(name, users.DEFAULT_ROLES)
    account = user_name(name), email_address(name), password_hash
    return UserCreate(*account, role_names, metadata, display_name=name)
