"""Tickets for uploads and downloads, and the storage that finished uploads use."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, exists, select, update

from app import policy
from app.db import Transaction
from app.db.tables import MAX_BYTES, KeyText, Lock, Org, Resource, RowId, Stage, Ticket, User, UTCDateTime, col
from app.db.types import format_instant
from app.domain import resource_roles
from app.domain.errors import Conflict, InvalidInput, Locked, NotFound, Problem
from app.domain.refs import RowRef
from app.domain.viewer import Permission, Viewer
from app.services import audit, quotas, resources, validation
from app.services.quotas import StoragePolicy

KEY_BYTES = 24
"""Random bytes in the key of a ticket. The key alone authorizes a request about the ticket."""

RETENTION = timedelta(days=1)
"""Time that a ticket is stored after its end, so that a late request to finish it can be repeated."""

MAX_DELETED = 50
"""Old tickets that each new ticket deletes at most."""

_KEY = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(frozen=True, slots=True)
class StartedTicket:
    """A new ticket with its resource."""

    key: str
    is_upload: bool
    resource_id: int
    path: str | None
    bytes: int
    user_name: str | None
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class _Upload:
    """The ticket of an upload. Its row and the rows of its resource and org are locked."""

    resource_id: int
    org_id: int
    user_id: int | None
    size_bytes: int
    reserved: int
    final: tuple[int | None, int | None]
    stage: Stage
    is_locked: bool


async def begin_upload(
    tx: Transaction, viewer: Viewer, resource: RowRef, size: int, storage_policy: StoragePolicy
) -> StartedTicket:
    """Reserve bytes for an upload to an unlocked resource; needs DATASET_DATA_WRITE, and room in the quotas.

    Concurrent uploads for one owner, or to one org with a quota, wait for each other.
    """
    target = await resources.require_writable(tx, viewer, resource, resource_roles.DATA_WRITE)
    validation.raise_problems([*_byte_problems(size, "sizeBytes")])
    user_name = await tx.value(_USER_NAME, key=viewer.user_id)
    charge = quotas.Charge(target.org_id, size, viewer.user_id, ("sizeBytes",))
    await quotas.require_room(tx, viewer, charge, storage_policy)
    return await _start(tx, viewer, target, user_name, storage_policy, size=size)


async def begin_download(
    tx: Transaction, viewer: Viewer, resource: RowRef, storage_policy: StoragePolicy
) -> StartedTicket:
    """Create a ticket for the download of all files; needs DATASET_DATA_READ, which an anonymous viewer may hold too.

    A lock on the resource or an exhausted quota does not prevent it.
    """
    target = await resources.require_readable(tx, viewer, resource, resource_roles.DATA_READ)
    user_name = None if viewer.user_id is None else await tx.value(_USER_NAME, key=viewer.user_id)
    return await _start(tx, viewer, target, user_name, storage_policy)


async def _start(
    tx: Transaction,
    viewer: Viewer,
    target: resources.ResourceForUpdate,
    user_name: str | None,
    storage_policy: StoragePolicy,
    size: int | None = None,
) -> StartedTicket:
    """Store a ticket for the upload of `size` bytes, or without a size for a download; delete some old ones."""
    await tx.rows(CLEAR_OLD, before=tx.now - RETENTION)
    key, is_upload = secrets.token_urlsafe(KEY_BYTES), size is not None
    number = target.size_bytes if size is None else size
    begins = tx.now.replace(microsecond=0)  # the times in a token are full seconds
    ends = begins + storage_policy.lifetime
    row = {
        "key": key,
        "resource_id": target.id,
        "org_id": target.org_id,
        "user_id": viewer.user_id,
        "is_upload": is_upload,
        "bytes": number,
        "stage": int(Stage.OPEN),
        "created_at": tx.now,
        "expires_at": ends,
    }
    await tx.insert(Ticket, [row])
    about = {"bytes": number, "expiresAt": format_instant(ends)}
    audit.note(tx, audit.RESOURCE, target.id, {"upload" if is_upload else "download": about}, name=target.slug)
    return StartedTicket(key, is_upload, target.id, target.path, number, user_name, begins, ends)


async def finish_upload(
    tx: Transaction, viewer: Viewer, ticket: str, size: int, replaced: int, storage_policy: StoragePolicy
) -> int:
    """Add the uploaded bytes minus the replaced bytes to the storage, and return the resource's id.

    The ticket authorizes the request. A repetition with the same numbers has no effect. To replace more bytes than were
    uploaded needs RESOURCES_MANAGE, because a client could otherwise finish its own upload with false numbers to free
    storage.
    """
    validation.raise_problems([*_byte_problems(size, "sizeBytes"), *_byte_problems(replaced, "replacedBytes")])
    if replaced > size:
        policy.require(viewer, Permission.RESOURCES_MANAGE)
    upload = await _load_for_update(tx, ticket)
    await audit.track(tx, audit.RESOURCE, [upload.resource_id])
    if upload.stage is Stage.FINISHED and upload.final == (size, replaced):
        return upload.resource_id
    _require_open(upload)
    growth = size - replaced
    if upload.size_bytes + growth < 0:
        raise InvalidInput("`replacedBytes` is larger than the size of the resource.", ("replacedBytes",))
    if growth > upload.reserved:
        charge = quotas.Charge(upload.org_id, growth - upload.reserved, upload.user_id, ("sizeBytes",))
        await quotas.require_room(tx, viewer, charge, storage_policy)
    values = {"stage": int(Stage.FINISHED), "final_bytes": size, "replaced_bytes": replaced}
    await tx.rows(update(Ticket).where(col(Ticket.key) == ticket).values(**values))
    _note(tx, upload, {"bytes": size, "replacedBytes": replaced, "state": Stage.FINISHED.name})
    await quotas.add_bytes(tx, upload.org_id, growth, ("sizeBytes",))
    is_target = col(Resource.id) == upload.resource_id
    await tx.rows(update(Resource).where(is_target).values(size_bytes=upload.size_bytes + growth))
    return upload.resource_id


async def cancel_upload(tx: Transaction, ticket: str) -> str:
    """Release the reserved bytes of an upload, and return the ticket, which authorizes the request.

    A repetition has no effect.
    """
    upload = await _load_for_update(tx, ticket)
    if upload.stage is Stage.FINISHED:
        raise Conflict("The upload was already finished.", ("ticket",))
    await tx.rows(update(Ticket).where(col(Ticket.key) == ticket).values(stage=int(Stage.CANCELLED)))
    _note(tx, upload, {"bytes": upload.reserved, "state": Stage.CANCELLED.name})
    return ticket


def _note(tx: Transaction, upload: _Upload, after: dict[str, object]) -> None:
    """Log the new state of an upload under its resource. The key is a secret and stays out of the log."""
    before = {"bytes": upload.reserved, "state": upload.stage.name}
    audit.note(tx, audit.RESOURCE, upload.resource_id, {"upload": after}, {"upload": before})


async def _load_for_update(tx: Transaction, ticket: str) -> _Upload:
    """Return the upload of a ticket, its rows locked; raise NotFound. The org is locked first: see `row_locks`."""
    key = None
    if is_key(ticket):
        for statement in (_LOCK_ORG, _LOCK_RESOURCE, _LOCK_TICKET):
            key = await tx.value(statement, key=ticket)
    row = None if key is None else await tx.row(_UPLOAD, key=ticket, now=tx.now)
    if row is None:
        raise NotFound("There is no such ticket.", ("ticket",))
    is_upload, resource_id, org_id, user_id, size, reserved, uploaded, replaced, stage, is_locked = row
    if not is_upload:
        raise InvalidInput("This ticket is for a download.", ("ticket",))
    final = uploaded, replaced
    return _Upload(resource_id, org_id, user_id, size, reserved, final, Stage(stage), bool(is_locked))


def is_key(text: str) -> bool:
    """Return whether a text has the form of a ticket's key."""
    return _KEY.fullmatch(text) is not None


def _require_open(upload: _Upload) -> None:
    """Raise Locked, or Conflict with the state of the ticket, unless it is open."""
    match upload.stage:
        case Stage.FINISHED:
            raise Conflict("The upload was already finished, with other numbers.", ("ticket",))
        case Stage.CANCELLED:
            raise Conflict("The upload was cancelled.", ("ticket",))
        case Stage.EXPIRED:
            raise Conflict("The ticket has expired. Begin a new upload.", ("ticket",))
        case Stage.REVOKED if upload.is_locked:
            raise Locked(path=("ticket",))
        case Stage.REVOKED:
            raise Conflict("The user who began the upload may no longer write to the resource.", ("ticket",))


def _byte_problems(number: int, path: str) -> Iterator[Problem]:
    if not 0 <= number <= MAX_BYTES:
        yield InvalidInput(f"`{path}` must be a number of bytes from 0 to {MAX_BYTES:,}.", (path,))


_USER_NAME = (
    select(col(User.user_name))
    .where(col(User.id) == bindparam("key", type_=RowId()))
    .with_for_update(read=True, key_share=True)
)
"""Locks the user's row, to which the ticket refers, because the lock of the quota must be the last one taken."""

# A CTE with row locks runs once. As a plain subquery PostgreSQL may run it again for each row, past its limit.
_OLD = (
    select(col(Ticket.key))
    .where(col(Ticket.expires_at) <= bindparam("before", type_=UTCDateTime()))
    .limit(MAX_DELETED)
    .with_for_update(skip_locked=True)
    .cte("old")
)
CLEAR_OLD = delete(Ticket).where(col(Ticket.key).in_(select(_OLD.c.key)))

_THIS = col(Ticket.key) == bindparam("key", type_=KeyText())

_LOCK_ORG = (
    select(col(Org.id))
    .where(col(Org.id) == select(col(Ticket.org_id)).where(_THIS).scalar_subquery())
    .with_for_update(key_share=True)
)
_LOCK_RESOURCE = (
    select(col(Resource.id))
    .where(col(Resource.id) == select(col(Ticket.resource_id)).where(_THIS).scalar_subquery())
    .with_for_update()
)
_LOCK_TICKET = select(col(Ticket.key)).where(_THIS).with_for_update()

_UPLOAD = (
    select(
        col(Ticket.is_upload),
        col(Ticket.resource_id),
        col(Resource.org_id),
        col(Ticket.user_id),
        col(Resource.size_bytes),
        col(Ticket.bytes),
        col(Ticket.final_bytes),
        col(Ticket.replaced_bytes),
        policy.ticket_stage(Viewer(None)),
        exists().where(col(Lock.resource_id) == col(Ticket.resource_id)),
    )
    .join(Resource, col(Resource.id) == col(Ticket.resource_id))
    .where(_THIS)
)
