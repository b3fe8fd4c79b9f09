"""Generated worlds of access rights, written and read without the services, and the roles by definition."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import delete, select

from app import db
from app.db import tables
from app.db.tables import col
from app.domain import resource_roles
from app.domain.resource_roles import SubjectType
from app.domain.viewer import DEACTIVATED, Permission
from app.services import access_index
from tests.support.factories import Person
from tests.support.fetching import fetch
from tests.support.truncate import empty

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
"""The time at which every world begins."""

ROLES = ("METADATA_READ", "METADATA_WRITE", "DATASET_DATA_READ", "DATASET_DATA_WRITE", "ADMIN")
REGISTRAR = "registrar"
"""A role that carries RESOURCES_MANAGE and nothing else."""


READ = {"METADATA_READ", "DATASET_DATA_READ"}
WRITE = {"METADATA_WRITE", "DATASET_DATA_WRITE"}
OF_DATA = {"DATASET_DATA_READ", "DATASET_DATA_WRITE"}
IMPLIED = {
    "METADATA_READ": set[str](),
    "METADATA_WRITE": {"METADATA_READ"},
    "DATASET_DATA_READ": {"METADATA_READ"},
    "DATASET_DATA_WRITE": {"DATASET_DATA_READ", "METADATA_READ"},
    "ADMIN": set(ROLES),
}
LEVELS = (READ, READ | WRITE, READ | WRITE, {"ADMIN"})


@dataclass
class Someone:
    """A user, as read from the rows."""

    name: str
    is_deactivated: bool = False
    is_registrar: bool = False


@dataclass
class ResourceState:
    """A resource, as read from the rows, without expired grants."""

    path: str
    name: str
    type: str
    has_data: bool
    org: int
    owner: int | None
    created_at: datetime
    updated_at: datetime
    anyone: set[str] = field(default_factory=set)
    general: set[str] = field(default_factory=set)
    groups: dict[int, set[str]] = field(default_factory=dict)
    entries: set[int] = field(default_factory=set)
    """The groups that have an entry, also one that has ended."""
    users: dict[int, set[str]] = field(default_factory=dict)


@dataclass
class World:
    """The rows that are valid at a time, by ids."""

    users: dict[int, Someone]
    owners: dict[int, int | None]
    levels: dict[tuple[int, int], int]
    members: set[tuple[int, int]]
    resources: dict[int, ResourceState]

    def holds(self, user: int | None, resource: int) -> set[str]:
        """Return the effective roles of a user, or of an anonymous viewer; a deactivated user has none."""
        row, roles = self.resources[resource], set(self.resources[resource].anyone)
        if user is not None:
            someone = self.users[user]
            if someone.is_deactivated:
                return set()
            roles |= row.general | row.users.get(user, set())
            roles = roles.union(*(roles for group, roles in row.groups.items() if (group, user) in self.members))
            if (row.org, user) in self.levels:
                roles |= LEVELS[self.levels[row.org, user]]
            if user in {self.owners[row.org], row.owner} or someone.is_registrar:
                roles |= {"ADMIN"}
        roles = roles.union(*(IMPLIED[role] for role in roles))
        return roles if row.has_data else roles - OF_DATA

    @property
    def people(self) -> list[Person]:
        """Return all users who can send requests."""
        return [Person(key, each.name) for key, each in self.users.items() if not each.is_deactivated]


def named(mask: int) -> set[str]:
    """Return the roles in a stored mask."""
    return {role for at, role in enumerate(ROLES) if mask & 1 << at}


async def world_of(database: db.Database) -> World:
    """Read the rows from which all rights follow; the access index is not among them."""
    now = database.clock()

    async def lasting(table: Any, *columns: Any) -> list[Any]:
        rows = await fetch(database, select(col(table.expires_at), *map(col, columns)))
        return [row[1:] for row in rows if row[0] is None or row[0] > now]

    member, person, grant = tables.GroupMember, tables.OrgMember, tables.Grant
    members = await lasting(member, member.group_id, member.user_id)
    levels = await lasting(person, person.org_id, person.user_id, person.level)
    grants = await lasting(grant, grant.resource_id, grant.subject, grant.group_id, grant.user_id, grant.mask)
    resources = await _resources(database)
    for key, subject, group, user, mask in grants:
        _grant(resources[key], (subject, group, user), named(mask))
    entered = select(col(grant.resource_id), col(grant.group_id)).where(col(grant.group_id).is_not(None))
    for key, group in await fetch(database, entered):
        resources[key].entries.add(group)
    orgs = await fetch(database, select(col(tables.Org.id), col(tables.Org.owner_id)))
    return World(
        await _users(database),
        {org: owner for org, owner in orgs},  # noqa: C416 - mypy knows a row as a tuple of any length
        {(org, user): level for org, user, level in levels},
        {(group, user) for group, user in members},
        resources,
    )


def _grant(resource: ResourceState, subject: tuple[int, int | None, int | None], roles: set[str]) -> None:
    match subject:
        case (resource_roles.ANYONE, None, None):
            resource.anyone |= roles
        case (resource_roles.GENERAL, None, None):
            resource.general |= roles
        case (_, int() as group, None):
            resource.groups[group] = roles
        case (_, None, int() as user):
            resource.users[user] = roles
        case _:
            raise AssertionError(subject)


async def _users(database: db.Database) -> dict[int, Someone]:
    users = await fetch(database, select(col(tables.User.id), col(tables.User.user_name)).order_by(col(tables.User.id)))
    by_id = {key: Someone(name) for key, name in users}
    link, role = tables.UserRole, tables.Role
    rows = select(col(link.user_id), col(role.name_key), col(role.permissions)).where(col(link.role_id) == col(role.id))
    for key, name, permissions in await fetch(database, rows):
        by_id[key].is_deactivated |= name == DEACTIVATED
        by_id[key].is_registrar |= Permission.RESOURCES_MANAGE in Permission(permissions)
    return by_id


async def _resources(database: db.Database) -> dict[int, ResourceState]:
    row, kind = tables.Resource, tables.ResourceType
    columns = row.id, row.path, row.name, kind.name, kind.has_data, row.org_id, row.owner_id, *_TIMES
    statement = select(*map(col, columns)).where(col(row.type_id) == col(kind.id)).order_by(col(row.id))
    return {key: ResourceState(*rest) for key, *rest in await fetch(database, statement)}


_TIMES = tables.Resource.created_at, tables.Resource.updated_at


End = timedelta | None
Entry = tuple[int, End]


@dataclass(frozen=True)
class Planned:
    """A resource to be written; people, orgs and groups are numbers from 0."""

    org: int
    type: str
    name: str
    age: int
    owner: int | None
    general: Entry
    anyone: Entry | None
    groups: dict[int, Entry]
    users: dict[int, Entry]


@dataclass(frozen=True)
class Plan:
    """A world to be written: whose orgs with which members, groups and resources, and which roles people hold."""

    people: list[tuple[str, ...]]
    owners: list[int | None]
    members: list[dict[int, Entry]]
    groups: list[dict[int, End]]
    resources: list[Planned]


PEOPLE, ORGS, GROUPS = 6, 3, 3
_ends: st.SearchStrategy[End] = st.sampled_from((None, timedelta(hours=1), timedelta(0), timedelta(hours=-1), None))
_masks = st.sampled_from((0, 1, 2, 4, 8, 16, 5, 9, 18, 31))
_entries = st.tuples(_masks, _ends)
_person = st.integers(0, PEOPLE - 1)


def planned() -> st.SearchStrategy[Planned]:
    """Resources of types with and without data, with grants of every kind; names and moments meet now and then."""
    return st.builds(
        Planned,
        org=st.integers(0, ORGS - 1),
        type=st.sampled_from(("DATASET", "MODEL")),
        name=st.sampled_from(("Rain", "rain", "Élan", "zenith", "Snow")),
        age=st.integers(0, 3),
        owner=st.none() | _person,
        general=_entries,
        anyone=st.none() | st.tuples(st.sampled_from((0, 1, 4, 5)), _ends),
        groups=st.dictionaries(st.integers(0, GROUPS - 1), _entries, max_size=3),
        users=st.dictionaries(_person, _entries, max_size=3),
    )


def plans() -> st.SearchStrategy[Plan]:
    """Small worlds with everything in them that can give or take a right."""
    roles = st.sampled_from(((), (), ("user",), (REGISTRAR,), (DEACTIVATED,), (DEACTIVATED, REGISTRAR)))
    levels = st.dictionaries(_person, st.tuples(st.integers(0, 3), _ends), max_size=4)
    return st.builds(
        Plan,
        people=st.lists(roles, min_size=PEOPLE, max_size=PEOPLE),
        owners=st.lists(st.none() | _person, min_size=ORGS, max_size=ORGS),
        members=st.lists(levels, min_size=ORGS, max_size=ORGS),
        groups=st.lists(st.dictionaries(_person, _ends, max_size=4), min_size=GROUPS, max_size=GROUPS),
        resources=st.lists(planned(), min_size=4, max_size=8),
    )


_STAYS = {"roles", "resource_types"}
_REGISTRAR = {"name": REGISTRAR, "name_key": REGISTRAR, "description": "", "is_built_in": False}
_REGISTRAR |= {"permissions": Permission.RESOURCES_MANAGE.value, "created_at": NOW}


async def write(database: db.Database, plan: Plan) -> Person:
    """Write a world in the place of the one before it; answers an administrator, who is one more user in it."""
    async with database.write() as tx:
        await empty(database, tx, _STAYS)
        await tx.rows(delete(tables.Role).where(col(tables.Role.name_key) == REGISTRAR))
        await tx.insert(tables.Role, [_REGISTRAR])
        people = await _write_people(tx, [("admin",), *plan.people])
        root, users = people[0], people[1:]
        orgs = await _write_orgs(tx, plan, users)
        groups = await _put(tx, tables.Group, [_titled(f"group{at}", "display_name") for at in range(len(plan.groups))])
        rows = [
            {"group_id": group, "user_id": users[user], "added_at": NOW, "expires_at": _moment(end)}
            for group, members in zip(groups, plan.groups, strict=True)
            for user, end in members.items()
        ]
        await tx.insert(tables.GroupMember, [{**row, "is_manager": False} for row in rows])
        await _write_resources(tx, plan, users, orgs, groups)
        await access_index.rebuild(tx)
    return Person(root, "person0")


def _moment(end: End) -> datetime | None:
    return None if end is None else NOW + end


def _titled(slug: str, title: str) -> dict[str, Any]:
    return {"slug": slug, title: slug, "name_key": slug, "description": "", "created_at": NOW}


async def _put(tx: db.Transaction, table: Any, rows: list[dict[str, Any]]) -> list[int]:
    """Rows of a table that was empty, and their ids in the same order."""
    await tx.insert(table, rows)
    return [row[0] for row in await tx.rows(select(col(table.id)).order_by(col(table.id)))]


async def _write_people(tx: db.Transaction, roles: list[tuple[str, ...]]) -> list[int]:
    names = [f"person{at}" for at in range(len(roles))]
    row = {"token_generation": 0, "details": {}, "created_at": NOW}
    users = await _put(tx, tables.User, [{**row, "user_name": name, "user_key": name} for name in names])
    role_ids = {name: key for name, key in await tx.rows(select(col(tables.Role.name_key), col(tables.Role.id)))}  # noqa: C416 - as above
    pairs = [(user, role_ids[name]) for user, names in zip(users, roles, strict=True) for name in names]
    await tx.insert(tables.UserRole, [{"user_id": user, "role_id": role} for user, role in pairs])
    return users


async def _write_orgs(tx: db.Transaction, plan: Plan, users: list[int]) -> list[int]:
    rows = [
        {**_titled(f"org{at}", "name"), "is_public": at == 0, "owner_id": None if owner is None else users[owner]}
        for at, owner in enumerate(plan.owners)
    ]
    orgs = await _put(tx, tables.Org, rows)
    members = [
        {"org_id": org, "user_id": users[user], "level": level, "granted_at": NOW, "expires_at": _moment(end)}
        for org, members in zip(orgs, plan.members, strict=True)
        for user, (level, end) in members.items()
    ]
    await tx.insert(tables.OrgMember, members)
    return orgs


async def _write_resources(
    tx: db.Transaction, plan: Plan, users: list[int], orgs: list[int], groups: list[int]
) -> None:
    kind = tables.ResourceType
    types = {
        name: (key, resource_roles.ALL if has_data else resource_roles.NON_DATA)
        for key, name, has_data in await tx.rows(select(col(kind.id), col(kind.name), col(kind.has_data)))
    }
    rows = []
    for at, each in enumerate(plan.resources):
        slug, (type_id, full), age = f"thing{at}", types[each.type], timedelta(minutes=each.age)
        row = {"org_id": orgs[each.org], "type_id": type_id, "full_mask": full, "path": f"org{each.org}/{slug}"}
        row |= {"slug": slug, "name": each.name, "name_key": tables.sort_key(each.name), "description": ""}
        row |= {"details": {}, "size_bytes": 0, "revision": 1, "created_at": NOW - age, "updated_at": NOW + age}
        rows.append({**row, "owner_id": None if each.owner is None else users[each.owner]})
    resources = await _put(tx, tables.Resource, rows)
    grants = [
        {"resource_id": key, **grant}
        for key, each in zip(resources, plan.resources, strict=True)
        for grant in _grants(each, users, groups)
    ]
    await tx.insert(tables.Grant, grants)


def _grants(planned: Planned, users: list[int], groups: list[int]) -> list[dict[str, Any]]:
    def entry(subject: int, value: Entry, group: int | None = None, user: int | None = None) -> dict[str, Any]:
        mask, end = value
        row = {"subject": subject, "group_id": group, "user_id": user}
        return {**row, "mask": mask, "expires_at": _moment(end)}

    rows = [entry(resource_roles.GENERAL, planned.general)]
    rows += [entry(resource_roles.ANYONE, planned.anyone)] if planned.anyone is not None else []
    for at, value in planned.groups.items():
        rows.append(entry(resource_roles.subject_id(SubjectType.GROUP, groups[at]), value, group=groups[at]))
    for at, value in planned.users.items():
        rows.append(entry(resource_roles.subject_id(SubjectType.USER, users[at]), value, user=users[at]))
    return rows
