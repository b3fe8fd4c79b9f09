"""What things are at a moment, as the audit log tells it: one SELECT for each kind of thing or tie, and no secrets."""

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
from app.domain.viewer import Permission
from app.query.relations import Keys, among

USER, ROLE, ORG, GROUP = "User", "Role", "Org", "Group"
RESOURCE, RESOURCE_TYPE, API_TOKEN = "Resource", "ResourceType", "ApiToken"

ObjectRef = tuple[str, int]
"""A row by the name of its type and its id."""

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LinkEnd:
    """Where a tie shows: in this thing, which is called so, under a word and the name of the other side."""

    thing: ObjectRef
    called: str
    word: str
    name: str


@dataclass(frozen=True, slots=True)
class ObjectState:
    """What a thing is called, what it is made of, and of which others it is a part.

    In which org a resource is kept is told of the org alone: who administers a resource may not know the org.
    """

    name: str
    holds: Values
    places: frozenset[LinkEnd] = frozenset()


@dataclass(frozen=True, slots=True)
class AuditLink:
    """What one thing has to do with another: a membership, a grant."""

    sides: tuple[LinkEnd, ...]
    holds: Values


@dataclass(frozen=True, slots=True, eq=False)
class LinkKind:
    """A kind of tie: what stands at its first end, its rows, the columns of its two ends, and how a row is read."""

    kind: str
    rows: Select[Any]
    of: ColumnElement[Any]
    to: ColumnElement[Any]
    read: Callable[[Row], AuditLink]


@dataclass(frozen=True, slots=True)
class LinkQuery:
    """Which ties: those `of` some things `to` some others; None for all at that end."""

    ties: LinkKind
    of: frozenset[int] | None
    to: frozenset[int] | None

    def covers(self, other: "LinkQuery") -> bool:
        """Whether all that the other one asks for is asked for here."""
        ends = ((self.of, other.of), (self.to, other.to))
        within = (mine is None or (hers is not None and hers <= mine) for mine, hers in ends)
        return self.ties is other.ties and all(within)


async def load_links(tx: Transaction, asked: LinkQuery) -> list[Row]:
    """The rows of ties as they are now; the first two cells are their ends."""
    ends = {name: list(keys) for name, keys in (("of", asked.of), ("to", asked.to)) if keys is not None}
    return await tx.rows(_asking(asked.ties, frozenset(ends)), **ends)


@cache
def _asking(of: LinkKind, ends: frozenset[str]) -> Select[Any]:
    kind = Keys(BigInteger())
    return of.rows.where(*(among(getattr(of, end), bindparam(end, type_=kind)) for end in sorted(ends)))


_KEYS = bindparam("keys", type_=Keys(RowId()))


class StateLoader:
    """Loads the states of one kind of object. The first two columns of its statement are the id and the name."""

    def __init__(self, rows: Select[Any], read: Callable[[Sequence[Row]], dict[int, ObjectState]]) -> None:
        key, name, *_ = rows.selected_columns
        self._read = read
        # Most changes are about one object, and a list of one takes SQLite almost twice as long.
        self._one = rows.where(key == bindparam("key", type_=RowId()))
        self._many = rows.where(among(key, _KEYS))
        self._names = select(key, name).where(among(key, _KEYS))

    async def __call__(self, tx: Transaction, keys: Iterable[int]) -> dict[int, ObjectState]:
        """Return the states of objects as they are now; objects that do not exist are missing."""
        keys = list(keys)
        if len(keys) == 1:
            return self._read(await tx.rows(self._one, key=keys[0]))
        return self._read(await tx.rows(self._many, keys=keys))

    async def names(self, tx: Transaction, keys: Iterable[int]) -> dict[int, str]:
        """Return the names of objects."""
        return {key: name for key, name in await tx.rows(self._names, keys=list(keys))}  # noqa: C416 - mypy knows a row as a tuple of any length


def _those(table: Any, *columns: Any) -> Select[Any]:
    return select(col(table.id), *map(col, columns)).select_from(table)


def _users(rows: Sequence[Row]) -> dict[int, ObjectState]:
    """A user has a row for each role."""
    found: dict[int, ObjectState] = {}
    for key, name, email, metadata, role in rows:
        holds = {"userName": name, "email": email, "metadata": metadata, "roles": []}
        shot = found.setdefault(key, ObjectState(name, holds))
        if role is not None:
            shot.holds["roles"].append(role)
    return found


def _roles(rows: Sequence[Row]) -> dict[int, ObjectState]:
    return {
        key: ObjectState(
            name,
            {"name": name, "description": text, "permissions": [str(each.name) for each in Permission(mask)]},
        )
        for key, name, text, mask in rows
    }


def _tokens(rows: Sequence[Row]) -> dict[int, ObjectState]:
    """Of the token itself no more than a list shows."""
    return {
        key: ObjectState(
            name,
            {
                "name": name,
                "prefix": prefix,
                "user": owner,
                "permissions": [str(each.name) for each in Permission(mask)],
                "isLimited": bool(is_limited),
                "expiresAt": format_instant(ends),
            },
        )
        for key, name, prefix, owner, mask, is_limited, ends in rows
    }


def _plain(*words: str) -> Callable[[Sequence[Row]], dict[int, ObjectState]]:
    """The columns by these words; the first one is the name."""
    return lambda rows: {row[0]: ObjectState(row[1], dict(zip(words, row[1:], strict=True))) for row in rows}


def _orgs(rows: Sequence[Row]) -> dict[int, ObjectState]:
    return {
        key: ObjectState(
            slug,
            {"slug": slug, "name": name, "description": text, "isPublic": bool(public), "owner": owner},
            _owned(owner_id, owner, slug),
        )
        for key, slug, name, text, public, owner, owner_id in rows
    }


def _owned(owner_id: int | None, owner: str, name: str) -> frozenset[LinkEnd]:
    """It shows in the user whose it is, if it is somebody's."""
    return frozenset() if owner_id is None else frozenset([LinkEnd((USER, owner_id), owner, "owns", name)])


_ABOUT_A_RESOURCE = ("slug", "type", "name", "description", "metadata", "owner", "sizeBytes")


def _resources(rows: Sequence[Row]) -> dict[int, ObjectState]:
    found = {}
    for key, *row, reason, owner_id, org_id, org_slug, path in rows:
        holds = dict(zip(_ABOUT_A_RESOURCE, row, strict=True))
        holds["lock"] = None if reason is None else {"reason": reason}
        kept = LinkEnd((ORG, org_id), org_slug, "resources", row[0])
        found[key] = ObjectState(row[0], holds, _owned(owner_id, holds["owner"], path) | {kept})
    return found


load_users = StateLoader(
    _those(User, User.user_name, User.email, User.details, Role.name)
    .outerjoin(UserRole, col(UserRole.user_id) == col(User.id))
    .outerjoin(Role, col(Role.id) == col(UserRole.role_id))
    .order_by(col(User.id), col(Role.name_key)),
    _users,
)
load_roles = StateLoader(_those(Role, Role.name, Role.description, Role.permissions), _roles)
load_orgs = StateLoader(
    _those(Org, Org.slug, Org.name, Org.description, Org.is_public, User.user_name, User.id).outerjoin(
        User, col(User.id) == col(Org.owner_id)
    ),
    _orgs,
)
load_groups = StateLoader(
    _those(Group, Group.slug, Group.display_name, Group.description, Group.members_seen_by),
    _plain("slug", "displayName", "description", "membersSeenBy"),
)
load_resources = StateLoader(
    _those(
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
    _resources,
)
load_resource_types = StateLoader(
    _those(ResourceType, ResourceType.name, ResourceType.has_data), _plain("name", "hasData")
)
load_api_tokens = StateLoader(
    _those(
        ApiToken,
        ApiToken.name,
        ApiToken.prefix,
        User.user_name,
        ApiToken.permissions,
        ApiToken.is_limited,
        ApiToken.expires_at,
    ).join(User, col(User.id) == col(ApiToken.user_id)),
    _tokens,
)


def _ends(kind: str, at: tuple[int, str], word: str, user: tuple[int, str], its: str) -> tuple[LinkEnd, LinkEnd]:
    """A membership shows in what one is a member of and in the user."""
    return LinkEnd((kind, at[0]), at[1], word, user[1]), LinkEnd((USER, user[0]), user[1], its, at[1])


def _org_member(row: Row) -> AuditLink:
    org, user, slug, name, level, end = row
    holds = {"level": MemberLevel(level).name, "expiresAt": format_instant(end)}
    return AuditLink(_ends(ORG, (org, slug), "members", (user, name), "orgs"), holds)


def _group_member(row: Row) -> AuditLink:
    group, user, slug, name, is_manager, end = row
    holds = {"isManager": bool(is_manager), "expiresAt": format_instant(end)}
    return AuditLink(_ends(GROUP, (group, slug), "members", (user, name), "groups"), holds)


def _grant(row: Row) -> AuditLink:
    """A grant shows in the resource and, if there is one, in the group or the user whose it is."""
    resource, subject, slug, path, group, user, mask, end = row
    holds = {
        "roles": [name for bit, name in resource_roles.NAMES.items() if mask & bit],
        "expiresAt": format_instant(end),
    }
    kind, key, name = (
        resource_roles.subject_type(subject),
        resource_roles.subject_key(subject),
        user if group is None else group,
    )
    entry = kind.name.lower() if name is None else f"{kind.name.lower()}:{name}"
    sides = [LinkEnd((RESOURCE, resource), slug, "access", entry)]
    if name is not None:
        sides.append(LinkEnd((GROUP if kind is SubjectType.GROUP else USER, key), name, "access", path))
    return AuditLink(tuple(sides), holds)


def _link_rows(of: Any, to: Any, *columns: Any) -> Select[Any]:
    return select(col(of), col(to), *map(col, columns))


ORG_MEMBERS = LinkKind(
    ORG,
    _link_rows(OrgMember.org_id, OrgMember.user_id, Org.slug, User.user_name, OrgMember.level, OrgMember.expires_at)
    .join(Org, col(Org.id) == col(OrgMember.org_id))
    .join(User, col(User.id) == col(OrgMember.user_id)),
    col(OrgMember.org_id),
    col(OrgMember.user_id),
    _org_member,
)
GROUP_MEMBERS = LinkKind(
    GROUP,
    _link_rows(
        GroupMember.group_id,
        GroupMember.user_id,
        Group.slug,
        User.user_name,
        GroupMember.is_manager,
        GroupMember.expires_at,
    )
    .join(Group, col(Group.id) == col(GroupMember.group_id))
    .join(User, col(User.id) == col(GroupMember.user_id)),
    col(GroupMember.group_id),
    col(GroupMember.user_id),
    _group_member,
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
    _grant,
)
"""Of resources to subjects, see `masks.subject`."""
