"""Visibility and management of groups and their members."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, true

from app.db.tables import Group, GroupMember, MembersSeenBy, aliased, col
from app.domain.viewer import Permission, Viewer
from app.policy.conditions import is_valid_until, signed_in
from app.query.relations import VIEWER_ID

SIGNED_IN = MembersSeenBy.SIGNED_IN.value


def groups_of(user: Any) -> Select[Any]:
    """Return the ids of the groups that a user belongs to, without expired memberships."""
    member = aliased(GroupMember)
    return (
        select(col(member.group_id))
        .where(col(member.user_id) == user, is_valid_until(member.expires_at))
        .correlate_except(member)
    )


def sees_group(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the viewer is signed in: every user can choose a group by its name."""
    return signed_in(viewer)


_SEES_ALL_MEMBERS = Permission.GROUPS_VIEW | Permission.GROUPS_MANAGE


def sees_all_group_members(viewer: Viewer) -> bool:
    """Return whether the viewer sees the members of every group."""
    return viewer.holds_any(_SEES_ALL_MEMBERS) and not viewer.is_limited


def sees_group_members(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for seeing a group's members: membership, or `members_seen_by`; false for limited tokens."""
    if viewer.is_limited:
        return false()
    if sees_all_group_members(viewer):
        return true()
    return or_(and_(signed_in(viewer), col(Group.members_seen_by) == SIGNED_IN), is_my_group(viewer))


def is_my_group(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the viewer belongs to the group of the row."""
    return col(Group.id).in_(groups_of(VIEWER_ID))


def sees_who_added(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for seeing who added a member: the viewer belongs to the group; false for limited tokens."""
    if viewer.is_limited:
        return false()
    return true() if sees_all_group_members(viewer) else col(GroupMember.group_id).in_(groups_of(VIEWER_ID))


def number_of_members(group: Any) -> ColumnElement[Any]:
    """Return the number of current memberships of a group; deactivated users count, as they are listed too."""
    member = aliased(GroupMember)
    counted = (
        select(func.count()).select_from(member).where(col(member.group_id) == group, is_valid_until(member.expires_at))
    )
    return counted.correlate_except(member).scalar_subquery()


def number_of_group_members(viewer: Viewer) -> ColumnElement[Any]:
    """Return the number of members of the group of the row."""
    return number_of_members(col(Group.id))


def sees_group_membership(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for a current membership: the viewer's own, or in a group whose members they see."""
    return and_(
        is_valid_until(GroupMember.expires_at), or_(col(GroupMember.user_id) == VIEWER_ID, sees_group_members(viewer))
    )


def manages_group_members(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the viewer manages the group of the row."""
    if viewer.is_limited:
        return false()
    if Permission.GROUPS_MANAGE in viewer.permissions:
        return true()
    member = aliased(GroupMember)
    return exists().where(
        col(member.group_id) == col(Group.id),
        col(member.user_id) == VIEWER_ID,
        col(member.is_manager),
        is_valid_until(member.expires_at),
    )


def group_membership_lasts(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that a group membership has not expired."""
    return is_valid_until(GroupMember.expires_at)
