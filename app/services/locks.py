"""Locks: nobody writes to a locked resource, and its history says who locked and unlocked it, when and why."""

from typing import Any

from sqlalchemy import delete

from app.db import Transaction, UniqueViolation
from app.db.tables import Lock, LockEvent, col
from app.domain.errors import Conflict, InvalidInput
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.services import audit, org_locks, resources, users

MAX_REASON = 1_000


async def lock_resource(tx: Transaction, viewer: Viewer, resource: RowRef, reason: str) -> int:
    """Lock a resource; needs ADMIN. A second lock is a Conflict.

    Its org is held too, and before it as everywhere: a locked resource keeps the owner of its org, see `orgs`.
    """
    org_id = await org_locks.keep_org(tx, viewer, resource)
    found = await resources.administered(tx, viewer, resource)
    if found.org_id != org_id:
        raise Conflict("The resource was moved at this moment. Try again.", ("resource",))
    row = {"resource_id": found.id, "user_id": viewer.user_id, "reason": _checked(reason), "created_at": tx.now}
    row["user_name"] = await users.name_of(tx, viewer)
    await audit.track(tx, audit.RESOURCE, [found.id])
    try:
        await tx.insert(Lock, [row])
    except UniqueViolation:
        raise Conflict("The resource is locked already.", ("resource",)) from None
    await tx.insert(LockEvent, [{**row, "is_lock": True}])
    return found.id


async def unlock_resource(tx: Transaction, viewer: Viewer, resource: RowRef, reason: str) -> int:
    """Unlock a resource; needs ADMIN."""
    found = await resources.administered(tx, viewer, resource)
    row: dict[str, Any] = {"resource_id": found.id, "user_id": viewer.user_id, "reason": _checked(reason)}
    row["user_name"] = await users.name_of(tx, viewer)
    await audit.track(tx, audit.RESOURCE, [found.id])
    audit.note(tx, audit.RESOURCE, found.id, {"reason": row["reason"]})
    gone = await tx.rows(delete(Lock).where(col(Lock.resource_id) == found.id).returning(col(Lock.resource_id)))
    if not gone:
        raise Conflict("The resource is not locked.", ("resource",))
    await tx.insert(LockEvent, [{**row, "created_at": tx.now, "is_lock": False}])
    return found.id


def _checked(reason: str) -> str:
    trimmed = reason.strip()
    if not 0 < len(trimmed) <= MAX_REASON or "\0" in trimmed:
        raise InvalidInput(f"A reason is 1 to {MAX_REASON:,} characters.", ("reason",))
    return trimmed
