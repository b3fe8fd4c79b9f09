"""Who knows of a user, finds her, and sees her details; and roles."""

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
from sqlalchemy.orm import aliased

from app.db.tables import Access, GroupMember, Org, OrgMember, User, col
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import Permission, Viewer
from app.policy.conditions import asks_about_everybody, is_valid_until, signed_in
from app.policy.effective_subjects import subject, viewer_subjects
from app.policy.groups import groups_of
from app.policy.orgs import my_orgs, sees_all_orgs
from app.policy.resources import holds_access, roles_sql, sees_resource
from app.policy.token_scope import scope_includes_org
from app.query.relations import VIEWER_ID


def sees_all_users(viewer: Viewer) -> bool:
    """Whether she sees every user with everything about them. Who manages users sees them."""
    return bool(viewer.permissions & (Permission.USERS_VIEW | Permission.USERS_MANAGE))


def knows_registrars(viewer: Viewer) -> bool:
    """Return whether the viewer may be told who holds RESOURCES_MANAGE."""
    return sees_all_users(viewer) or asks_about_everybody(viewer)


def knows_user(viewer: Viewer) -> ColumnElement[bool]:
    """She herself, people of her orgs and groups, and whoever owns something that she sees."""
    if sees_all_users(viewer):
        return true()
    user = col(User.id)
    in_group = false() if viewer.is_limited else user.in_(_people_of_my_groups())
    return or_(user == VIEWER_ID, user.in_(_people_of_my_orgs(viewer)), in_group, _owns_what_is_seen(viewer))


def _people_of_my_orgs(viewer: Viewer) -> CompoundSelect[Any]:
    person, owned = aliased(OrgMember), aliased(Org)
    return union_all(
        select(col(person.user_id)).where(col(person.org_id).in_(my_orgs(viewer)), is_valid_until(person.expires_at)),
        select(col(owned.owner_id)).where(col(owned.id).in_(my_orgs(viewer)), col(owned.owner_id).is_not(None)),
    )


def _people_of_my_groups() -> Select[Any]:
    member = aliased(GroupMember)
    return select(col(member.user_id)).where(
        col(member.group_id).in_(groups_of(VIEWER_ID)), is_valid_until(member.expires_at)
    )


def _owns_what_is_seen(viewer: Viewer) -> ColumnElement[bool]:
    """Owns an org or a resource that the viewer sees.

    One is looked for, and not whether there is any, and each resource is judged by itself: PostgreSQL answers `EXISTS`
    here by collecting all that there are beforehand, and a join by walking through all that the viewer sees.
    """
    owned, own = aliased(Org), aliased(Access)
    is_open = true() if sees_all_orgs(viewer) else col(owned.is_public)
    org = _any(col(owned.owner_id) == col(User.id), is_open, scope_includes_org(viewer, owned.id))
    return or_(
        org, _any(col(own.subject) == subject(SubjectType.OWNER, col(User.id)), sees_resource(viewer, own.resource_id))
    )


def _any(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """There is a row that belongs to the user of the row."""
    one: Any = literal_column("1")
    found: Select[Any] = select(one).where(*conditions).correlate(User)
    return found.limit(one).scalar_subquery().is_not(None)


_FINDS_EVERYBODY = (
    Permission.ORGS_MANAGE | Permission.GROUPS_MANAGE | Permission.RESOURCES_MANAGE | Permission.ACCESS_VIEW
)


def finds_everybody(viewer: Viewer) -> bool:
    """Return whether permissions let the viewer find every user by name."""
    return sees_all_users(viewer) or bool(viewer.permissions & _FINDS_EVERYBODY)


def finds_user(viewer: Viewer) -> ColumnElement[bool]:
    """By exact user name, also everybody for those who ask about everybody, or manage an org, a group or a resource."""
    if finds_everybody(viewer):
        return true()
    manager, in_group = aliased(GroupMember), false() if viewer.is_limited else true()
    manages_group = exists().where(
        col(manager.user_id) == VIEWER_ID, col(manager.is_manager), is_valid_until(manager.expires_at), in_group
    )
    entry, acting = aliased(Access), viewer_subjects(viewer)
    return or_(
        knows_user(viewer),
        my_orgs(viewer, MemberLevel.ADMIN).exists(),
        manages_group,
        select(literal_column("1"))
        .where(
            acting.c.subject > resource_roles.GENERAL,
            holds_access(acting, entry),
            roles_sql(acting, entry).op("&")(resource_roles.ADMIN) != 0,
        )
        .exists(),
    )


def sees_user_details(viewer: Viewer) -> ColumnElement[bool]:
    """Whether she sees e-mail, metadata, roles and last login: her own, or everybody's."""
    return true() if sees_all_users(viewer) else col(User.id) == VIEWER_ID


def sees_role(viewer: Viewer) -> ColumnElement[bool]:
    """Roles are named to everybody who is signed in."""
    return signed_in(viewer)


def sees_holders(viewer: Viewer) -> ColumnElement[bool]:
    """Whether she sees who holds a role."""
    return true() if sees_all_users(viewer) else false()
