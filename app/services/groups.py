"""Groups and their members: creating, changing and deleting them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, delete, insert, select

from app import policy
from app.db import Transaction, UniqueViolation
from app.db.tables import Group, MembersSeenBy, RowId, col, sort_key
from app.domain import resource_roles
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Problem
from app.domain.refs import RowRef
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Permission, Viewer
from app.query.relations import among, flag_sql, integers
from app.services import access_index, audit, expiry, members, row_locks, users, validation


@dataclass(frozen=True, slots=True)
class GroupCreate:
    """A group to create, without members."""

    slug: str
    display_name: str
    description: str = ""
    members_seen_by: MembersSeenBy = MembersSeenBy.MEMBERS


@dataclass(frozen=True, slots=True)
class GroupUpdate:
    """New values of a group; None keeps the current one."""

    display_name: str | None = None
    description: str | None = None
    members_seen_by: MembersSeenBy | None = None

    @property
    def values(self) -> dict[str, Any]:
        """Return the columns to set."""
        seen_by = None if self.members_seen_by is None else self.members_seen_by.value
        columns = {"display_name": self.display_name, "description": self.description, "members_seen_by": seen_by}
        values: dict[str, Any] = {column: value for column, value in columns.items() if value is not None}
        return values if self.display_name is None else values | {"name_key": sort_key(self.display_name)}


@dataclass(frozen=True, slots=True)
class MemberUpdate:
    """New values of a membership; None keeps the current one. `is_endless` removes its end.

    `if_current` is the membership that the client has read; another one by now is a conflict.
    """

    expires_at: datetime | None = None
    is_manager: bool | None = None
    is_endless: bool = False
    if_current: members.MemberState | None = None


async def create_group(tx: Transaction, viewer: Viewer, new: GroupCreate) -> int:
    """Create a group without members and return its id; needs GROUPS_MANAGE."""
    policy.require(viewer, Permission.GROUPS_MANAGE)
    validation.raise_problems([*slug_problems(new.slug), *text_problems(new.display_name.strip(), new.description)])
    try:
        key = int(await tx.value(insert(Group).values(**row(tx, new)).returning(col(Group.id))))
    except UniqueViolation:
        raise slug_conflict(new.slug) from None
    audit.track_new(tx, audit.GROUP, [key])
    return key


def row(tx: Transaction, new: GroupCreate) -> dict[str, Any]:
    """Return the columns of a new group."""
    display_name = new.display_name.strip()
    return {
        "slug": new.slug,
        "display_name": display_name,
        "name_key": sort_key(display_name),
        "description": new.description,
        "members_seen_by": new.members_seen_by.value,
        "created_at": tx.now,
    }


def slug_problems(slug: str) -> Iterator[Problem]:
    """Yield the problems of a new group's slug."""
    return validation.slug_problems(slug, validation.RESERVED_GROUP_SLUGS)


def slug_conflict(slug: str) -> Problem:
    """Return the problem of a slug that another group has."""
    return Conflict(f"A group `{slug}` already exists. Choose another slug.", ("slug",))


async def update_group(tx: Transaction, viewer: Viewer, group: RowRef, changes: GroupUpdate) -> int:
    """Change the values that are not None and return the group's id; needs GROUPS_MANAGE."""
    policy.require(viewer, Permission.GROUPS_MANAGE)
    key = await load_managed(tx, viewer, group)
    await audit.require_current(tx, audit.GROUP, key)
    await audit.track(tx, audit.GROUP, [key])
    name = None if changes.display_name is None else changes.display_name.strip()
    validation.raise_problems(text_problems("-" if name is None else name, changes.description or ""))
    if values := GroupUpdate(name, changes.description, changes.members_seen_by).values:
        await tx.update(Group, key, values)
    return key


async def delete_group(tx: Transaction, viewer: Viewer, group: RowRef) -> tuple[int, int]:
    """Delete a group and its grants; needs GROUPS_MANAGE. Return its id and the number of its grants."""
    policy.require(viewer, Permission.GROUPS_MANAGE)
    key = await load_managed(tx, viewer, group)
    return key, await delete_rows(tx, [key])


async def delete_rows(tx: Transaction, ids: Sequence[int]) -> int:
    """Delete groups and their grants, and return the number of grants. The rows are locked."""
    subjects = [resource_roles.subject_id(SubjectType.GROUP, key) for key in ids]
    await audit.track(tx, audit.GROUP, ids)
    await audit.track_links(tx, audit.GROUP_MEMBERS, source=ids)
    await audit.track_links(tx, audit.GRANTS, target=subjects)
    revoked = await access_index.forget_subjects(tx, subjects)
    await tx.rows(delete(Group).where(among(col(Group.id), integers(ids))))
    return revoked


def text_problems(display_name: str, description: str) -> list[Problem]:
    """Return the problems of a group's name and description."""
    return [*validation.title_problems(display_name, "displayName"), *validation.description_problems(description)]


async def update_group_member(
    tx: Transaction, viewer: Viewer, group: RowRef, user: RowRef, changes: MemberUpdate
) -> tuple[int, int]:
    """Change the end of a membership, and whether the member manages the group. Return the ids of both.

    The viewer must manage the members, and neither a later end nor the right to manage lasts longer than their own.
    """
    key, until = await load_managed_until(tx, viewer, group)
    user_id, was_manager, old_end = member = await members.load(tx, viewer, members.GROUPS, key, user)
    members.require_current(member, changes.if_current)
    end = None if changes.is_endless else changes.expires_at or old_end
    is_manager = bool(was_manager) if changes.is_manager is None else changes.is_manager
    gives_more = expiry.is_later(end, old_end) or (is_manager and not was_manager)
    path = "clear" if changes.is_endless else "isManager" if changes.expires_at is None else "expiresAt"
    if changes.is_endless and changes.expires_at is not None:
        raise InvalidInput("Send either `expiresAt` or `clear: [EXPIRES_AT]`, not both.", ("expiresAt",))
    validation.raise_problems(
        [*validation.end_problems(end, tx.now), *(expiry.problems(end, until, (path,)) if gives_more else ())]
    )
    if (is_manager, end) == (bool(was_manager), old_end):
        audit.discard(tx)
        return key, user_id
    row = {"group_id": key, "user_id": user_id, "is_manager": is_manager, "expires_at": end}
    await members.write(tx, members.GROUPS, (), [row])
    return key, user_id


async def member_row(tx: Transaction, viewer: Viewer, key: int) -> dict[str, Any]:
    """Return the columns of a membership that the viewer adds, but the user and the end."""
    return {
        "group_id": key,
        "is_manager": False,
        "added_at": tx.now,
        "added_by": viewer.user_id or None,
        "added_by_name": await users.name_of(tx, viewer),
    }


async def load_managed(tx: Transaction, viewer: Viewer, group: RowRef) -> int:
    """Return the id of a group whose members the viewer manages. Its row stays locked until the transaction ends."""
    return (await load_managed_until(tx, viewer, group))[0]


async def load_managed_until(tx: Transaction, viewer: Viewer, group: RowRef) -> tuple[int, datetime | None]:
    """Return the id, and when the viewer's right to manage the members ends, None for never."""
    policy.require_signed_in(viewer)
    row = await row_locks.load_visible(tx, viewer, _LOCK, group, _select_visible(viewer.permission_profile))
    if row is None:
        raise NotFound("There is no such group.", ("group",))
    if not row[1]:
        raise Forbidden("Only managers of the group and users with GROUPS_MANAGE may change it.")
    return int(row[0]), row[2]


_LOCK = row_locks.select_locks(Group, "slug")


@cache
def _select_visible(viewer: Viewer) -> Select[Any]:
    is_manager = flag_sql(policy.manages_group_members(viewer))
    return select(col(Group.id), is_manager, policy.manages_group_until(viewer)).where(
        col(Group.id) == bindparam("key", type_=RowId()), policy.sees_group(viewer)
    )
