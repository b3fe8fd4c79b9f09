"""What a limited API token is good for: its orgs with all that is in them, and its resources."""

from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, or_, select, true, union_all
from sqlalchemy.orm import aliased

from app.db.tables import ApiTokenOrg, ApiTokenResource, Resource, RowId, col
from app.domain.viewer import Viewer

TOKEN = bindparam("token_id", type_=RowId())
"""The token by which the viewer asks; bound, as she is."""


def scope_includes_org(viewer: Viewer, org: Any) -> ColumnElement[bool]:
    """The org with this id is one that the viewer's token is good for; any is, unless it is limited."""
    if not viewer.is_limited:
        return true()
    limit = aliased(ApiTokenOrg)
    return _one(limit, col(limit.org_id) == col(org))


def scope_includes_resource(resource: Any) -> ColumnElement[bool]:
    """The resource with this id is one that a limited token is good for."""
    limit, whole, place = aliased(ApiTokenResource), aliased(ApiTokenOrg), aliased(Resource)
    inside = exists().where(
        col(place.id) == col(resource), col(whole.org_id) == col(place.org_id), col(whole.token_id) == TOKEN
    )
    return or_(_one(limit, col(limit.resource_id) == col(resource)), inside.correlate_except(place, whole))


def _one(limit: Any, is_it: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(col(limit.token_id) == TOKEN, is_it).correlate_except(limit)


def is_in_token_scope(resource: Any) -> ColumnElement[bool]:
    """The same, for lists: it begins at what the token is good for, which are few of all."""
    limit, whole, place = aliased(ApiTokenResource), aliased(ApiTokenOrg), aliased(Resource)
    covered = union_all(
        select(col(limit.resource_id)).where(col(limit.token_id) == TOKEN),
        select(col(place.id)).where(col(place.org_id) == col(whole.org_id), col(whole.token_id) == TOKEN),
    )
    return col(resource).in_(covered)
