"""A world of a given size: the rows of every table, the same for the same seed, made one at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from sqlmodel import SQLModel

from app.db import tables
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.security import passwords

PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who live for a minute

ADMIN, ONE, TWENTY, MANY, STRANGER = 1, 2, 3, 4, 5
"""The ids of those who ask: an administrator; viewers in 1, 20 and 200 groups; somebody who belongs nowhere."""

FIRST_ORDINARY = 6
GROUPS_OF = {ONE: 1, TWENTY: 20, MANY: 200}
NAMES = {ADMIN: "root", ONE: "one", TWENTY: "twenty", MANY: "many", STRANGER: "stranger"}

BEGINNING = datetime(2024, 1, 1, tzinfo=UTC)
PAST = datetime(2025, 1, 1, tzinfo=UTC)
FUTURE = datetime(2125, 1, 1, tzinfo=UTC)

TYPES = {"DATASET": 12, "MODEL": 2, "MODEL_RUN": 2, "WORKFLOW": 1, "STUDY": 1, "PERSON": 1, "ORGANISATION": 1}
GENERAL = {resource_roles.METADATA_READ | resource_roles.DATA_READ: 8, resource_roles.METADATA_READ: 1, 0: 1}
GRANTED = {
    resource_roles.METADATA_READ: 3,
    resource_roles.METADATA_READ | resource_roles.DATA_READ: 4,
    resource_roles.METADATA_WRITE | resource_roles.DATA_READ: 2,
    resource_roles.METADATA_WRITE | resource_roles.DATA_WRITE: 1,
    resource_roles.ADMIN: 1,
    0: 1,
}
LEVELS = {MemberLevel.READ_ONLY: 5, MemberLevel.READ_WRITE: 3, MemberLevel.READ_WRITE_DELETE: 1, MemberLevel.ADMIN: 1}
ADJECTIVES = [
    "Arctic",
    "Baltic",
    "Coastal",
    "Daily",
    "Eastern",
    "Fluvial",
    "Global",
    "Hourly",
    "Inner",
    "Joint",
    "Lunar",
    "Marine",
    "Nordic",
    "Open",
]
NOUNS = [
    "Aerosol",
    "Bathymetry",
    "Climate",
    "Drought",
    "Elevation",
    "Forest",
    "Glacier",
    "Humidity",
    "Ice",
    "Lakes",
    "Moisture",
    "Noise",
    "Ozone",
]


@dataclass(frozen=True, slots=True)
class Spec:
    """The size of a world, and its seed."""

    users: int = 10_000
    orgs: int = 500
    groups: int = 1_000
    resources: int = 100_000
    seed: int = 1
    copies: int = 1
    """How often each resource is there, with its entries: rows of Python take longer than copies in SQL."""

    @property
    def all_resources(self) -> int:
        """Return the number of resources with all copies."""
        return self.resources * self.copies

    def __str__(self) -> str:
        numbers = self.users, self.orgs, self.groups, self.resources, self.seed
        return "-".join(map(str, numbers if self.copies == 1 else (*numbers, self.copies)))


class Rows(NamedTuple):
    """Rows of one table, as tuples of its columns."""

    table: type[SQLModel]
    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


class ExistingIds(NamedTuple):
    """The ids of the rows that a new database has already."""

    roles: Mapping[str, int]
    types: Mapping[str, int]


class World:
    """The rows of a world. Values for several tables are drawn once: types, and the roles of all signed-in users."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._types = self._chance("types").choices(list(TYPES), list(TYPES.values()), k=spec.resources)
        self._general = bytes(self._chance("general").choices(list(GENERAL), list(GENERAL.values()), k=spec.resources))

    def tables(self, existing: ExistingIds) -> list[Rows]:
        """Return all tables, each after the ones that it references."""
        return [
            rows_of(tables.User, self._users()),
            rows_of(tables.UserRole, self._user_roles(existing)),
            rows_of(tables.Org, self._orgs()),
            rows_of(tables.OrgMember, self._org_members()),
            rows_of(tables.Group, self._groups()),
            rows_of(tables.GroupMember, self._group_members()),
            rows_of(tables.Resource, self._resources(existing)),
            rows_of(tables.Grant, self._grants()),
            rows_of(tables.Lock, self._locks()),
            rows_of(tables.LockEvent, self._lock_events()),
        ]

    def is_general(self, resource: int) -> bool:
        """Return True if every signed-in user sees a resource; the stranger sees no other ones."""
        return self._general[(resource - 1) % self.spec.resources] != 0

    def _chance(self, what: str) -> Random:
        return Random(f"{self.spec.seed} {what}")

    def _somebody(self, chance: Random) -> int:
        return chance.randint(FIRST_ORDINARY, self.spec.users)

    def _full(self, resource: int) -> int:
        return resource_roles.ALL if self._types[resource - 1] == "DATASET" else resource_roles.NON_DATA

    # --- people

    def _users(self) -> Iterator[dict[str, Any]]:
        secret = passwords.hash_password(PASSWORD)
        for key in range(1, self.spec.users + 1):
            name = NAMES.get(key, f"user{key}")
            yield {
                "id": key,
                "user_name": name,
                "user_key": tables.casefold_key(name),
                "display_key": tables.sort_key(name),
                "revision": 1,
                "email": f"{name}@example.org",
                "email_key": f"{name}@example.org",
                "password_hash": secret,
                "token_generation": 0,
                "details": {},
                "is_service_account": False,
                "created_at": BEGINNING + timedelta(minutes=key),
            }

    def _user_roles(self, existing: ExistingIds) -> Iterator[dict[str, Any]]:
        for key in range(1, self.spec.users + 1):
            yield {"user_id": key, "role_id": existing.roles["admin" if key == ADMIN else "user"]}

    def _orgs(self) -> Iterator[dict[str, Any]]:
        chance = self._chance("orgs")
        for key in range(1, self.spec.orgs + 1):
            name = f"{chance.choice(ADJECTIVES)} {chance.choice(NOUNS)} Institute {key}"
            yield {
                "id": key,
                "slug": _org_slug(key),
                "name": name,
                "name_key": tables.sort_key(name),
                "description": "",
                "owner_id": self._somebody(chance),
                "is_public": chance.random() < 0.8,
                "size_bytes": 0,  # once the resources are there, their sum
                "revision": 1,
                "created_at": BEGINNING + timedelta(hours=key),
            }

    def _org_members(self) -> Iterator[dict[str, Any]]:
        """Put each user in up to three orgs; the askers read in the first and administer the second."""
        chance = self._chance("org members")
        for key in GROUPS_OF:
            yield org_member(1, key, MemberLevel.READ_ONLY, None)
            yield org_member(2, key, MemberLevel.ADMIN, None)
        for key in range(FIRST_ORDINARY, self.spec.users + 1):
            for org in {chance.randint(1, self.spec.orgs) for _ in range(chance.randint(0, 3))}:
                (level,) = chance.choices(list(LEVELS), list(LEVELS.values()))
                yield org_member(org, key, level, _end(chance))

    def _groups(self) -> Iterator[dict[str, Any]]:
        chance = self._chance("groups")
        for key in range(1, self.spec.groups + 1):
            name = f"{chance.choice(ADJECTIVES)} {chance.choice(NOUNS)} Team {key}"
            yield {
                "id": key,
                "slug": group_slug(key),
                "display_name": name,
                "name_key": tables.sort_key(name),
                "description": "",
                "members_seen_by": "MEMBERS",
                "revision": 1,
                "created_at": BEGINNING + timedelta(hours=key),
            }

    def _group_members(self) -> Iterator[dict[str, Any]]:
        """Put each user in up to five groups, and the askers in the first ones."""
        chance = self._chance("group members")
        for key, number in GROUPS_OF.items():
            for group in range(1, min(number, self.spec.groups) + 1):
                yield group_member(group, key, None, is_manager=False)
        for key in range(FIRST_ORDINARY, self.spec.users + 1):
            for group in {chance.randint(1, self.spec.groups) for _ in range(chance.randint(0, 5))}:
                yield group_member(group, key, _end(chance), is_manager=chance.random() < 0.1)

    # --- resources

    def _resources(self, existing: ExistingIds) -> Iterator[dict[str, Any]]:
        chance = self._chance("resources")
        for key in range(1, self.spec.resources + 1):
            org = chance.randint(1, self.spec.orgs)
            name = f"{chance.choice(ADJECTIVES)} {chance.choice(NOUNS)} {chance.randint(1, self.spec.resources)}"
            created = BEGINNING + timedelta(seconds=chance.randrange(40_000_000))
            yield {
                "id": key,
                "org_id": org,
                "type_id": existing.types[self._types[key - 1]],
                "slug": f"resource-{key}",
                "path": f"{_org_slug(org)}/resource-{key}",
                "name": name,
                "name_key": tables.sort_key(name),
                "description": "What was measured, where and by whom.",
                "details": {"keywords": [name], "year": created.year},
                "owner_id": self._somebody(chance) if chance.random() < 0.9 else None,
                "size_bytes": chance.randrange(10**9),
                "full_mask": self._full(key),
                "edit_revision": 1,
                "revision": 1,
                "created_at": created,
                "updated_at": created + timedelta(seconds=chance.randrange(10_000_000)),
            }

    def _grants(self) -> Iterator[dict[str, Any]]:
        """Yield for each resource a general entry, up to three groups, sometimes a user; a few are open to anyone."""
        chance = self._chance("grants")
        number = 0
        for key in range(1, self.spec.resources + 1):
            for entry in self._configuration(key, chance):
                number += 1
                yield {"id": number, "resource_id": key} | entry

    def _configuration(self, resource: int, chance: Random) -> Iterator[dict[str, Any]]:
        general, full = self._general[resource - 1], self._full(resource)
        yield entry(resource_roles.GENERAL, general & full)
        if general and chance.random() < 0.05:
            yield entry(resource_roles.ANYONE, resource_roles.METADATA_READ)
        for group in {self._granted_group(chance) for _ in range(chance.randint(0, 3))}:
            yield entry(
                resource_roles.subject_id(SubjectType.GROUP, group), _roles(chance) & full, _end(chance), group_id=group
            )
        if chance.random() < 0.3:
            user = self._somebody(chance)
            yield entry(
                resource_roles.subject_id(SubjectType.USER, user), _roles(chance) & full, _end(chance), user_id=user
            )

    def _granted_group(self, chance: Random) -> int:
        """Return a group; half of the grants go to the groups of the askers."""
        maximum = min(max(GROUPS_OF.values()), self.spec.groups) if chance.random() < 0.5 else self.spec.groups
        return chance.randint(1, maximum)

    def _locks(self) -> Iterator[dict[str, Any]]:
        for key in range(50, self.spec.resources + 1, 50):
            yield {"resource_id": key, "user_id": ADMIN, "reason": "In review.", "created_at": PAST}

    def _lock_events(self) -> Iterator[dict[str, Any]]:
        for number, lock in enumerate(self._locks(), start=1):
            yield {"id": number, **lock, "is_lock": True}


def rows_of(table: type[SQLModel], records: Iterator[dict[str, Any]]) -> Rows:
    """Return rows of a table; a column that a record leaves out is null."""
    columns = tuple(column.name for column in SQLModel.metadata.tables[str(table.__tablename__)].c)
    return Rows(table, columns, (tuple(map(row.get, columns)) for row in records))


def _org_slug(key: int) -> str:
    return f"org-{key}"


def group_slug(key: int) -> str:
    """Return the slug of a group."""
    return f"group-{key}"


def _end(chance: Random) -> datetime | None:
    """Return an end: mostly none, sometimes one in the past or in the future."""
    number = chance.random()
    return PAST if number < 0.03 else FUTURE if number < 0.06 else None


def _roles(chance: Random) -> int:
    return chance.choices(list(GRANTED), list(GRANTED.values()))[0]


def org_member(org: int, user: int, level: MemberLevel, end: datetime | None) -> dict[str, Any]:
    """Return the row of a member of an org."""
    return {
        "org_id": org,
        "user_id": user,
        "level": int(level),
        "granted_at": BEGINNING,
        "granted_by": ADMIN,
        "expires_at": end,
    }


def group_member(group: int, user: int, end: datetime | None, *, is_manager: bool) -> dict[str, Any]:
    """Return the row of a member of a group."""
    return {
        "group_id": group,
        "user_id": user,
        "is_manager": is_manager,
        "added_at": BEGINNING,
        "added_by": ADMIN,
        "expires_at": end,
    }


def entry(
    subject: int, mask: int, end: datetime | None = None, *, group_id: int | None = None, user_id: int | None = None
) -> dict[str, Any]:
    """Return the row of a grant, without its id and its resource."""
    return {"subject": subject, "mask": mask, "expires_at": end, "group_id": group_id, "user_id": user_id}
