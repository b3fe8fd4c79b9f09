"""Roles on resources, computed from the access index, and the conditions that follow from them."""

from dataclasses import replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    cast,
    exists,
    literal_column,
    null,
    or_,
    select,
    true,
)

from app.db.tables import Access, Grant, Group, Org, OrgMember, Resource, RowId, User, aliased, col, from_of
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import Permission, Viewer
from app.policy.conditions import (
    BitOr,
    OrderedJoin,
    Unindexed,
    asks_about_everybody,
    earlier,
    is_valid_until,
    sees_all_resources,
)
from app.policy.effective_subjects import LIMITED_TOKEN_SUBJECTS, subject_key_sql, subject_type_sql, viewer_subjects
from app.policy.groups import sees_group_members
from app.policy.orgs import deletes_org, sees_org, sees_org_members
from app.policy.token_scope import is_in_token_scope, scope_includes_resource
from app.query.relations import VIEWER_ID


def _manages_all_resources(viewer: Viewer) -> bool:
    return Permission.RESOURCES_MANAGE in viewer.permissions


def holds_access(subjects: FromClause, access: Any) -> ColumnElement[bool]:
    """Return the condition that an unexpired index entry in the token scope applies to a row of `subjects`."""
    return _holds_as(col(access.subject), subjects, access)


def _holds_as(subject: ColumnElement[Any], subjects: FromClause, access: Any) -> ColumnElement[bool]:
    in_scope = scope_includes_resource(access.resource_id) if subjects in LIMITED_TOKEN_SUBJECTS else true()
    return and_(subject == subjects.c.subject, is_valid_until(access.expires_at), in_scope)


def row_roles_sql(entry: Any, subjects: FromClause) -> FromClause:
    """Return the index entries joined to the effective subjects that they apply to.

    The entries are the outer loop: a resource has few of them, while a user can have hundreds of subjects.
    """
    return OrderedJoin(from_of(entry), subjects, _holds_as(Unindexed(col(entry.subject)), subjects, entry))


def roles_sql(subjects: FromClause, access: Any) -> ColumnElement[Any]:
    """Return the effective roles that an index entry gives to a row of `subjects`, limited by its cap."""
    roles: ColumnElement[Any] = col(access.mask).op("&")(subjects.c.cap)
    return roles


def bit_or(mask: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the union of the masks of many rows; 0 without rows."""
    return BitOr(mask)


def deletes_in_org(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the viewer's org level permits deleting the resource, without regard to token scope."""
    return exists().where(col(Org.id) == col(Resource.org_id), deletes_org(replace(viewer, is_limited=False)))


def transfers_resource(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for transferring the resource: its owner, or the owner or an ADMIN of its org.

    A grant does not suffice, nor does a membership that expires, since ownership has no expiry.
    """
    if _manages_all_resources(viewer):
        return true()
    owned, member = aliased(Org), aliased(OrgMember)
    owns_org = exists().where(col(owned.id) == col(Resource.org_id), col(owned.owner_id) == VIEWER_ID)
    is_admin = exists().where(
        col(member.org_id) == col(Resource.org_id),
        col(member.user_id) == VIEWER_ID,
        col(member.level) >= int(MemberLevel.ADMIN),
        col(member.expires_at).is_(None),
    )
    return or_(col(Resource.owner_id) == VIEWER_ID, owns_org.correlate_except(owned), is_admin.correlate_except(member))


def sees_org_of_resource(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the viewer sees the org of the resource; a role on the resource does not suffice."""
    return exists().where(col(Org.id) == col(Resource.org_id), sees_org(viewer)).correlate(Resource)


def effective_mask(viewer: Viewer) -> ColumnElement[Any]:
    """Return the viewer's effective roles on the resource of the row."""
    if _manages_all_resources(viewer):
        return _every_role(viewer)
    entry, subjects = aliased(Access), viewer_subjects(viewer)
    return _select_entries(entry, subjects, bit_or(roles_sql(subjects, entry))).scalar_subquery()


def granted_mask(viewer: Viewer) -> ColumnElement[Any]:
    """Return the viewer's granted roles on the resource of the row, without implied roles."""
    if _manages_all_resources(viewer):
        return _every_role(viewer)
    entry, subjects = aliased(Access), viewer_subjects(viewer)
    return _select_entries(entry, subjects, bit_or(granted_sql(subjects, entry))).scalar_subquery()


def _every_role(viewer: Viewer) -> ColumnElement[Any]:
    """Return the complete mask of the resource, which RESOURCES_MANAGE implies within the scope of the token."""
    full = col(Resource.full_mask)
    return case((scope_includes_resource(Resource.id), full), else_=literal_column("0")) if viewer.is_limited else full


def administered(mask: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that a mask contains ADMIN; equals `administers_resource` for the viewer's mask."""
    condition: ColumnElement[bool] = mask.op("&")(literal_column(str(resource_roles.ADMIN), Integer)) != 0
    return condition


def granted_sql(subjects: FromClause, access: Any) -> ColumnElement[Any]:
    """Return the roles as granted by an index entry to a row of `subjects`, limited by its cap."""
    roles: ColumnElement[Any] = col(access.granted).op("&")(subjects.c.cap)
    return roles


def _has_role(viewer: Viewer, roles: int, key: Any = Resource.id) -> ColumnElement[bool]:
    """Return the condition that the viewer has one of the roles on the resource.

    It is a scalar subquery with LIMIT 1, since PostgreSQL may evaluate EXISTS by first collecting all resources of the
    viewer.
    """
    if _manages_all_resources(viewer) and roles & resource_roles.NON_DATA:  # every type has those
        return scope_includes_resource(key) if viewer.is_limited else true()
    entry, subjects = aliased(Access), viewer_subjects(viewer)
    one: Any = literal_column("1")
    has_role = roles_sql(subjects, entry).op("&")(literal_column(str(roles), Integer)) != 0
    return _select_entries(entry, subjects, one, key).where(has_role).limit(one).scalar_subquery().is_not(None)


def _select_entries(
    entry: Any, subjects: FromClause, column: ColumnElement[Any], key: Any = Resource.id
) -> Select[Any]:
    """Select a column of the index entries of a resource that apply to the subjects."""
    entries = select(column).select_from(row_roles_sql(entry, subjects)).where(col(entry.resource_id) == col(key))
    return entries.correlate_except(entry, subjects)


def sees_resource(viewer: Viewer, key: Any = Resource.id) -> ColumnElement[bool]:
    """Return the condition that the viewer sees the resource: any role on it, or RESOURCES_VIEW."""
    if sees_all_resources(viewer):
        return scope_includes_resource(key) if viewer.is_limited else true()
    return _has_role(viewer, resource_roles.METADATA_READ, key)


def lists_resources_by_table(viewer: Viewer) -> bool:
    """Return whether lists read the table: the viewer sees all resources, or the token scope limits them to few."""
    return viewer.is_limited or sees_all_resources(viewer)


def lists_resource(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for listing a resource from the table."""
    return and_(is_in_token_scope(Resource.id) if viewer.is_limited else true(), sees_resource(viewer))


def administers_resource(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for changing the access configuration, locking and unlocking."""
    return _has_role(viewer, resource_roles.ADMIN)


def sees_configuration(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for seeing the access configuration: ADMIN, or a permission to see every resource."""
    return sees_resource(viewer) if sees_all_resources(viewer) else administers_resource(viewer)


def sees_accessors(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for listing the subjects with access to the resource: ADMIN, or ACCESS_VIEW."""
    if asks_about_everybody(viewer):
        return scope_includes_resource(Resource.id) if viewer.is_limited else true()
    return administers_resource(viewer)


def may_ask_of_user(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for querying the access of a user: the viewer themselves, or ACCESS_VIEW."""
    return true() if asks_about_everybody(viewer) else col(User.id) == VIEWER_ID


def lists_reached(viewer: Viewer, key: Any = Resource.id) -> ColumnElement[bool]:
    """Return the condition for listing a resource that a user has access to: with ACCESS_VIEW, the viewer sees it too.

    Without ACCESS_VIEW the user is the viewer, who sees every resource that they have access to.
    """
    return sees_resource(viewer, key) if asks_about_everybody(viewer) else true()


def sees_user_grant(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for seeing a grant to a user among the grants of that user.

    The viewer sees the resource, and they are the user, may query the access of everybody, or see its configuration.
    """
    if sees_all_resources(viewer) or asks_about_everybody(viewer):
        return sees_resource(viewer)
    is_own = and_(col(Grant.user_id) == VIEWER_ID, sees_resource(viewer))
    return or_(is_own, administers_resource(viewer))


def members_are_seen(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the viewer sees the members of the org and of every group with a grant on the resource.

    Only then do the users with access reveal no hidden membership. Empty and expired grants count too.
    """
    hidden = exists().where(
        col(Grant.resource_id) == col(Resource.id), col(Group.id) == col(Grant.group_id), ~sees_group_members(viewer)
    )
    org = exists().where(col(Org.id) == col(Resource.org_id), sees_org_members(viewer))
    return and_(~hidden.correlate(Resource), org.correlate(Resource))


def viewer_entries(viewer: Viewer) -> FromClause:
    """Return the index entries joined to the viewer's effective subjects."""
    return row_roles_sql(Access, viewer_subjects(viewer))


def is_current_entry(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that an entry of the access index has not expired and gives a role to its subject."""
    return and_(is_valid_until(Access.expires_at), col(Access.mask) != 0)


def gives_roles(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that an entry gives the viewer at least one role."""
    return roles_sql(viewer_subjects(viewer), Access) != 0


def path_roles(viewer: Viewer) -> ColumnElement[Any]:
    """Return the effective roles that the viewer receives through an entry."""
    return roles_sql(viewer_subjects(viewer), Access)


def path_granted_roles(viewer: Viewer) -> ColumnElement[Any]:
    """Return the roles that the viewer receives through an entry, as granted."""
    return granted_sql(viewer_subjects(viewer), Access)


def path_level(viewer: Viewer) -> ColumnElement[Any]:
    """Return the viewer's level in the org for an entry of the org, else null."""
    return viewer_subjects(viewer).c.level


def path_expiry(viewer: Viewer) -> ColumnElement[Any]:
    """Return the earlier expiry of the entry and of the viewer's membership."""
    return earlier(col(Access.expires_at), viewer_subjects(viewer).c.until)


_SUBJECT: Any = col(Access.subject)

path_group = case(
    (
        subject_type_sql(_SUBJECT) == literal_column(str(int(SubjectType.GROUP)), BigInteger),
        cast(subject_key_sql(_SUBJECT), RowId),
    ),
    else_=cast(null(), RowId),
)
"""The id of the group for an entry of a group, else null."""
