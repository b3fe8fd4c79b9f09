"""Until when a viewer administers a thing: access that they give ends no later. Null is without an end.

Each function holds for a row that the viewer administers; a permission and ownership have no end.
"""

from typing import Any

from sqlalchemy import ColumnElement, case, cast, func, literal_column, null, select, type_coerce
from sqlalchemy.orm import aliased

from app.db.tables import Access, Group, GroupMember, Org, OrgMember, Resource, UTCDateTime, col
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission, Viewer
from app.policy.conditions import earlier, is_valid_until
from app.policy.effective_subjects import viewer_subjects
from app.policy.orgs import manages_all_orgs
from app.policy.resources import administered, roles_sql, row_roles_sql
from app.query.relations import VIEWER_ID

_NO_END = cast(null(), UTCDateTime)


def manages_org_until(viewer: Viewer) -> ColumnElement[Any]:
    """The end of the membership by which the viewer manages the org of the row."""
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
    """The end of the membership by which the viewer manages the members of the group of the row."""
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
    """The last end among all the grants and memberships that give the viewer ADMIN on the resource of the row."""
    if Permission.RESOURCES_MANAGE in viewer.permissions:
        return _NO_END
    entry, acting = aliased(Access), viewer_subjects(viewer)
    end = earlier(col(entry.expires_at), acting.c.until)
    is_endless = func.max(case((end.is_(None), literal_column("1")), else_=literal_column("0"))) == literal_column("1")
    last = case((is_endless, _NO_END), else_=type_coerce(func.max(end), UTCDateTime()))
    found = select(last).select_from(row_roles_sql(entry, acting))
    here = found.where(col(entry.resource_id) == col(Resource.id), administered(roles_sql(acting, entry)))
    return type_coerce(here.correlate_except(entry, acting).scalar_subquery(), UTCDateTime())
