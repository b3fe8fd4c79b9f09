"""Locks: a locked resource is read-only, and its history records who locked and unlocked it, when and why."""

from typing import Any

from sqlalchemy import delete

from app.db import Transaction, UniqueViolation
from app.db.tables import Lock, LockEvent, col
from app.domain.errors import Conflict, Retry
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.services import audit, resources, row_locks, users, validation


async def lock_resource(tx: Transaction, viewer: Viewer, resource: RowRef, reason: str) -> int:
    """Lock a resource; needs ADMIN. Raise Conflict if it is locked.

    The owner of an org with locked resources cannot change, see `orgs`. So the org's row is locked too, before the
    resource's, as in all services.
    """
    org_id = await row_locks.lock_org_shared(tx, viewer, resource)
    row = await resources.require_administered(tx, viewer, resource)
    if row.org_id != org_id:
        raise Retry  # the resource was just moved to another org
    event = {"resource_id": row.id, "user_id": viewer.user_id, "reason": _trim_reason(reason), "created_at": tx.now}
    event["user_name"] = await users.name_of(tx, viewer)
    await audit.track(tx, audit.RESOURCE, [row.id])
    try:
        await tx.insert(Lock, [event])
    except UniqueViolation:
        raise Conflict("The resource is already locked.", ("resource",)) from None
    await tx.insert(LockEvent, [{**event, "is_lock": True}])
    return row.id


async def unlock_resource(tx: Transaction, viewer: Viewer, resource: RowRef, reason: str) -> int:
    """Unlock a resource; needs ADMIN. Raise Conflict if it is not locked."""
    row = await resources.require_administered(tx, viewer, resource)
    event: dict[str, Any] = {"resource_id": row.id, "user_id": viewer.user_id, "reason": _trim_reason(reason)}
    event["user_name"] = await users.name_of(tx, viewer)
    await audit.track(tx, audit.RESOURCE, [row.id])
    audit.note(tx, audit.RESOURCE, row.id, {"reason": event["reason"]})
    deleted = await tx.rows(delete(Lock).where(col(Lock.resource_id) == row.id).returning(col(Lock.resource_id)))
    if not deleted:
        raise Conflict("The resource is not locked.", ("resource",))
    await tx.insert(LockEvent, [{**event, "created_at": tx.now, "is_lock": False}])
    return row.id


def _trim_reason(reason: str) -> str:
    validation.raise_problems([*validation.reason_problems(reason)])
    return reason.strip()
