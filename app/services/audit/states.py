"""The states of objects and links that the audit log compares. One SELECT loads each kind; secrets are left out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, select

from app.db import Transaction
from app.db.statements import Row
from app.db.tables import (
    ApiToken,
    Grant,
    Group,
    GroupMember,
    Lock,
    Org,
    OrgMember,
    Resource,
    ResourceType,
    Role,
    RowId,
    User,
    UserRole,
    col,
)
from app.db.types import format_instant
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import permission_names
from app.query.relations import Keys, among

USER, ROLE, ORG, GROUP = "User", "Role", "Org", "Group"
RESOURCE, RESOURCE_TYPE, API_TOKEN = "Resource", "ResourceType", "ApiToken"

ObjectRef = tuple[str, int]
"""A row by the name of its type and its id."""

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LinkEnd:
    """One end of a link: an object with its name. Its values show the link under `key` and the other object's name."""

    ref: ObjectRef
    object_name: str
    key: str
    other_name: str


@dataclass(frozen=True, slots=True)
class ObjectState:
    """The name and the values of an object, and its links to the org and the owner it belongs to.

    The org of a resource is logged for the org only: administrators of a resource may not know the org.
    """

    name: str
    values: Values
    parents: frozenset[LinkEnd] = frozenset()


@dataclass(frozen=True, slots=True)
class AuditLink:
    """A membership or a grant between two objects."""

    ends: tuple[LinkEnd, ...]
    values: Values


@dataclass(frozen=True, slots=True, eq=False)
class LinkKind:
    """A kind of link: the entity of its first end, its rows, the id columns of both ends, and the reader of a row."""

    entity: str
    rows: Select[Any]
    source: ColumnElement[Any]
    target: ColumnElement[Any]
    read: Callable[[Row], AuditLink]


@dataclass(frozen=True, slots=True)
class LinkQuery:
    """A selection of links by the ids at their two ends; None selects all at that end."""

    kind: LinkKind
    source: frozenset[int] | None
    target: frozenset[int] | None

    def covers(self, other: "LinkQuery") -> bool:
        """Return whether this query selects all links of the other one."""
        ends = ((self.source, other.source), (self.target, other.target))
        is_subset = (own is None or (ids is not None and ids <= own) for own, ids in ends)
        return self.kind is other.kind and all(is_subset)


async def load_links(tx: Transaction, query: LinkQuery) -> list[Row]:
    """Return the current rows of links; their first two columns are the ids of the ends."""
    ids = {name: list(keys) for name, keys in (("source", query.source), ("target", query.target)) if keys is not None}
    return await tx.rows(_select_links(query.kind, frozenset(ids)), **ids)


@cache
def _select_links(kind: LinkKind, ends: frozenset[str]) -> Select[Any]:
    keys = Keys(BigInteger())
    return kind.rows.where(*(among(getattr(kind, end), bindparam(end, type_=keys)) for end in sorted(ends)))


_KEYS = bindparam("keys", type_=Keys(RowId()))


class StateLoader:
    """A loader of the states of one kind of object. The first two columns of its SELECT are the id and the name."""

    def __init__(self, rows: Select[Any], read: Callable[[Sequence[Row]], dict[int, ObjectState]]) -> None:
        key, name, *_ = rows.selected_columns
        self._read = read
        # Most changes concern one object, and SQLite takes almost twice as long for a list of one.
        self._one = rows.where(key == bindparam("key", type_=RowId()))
        self._many = rows.where(among(key, _KEYS))
        self._names = select(key, name).where(among(key, _KEYS))

    async def __call__(self, tx: Transaction, keys: Iterable[int]) -> dict[int, ObjectState]:
        """Return the current states of the objects that exist, by id."""
        keys = list(keys)
        if len(keys) == 1:
            return self._read(await tx.rows(self._one, key=keys[0]))
        return self._read(await tx.rows(self._many, keys=keys))

    async def names(self, tx: Transaction, keys: Iterable[int]) -> dict[int, str]:
        """Return the names of the objects that exist, by id."""
        return {key: name for key, name in await tx.rows(self._names, keys=list(keys))}  # noqa: C416 - mypy knows a row as a tuple of any length


def _select_columns(table: Any, *columns: Any) -> Select[Any]:
    return select(col(table.id), *map(col, columns)).select_from(table)


def read_users(rows: Iterable[Row]) -> dict[int, ObjectState]:
    """Return the states of users, who have one row for each of their roles: the id, and the columns `USER_STATE`."""
    states: dict[int, ObjectState] = {}
    for key, name, display_name, email, metadata, role in rows:
        values = {"userName": name, "displayName": display_name, "email": email, "metadata": metadata, "roles": []}
        state = states.setdefault(key, ObjectState(name, values))
        if role is not None:
            state.values["roles"].append(role)
    return states


def _read_roles(rows: Sequence[Row]) -> dict[int, ObjectState]:
    return {
        key: ObjectState(name, {"name": name, "description": text, "permissions": permission_names(mask)})
        for key, name, text, mask in rows
    }


def _read_tokens(rows: Sequence[Row]) -> dict[int, ObjectState]:
    """Return the states of API tokens, with the fields that the API lists and no secret."""
    return {
        key: ObjectState(
            name,
            {
                "name": name,
                "prefix": prefix,
                "user": owner,
                "permissions": permission_names(mask),
                "isLimited": bool(is_limited),
                "expiresAt": format_instant(ends),
            },
        )
        for key, name, prefix, owner, mask, is_limited, ends in rows
    }


def _read_columns(*keys: str) -> Callable[[Sequence[Row]], dict[int, ObjectState]]:
    """Return a reader of rows whose columns have these keys. The first one is the name."""
    return lambda rows: {row[0]: ObjectState(row[1], dict(zip(keys, row[1:], strict=True))) for row in rows}


def _read_orgs(rows: Sequence[Row]) -> dict[int, ObjectState]:
    return {
        key: ObjectState(
            slug,
            {
                "slug": slug,
                "name": name,
                "description": text,
                "isPublic": bool(public),
                "owner": owner,
                "quotaBytes": quota,
            },
            _owner_link(owner_id, owner, slug),
        )
        for key, slug, name, text, public, owner, quota, owner_id in rows
    }


def _owner_link(owner_id: int | None, owner: str, name: str) -> frozenset[LinkEnd]:
    """Return the link to the owner, nothing if there is no owner."""
    return frozenset() if owner_id is None else frozenset([LinkEnd((USER, owner_id), owner, "owns", name)])


_RESOURCE_KEYS = ("slug", "type", "name", "description", "metadata", "owner", "sizeBytes")


def _read_resources(rows: Sequence[Row]) -> dict[int, ObjectState]:
    states = {}
    for key, *row, reason, owner_id, org_id, org_slug, path in rows:
        values = dict(zip(_RESOURCE_KEYS, row, strict=True))
        values["lock"] = None if reason is None else {"reason": reason}
        org_link = LinkEnd((ORG, org_id), org_slug, "resources", row[0])
        states[key] = ObjectState(row[0], values, _owner_link(owner_id, values["owner"], path) | {org_link})
    return states


USER_STATE = (*map(col, (User.user_name, User.display_name, User.email, User.details)), col(Role.name))
"""The columns of a user's state, in the order of their roles' name keys."""

load_users = StateLoader(
    select(col(User.id), *USER_STATE)
    .select_from(User)
    .outerjoin(UserRole, col(UserRole.user_id) == col(User.id))
    .outerjoin(Role, col(Role.id) == col(UserRole.role_id))
    .order_by(col(User.id), col(Role.name_key)),
    read_users,
)
load_roles = StateLoader(_select_columns(Role, Role.name, Role.description, Role.permissions), _read_roles)
load_orgs = StateLoader(
    _select_columns(
        Org, Org.slug, Org.name, Org.description, Org.is_public, User.user_name, Org.quota_bytes, User.id
    ).outerjoin(User, col(User.id) == col(Org.owner_id)),
    _read_orgs,
)
load_groups = StateLoader(
    _select_columns(Group, Group.slug, Group.display_name, Group.description, Group.members_seen_by),
    _read_columns("slug", "displayName", "description", "membersSeenBy"),
)
load_resources = StateLoader(
    _select_columns(
        Resource,
        Resource.slug,
        ResourceType.name,
        Resource.name,
        Resource.description,
        Resource.details,
        User.user_name,
        Resource.size_bytes,
        Lock.reason,
        User.id,
        Org.id,
        Org.slug,
        Resource.path,
    )
    .join(ResourceType, col(ResourceType.id) == col(Resource.type_id))
    .join(Org, col(Org.id) == col(Resource.org_id))
    .outerjoin(User, col(User.id) == col(Resource.owner_id))
    .outerjoin(Lock, col(Lock.resource_id) == col(Resource.id)),
    _read_resources,
)
load_resource_types = StateLoader(
    _select_columns(ResourceType, ResourceType.name, ResourceType.has_data), _read_columns("name", "hasData")
)
load_api_tokens = StateLoader(
    _select_columns(
        ApiToken,
        ApiToken.name,
        ApiToken.prefix,
        User.user_name,
        ApiToken.permissions,
        ApiToken.is_limited,
        ApiToken.expires_at,
    ).join(User, col(User.id) == col(ApiToken.user_id)),
    _read_tokens,
)


def _member_link(entity: str, ids_and_names: Sequence[Any], user_key: str, **values: Any) -> AuditLink:
    """Return a membership, which shows in the org or group and in the user."""
    key, user, name, user_name, end = ids_and_names
    ends = LinkEnd((entity, key), name, "members", user_name), LinkEnd((USER, user), user_name, user_key, name)
    return AuditLink(ends, {**values, "expiresAt": format_instant(end)})


def _read_org_member(row: Row) -> AuditLink:
    *common, level = row
    return _member_link(ORG, common, "orgs", level=MemberLevel(level).name)


def _read_group_member(row: Row) -> AuditLink:
    *common, is_manager = row
    return _member_link(GROUP, common, "groups", isManager=bool(is_manager))


def _read_grant(row: Row) -> AuditLink:
    """Return a grant. It shows in the resource and in its group or user, if it has one."""
    resource, subject, slug, path, group, user, mask, end = row
    values = {
        "roles": resource_roles.names(mask),
        "expiresAt": format_instant(end),
    }
    kind, key, name = (
        resource_roles.subject_type(subject),
        resource_roles.subject_key(subject),
        user if group is None else group,
    )
    entry = kind.name.lower() if name is None else f"{kind.name.lower()}:{name}"
    ends = [LinkEnd((RESOURCE, resource), slug, "access", entry)]
    if name is not None:
        ends.append(LinkEnd((GROUP if kind is SubjectType.GROUP else USER, key), name, "access", path))
    return AuditLink(tuple(ends), values)


def _link_rows(source: Any, target: Any, *columns: Any) -> Select[Any]:
    return select(col(source), col(target), *map(col, columns))


ORG_MEMBERS = LinkKind(
    ORG,
    _link_rows(OrgMember.org_id, OrgMember.user_id, Org.slug, User.user_name, OrgMember.expires_at, OrgMember.level)
    .join(Org, col(Org.id) == col(OrgMember.org_id))
    .join(User, col(User.id) == col(OrgMember.user_id)),
    col(OrgMember.org_id),
    col(OrgMember.user_id),
    _read_org_member,
)
GROUP_MEMBERS = LinkKind(
    GROUP,
    _link_rows(
        GroupMember.group_id,
        GroupMember.user_id,
        Group.slug,
        User.user_name,
        GroupMember.expires_at,
        GroupMember.is_manager,
    )
    .join(Group, col(Group.id) == col(GroupMember.group_id))
    .join(User, col(User.id) == col(GroupMember.user_id)),
    col(GroupMember.group_id),
    col(GroupMember.user_id),
    _read_group_member,
)
GRANTS = LinkKind(
    RESOURCE,
    _link_rows(
        Grant.resource_id,
        Grant.subject,
        Resource.slug,
        Resource.path,
        Group.slug,
        User.user_name,
        Grant.mask,
        Grant.expires_at,
    )
    .join(Resource, col(Resource.id) == col(Grant.resource_id))
    .outerjoin(Group, col(Group.id) == col(Grant.group_id))
    .outerjoin(User, col(User.id) == col(Grant.user_id)),
    col(Grant.resource_id),
    col(Grant.subject),
    _read_grant,
)
"""Links of resources to subjects, see `resource_roles.subject_id`."""
