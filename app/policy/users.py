"""Visibility of users, their details and their system roles."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    exists,
    false,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from app.db.tables import Access, GroupMember, Org, OrgMember, User, aliased, col
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import Permission, Viewer
from app.policy.conditions import asks_about_everybody, is_valid_until, signed_in
from app.policy.effective_subjects import subject_id, viewer_subjects
from app.policy.groups import groups_of
from app.policy.orgs import my_orgs, sees_all_orgs
from app.policy.resources import holds_access, roles_sql, sees_resource
from app.policy.token_scope import scope_includes_org
from app.query.relations import VIEWER_ID

_SEES_ALL_USERS = Permission.USERS_VIEW | Permission.USERS_MANAGE


def sees_all_users(viewer: Viewer) -> bool:
    """Return whether the viewer sees all details of every user; USERS_MANAGE includes USERS_VIEW."""
    return viewer.holds_any(_SEES_ALL_USERS)


def sees_registry_administrators(viewer: Viewer) -> bool:
    """Return whether the viewer may learn which users hold RESOURCES_MANAGE."""
    return sees_all_users(viewer) or asks_about_everybody(viewer)


def knows_user(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for seeing a user: the viewer, members of their orgs and groups, visible owners."""
    if sees_all_users(viewer):
        return true()
    user = col(User.id)
    in_group = false() if viewer.is_limited else user.in_(_members_of_my_groups())
    return or_(user == VIEWER_ID, user.in_(_members_of_my_orgs(viewer)), in_group, _owns_what_is_seen(viewer))


def _members_of_my_orgs(viewer: Viewer) -> CompoundSelect[Any]:
    person, owned = aliased(OrgMember), aliased(Org)
    return union_all(
        select(col(person.user_id)).where(col(person.org_id).in_(my_orgs(viewer)), is_valid_until(person.expires_at)),
        select(col(owned.owner_id)).where(col(owned.id).in_(my_orgs(viewer)), col(owned.owner_id).is_not(None)),
    )


def _members_of_my_groups() -> Select[Any]:
    member = aliased(GroupMember)
    return select(col(member.user_id)).where(
        col(member.group_id).in_(groups_of(VIEWER_ID)), is_valid_until(member.expires_at)
    )


def _owns_what_is_seen(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the user of the row owns an org or a resource that the viewer sees.

    It is a scalar subquery with LIMIT 1 that tests each resource alone. For EXISTS, PostgreSQL first collects all
    matching rows; for a join, it scans all resources that the viewer sees.
    """
    owned, own = aliased(Org), aliased(Access)
    is_open = true() if sees_all_orgs(viewer) else col(owned.is_public)
    org = _any(col(owned.owner_id) == col(User.id), is_open, scope_includes_org(viewer, owned.id))
    return or_(
        org,
        _any(col(own.subject) == subject_id(SubjectType.OWNER, col(User.id)), sees_resource(viewer, own.resource_id)),
    )


def _any(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether a row matches for the user of the outer row."""
    one: Any = literal_column("1")
    rows: Select[Any] = select(one).where(*conditions).correlate(User)
    return rows.limit(one).scalar_subquery().is_not(None)


_FINDS_EVERYBODY = (
    Permission.ORGS_MANAGE | Permission.GROUPS_MANAGE | Permission.RESOURCES_MANAGE | Permission.ACCESS_VIEW
)


def finds_everybody(viewer: Viewer) -> bool:
    """Return whether the viewer's permissions let them find every user by name."""
    return sees_all_users(viewer) or viewer.holds_any(_FINDS_EVERYBODY)


def finds_user(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for finding a user by exact name: any user for viewers who manage something."""
    if finds_everybody(viewer):
        return true()
    manager, unless_limited = aliased(GroupMember), false() if viewer.is_limited else true()
    manages_group = exists().where(
        col(manager.user_id) == VIEWER_ID, col(manager.is_manager), is_valid_until(manager.expires_at), unless_limited
    )
    entry, subjects = aliased(Access), viewer_subjects(viewer)
    return or_(
        knows_user(viewer),
        my_orgs(viewer, MemberLevel.ADMIN).exists(),
        manages_group,
        select(literal_column("1"))
        .where(
            subjects.c.subject > resource_roles.GENERAL,
            holds_access(subjects, entry),
            roles_sql(subjects, entry).op("&")(resource_roles.ADMIN) != 0,
        )
        .exists(),
    )


def sees_user_details(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for seeing e-mail, metadata, roles and last login: the viewer, or all users."""
    return true() if sees_all_users(viewer) else col(User.id) == VIEWER_ID


def sees_role(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the viewer is signed in, since all users see the names of roles."""
    return signed_in(viewer)


def sees_holders(viewer: Viewer) -> ColumnElement[bool]:
    """Return true if the viewer may see the users of a role, else false."""
    return true() if sees_all_users(viewer) else false()
