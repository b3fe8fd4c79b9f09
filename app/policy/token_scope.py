"""The scope of a limited API token: its orgs with all their resources, and single resources."""

from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, or_, select, true, union_all

from app.db.tables import ApiTokenOrg, ApiTokenResource, Resource, RowId, aliased, col
from app.domain.viewer import Viewer

TOKEN = bindparam("token_id", type_=RowId())
"""The id of the viewer's API token, bound like the id of the viewer."""


def scope_includes_org(viewer: Viewer, org: Any) -> ColumnElement[bool]:
    """Return the condition that the org is in the scope of the viewer's token; true unless it is limited."""
    if not viewer.is_limited:
        return true()
    limit = aliased(ApiTokenOrg)
    return _has_limit(limit, col(limit.org_id) == col(org))


def scope_includes_resource(resource: Any) -> ColumnElement[bool]:
    """Return the condition that the resource is in the scope of a limited token, tested for each row."""
    limit, org, row = aliased(ApiTokenResource), aliased(ApiTokenOrg), aliased(Resource)
    in_org = exists().where(
        col(row.id) == col(resource), col(org.org_id) == col(row.org_id), col(org.token_id) == TOKEN
    )
    return or_(_has_limit(limit, col(limit.resource_id) == col(resource)), in_org.correlate_except(row, org))


def _has_limit(limit: Any, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(col(limit.token_id) == TOKEN, matches).correlate_except(limit)


def is_in_token_scope(resource: Any) -> ColumnElement[bool]:
    """Return the same condition for lists, as a subquery that starts at the few objects in the scope of the token."""
    limit, org, row = aliased(ApiTokenResource), aliased(ApiTokenOrg), aliased(Resource)
    in_scope = union_all(
        select(col(limit.resource_id)).where(col(limit.token_id) == TOKEN),
        select(col(row.id)).where(col(row.org_id) == col(org.org_id), col(org.token_id) == TOKEN),
    )
    return col(resource).in_(in_scope)
