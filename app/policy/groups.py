"""Who sees a group, its members, and changes them."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    exists,
    false,
    select,
    true,
)
from sqlalchemy.orm import aliased

from app.auth import Permission, Viewer
from app.policy.common import lasts, signed_in
from app.sources import ME
from app.tables import Group, GroupMember, col


def groups_of(user: Any) -> Select[Any]:
    """The ids of groups that somebody belongs to."""
    member = aliased(GroupMember)
    return (
        select(col(member.group_id))
        .where(col(member.user_id) == user, lasts(member.expires_at))
        .correlate_except(member)
    )


def sees_group(viewer: Viewer) -> ColumnElement[bool]:
    """Every signed-in user sees the names of groups: the picker needs them."""
    return signed_in(viewer)


def sees_group_members(viewer: Viewer) -> ColumnElement[bool]:
    """Members are seen by members. A group is no thing that a limited token is good for."""
    if viewer.is_limited:
        return false()
    if Permission.GROUPS_MANAGE in viewer.permissions:
        return true()
    return col(Group.id).in_(groups_of(ME))


def manages_group_members(viewer: Viewer) -> ColumnElement[bool]:
    """A group's managers change who belongs to it."""
    if viewer.is_limited:
        return false()
    if Permission.GROUPS_MANAGE in viewer.permissions:
        return true()
    member = aliased(GroupMember)
    return exists().where(
        col(member.group_id) == col(Group.id),
        col(member.user_id) == ME,
        col(member.is_manager),
        lasts(member.expires_at),
    )


def group_membership_lasts(viewer: Viewer) -> ColumnElement[bool]:
    """A membership of a group that has not ended."""
    return lasts(GroupMember.expires_at)
