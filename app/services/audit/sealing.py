"""Sealing of new audit events, apart from the changes that write them: no request waits for it or pays for it."""

from datetime import timedelta

from sqlalchemy import Integer, bindparam, select

from app.db import Database, Freshness
from app.db.tables import AuditEvent, AuditSeal, RowId, col
from app.query.relations import SETTLED
from app.security.seal_key import SealKey
from app.services.audit.seals import EVENT_COLUMNS, LOCK, Seal, digest_events, last_seal

STRETCH = 1_000
"""Events of one seal."""

LONGEST = timedelta(hours=1)
"""Time after which events are sealed even if they are few."""


async def seal_all(database: Database, key: SealKey) -> int:
    """Seal every event that is committed, and return the number of events."""
    total = 0
    while number := await seal_next(database, key, is_due=True):
        total += number
    return total


async def seal_next(database: Database, key: SealKey, *, is_due: bool = False) -> int:
    """Seal the next STRETCH events and return their number.

    Fewer are sealed only if they wait for LONGEST, or if `is_due`. The events are read before the transaction, which
    writes one row: what is committed does not change any more.
    """
    last = await last_seal(database)
    after = 0 if last is None else last.last_event
    events = await database.ask(_NEXT, freshness=Freshness.PRIMARY, after=after, size=STRETCH)
    if not events or not (is_due or len(events) == STRETCH or events[0][1] <= database.clock() - LONGEST):
        return 0
    entries = await digest_events(database, events, events[0][0], events[-1][0])
    async with database.write() as tx:
        await tx.lock(LOCK)
        seal = Seal.new(last, entries, tx.now, key)
        if (await tx.value(_LAST_NUMBER) or 0) == seal.number - 1:  # no other worker has sealed meanwhile
            await tx.insert(AuditSeal, [seal.values()])
    return len(events)


_NEXT = (
    select(*EVENT_COLUMNS)
    .where(col(AuditEvent.id) > bindparam("after", type_=RowId()), col(AuditEvent.id) <= SETTLED)
    .order_by(col(AuditEvent.id))
    .limit(bindparam("size", type_=Integer()))
)
_LAST_NUMBER = select(col(AuditSeal.number)).order_by(col(AuditSeal.number).desc()).limit(1)
