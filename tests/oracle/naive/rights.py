"""The rights of users: the rules of the design on orgs, groups and resources, over rows in memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from tests.oracle.naive.lists import Row

ROLES = ("METADATA_READ", "METADATA_WRITE", "DATASET_DATA_READ", "DATASET_DATA_WRITE", "ADMIN")
READ = frozenset({"METADATA_READ", "DATASET_DATA_READ"})
WRITE = frozenset({"METADATA_WRITE", "DATASET_DATA_WRITE"})
OF_DATA = frozenset({"DATASET_DATA_READ", "DATASET_DATA_WRITE"})
ALL = frozenset(ROLES)
IMPLIED = {
    "METADATA_READ": frozenset[str](),
    "METADATA_WRITE": frozenset({"METADATA_READ"}),
    "DATASET_DATA_READ": frozenset({"METADATA_READ"}),
    "DATASET_DATA_WRITE": frozenset({"DATASET_DATA_READ", "METADATA_READ"}),
    "ADMIN": ALL,
}
LEVELS = {"READ_ONLY": READ, "READ_WRITE": READ | WRITE, "READ_WRITE_DELETE": READ | WRITE, "ADMIN": ALL}
KINDS = ("ANYONE", "GENERAL", "GROUP", "USER", "ORG", "OWNER", "PERMISSION")
"""Kinds of subjects with roles. Paths are listed in this order, and by the key of the subject."""

Rows = Mapping[str, Sequence[Row]]


@dataclass(frozen=True)
class AccessPath:
    """A path from a user to roles on a resource."""

    kind: str
    granted: frozenset[str]
    key: int = 0
    level: str | None = None
    end: datetime | None = None

    @property
    def place(self) -> int:
        """Return the position among other paths."""
        return self.key * 8 + KINDS.index(self.kind)


class Rights:
    """The rights of all users in one world, with a cache of the paths."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.by_key = {kind: {row["key"]: row for row in rows_of_kind} for kind, rows_of_kind in rows.items()}
        self.now = datetime.now(UTC)
        self._paths: dict[tuple[int | None, int], list[AccessPath]] = {}

    def lasts(self, row: Row) -> bool:
        """Check that a row has not expired."""
        return row["expiresAt"] is None or row["expiresAt"] > self.now

    @cached_property
    def deactivated(self) -> set[int]:
        """Return the deactivated users."""
        (role,) = (row["key"] for row in self.rows["Role"] if row["name"] == "deactivated")
        return {user["key"] for user in self.rows["User"] if role in user["roles"]}

    @cached_property
    def registrars(self) -> set[int]:
        """Return the users with RESOURCES_MANAGE."""
        roles = {row["key"] for row in self.rows["Role"] if "RESOURCES_MANAGE" in row["permissions"]}
        return {user["key"] for user in self.rows["User"] if roles & user["roles"]}

    def members(self, thing: Row) -> dict[int, Row]:
        """Return the memberships of an org or a group that have not expired, by user."""
        return {key: member for key, member in thing["members"].items() if self.lasts(member)}

    def level(self, user: int | None, org: Row) -> str | None:
        """Return the level of a user in an org."""
        if user is not None and user == org["owner"]:
            return "ADMIN"
        member = None if user is None else org["members"].get(user)
        return member["level"] if member and self.lasts(member) else None

    def belongs(self, user: int | None, group: Row) -> bool:
        """Check that a user is a member of a group."""
        return user in group["members"] and self.lasts(group["members"][user])

    def full(self, resource: Row) -> frozenset[str]:
        """Return every role of the type of a resource."""
        (kind,) = (row for row in self.rows["ResourceType"] if row["name"] == resource["type"])
        return ALL if kind["hasData"] else ALL - OF_DATA

    def holds(self, user: int | None, resource: Row) -> frozenset[str]:
        """Return the roles of a user on a resource, with those that they imply."""
        return self.closed((path.granted for path in self.paths(user, resource)), resource)

    def closed(self, granted: Iterable[Iterable[str]], resource: Row) -> frozenset[str]:
        """Return roles with those that they imply, without roles that the type lacks."""
        roles = frozenset[str]().union(*granted)
        return roles.union(*(IMPLIED[role] for role in roles)) & self.full(resource)

    def paths(self, user: int | None, resource: Row) -> list[AccessPath]:
        """Return the paths of a user to roles, without paths that give none."""
        at = user, resource["key"]
        if at not in self._paths:
            paths = [] if user in self.deactivated else self._find(user, resource)
            effective = [path for path in paths if self.closed([path.granted], resource)]
            self._paths[at] = sorted(effective, key=lambda path: path.place)
        return self._paths[at]

    def _find(self, user: int | None, resource: Row) -> list[AccessPath]:
        paths = [path for grant in resource["grants"] if self.lasts(grant) for path in self._by_grant(user, grant)]
        if user is None:
            return paths
        everything, org = self.full(resource), self.by_key["Org"][resource["org"]]
        level = self.level(user, org)
        if level is not None:
            member = org["members"].get(user)
            end = None if user == org["owner"] else member["expiresAt"]
            paths.append(AccessPath("ORG", LEVELS[level] & everything, org["key"], level, end))
        if user == resource["owner"]:
            paths.append(AccessPath("OWNER", everything, user))
        if user in self.registrars:
            paths.append(AccessPath("PERMISSION", everything))
        return paths

    def _by_grant(self, user: int | None, grant: Row) -> Iterable[AccessPath]:
        kind, key, roles, end = grant["kind"], grant["subject"], frozenset(grant["roles"]), grant["expiresAt"]
        if kind == "ANYONE" or (kind == "GENERAL" and user is not None) or (kind == "USER" and user == key):
            yield AccessPath(kind, roles, key, end=end)
        if kind == "GROUP" and self.belongs(user, group := self.by_key["Group"][key]):
            ends = [each for each in (end, group["members"][user]["expiresAt"]) if each is not None]
            yield AccessPath(kind, roles, key, end=min(ends, default=None))


def listed(roles: Iterable[str]) -> list[str]:
    """Return roles in the order of the API."""
    present = set(roles)
    return [role for role in ROLES if role in present]


def named(row: Mapping[str, Any] | None) -> int | None:
    """Return the key of an optional row."""
    return None if row is None else row["key"]
