"""A registry to try things on: people, orgs, groups and resources of a made-up region, with two years behind them.

Everything is written through the services, by those who would do it, at the time at which they would have done it. The
same seed tells the same story each time; only its last day is today.
"""

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import Integer, bindparam, literal_column, select

from app.db import Freshness, Transaction
from app.db.tables import Group, KeyText, Lock, Org, Resource, Role, User, col
from app.domain.errors import Conflict, SettingsError
from app.domain.viewer import SYSTEM, Permission, Viewer
from app.query.relations import Keys, among
from app.security import passwords
from app.services import audit, resources, roles, users
from app.services.app_context import AppContext
from app.services.demo import names as words
from app.services.demo.resources import examples, random_resources, tell_resource
from app.services.demo.story import DAY, Story, action, address, tell_groups, tell_orgs, user_name
from app.services.users import UserCreate

SEED = 1841
STORY = timedelta(days=730)
"""How long ago the demo world began."""

HASHES_TO_TRY = 20
"""How many different passwords are compared with the demo's at the start; as a rule its people still share one."""


@dataclass(frozen=True, slots=True)
class DemoCounts:
    """What was made: who can sign in, and how much there is of everything else."""

    user_names: tuple[str, ...]
    orgs: int
    groups: int
    resources: int
    locked: int

    @property
    def report(self) -> list[str]:
        """What to tell about it, line by line."""
        made = f"{len(self.user_names)} people, {self.orgs} orgs, {self.groups} groups, {self.resources} resources"
        return [f"The demo world is made: {made}, {self.locked} of them locked.", *tour_lines()]


def tour_lines() -> list[str]:
    """As whom to sign in, and what to look at, line by line."""
    width = max(len(name) for name, _ in words.TOUR)
    return [
        f"ostiary demo people share the password {words.PASSWORD}",
        "Sign in as",
        *(f"  {name:<{width}}  {what}" for name, what in words.TOUR),
        "and ask, in the playground:",
        *(f"  {line}" for line in words.QUESTION),
    ]


async def fill(desk: AppContext) -> DemoCounts:
    """Make the demo world in an empty database, in one transaction; raises Conflict when there is something in it."""
    if desk.provider is not None:
        raise SettingsError("ExternalAuthUrl: the demo's people have passwords of their own, and none is good with it")
    refused = passwords.check_policy(desk.password_policy, words.PASSWORD)
    if refused:
        raise SettingsError(f"PasswordPolicy: the demo's password {words.PASSWORD} breaks it. {' '.join(refused)}")
    hashed = await desk.hasher.hash(words.PASSWORD)
    async with audit.transaction(desk.database, SYSTEM, "demo") as tx:
        await tx.lock("admins")
        await _require_empty(tx)
        story = Story(tx.now, Random(SEED))  # noqa: S311 - chance that a seed repeats, no secret
        await _begin(tx, story, hashed)
        tell_orgs(story)
        tell_groups(story)
        for kept in [*random_resources(story), *examples(story)]:
            tell_resource(story, kept)
        for tx.now, step in sorted(story.steps, key=lambda told: told[0]):
            async with audit.sub_event(tx, step.keywords["viewer"], action(step)):
                await step(tx)
        tx.now = story.today
        return await _counted(tx)


async def is_demo_password_valid(desk: AppContext) -> bool:
    """Whether this is the demo world, or grew out of it, and its password still opens an account."""
    names = [user_name(name) for home in words.PEOPLE for name in home]
    for (stored,) in await desk.database.ask(_HASHES, freshness=Freshness.PRIMARY, names=names):
        if (await desk.hasher.verify(words.PASSWORD, stored)).ok:
            return True
    return False


_HASHES = (
    select(col(User.password_hash))
    .where(among(col(User.user_key), bindparam("names", type_=Keys(KeyText()))), col(User.password_hash).is_not(None))
    .distinct()
    .limit(HASHES_TO_TRY)
)

_COUNT: Any = literal_column("count(*)", Integer)


async def _number(tx: Transaction, table: Any, *conditions: Any) -> int:
    return int(await tx.value(select(_COUNT).select_from(table).where(*conditions)))


async def _require_empty(tx: Transaction) -> None:
    """Nobody but a first administrator, and nothing that anybody made."""
    number = {
        "users": await _number(tx, User),
        "orgs": await _number(tx, Org),
        "groups": await _number(tx, Group),
        "roles of its own": await _number(tx, Role, ~col(Role.is_built_in)),
    }
    if number["users"] > 1 or any(count for what, count in number.items() if what != "users"):
        found = ", ".join(f"{what}: {count:,}" for what, count in number.items() if count)
        raise Conflict(f"the demo fills an empty database only, and this one is in use ({found}); nothing was changed")


async def _counted(tx: Transaction) -> DemoCounts:
    active = [name for name in _everybody() if name != words.LEFT]
    return DemoCounts(
        tuple(user_name(name) for name in active),
        await _number(tx, Org),
        await _number(tx, Group),
        await _number(tx, Resource),
        await _number(tx, Lock),
    )


def _everybody() -> list[str]:
    at_home = [name for home in words.PEOPLE for name in home]
    return [*at_home, words.STEWARD, words.AUDITOR, words.CURATOR, words.STRANGER, words.LEFT]


OWN_ROLES = {
    "steward": ("Looks after groups and knows everybody.", Permission.USERS_VIEW | Permission.GROUPS_MANAGE),
    "auditor": (
        "Sees everything and changes nothing.",
        Permission.AUDIT_VIEW
        | Permission.ACCESS_VIEW
        | Permission.GROUPS_VIEW
        | Permission.RESOURCES_VIEW
        | Permission.USERS_VIEW,
    ),
    "checker": ("Asks who may do what, for a data service.", Permission.ACCESS_VIEW),
    "curator": ("Administers every resource of the registry.", Permission.RESOURCES_MANAGE | Permission.USERS_VIEW),
}
HELD = {
    words.STEWARD: ("user", "steward"),
    words.AUDITOR: ("user", "auditor"),
    words.CURATOR: ("user", "curator"),
    words.LEFT: ("user", "deactivated"),
}


async def _begin(tx: Transaction, story: Story, hashed: str) -> None:
    """The registry makes its roles, its types and its people; from then on they act for themselves."""
    tx.now = story.today - STORY
    for name, (description, permissions) in OWN_ROLES.items():
        await roles.create_role(tx, SYSTEM, name, description, permissions)
    await resources.create_resource_type(tx, SYSTEM, words.INSTRUMENT, has_data=False)
    for at, some in enumerate([*words.PEOPLE, tuple(_everybody()[-5:])]):
        tx.now = story.today - STORY + at * DAY
        ids = await users.create_users(tx, SYSTEM, [_person(name, hashed, at) for name in some])
        for name, key in zip(some, ids, strict=True):
            _, permissions = await roles.load_held(tx, key)
            story.viewers[name] = Viewer(key, permissions)


def _person(name: str, hashed: str, home: int) -> UserCreate:
    metadata: dict[str, Any] = {"name": name}
    if home < len(words.ORGS):
        metadata["affiliation"] = words.ORGS[home].name
        if name == words.PEOPLE[home][0]:
            metadata["maxStorageMB"] = 20_480
    return UserCreate(user_name(name), address(name), hashed, HELD.get(name, users.DEFAULT_ROLES), metadata)
