"""A naive executor: it answers the same queries from plain rows with a short policy.

It uses only the SDL and the version of app/.

Rows are dictionaries by the names of the API, with `__typename` and `key`, the number of the row; a field that leads
to another row has the key of that row. A new type needs its `Kind`, a line in `KNOWS`, one in `PRIVATE` for each
private field, and one in `fields.FIELDS` for each field that is more than a value.
"""

import base64
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from graphql import build_schema

from app.graphql import schema
from tests.oracle.naive.lists import Row
from tests.oracle.naive.rights import AccessPath, Rights, Rows
from tests.rules.test_schema import COMPUTED

PERMISSIONS = (
    "USERS_VIEW",
    "USERS_MANAGE",
    "ROLES_MANAGE",
    "ORGS_CREATE",
    "ORGS_MANAGE",
    "GROUPS_MANAGE",
    "RESOURCES_MANAGE",
    "AUDIT_VIEW",
    "ACCESS_VIEW",
    "GROUPS_VIEW",
    "RESOURCES_VIEW",
)

OF_THINGS = ("ORGS_MANAGE", "RESOURCES_MANAGE", "RESOURCES_VIEW", "ACCESS_VIEW")


def readable(without: Collection[str]) -> Any:
    """Return the schema without some fields of `Query`."""
    built = build_schema(schema.sdl())
    assert built.query_type is not None
    for name in without:
        del built.query_type.fields[name.removeprefix("Query.")]
    return built


SDL = readable({*COMPUTED, "Query.accessDecision", "Query.checkAccess", "Query.checkAccessBatch"})
"""The schema without the queries about rights, which have their own tests."""


@dataclass
class Reading:
    """The view of one viewer on a world, possibly through an API token.

    `seen` counts what filters, orders and cursors did to a list; `cursors` are of some rows, by the type of those.
    """

    rights: Rights
    viewer: Row | None
    token: Row | None = None
    seen: Counter[str] = field(default_factory=Counter)
    cursors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def rows(self) -> Rows:
        return self.rights.rows

    @cached_property
    def key(self) -> int | None:
        return None if self.viewer is None else self.viewer["key"]

    @cached_property
    def permissions(self) -> list[str]:
        roles = [] if self.viewer is None else self.roles_of(self.viewer)
        return [
            name for name in PERMISSIONS if any(name in role["permissions"] for role in roles) and self.carries(name)
        ]

    @cached_property
    def is_limited(self) -> bool:
        """Check that the viewer uses a token that is limited to some orgs and resources."""
        return self.token is not None and self.token["isLimited"]

    def carries(self, name: str) -> bool:
        """Check that the token, if there is one, carries a permission. A limited token has only those of a scope."""
        if self.token is None:
            return True
        return name in self.token["permissions"] and not (self.is_limited and name not in OF_THINGS)

    def covers_org(self, org: Row) -> bool:
        return self.token is None or not self.is_limited or org["key"] in self.token["orgs"]

    def covers(self, resource: Row) -> bool:
        """Check that the scope of the token includes a resource or its org."""
        if self.token is None or not self.is_limited:
            return True
        return resource["key"] in self.token["resources"] or resource["org"] in self.token["orgs"]

    @cached_property
    def sees_all_users(self) -> bool:
        return self.may("USERS_VIEW", "USERS_MANAGE")

    def may(self, *permissions: str) -> bool:
        """Check that the viewer has one of these permissions."""
        return any(name in self.permissions for name in permissions)

    def one(self, kind: str, key: int | None) -> Row | None:
        """Return the row with a key, for every viewer."""
        return self.rights.by_key[kind].get(key)

    def roles_of(self, user: Row) -> list[Row]:
        return [self.rights.by_key["Role"][key] for key in user["roles"]]

    def holds(self, resource: Row) -> frozenset[str]:
        """Return the roles of the viewer on a resource."""
        return self.rights.closed((path.granted for path in self.paths(resource)), resource)

    def paths(self, resource: Row) -> list[AccessPath]:
        """Return the paths of the viewer to a resource, as far as their token carries them."""
        paths = self.rights.paths(self.key, resource) if self.covers(resource) else []
        return [path for path in paths if path.kind != "PERMISSION" or self.may("RESOURCES_MANAGE")]

    def is_own(self, user: Row) -> bool:
        return self.sees_all_users or user is self.viewer

    def is_mine(self, org: Row) -> bool:
        return self.covers_org(org) and self.rights.level(self.key, org) is not None

    def is_my_group(self, group: Row) -> bool:
        return self.rights.belongs(self.key, group)

    @cached_property
    def sees_all_things(self) -> bool:
        """Check that the viewer sees every org and resource in the scope of the token."""
        return self.may("RESOURCES_VIEW", "RESOURCES_MANAGE")

    def sees_org(self, org: Row) -> bool:
        return self.covers_org(org) and (org["isPublic"] or self.sees_members(org))

    def sees_resource(self, resource: Row) -> bool:
        return "METADATA_READ" in self.holds(resource) or (self.sees_all_things and self.covers(resource))

    def sees_members(self, org: Row) -> bool:
        return self.is_mine(org) or (self.covers_org(org) and (self.sees_all_things or self.may("ORGS_MANAGE")))

    def manages(self, org: Row) -> bool:
        is_admin = self.rights.level(self.key, org) == "ADMIN"
        return self.covers_org(org) and (is_admin or self.may("ORGS_MANAGE"))

    def sees_group_members(self, group: Row) -> bool:
        is_open = group["membersSeenBy"] == "SIGNED_IN" and self.viewer is not None and not self.is_limited
        return is_open or self.sees_who_added(group)

    def sees_who_added(self, group: Row) -> bool:
        """Check that the viewer belongs to the group, or sees the members of every group."""
        return self.acts_in(group) or self.may("GROUPS_MANAGE", "GROUPS_VIEW")

    def sees_configuration(self, resource: Row) -> bool:
        return self.sees_all_things or self.administers(resource)

    def sees_accessors(self, resource: Row) -> bool:
        return self.administers(resource) or (self.may("ACCESS_VIEW") and self.covers(resource))

    def acts_in(self, group: Row) -> bool:
        """Check that the viewer acts as a member of a group, which a limited token does not allow."""
        return self.is_my_group(group) and not self.is_limited

    def administers(self, resource: Row) -> bool:
        return "ADMIN" in self.holds(resource)

    @cached_property
    def acquainted(self) -> set[int | None]:
        """Return the members of the orgs and groups of the viewer, and the owners of the objects they see."""
        orgs, groups = self.rows["Org"], self.rows["Group"]
        keys = {key for org in orgs if self.is_mine(org) for key in (org["owner"], *self.rights.members(org))}
        keys |= {key for group in groups if self.acts_in(group) for key in self.rights.members(group)}
        keys |= {org["owner"] for org in orgs if self.sees_org(org)}
        return keys | {row["owner"] for row in self.rows["Resource"] if self.sees_resource(row)}

    def knows(self, user: Row) -> bool:
        return self.is_own(user) or user["key"] in self.acquainted

    @cached_property
    def finds_everybody(self) -> bool:
        """Check that the viewer looks up every user by exact name, since they manage members or access somewhere."""
        manages = (group["members"].get(self.key, {}) for group in self.rows["Group"] if self.acts_in(group))
        paths = (path for row in self.rows["Resource"] for path in self.paths(row))
        return (
            self.may("ORGS_MANAGE", "GROUPS_MANAGE", "RESOURCES_MANAGE", "ACCESS_VIEW")
            or any(self.is_mine(org) and self.rights.level(self.key, org) == "ADMIN" for org in self.rows["Org"])
            or any(member["isManager"] for member in manages)
            or any("ADMIN" in path.granted for path in paths if path.kind not in {"ANYONE", "GENERAL"})
        )


def _resources(reading: Reading, event: Row) -> list[Row]:
    """Return the resources of an event that still exist."""
    about = [key for kind, key in (change["of"] for change in event["changes"]) if kind == "Resource"]
    return [row for key in about if (row := reading.one("Resource", key)) is not None]


KNOWS: dict[str, Callable[[Reading, Row], bool]] = {
    "User": Reading.knows,
    "Role": lambda reading, role: reading.viewer is not None,
    "Org": Reading.sees_org,
    "Group": lambda reading, group: reading.viewer is not None,
    "Resource": Reading.sees_resource,
    "ResourceType": lambda reading, kind: True,
    "AuditEvent": lambda reading, event: (
        reading.may("AUDIT_VIEW") or any(map(reading.administers, _resources(reading, event)))
    ),
    "ApiToken": lambda reading, token: reading.sees_all_users or token["user"] == reading.key,
    "Ticket": lambda reading, ticket: False,  # a ticket is read by its id, but has no global one
}
PRIVATE: dict[tuple[str, str], Callable[[Reading, Row], bool]] = {
    ("User", "email"): Reading.is_own,
    ("User", "metadata"): Reading.is_own,
    ("User", "lastLoginAt"): Reading.is_own,
    ("User", "roles"): Reading.is_own,
    ("User", "orgs"): Reading.is_own,
    ("User", "ownedOrgs"): Reading.is_own,
    ("User", "ownedResources"): Reading.is_own,
    ("User", "groups"): Reading.is_own,
    ("User", "grants"): Reading.is_own,
    ("User", "storage"): Reading.is_own,
    ("User", "apiTokens"): Reading.is_own,
    ("User", "accessibleResources"): lambda reading, user: user is reading.viewer or reading.may("ACCESS_VIEW"),
    ("Role", "users"): lambda reading, role: reading.sees_all_users,
    ("Org", "members"): Reading.sees_members,
    ("Org", "storage"): Reading.manages,
    ("Org", "memberCount"): Reading.sees_members,
    ("Group", "members"): Reading.sees_group_members,
    ("UserGroupEdge", "addedByName"): lambda reading, edge: reading.sees_who_added(
        reading.rights.by_key["Group"][edge["group"]]
    ),
    ("GroupMemberEdge", "addedByName"): lambda reading, edge: reading.sees_who_added(
        reading.rights.by_key["Group"][edge["group"]]
    ),
    ("Resource", "access"): Reading.sees_configuration,
    ("Resource", "accessSubjects"): Reading.sees_accessors,
    ("Resource", "accessGroups"): Reading.sees_accessors,
    ("Resource", "auditEvents"): lambda reading, resource: reading.may("AUDIT_VIEW") or reading.administers(resource),
    ("Query", "auditEvents"): lambda reading, root: reading.may("AUDIT_VIEW"),
    ("AuditEvent", "address"): lambda reading, event: reading.may("AUDIT_VIEW"),
    ("AuditEvent", "requestId"): lambda reading, event: reading.may("AUDIT_VIEW"),
    ("AuditEvent", "changes"): lambda reading, event: reading.may("AUDIT_VIEW"),
}


def visible_row(reading: Reading, kind: str, key: int | None) -> Row | None:
    """Return the row with a key, if the viewer sees it."""
    row = reading.one(kind, key)
    return row if row is not None and KNOWS[kind](reading, row) else None


def every(reading: Reading, kind: str) -> list[Row]:
    """Return all rows that the viewer sees."""
    return [row for row in reading.rows[kind] if KNOWS[kind](reading, row)]


def identity(row: Row) -> str:
    """Return the global id of a row; that of a ticket is its key."""
    if row["__typename"] == "Ticket":
        return str(row["key"])
    return base64.urlsafe_b64encode(f"{row['__typename']}:{row['key']}".encode()).decode().rstrip("=")


def permissions(mask: int) -> list[str]:
    """Return the permissions in a mask."""
    return [name for at, name in enumerate(PERMISSIONS) if mask >> at & 1]


def first(rows: Iterable[Row]) -> Row | None:
    """Return the first row, or None."""
    return next(iter(rows), None)


MOMENT: Any = SDL.type_map["DateTime"]
MOMENT.coerce_input_value = lambda text: datetime.fromisoformat(text).astimezone(UTC)
MOMENT.coerce_output_value = lambda moment: moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
