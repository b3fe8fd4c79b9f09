"""How much somebody stores, who stores without a limit, and whether a ticket is still good."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Integer,
    ScalarSelect,
    and_,
    case,
    cast,
    exists,
    func,
    inspect,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import aliased

from app.db.tables import Access, Lock, Org, Role, Stage, Ticket, UserRole, col
from app.domain import resource_roles
from app.domain.viewer import Permission, Viewer
from app.policy.effective_subjects import effective_subjects, is_active
from app.policy.resources import bit_or, roles_sql, row_roles_sql
from app.query.relations import NOW


def storage_used(user: Any) -> ColumnElement[Any]:
    """The bytes in the orgs that a user owns, with those that open uploads there have reserved; see `added_up`."""
    owned, receiving, ticket = aliased(Org), aliased(Org), aliased(Ticket)
    kept = select(sum_of(owned.size_bytes)).where(col(owned.owner_id) == user)
    reserved = select(sum_of(ticket.bytes)).where(
        col(receiving.owner_id) == user, col(ticket.org_id) == col(receiving.id), is_reserved(ticket)
    )
    made: ColumnElement[Any] = (
        kept.correlate_except(owned).scalar_subquery() + reserved.correlate_except(receiving, ticket).scalar_subquery()
    )
    return made


def sum_of(column: Any) -> ColumnElement[Any]:
    """A sum of bytes, which comes as a float: exact up to MAX_BYTES, and never too large, whatever people claim."""
    total = func.coalesce(func.sum(cast(col(column), Float)), literal_column("0.0", Float))
    return type_coerce(total, BigInteger)  # SQLAlchemy would ask the driver for what PostgreSQL calls the type


def is_reserved(ticket: Any) -> ColumnElement[bool]:
    """An upload that has neither been finished nor cancelled, and has not ended."""
    return and_(col(ticket.is_upload), col(ticket.stage) == int(Stage.OPEN), col(ticket.expires_at) > NOW)


def stores_without_limit(user: Any) -> ColumnElement[bool]:
    """Holds RESOURCES_MANAGE, and is not deactivated."""
    held_, role = aliased(UserRole), aliased(Role)
    manages = (
        select(literal_column("1"))
        .where(
            col(held_.user_id) == user,
            col(role.id) == col(held_.role_id),
            col(role.permissions).op("&")(Permission.RESOURCES_MANAGE.value) != 0,
        )
        .correlate_except(held_, role)
        .exists()
    )
    return and_(manages, is_active(user))


def ticket_stage(viewer: Viewer) -> ColumnElement[Any]:
    """How far the ticket of the row has come, by the clock of the question and by what its holder may now."""
    stage = col(Ticket.stage)
    is_locked = exists().where(col(Lock.resource_id) == col(Ticket.resource_id))
    wanted = case(
        (col(Ticket.is_upload), literal_column(str(resource_roles.DATA_WRITE), Integer)),
        else_=literal_column(str(resource_roles.DATA_READ), Integer),
    )
    is_revoked = or_(
        and_(col(Ticket.is_upload), is_locked.correlate(inspect(Ticket).selectable)),
        _holders_mask().op("&")(wanted) == 0,
        ~is_active(col(Ticket.user_id)),
    )
    return case(
        (stage != int(Stage.OPEN), stage),
        (col(Ticket.expires_at) <= NOW, _stage(Stage.EXPIRED)),
        (is_revoked, _stage(Stage.REVOKED)),
        else_=_stage(Stage.OPEN),
    )


def _stage(stage: Stage) -> ColumnElement[Any]:
    return literal_column(str(int(stage)), Integer)


def _holders_mask() -> ScalarSelect[Any]:
    """What the one who began the ticket of the row holds on its resource; nobody holds what is granted to ANYONE."""
    tickets = inspect(Ticket).selectable
    holder = select(col(Ticket.user_id).label("user")).correlate(tickets).subquery("holder")
    acting, entry = effective_subjects(holder).subquery("acting"), aliased(Access)
    found = select(bit_or(roles_sql(acting, entry))).select_from(row_roles_sql(entry, acting))
    return found.where(col(entry.resource_id) == col(Ticket.resource_id)).correlate(tickets).scalar_subquery()
