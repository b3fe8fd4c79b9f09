"""Comparison of an account's access with the viewer's, before the viewer acts as that account."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, false, or_, select

from app.db.tables import Access, GroupMember, Org, OrgMember, Resource, RowId, aliased, col
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Permission, Viewer
from app.policy.conditions import earlier, is_valid_until
from app.policy.effective_subjects import subject_id, viewer_subjects
from app.policy.orgs import manages_all_orgs
from app.policy.resources import bit_or, roles_sql, row_roles_sql, transfers_resource
from app.query.relations import VIEWER_ID

_ACCOUNT = bindparam("account", type_=RowId())


def compares_access(viewer: Viewer) -> bool:
    """Return whether an account can have access that the viewer's permissions do not already imply."""
    required = Permission.ORGS_MANAGE | Permission.GROUPS_MANAGE | Permission.RESOURCES_MANAGE
    return viewer.permissions & required != required


def holds_more(viewer: Viewer) -> Select[Any]:
    """Return a statement for one Boolean: the bound `account` has access that the viewer lacks or loses earlier."""
    return select(has_more_than_viewer(viewer, _ACCOUNT))


def has_more_than_viewer(viewer: Viewer, account: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that a user has access that the viewer lacks or loses earlier."""
    return or_(_in_orgs(viewer, account), _in_groups(viewer, account), _on_resources(viewer, account))


def _in_orgs(viewer: Viewer, account: ColumnElement[Any]) -> ColumnElement[bool]:
    if manages_all_orgs(viewer):
        return false()
    owned, mine_too, member, mine_ = aliased(Org), aliased(Org), aliased(OrgMember), aliased(OrgMember)
    owns_it = exists().where(col(mine_too.id) == col(member.org_id), col(mine_too.owner_id) == VIEWER_ID)
    is_in_it = exists().where(
        col(mine_.org_id) == col(member.org_id),
        col(mine_.user_id) == VIEWER_ID,
        col(mine_.level) >= col(member.level),
        _lasts_as_long(mine_, member),
    )
    alone = ~or_(owns_it.correlate_except(mine_too), is_in_it.correlate_except(mine_))
    owns_one = exists().where(col(owned.owner_id) == account).correlate_except(owned)
    is_in_one = exists().where(col(member.user_id) == account, is_valid_until(member.expires_at), alone)
    return or_(owns_one, is_in_one.correlate_except(member))


def _in_groups(viewer: Viewer, account: ColumnElement[Any]) -> ColumnElement[bool]:
    if Permission.GROUPS_MANAGE in viewer.permissions:
        return false()
    member, mine_ = aliased(GroupMember), aliased(GroupMember)
    is_in_it = exists().where(
        col(mine_.group_id) == col(member.group_id),
        col(mine_.user_id) == VIEWER_ID,
        or_(col(mine_.is_manager), ~col(member.is_manager)),
        _lasts_as_long(mine_, member),
    )
    alone = ~is_in_it.correlate_except(mine_)
    belongs = exists().where(col(member.user_id) == account, is_valid_until(member.expires_at), alone)
    return belongs.correlate_except(member)


def _lasts_as_long(mine_: Any, member: Any) -> ColumnElement[bool]:
    return and_(is_valid_until(mine_.expires_at), _ends_no_earlier(col(mine_.expires_at), col(member.expires_at)))


def _ends_no_earlier(end: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(end.is_(None), and_(other.is_not(None), end >= other))


def _on_resources(viewer: Viewer, account: ColumnElement[Any]) -> ColumnElement[bool]:
    if Permission.RESOURCES_MANAGE in viewer.permissions:
        return false()
    entry, own, subjects = aliased(Access), aliased(Access), viewer_subjects(viewer)
    end = earlier(col(own.expires_at), subjects.c.until)
    as_long = select(bit_or(roles_sql(subjects, own))).select_from(row_roles_sql(own, subjects))
    as_long = as_long.where(
        col(own.resource_id) == col(entry.resource_id), _ends_no_earlier(end, col(entry.expires_at))
    )
    common = col(entry.mask).op("&")(as_long.correlate_except(own, subjects).scalar_subquery())
    return or_(
        exists().where(col(Resource.owner_id) == account, ~transfers_resource(viewer)).correlate_except(Resource),
        exists()
        .where(
            col(entry.subject) == subject_id(SubjectType.USER, account),
            is_valid_until(entry.expires_at),
            common != col(entry.mask),
        )
        .correlate_except(entry),
    )
