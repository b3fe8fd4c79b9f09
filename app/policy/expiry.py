"""Expiry of the viewer's administration of an object; access that the viewer grants must not outlast it.

Each function requires a row that the viewer administers. Null means no expiry, as for permissions and ownership.
"""

from typing import Any

from sqlalchemy import ColumnElement, case, cast, func, literal_column, null, select, type_coerce

from app.db.tables import Access, Group, GroupMember, Org, OrgMember, Resource, UTCDateTime, aliased, col
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission, Viewer
from app.policy.conditions import earlier, is_valid_until
from app.policy.effective_subjects import viewer_subjects
from app.policy.orgs import manages_all_orgs
from app.policy.resources import administered, roles_sql, row_roles_sql
from app.query.relations import VIEWER_ID

_NO_END = cast(null(), UTCDateTime)


def manages_org_until(viewer: Viewer) -> ColumnElement[Any]:
    """Return the expiry of the membership through which the viewer manages the org of the row."""
    if manages_all_orgs(viewer):
        return _NO_END
    member = aliased(OrgMember)
    end = (
        select(col(member.expires_at))
        .where(col(member.org_id) == col(Org.id), col(member.user_id) == VIEWER_ID, is_valid_until(member.expires_at))
        .where(col(member.level) >= int(MemberLevel.ADMIN))
        .correlate_except(member)
        .scalar_subquery()
    )
    return case((col(Org.owner_id) == VIEWER_ID, _NO_END), else_=end)


def manages_group_until(viewer: Viewer) -> ColumnElement[Any]:
    """Return the expiry of the membership through which the viewer manages the group of the row."""
    if Permission.GROUPS_MANAGE in viewer.permissions:
        return _NO_END
    member = aliased(GroupMember)
    return (
        select(col(member.expires_at))
        .where(col(member.group_id) == col(Group.id), col(member.user_id) == VIEWER_ID, col(member.is_manager))
        .correlate_except(member)
        .scalar_subquery()
    )


def administers_resource_until(viewer: Viewer) -> ColumnElement[Any]:
    """Return the latest expiry of all paths that give the viewer ADMIN on the resource of the row."""
    if Permission.RESOURCES_MANAGE in viewer.permissions:
        return _NO_END
    entry, subjects = aliased(Access), viewer_subjects(viewer)
    end = earlier(col(entry.expires_at), subjects.c.until)
    is_endless = func.max(case((end.is_(None), literal_column("1")), else_=literal_column("0"))) == literal_column("1")
    last = case((is_endless, _NO_END), else_=type_coerce(func.max(end), UTCDateTime()))
    latest = select(last).select_from(row_roles_sql(entry, subjects))
    latest = latest.where(col(entry.resource_id) == col(Resource.id), administered(roles_sql(subjects, entry)))
    return type_coerce(latest.correlate_except(entry, subjects).scalar_subquery(), UTCDateTime())
