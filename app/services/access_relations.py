"""Relations of the access index, beside those of the read graph."""

from sqlalchemy import ColumnElement, and_

from app import policy
from app.db.tables import Access, Group, col
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.query.filters import FilterSpec
from app.query.relations import Relation
from app.services.list_filters import GROUP_FILTERS, GROUP_ORDERS


def _holds_visibly(viewer: Viewer) -> ColumnElement[bool]:
    return and_(policy.sees_group(viewer), policy.is_current_entry(viewer))


access_groups = Relation(
    "page",
    Group,
    Access.resource_id,
    _holds_visibly,
    ("display_name",),
    Access,
    col(Access.subject) == policy.subject_id(SubjectType.GROUP, col(Group.id)),
    GROUP_ORDERS,
    GROUP_FILTERS | {"role": FilterSpec(Access.mask, bits=True)},
)
