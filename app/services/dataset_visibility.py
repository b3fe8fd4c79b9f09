"""The three levels of visibility that the REST API gives a dataset, stored as grants."""

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum

from sqlalchemy import ColumnElement, Integer, and_, bindparam, case, exists, literal_column, or_, select

from app import policy
from app.db import Transaction
from app.db.tables import Grant, Resource, RowId, col
from app.domain import resource_roles
from app.domain.refs import RowRef
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.services import access, audit, resources
from app.services.access import GrantEntry
from app.services.resources import DEFAULT_MASK


class Visibility(IntEnum):
    """The users who find and download a dataset without a grant of their own."""

    PRIVATE = 0
    UNLISTED = 1
    """Every signed-in user."""
    PUBLIC = 2
    """Anyone, signed in or not."""


def visibility_sql(viewer: Viewer) -> ColumnElement[int]:
    """Return the visibility by a resource's grants. It reveals no more than an anonymous request can find out."""
    levels = ((policy.is_anyone(viewer), Visibility.PUBLIC), (policy.is_general(viewer), Visibility.UNLISTED))
    cases = [(_exists(entry), literal_column(str(int(level)), Integer)) for entry, level in levels]
    return case(*cases, else_=literal_column(str(int(Visibility.PRIVATE)), Integer))


def _exists(entry: ColumnElement[bool]) -> ColumnElement[bool]:
    is_valid = and_(col(Grant.mask) != 0, policy.is_valid_until(Grant.expires_at))
    return exists().where(col(Grant.resource_id) == col(Resource.id), entry, is_valid).correlate(Resource)


async def set_visibility(tx: Transaction, viewer: Viewer, resource: RowRef, new: Visibility) -> None:
    """Change the grants of a dataset to exactly this visibility; needs ADMIN, unless it is the current one.

    A grant that already gives enough keeps its roles and its end. Grants to groups and users do not change.
    """
    row = await resources.load_for_update(tx, viewer, resource)
    stored = {subject: (mask, end) for subject, mask, end in await tx.rows(_SELECT_GRANTS, resource=row.id, now=tx.now)}
    if not row.mask & resource_roles.ADMIN and _level(stored) is new:  # clients send back what they read
        policy.require_role(
            row.mask, resource_roles.METADATA_WRITE, resource_roles.NAMES[resource_roles.METADATA_WRITE]
        )
        await audit.require_current(tx, audit.RESOURCE, row.id)
        return
    policy.require_role(row.mask, resource_roles.ADMIN, "ADMIN")
    await audit.require_current(tx, audit.RESOURCE, row.id)
    for kind, level in ((SubjectType.ANYONE, Visibility.PUBLIC), (SubjectType.GENERAL, Visibility.UNLISTED)):
        mask, end = stored.get(resource_roles.subject_id(kind), (0, None))
        if new < level and mask:
            await access.revoke_access(tx, viewer, resource, GrantEntry(kind, 0))
        elif new >= level and resource_roles.effective(mask, resource_roles.ALL) & DEFAULT_MASK != DEFAULT_MASK:
            current = mask if end is None else 0  # else roles that were granted until `end` would never end
            await access.grant_access(tx, viewer, resource, GrantEntry(kind, current | DEFAULT_MASK))


def _level(stored: Mapping[int, tuple[int, datetime | None]]) -> Visibility:
    if resource_roles.ANYONE in stored:
        return Visibility.PUBLIC
    return Visibility.UNLISTED if resource_roles.GENERAL in stored else Visibility.PRIVATE


_SELECT_GRANTS = select(col(Grant.subject), col(Grant.mask), col(Grant.expires_at)).where(
    col(Grant.resource_id) == bindparam("resource", type_=RowId()),
    or_(col(Grant.subject) == resource_roles.GENERAL, col(Grant.subject) == resource_roles.ANYONE),
    col(Grant.mask) != 0,
    policy.is_valid_until(Grant.expires_at),
)
