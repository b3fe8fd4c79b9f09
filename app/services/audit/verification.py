"""Verification of the audit log against its seals: it says the first event that differs, is missing or was added."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select

from app.db import Database, Freshness, at_one_moment
from app.db.tables import AuditEvent, AuditSeal, RowId, col
from app.db.types import format_instant
from app.security.seal_key import SealKey
from app.services.audit.seals import NO_HASH, SELECT_SEALS, Entries, Reader, Seal, digest_range, unpack

Report = Callable[[str, int, int], None]


@dataclass(slots=True)
class Verified:
    """The result for the whole log. `problem` is the first thing that is wrong; None if nothing is.

    `head` is the hash of the newest seal: who has written it down elsewhere finds out that seals were removed.
    `removed` is the number of events that the retention or `prune` took away, `forgotten` that of seals with events
    from which users were erased, and `foreign` that of seals that another secret has signed. `is_head_unknown` says
    that the events are as they were sealed, and that no seal has the head that was expected.
    """

    seals: int = 0
    events: int = 0
    removed: int = 0
    forgotten: int = 0
    foreign: int = 0
    unsealed: int = 0
    head: str = NO_HASH
    sealed_at: datetime | None = None
    problem: str | None = None
    event: int | None = None
    is_head_unknown: bool = False


async def verify(database: Database, key: SealKey, report: Report, expected: str | None = None) -> Verified:
    """Compare all events with their seals. `expected` is the head of an earlier verification, which must be a seal."""
    result, has_expected = Verified(), expected in {None, NO_HASH}
    while result.problem is None:
        async with at_one_moment(database) as reader:
            rows = await reader.ask(_SEAL, freshness=Freshness.PRIMARY, number=result.seals + 1)
            if not rows:
                await _check_end(reader, result)
                break
            seal = Seal(*rows[0])
            result.problem, result.event = await check_seal(reader, seal, result.head, key)
        _count(result, seal, key)
        has_expected |= seal.hash == expected
        report("events", result.events, 0)
    if result.problem is None and not has_expected:
        result.is_head_unknown = True
        result.problem = f"no seal has the head {expected}: the head is wrong, or seals were removed or written again"
    return result


def _count(result: Verified, seal: Seal, key: SealKey) -> None:
    result.seals, result.head, result.sealed_at = seal.number, seal.hash, seal.sealed_at
    left = len(unpack(seal.entries))
    result.events += left
    result.removed += seal.events - left
    result.forgotten += bool(seal.is_rewritten)
    result.foreign += seal.key_id != key.id


async def _check_end(reader: Reader, result: Verified) -> None:
    """Count the events that have no seal yet; a seal beyond the last one means that one is missing."""
    ((last, number),) = await reader.ask(_LAST, freshness=Freshness.PRIMARY)
    if number:
        result.problem = f"seal {result.seals + 1} is missing, and later ones exist"
        return
    ((result.unsealed,),) = await reader.ask(_UNSEALED, freshness=Freshness.PRIMARY, last=last or 0)


_Problem = tuple[str | None, int | None]
"""A problem and the id of the event that has it; both None if there is none."""


async def check_seal(reader: Reader, seal: Seal, previous: str | None, key: SealKey) -> _Problem:
    """Return the first problem of a seal and of its events. `previous` is the hash of the seal before, if it is known.

    The signature is checked if this key has made it.
    """
    stored = unpack(seal.entries)
    name = f"seal {seal.number}"
    if seal.hash != seal.expected_hash() or (previous is not None and seal.previous != previous):
        return f"{name} was changed, or the one before it", None
    if seal.key_id == key.id and not key.verifies(seal.signed_text(), seal.signature):
        return f"{name} was changed: its signature is wrong", None
    if seal.amended_at is None and hashlib.sha256(seal.entries).hexdigest() != seal.digest:
        return f"{name} was changed: its events are others than those that were sealed", None
    return compare(stored, await digest_range(reader, seal.first_event, seal.last_event), seal)


def compare(sealed: Entries, present: Entries, seal: Seal) -> _Problem:
    """Return the first event that differs, is missing or was added."""
    if sealed == present:
        return None, None
    event = min(key for key in {*sealed, *present} if sealed.get(key) != present.get(key))
    at = format_instant(seal.sealed_at, "seconds")
    what = "is missing" if event not in present else "was added" if event not in sealed else "was changed"
    return f"event {event} {what} since it was sealed at {at} (seal {seal.number})", event


_SEAL = SELECT_SEALS.where(col(AuditSeal.number) == bindparam("number", type_=RowId()))
_LAST = select(
    func.max(col(AuditSeal.last_event)),
    select(func.count())
    .select_from(AuditSeal)
    .where(col(AuditSeal.number) > select(func.count()).select_from(AuditSeal).scalar_subquery())
    .scalar_subquery(),
)
_UNSEALED = select(func.count()).select_from(AuditEvent).where(col(AuditEvent.id) > bindparam("last", type_=RowId()))
