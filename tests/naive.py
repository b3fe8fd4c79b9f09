"""A naive reading: the same questions answered from plain rows by a policy of ten lines; of the house only the SDL.

Rows are dictionaries by the names of the API, with `__typename` and `key`, the row's number. A new type needs its
`Kind`, a line on who knows a row of it, one for each private field, and one for each field that is more than a value.
"""

import base64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from graphql import DocumentNode, ExecutionResult, build_schema, execute_sync

from app import schema
from tests.naive_lists import Kind, Row, folded, page, refuse, stored

SDL = build_schema(schema.sdl())
PERMISSIONS = (
    "USERS_VIEW",
    "USERS_MANAGE",
    "ROLES_MANAGE",
    "ORGS_CREATE",
    "ORGS_MANAGE",
    "GROUPS_MANAGE",
    "RESOURCES_MANAGE",
    "AUDIT_VIEW",
)

Rows = Mapping[str, Sequence[Row]]


@dataclass
class Reading:
    """One viewer's reading of a world; `seen` counts what filters, orders and cursors did to a list."""

    rows: Rows
    viewer: Row | None
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.roles = {role["key"]: role for role in self.rows["Role"]}
        held = [] if self.viewer is None else self.held(self.viewer)
        self.permissions = [name for name in PERMISSIONS if any(name in names(role["permissions"]) for role in held)]
        self.sees_all_users = bool({"USERS_VIEW", "USERS_MANAGE"} & set(self.permissions))

    def held(self, user: Row) -> list[Row]:
        return [self.roles[key] for key in user["roles"]]

    def is_own(self, row: Row) -> bool:
        return self.sees_all_users or row is self.viewer


# --- the policy

KNOWS: dict[str, Callable[[Reading, Row], bool]] = {
    "User": Reading.is_own,
    "Role": lambda reading, role: reading.viewer is not None,
}
PRIVATE: dict[tuple[str, str], Callable[[Reading, Row], bool]] = {
    ("User", "email"): Reading.is_own,
    ("User", "metadata"): Reading.is_own,
    ("User", "lastLoginAt"): Reading.is_own,
    ("User", "roles"): Reading.is_own,
    ("Role", "users"): lambda reading, role: reading.sees_all_users,
}


def known(reading: Reading, kind: str) -> list[Row]:
    """The rows that the viewer may know of."""
    return [row for row in reading.rows[kind] if KNOWS[kind](reading, row)]


# --- what lists are ordered and filtered by

NATURAL = {"User": "userName", "Role": "name"}
KINDS = {
    "User": Kind(
        {"user_name": lambda user: folded(user["userName"]), "created_at": lambda user: stored(user["createdAt"])},
        {
            "userName": lambda reading, user: user["userName"],
            "email": lambda reading, user: user["email"] if reading.is_own(user) else None,
            "createdAt": lambda reading, user: user["createdAt"],
            "lastLoginAt": lambda reading, user: user["lastLoginAt"] if reading.is_own(user) else None,
            "role": lambda reading, user: [role["name"] for role in reading.held(user) if reading.is_own(user)],
            "isDeactivated": lambda reading, user: any(role["name"] == "deactivated" for role in reading.held(user)),
        },
    ),
    "Role": Kind({"name": lambda role: folded(role["name"])}),
}


# --- the fields that are more than a value of their row


def _own(reading: Reading, parent: Row, **_: Any) -> Any:
    return reading.viewer


def _permitted(reading: Reading, parent: Row, **_: Any) -> Any:
    return reading.permissions


def _described(reading: Reading, parent: Row, **_: Any) -> Any:
    values: Any = SDL.type_map["Permission"]
    return [{"permission": name, "description": values.values[name].description} for name in PERMISSIONS]


def _node(reading: Reading, parent: Row, id: str) -> Any:  # noqa: A002 - the argument's name in the API
    return next((row for kind in reading.rows for row in known(reading, kind) if identity(row) == id), None)


def _nodes(reading: Reading, parent: Row, ids: Sequence[str]) -> Any:
    refuse(len(ids) > 100)
    return [_node(reading, parent, each) for each in ids]


def lookup(kind: str) -> Callable[..., Any]:
    def find(reading: Reading, parent: Row, by: Row) -> Any:
        ((way, value),) = by.items()
        rows = known(reading, kind)
        if way == "id":
            return next((row for row in rows if identity(row) == value), None)
        return next((row for row in rows if folded(row[NATURAL[kind]]) == folded(value)), None)

    return find


def listing(kind: str, below: Callable[[Row, Row], bool] = lambda parent, row: True) -> Callable[..., Any]:
    """A connection of the rows that hang on a parent."""

    def read(reading: Reading, parent: Row, **arguments: Any) -> Any:
        rows = [row for row in known(reading, kind) if below(parent, row)]
        return page(reading, KINDS[kind], rows, arguments, reading.seen)

    return read


FIELDS: dict[tuple[str, str], Callable[..., Any]] = {
    ("Query", "viewer"): lambda reading, parent: {"__typename": "Viewer"},
    ("Query", "node"): _node,
    ("Query", "nodes"): _nodes,
    ("Query", "permissions"): _described,
    ("Query", "user"): lookup("User"),
    ("Query", "users"): listing("User"),
    ("Query", "role"): lookup("Role"),
    ("Query", "roles"): listing("Role"),
    ("Viewer", "user"): _own,
    ("Viewer", "permissions"): _permitted,
    ("User", "roles"): lambda reading, user: sorted(reading.held(user), key=lambda role: folded(role["name"])),
    ("Role", "permissions"): lambda reading, role: names(role["permissions"]),
    ("Role", "users"): listing("User", lambda role, user: role["key"] in user["roles"]),
}


def answered(
    reading: Reading, document: DocumentNode, variables: Mapping[str, Any], name: str | None = None
) -> ExecutionResult:
    """What the reading answers."""
    return execute_sync(SDL, document, None, reading, dict(variables), name, field_resolver=_resolve)


def _resolve(parent: Any, info: Any, **arguments: Any) -> Any:
    place = info.parent_type.name, info.field_name
    if place in PRIVATE and not PRIVATE[place](info.context, parent):
        return None
    if place[1] == "id":
        return identity(parent)
    return FIELDS[place](info.context, parent, **arguments) if place in FIELDS else parent[info.field_name]


# --- small things


def names(mask: int) -> list[str]:
    """The permissions in a mask."""
    return [name for at, name in enumerate(PERMISSIONS) if mask >> at & 1]


def identity(row: Row) -> str:
    """The global id of a row."""
    return base64.urlsafe_b64encode(f"{row['__typename']}:{row['key']}".encode()).decode().rstrip("=")


MOMENT: Any = SDL.type_map["DateTime"]
MOMENT.coerce_input_value = lambda text: datetime.fromisoformat(text).astimezone(UTC)
MOMENT.coerce_output_value = lambda moment: moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
