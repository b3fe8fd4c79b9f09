"""Storage used by a user or an org, the quota exemption, and the stage of transfer tickets."""

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
    literal_column,
    or_,
    select,
    type_coerce,
)

from app.db.tables import Access, Lock, Org, Role, Stage, Ticket, UserRole, aliased, col, from_of
from app.domain import resource_roles
from app.domain.viewer import Permission, Viewer
from app.policy.effective_subjects import effective_subjects, is_active
from app.policy.resources import bit_or, roles_sql, row_roles_sql
from app.query.relations import NOW


def storage_used(user: Any) -> ColumnElement[Any]:
    """Return the bytes stored in the orgs that a user owns, plus the bytes that open uploads there reserve."""
    owned, receiving, ticket = aliased(Org), aliased(Org), aliased(Ticket)
    stored = select(sum_of(owned.size_bytes)).where(col(owned.owner_id) == user)
    reserved = select(sum_of(ticket.bytes)).where(
        col(receiving.owner_id) == user, col(ticket.org_id) == col(receiving.id), is_reserved(ticket)
    )
    used: ColumnElement[Any] = (
        stored.correlate_except(owned).scalar_subquery()
        + reserved.correlate_except(receiving, ticket).scalar_subquery()
    )
    return used


def storage_used_in_org(org: Any) -> ColumnElement[Any]:
    """Return the bytes stored in an org, plus the bytes that open uploads there reserve."""
    stored, ticket = aliased(Org), aliased(Ticket)
    size = select(sum_of(stored.size_bytes)).where(col(stored.id) == org)
    reserved = select(sum_of(ticket.bytes)).where(col(ticket.org_id) == org, is_reserved(ticket))
    used: ColumnElement[Any] = (
        size.correlate_except(stored).scalar_subquery() + reserved.correlate_except(ticket).scalar_subquery()
    )
    return used


def sum_of(column: Any) -> ColumnElement[Any]:
    """Return a sum of bytes as a float, which is exact up to MAX_BYTES and cannot overflow."""
    total = func.coalesce(func.sum(cast(col(column), Float)), literal_column("0.0", Float))
    return type_coerce(total, BigInteger)  # SQLAlchemy would ask the driver for what PostgreSQL calls the type


def is_reserved(ticket: Any) -> ColumnElement[bool]:
    """Return the condition for an upload that is neither finished nor cancelled nor expired."""
    return and_(col(ticket.is_upload), col(ticket.stage) == int(Stage.OPEN), col(ticket.expires_at) > NOW)


def stores_without_limit(user: Any) -> ColumnElement[bool]:
    """Return the condition that a user holds RESOURCES_MANAGE and is not deactivated."""
    user_role, role = aliased(UserRole), aliased(Role)
    manages = (
        select(literal_column("1"))
        .where(
            col(user_role.user_id) == user,
            col(role.id) == col(user_role.role_id),
            col(role.permissions).op("&")(Permission.RESOURCES_MANAGE.value) != 0,
        )
        .correlate_except(user_role, role)
        .exists()
    )
    return and_(manages, is_active(user))


def ticket_stage(viewer: Viewer) -> ColumnElement[Any]:
    """Return the stage of the ticket of the row at `NOW`: revoked if its user no longer has the required role."""
    stage = col(Ticket.stage)
    is_locked = exists().where(col(Lock.resource_id) == col(Ticket.resource_id))
    required = case(
        (col(Ticket.is_upload), literal_column(str(resource_roles.DATA_WRITE), Integer)),
        else_=literal_column(str(resource_roles.DATA_READ), Integer),
    )
    is_revoked = or_(
        and_(col(Ticket.is_upload), is_locked.correlate(from_of(Ticket))),
        _ticket_user_roles().op("&")(required) == 0,
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


def _ticket_user_roles() -> ScalarSelect[Any]:
    """Return the roles of the ticket's user on its resource; an anonymous user has those of ANYONE."""
    tickets = from_of(Ticket)
    holder = select(col(Ticket.user_id).label("user")).correlate(tickets).subquery("holder")
    subjects, entry = effective_subjects(holder).subquery("acting"), aliased(Access)
    roles = select(bit_or(roles_sql(subjects, entry))).select_from(row_roles_sql(entry, subjects))
    return roles.where(col(entry.resource_id) == col(Ticket.resource_id)).correlate(tickets).scalar_subquery()
