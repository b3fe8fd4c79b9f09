"""How far a dataset is opened, in the three words of the documented API, as grants of the access configuration."""

from contextlib import suppress
from enum import IntEnum

from sqlalchemy import ColumnElement, Integer, and_, bindparam, case, exists, literal_column, select

from app import masks, policy
from app.auth import Viewer
from app.db import Transaction
from app.errors import NotFound
from app.masks import Kind
from app.services import access
from app.services.access import Entry
from app.services.resources import DEFAULT_MASK
from app.services.roles import Way
from app.tables import Grant, Resource, col


class Visibility(IntEnum):
    """Who finds and downloads a dataset without being named."""

    PRIVATE = 0
    UNLISTED = 1
    """Every signed-in user."""
    PUBLIC = 2
    """Anyone, signed in or not."""


def visibility(viewer: Viewer) -> ColumnElement[int]:
    """What a resource's grants come to, as a cell of its row. It tells no more than somebody signed out can try."""
    levels = ((policy.is_anyone(viewer), Visibility.PUBLIC), (policy.is_general(viewer), Visibility.UNLISTED))
    whens = [(_finds(entry), literal_column(str(int(level)), Integer)) for entry, level in levels]
    return case(*whens, else_=literal_column(str(int(Visibility.PRIVATE)), Integer))


def _finds(entry: ColumnElement[bool]) -> ColumnElement[bool]:
    given = and_(col(Grant.mask) != 0, policy.lasts(Grant.expires_at))
    return exists().where(col(Grant.resource_id) == col(Resource.id), entry, given).correlate(Resource)


async def set_visibility(tx: Transaction, viewer: Viewer, resource: Way, wanted: Visibility) -> None:
    """Open a dataset that far and no farther; needs ADMIN on it. Other entries of its configuration stay."""
    general, anyone = Entry(Kind.GENERAL, 0), Entry(Kind.ANYONE, DEFAULT_MASK)
    if wanted is not Visibility.PRIVATE:
        held = await tx.value(_GENERAL[resource[0]], key=resource[1], general=masks.GENERAL)
        general = Entry(Kind.GENERAL, (held or 0) | DEFAULT_MASK)
    await access.grant_access(tx, viewer, resource, general)
    if wanted is Visibility.PUBLIC:
        await access.grant_access(tx, viewer, resource, anyone)
        return
    with suppress(NotFound):  # it was not open to anyone
        await access.revoke_access(tx, viewer, resource, anyone)


_GENERAL = {
    way: select(col(Grant.mask))
    .join(Resource, col(Resource.id) == col(Grant.resource_id))
    .where(
        col(column) == bindparam("key", type_=col(column).type),
        col(Grant.subject) == bindparam("general", type_=col(Grant.subject).type),
    )
    for way, column in (("id", Resource.id), ("path", Resource.path))
}
