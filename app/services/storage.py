"""Storage: tickets for uploads and downloads, what becomes of them, and what somebody stores."""

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
"""How much chance is in a key: it is all that one needs to speak for a ticket."""

RETENTION = timedelta(days=1)
"""How long a ticket is known after its end, so that a late answer can be asked for again."""

CLEARED = 50
"""How many of those that are past that are taken away for each new one."""

_KEY = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(frozen=True, slots=True)
class StartedTicket:
    """A new ticket and what it is for."""

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
    """A ticket for an upload, held with its resource and the org of that."""

    resource_id: int
    org_id: int
    owner_id: int | None
    user_id: int | None
    size_bytes: int
    reserved: int
    final: tuple[int | None, int | None]
    stage: Stage
    is_locked: bool


async def begin_upload(
    tx: Transaction, viewer: Viewer, resource: RowRef, size: int, terms: StoragePolicy
) -> StartedTicket:
    """Reserve bytes for an upload; needs DATASET_DATA_WRITE, no lock, and room for it with the owner of the org.

    Uploads that are begun for one owner at the same moment come one after the other.
    """
    found = await resources.writable(tx, viewer, resource, resource_roles.DATA_WRITE)
    validation.raise_problems([*_byte_problems(size, "sizeBytes")])
    user_name = await tx.value(_USER_NAME, key=viewer.user_id)
    if terms.enforced:
        owner = await tx.value(_OWNER, key=found.org_id)
        await quotas.require_room(tx, viewer, owner, viewer.user_id, size, ("sizeBytes",))
    begun = _start(tx, found, user_name, terms, size=size, is_upload=True)
    await _put(tx, viewer, found, begun)
    return begun


async def begin_download(tx: Transaction, viewer: Viewer, resource: RowRef, terms: StoragePolicy) -> StartedTicket:
    """Leave to download all there is; needs DATASET_DATA_READ, which nobody may hold too. Neither lock nor quota."""
    found = await resources.readable(tx, viewer, resource, resource_roles.DATA_READ)
    user_name = None if viewer.user_id is None else await tx.value(_USER_NAME, key=viewer.user_id)
    begun = _start(tx, found, user_name, terms, size=found.size_bytes, is_upload=False)
    await _put(tx, viewer, found, begun)
    return begun


def _start(
    tx: Transaction,
    found: resources.ResourceForUpdate,
    user_name: str | None,
    terms: StoragePolicy,
    *,
    size: int,
    is_upload: bool,
) -> StartedTicket:
    key = secrets.token_urlsafe(KEY_BYTES)
    begins = tx.now.replace(microsecond=0)  # a token tells whole seconds
    return StartedTicket(key, is_upload, found.id, found.path, size, user_name, begins, begins + terms.lifetime)


async def _put(tx: Transaction, viewer: Viewer, found: resources.ResourceForUpdate, begun: StartedTicket) -> None:
    """Keep the ticket, and clear away some that nobody asks for any more."""
    await tx.rows(CLEAR_OLD, before=tx.now - RETENTION)
    row = {
        "key": begun.key,
        "resource_id": found.id,
        "org_id": found.org_id,
        "user_id": viewer.user_id,
        "is_upload": begun.is_upload,
        "bytes": begun.bytes,
        "stage": int(Stage.OPEN),
        "created_at": tx.now,
        "expires_at": begun.ends,
    }
    await tx.insert(Ticket, [row])
    about = {"bytes": begun.bytes, "expiresAt": format_instant(begun.ends)}
    audit.note(tx, audit.RESOURCE, found.id, {"upload" if begun.is_upload else "download": about}, name=found.slug)


async def finish_upload(
    tx: Transaction, viewer: Viewer, ticket: str, size: int, replaced: int, terms: StoragePolicy
) -> int:
    """Count an upload: the bytes that came, without those of what they replaced. Answers the resource's id.

    Whoever presents the ticket may. That more was replaced than came needs RESOURCES_MANAGE: a client that finishes its
    own upload before the storage service does must not gain by it. The same again is answered again.
    """
    validation.raise_problems([*_byte_problems(size, "sizeBytes"), *_byte_problems(replaced, "replacedBytes")])
    if replaced > size:
        policy.require(viewer, Permission.RESOURCES_MANAGE)
    upload = await _load_for_update(tx, ticket)
    await audit.track(tx, audit.RESOURCE, [upload.resource_id])
    if upload.stage is Stage.FINISHED and upload.final == (size, replaced):
        return upload.resource_id
    _require_good(upload)
    grown = size - replaced
    if upload.size_bytes + grown < 0:
        raise InvalidInput("More is said to be replaced than the resource has.", ("replacedBytes",))
    if terms.enforced and grown > upload.reserved:
        more = grown - upload.reserved
        await quotas.require_room(tx, viewer, upload.owner_id, upload.user_id, more, ("sizeBytes",))
    done = {"stage": int(Stage.FINISHED), "final_bytes": size, "replaced_bytes": replaced}
    await tx.rows(update(Ticket).where(col(Ticket.key) == ticket).values(**done))
    _tell(tx, upload, {"bytes": size, "replacedBytes": replaced, "state": Stage.FINISHED.name})
    await quotas.add_bytes(tx, upload.org_id, grown, ("sizeBytes",))
    is_its = col(Resource.id) == upload.resource_id
    await tx.rows(update(Resource).where(is_its).values(size_bytes=upload.size_bytes + grown))
    return upload.resource_id


async def cancel_upload(tx: Transaction, ticket: str) -> str:
    """Give the bytes of an upload back; again is as good as once. Whoever presents the ticket may. Answers its key."""
    upload = await _load_for_update(tx, ticket)
    if upload.stage is Stage.FINISHED:
        raise Conflict("The upload was finished already.", ("ticket",))
    await tx.rows(update(Ticket).where(col(Ticket.key) == ticket).values(stage=int(Stage.CANCELLED)))
    _tell(tx, upload, {"bytes": upload.reserved, "state": Stage.CANCELLED.name})
    return ticket


def _tell(tx: Transaction, upload: _Upload, after: dict[str, object]) -> None:
    """Tell what became of an upload: of its resource, since who knows the key of a ticket may speak for it."""
    before = {"bytes": upload.reserved, "state": upload.stage.name}
    audit.note(tx, audit.RESOURCE, upload.resource_id, {"upload": after}, {"upload": before})


async def _load_for_update(tx: Transaction, ticket: str) -> _Upload:
    """The upload of a ticket; raises NotFound. The org is held first: see `holding.hold_orgs`."""
    held = None
    if is_key(ticket):
        for holding in (_HOLD_ORG, _HOLD_RESOURCE, _HOLD_TICKET):
            held = await tx.value(holding, key=ticket)
    row = None if held is None else await tx.row(_UPLOAD, key=ticket, now=tx.now)
    if row is None:
        raise NotFound("There is no such ticket.", ("ticket",))
    is_upload, resource_id, org_id, owner_id, user_id, size, reserved, came, replaced, stage, is_locked = row
    if not is_upload:
        raise InvalidInput("This ticket is for a download.", ("ticket",))
    final = came, replaced
    return _Upload(resource_id, org_id, owner_id, user_id, size, reserved, final, Stage(stage), bool(is_locked))


def is_key(text: str) -> bool:
    """Whether this is of the form of a ticket's key; whatever is not, is none."""
    return _KEY.fullmatch(text) is not None


def _require_good(upload: _Upload) -> None:
    """Raises Locked, or Conflict with what has become of the ticket, unless it is open."""
    match upload.stage:
        case Stage.FINISHED:
            raise Conflict("The upload was finished already, with other numbers.", ("ticket",))
        case Stage.CANCELLED:
            raise Conflict("The upload was cancelled.", ("ticket",))
        case Stage.EXPIRED:
            raise Conflict("The ticket has ended.", ("ticket",))
        case Stage.REVOKED if upload.is_locked:
            raise Locked("The resource is locked.", ("ticket",))
        case Stage.REVOKED:
            raise Conflict("Whoever began the upload may not write to the resource any more.", ("ticket",))


def _byte_problems(number: int, path: str) -> Iterator[Problem]:
    """0 to MAX_BYTES."""
    if not 0 <= number <= MAX_BYTES:
        yield InvalidInput(f"`{path}` is a number of bytes from 0 to {MAX_BYTES:,}.", (path,))


_OWNER = select(col(Org.owner_id)).where(col(Org.id) == bindparam("key", type_=RowId()))

_USER_NAME = (
    select(col(User.user_name))
    .where(col(User.id) == bindparam("key", type_=RowId()))
    .with_for_update(read=True, key_share=True)
)
"""She stays until the end: the ticket will point at her, and nothing is waited for once her quota is held."""

# A CTE with row locks runs once. As a plain subquery PostgreSQL may run it again for each row, past its limit.
_OLD = (
    select(col(Ticket.key))
    .where(col(Ticket.expires_at) <= bindparam("before", type_=UTCDateTime()))
    .limit(CLEARED)
    .with_for_update(skip_locked=True)
    .cte("old")
)
CLEAR_OLD = delete(Ticket).where(col(Ticket.key).in_(select(_OLD.c.key)))

_THIS = col(Ticket.key) == bindparam("key", type_=KeyText())

_HOLD_ORG = (
    select(col(Org.id))
    .where(col(Org.id) == select(col(Ticket.org_id)).where(_THIS).scalar_subquery())
    .with_for_update(key_share=True)
)
_HOLD_RESOURCE = (
    select(col(Resource.id))
    .where(col(Resource.id) == select(col(Ticket.resource_id)).where(_THIS).scalar_subquery())
    .with_for_update()
)
_HOLD_TICKET = select(col(Ticket.key)).where(_THIS).with_for_update()

_UPLOAD = (
    select(
        col(Ticket.is_upload),
        col(Ticket.resource_id),
        col(Resource.org_id),
        col(Org.owner_id),
        col(Ticket.user_id),
        col(Resource.size_bytes),
        col(Ticket.bytes),
        col(Ticket.final_bytes),
        col(Ticket.replaced_bytes),
        policy.ticket_stage(Viewer(None)),
        exists().where(col(Lock.resource_id) == col(Ticket.resource_id)),
    )
    .join(Resource, col(Resource.id) == col(Ticket.resource_id))
    .join(Org, col(Org.id) == col(Resource.org_id))
    .where(_THIS)
)
