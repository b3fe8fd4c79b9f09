"""Removal of old audit events: their seals stay, and an event says what was removed."""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Integer, bindparam, delete, func, insert, select

from app.db import Database, Freshness, Transaction, at_one_moment
from app.db.tables import AuditChange, AuditEvent, AuditPermit, AuditSeal, RowId, UTCDateTime, col
from app.db.types import format_instant
from app.domain.errors import OstiaryError, Retry
from app.domain.viewer import SYSTEM
from app.query.relations import Keys, among, integers
from app.security.seal_key import SealKey
from app.services import retries
from app.services.audit import recorder
from app.services.audit.sealing import STRETCH, seal_all
from app.services.audit.seals import LOCK, SELECT_SEALS, Entries, Reader, Seal, pack, unpack
from app.services.audit.verification import check_seal

ACTION = "pruneAuditLog"

AUDIT_LOG = "AuditLog"
"""Type of the object of such an event. There is one log, with the id 1."""

NAME = "audit log"


class LogDiffers(OstiaryError):
    """The audit log is other than it was sealed, so nothing is removed: that would remove the evidence."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """Numbers of removed events, and of the events that say so."""

    events: int
    rounds: int


async def prune(
    database: Database, key: SealKey, before: datetime, report: Callable[[str, int, int], None], rounds: int = 0
) -> Pruned:
    """Remove the events before a moment, STRETCH events in a transaction, in at most so many `rounds` (0: in all).

    Raises LogDiffers if the events or their seals were tampered with.
    """
    await seal_all(database, key)
    total = done = 0
    while not rounds or done < rounds:
        number = await retries.run(partial(_prune_some, database, key, before))
        if not number:
            break
        total, done = total + number, done + 1
        report("events removed", total, 0)
    return Pruned(total, done)


async def is_due(database: Database, before: datetime) -> bool:
    """Return whether there is an event before a moment, other than those that say what was removed."""
    return bool(await database.ask(_DUE, freshness=Freshness.PRIMARY, before=before))


async def _prune_some(database: Database, key: SealKey, before: datetime) -> int:
    async with at_one_moment(database) as reader:
        rows = await reader.ask(_OLD, freshness=Freshness.PRIMARY, before=before, size=STRETCH)
        removed = sorted(row[0] for row in rows)
        seals = await load_seals(reader, removed)
        for seal in seals:
            await require_sealed(reader, seal, key)
    if not removed:
        return 0
    gone = set(removed)
    entries = {event: digest for seal in seals for event, digest in unpack(seal.entries).items() if event in gone}
    async with recorder.transaction(database, SYSTEM, ACTION) as tx:
        await begin(tx, seals)
        events = integers(removed)
        await tx.rows(delete(AuditChange).where(among(col(AuditChange.event_id), events)))
        await tx.rows(delete(AuditEvent).where(among(col(AuditEvent.id), events)))
        await end(tx, [seal.amended(_without(seal, gone), tx.now, key) for seal in seals])
        recorder.note(tx, AUDIT_LOG, 1, _removal(entries, before), name=NAME)
    return len(removed)


def _removal(entries: Entries, before: datetime) -> dict[str, Any]:
    """Return what the event of a removal says. The hash is over the digests of the removed events."""
    return {
        "before": format_instant(before),
        "events": len(entries),
        "firstEvent": min(entries),
        "lastEvent": max(entries),
        "hash": hashlib.sha256(pack(entries)).hexdigest(),
    }


def _without(seal: Seal, removed: set[int]) -> Entries:
    return {event: digest for event, digest in unpack(seal.entries).items() if event not in removed}


async def load_seals(reader: Reader, events: list[int]) -> list[Seal]:
    """Return the seals that cover events, which are in the order of their ids."""
    if not events:
        return []
    rows = await reader.ask(_SEALS, freshness=Freshness.PRIMARY, first=events[0], last=events[-1])
    seals = (Seal(*row) for row in rows)
    return [seal for seal in seals if bisect_left(events, seal.first_event) < bisect_right(events, seal.last_event)]


async def require_sealed(reader: Reader, seal: Seal, key: SealKey) -> None:
    """Raise LogDiffers unless the events of a seal are those that it seals."""
    problem, _ = await check_seal(reader, seal, None, key)
    if problem is not None:
        raise LogDiffers(f"{problem}; nothing of it is removed. Find out why: ostiary audit verify")


async def begin(tx: Transaction, seals: list[Seal]) -> None:
    """Permit this transaction to change the log. Raise Retry if the seals are no more as they were read."""
    await tx.lock(LOCK)
    await tx.rows(_PERMIT)
    rows = await tx.rows(_SIGNATURES, numbers=[seal.number for seal in seals])
    if dict(rows) != {seal.number: seal.signature for seal in seals}:
        raise Retry


async def end(tx: Transaction, seals: list[Seal]) -> None:
    """Write the amended seals and take the permit back."""
    values = [
        {
            "number": seal.number,
            "entries": seal.entries,
            "amended_at": seal.amended_at,
            "is_rewritten": seal.is_rewritten,
            "key_id": seal.key_id,
            "signature": seal.signature,
        }
        for seal in seals
    ]
    await tx.update_many(AuditSeal, values, ("number",))
    await tx.rows(delete(AuditPermit))


def _oldest(*conditions: Any) -> Any:
    before = bindparam("before", type_=UTCDateTime())
    return select(col(AuditEvent.id)).where(col(AuditEvent.at) < before, *conditions)


_DUE = _oldest(col(AuditEvent.action) != ACTION).limit(1)
_OLD = (
    _oldest(col(AuditEvent.id) <= select(func.max(col(AuditSeal.last_event))).scalar_subquery())
    .order_by(col(AuditEvent.at), col(AuditEvent.id))
    .limit(bindparam("size", type_=Integer()))
)
_SEALS = SELECT_SEALS.where(
    col(AuditSeal.last_event) >= bindparam("first", type_=RowId()),
    col(AuditSeal.first_event) <= bindparam("last", type_=RowId()),
).order_by(col(AuditSeal.number))
_PERMIT = insert(AuditPermit).values(number=1)
_SIGNATURES = select(col(AuditSeal.number), col(AuditSeal.signature)).where(
    among(col(AuditSeal.number), bindparam("numbers", type_=Keys(RowId())))
)
