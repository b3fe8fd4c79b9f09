"""How far a dataset is opened, in the three words of the documented API, as grants of the access configuration."""

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum

from sqlalchemy import ColumnElement, Integer, and_, bindparam, case, exists, literal_column, or_, select

from app import policy
from app.db import Transaction
from app.db.tables import Grant, Resource, RowId, col
from app.domain import resource_roles
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.services import access, resources
from app.services.access import GrantEntry
from app.services.resources import DEFAULT_MASK
from app.services.roles import RowRef


class Visibility(IntEnum):
    """Who finds and downloads a dataset without being named."""

    PRIVATE = 0
    UNLISTED = 1
    """Every signed-in user."""
    PUBLIC = 2
    """Anyone, signed in or not."""


def visibility_sql(viewer: Viewer) -> ColumnElement[int]:
    """What a resource's grants come to, as a cell of its row. It tells no more than somebody signed out can try."""
    levels = ((policy.is_anyone(viewer), Visibility.PUBLIC), (policy.is_general(viewer), Visibility.UNLISTED))
    whens = [(_finds(entry), literal_column(str(int(level)), Integer)) for entry, level in levels]
    return case(*whens, else_=literal_column(str(int(Visibility.PRIVATE)), Integer))


def _finds(entry: ColumnElement[bool]) -> ColumnElement[bool]:
    given = and_(col(Grant.mask) != 0, policy.is_valid_until(Grant.expires_at))
    return exists().where(col(Grant.resource_id) == col(Resource.id), entry, given).correlate(Resource)


async def set_visibility(tx: Transaction, viewer: Viewer, resource: RowRef, wanted: Visibility) -> None:
    """Open a dataset that far and no farther; needs ADMIN on it, unless it is open that far already.

    What is open enough keeps its roles and its end; other entries of the configuration stay as they are.
    """
    found = await resources.load_for_update(tx, viewer, resource)
    stored = {subject: (mask, end) for subject, mask, end in await tx.rows(_STORED, resource=found.id, now=tx.now)}
    if not found.mask & resource_roles.ADMIN and _level(stored) is wanted:  # clients send back what they were shown
        policy.require_role(
            found.mask, resource_roles.METADATA_WRITE, resource_roles.NAMES[resource_roles.METADATA_WRITE]
        )
        return
    for kind, least in ((SubjectType.ANYONE, Visibility.PUBLIC), (SubjectType.GENERAL, Visibility.UNLISTED)):
        mask, end = stored.get(resource_roles.subject_id(kind), (0, None))
        if wanted < least and mask:
            await access.revoke_access(tx, viewer, resource, GrantEntry(kind, 0))
        elif wanted >= least and resource_roles.effective(mask, resource_roles.ALL) & DEFAULT_MASK != DEFAULT_MASK:
            kept = mask if end is None else 0  # else what was given for a time would be given for ever
            await access.grant_access(tx, viewer, resource, GrantEntry(kind, kept | DEFAULT_MASK))


def _level(stored: Mapping[int, tuple[int, datetime | None]]) -> Visibility:
    if resource_roles.ANYONE in stored:
        return Visibility.PUBLIC
    return Visibility.UNLISTED if resource_roles.GENERAL in stored else Visibility.PRIVATE


_STORED = select(col(Grant.subject), col(Grant.mask), col(Grant.expires_at)).where(
    col(Grant.resource_id) == bindparam("resource", type_=RowId()),
    or_(col(Grant.subject) == resource_roles.GENERAL, col(Grant.subject) == resource_roles.ANYONE),
    col(Grant.mask) != 0,
    policy.is_valid_until(Grant.expires_at),
)
