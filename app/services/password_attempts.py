"""The rows that count wrong passwords and passwords that are being checked, so that all workers know of them.

A check in progress is counted in a slot of time: those of the current slot, and those of the one before. Older ones
count no more, so that what a killed worker was checking is free again within two slots; who checks for longer moves
the check to the current slot (`renew`). Rows are changed in the order of their keys, or two transactions would wait for
each other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite spells it alike
from sqlalchemy.types import Integer

from app.db import Database, Freshness, Transaction
from app.db.tables import Guess, KeyText, UTCDateTime, col
from app.domain.errors import RateLimited
from app.query.relations import Keys, among

SLOT_SECONDS = 5

CLEARED = 16
"""How many rows that say nothing any more are cleared with each that is made: so there are never many."""

_key = bindparam("key", type_=KeyText())
_now = bindparam("now", type_=UTCDateTime())
_until = bindparam("until", type_=UTCDateTime())
_kept = bindparam("kept", type_=UTCDateTime())
_stale = bindparam("stale", type_=UTCDateTime())
_free = bindparam("free", type_=Integer())
_slot = bindparam("slot", type_=Integer())
_held = bindparam("held", type_=Integer())
_THIS = col(Guess.key) == _key
_IS_STALE = col(Guess.free_at) < _stale
_KEPT = case((col(Guess.kept_until) > _kept, col(Guess.kept_until)), else_=_kept)

Counts = tuple[ColumnElement[int], ColumnElement[int]]
"""How many checks are in the slot of a row, and in the one before."""

_STORED: Counts = (col(Guess.checks), col(Guess.checks_before))


def _at(counts: Counts, slot: ColumnElement[int]) -> Counts:
    """Return the counts as of a slot; that of the row may be later, by another worker's clock."""
    is_current, is_before = col(Guess.checks_slot) >= slot, col(Guess.checks_slot) == slot - 1
    current = case((is_current, counts[0]), else_=0)
    return current, case((is_current, counts[1]), (is_before, counts[0]), else_=0)


def _without(held: ColumnElement[int]) -> Counts:
    """Return the counts without one check that was counted in the slot `held`."""
    now, before = _STORED
    return (
        case(((col(Guess.checks_slot) == held) & (now > 0), now - 1), else_=now),
        case(((col(Guess.checks_slot) == held + 1) & (before > 0), before - 1), else_=before),
    )


def _with_one(counts: Counts, slot: ColumnElement[int]) -> dict[str, Any]:
    current, before = _at(counts, slot)
    latest = case((col(Guess.checks_slot) >= slot, col(Guess.checks_slot)), else_=slot)
    return {"checks": current + 1, "checks_before": before, "checks_slot": latest}


_RELEASED: dict[str, Any] = dict(zip(("checks", "checks_before"), _without(_held), strict=True))
_FAILURES = case((_IS_STALE, 0), else_=col(Guess.failures))
_ROOM = case((_free > _FAILURES, _free - _FAILURES), (col(Guess.free_at) <= _now, 1), else_=0)
_CURRENT, _BEFORE = _at(_STORED, _slot)
_RESERVE = (
    insert(Guess)
    .values(key=_key, failures=0, free_at=_now, kept_until=_kept, checks=1, checks_before=0, checks_slot=_slot)
    .on_conflict_do_update(
        index_elements=[col(Guess.key)],
        set_={"failures": _FAILURES, "kept_until": _KEPT, **_with_one(_STORED, _slot)},
        where=_CURRENT + _BEFORE < _ROOM,
    )
    .returning(col(Guess.checks_slot))
)
_RENEW = update(Guess).where(_THIS).values(**_with_one(_without(_held), _slot)).returning(col(Guess.checks_slot))
_RELEASE = update(Guess).where(_THIS).values(**_RELEASED)
_WRONG = (
    update(Guess)
    .where(_THIS)
    .values(failures=_FAILURES + 1, free_at=_now, kept_until=_KEPT, **_RELEASED)
    .returning(col(Guess.failures))
)
_COUNT = (
    insert(Guess)
    .values(key=_key, failures=1, free_at=_now, kept_until=_kept, checks=0, checks_before=0, checks_slot=0)
    .on_conflict_do_update(
        index_elements=[col(Guess.key)],
        set_={"failures": _FAILURES + 1, "free_at": _now, "kept_until": _KEPT},
        where=(col(Guess.free_at) <= _now) | (col(Guess.failures) < _free),
    )
    .returning(col(Guess.failures))
)
_BLOCK = update(Guess).where(_THIS).values(free_at=_until)
_STATE = select(col(Guess.failures), col(Guess.free_at)).where(_THIS)
_STANDING = select(col(Guess.key), col(Guess.failures), col(Guess.free_at), col(Guess.known_until)).where(
    among(col(Guess.key), bindparam("keys", type_=Keys(KeyText())))
)
_OPENED = (
    update(Guess).where(_THIS).values(failures=0, free_at=_now, known_until=_until, kept_until=_until, **_RELEASED)
)
_OLD = select(col(Guess.key)).where(col(Guess.kept_until) < _now).order_by(col(Guess.kept_until)).limit(CLEARED)
# A CTE with row locks runs once. As a plain subquery PostgreSQL may run it again for each row, past its limit.
CLEAR_OLD = delete(Guess).where(col(Guess.key).in_(select(_OLD.with_for_update(skip_locked=True).cte("old").c.key)))


@dataclass(frozen=True, slots=True)
class GuessLimit:
    """How many guesses are free, and how many seconds is the longest wait after those."""

    free: int
    max_wait: int

    def wait(self, failures: int) -> int:
        """Seconds until the next one, after so many."""
        return 0 if failures < self.free else min(self.max_wait, 2 ** min(failures - self.free, 30))


Limits = Mapping[str, GuessLimit]
Slots = Mapping[str, int]
"""By key: the slot in which a check is counted."""

Standing = Mapping[str, tuple[int, datetime, datetime | None]]
"""By key: how many were wrong, from when on the next may come, and until when the address is known."""


@dataclass(frozen=True, slots=True)
class GuessTimes:
    """For how long wrong passwords are remembered, and rows are kept."""

    forget: timedelta
    keep: timedelta

    def at(self, now: datetime) -> dict[str, datetime]:
        """Return the moments that statements compare with."""
        return {"now": now, "stale": now - self.forget, "kept": now + self.keep}


class ChecksBusy(Exception):
    """As many passwords are being checked for this key as may be wrong."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


async def load_standing(database: Database, keys: Iterable[str]) -> Standing:
    """Read what is counted for these keys."""
    asked = list(keys)
    rows = await database.ask(_STANDING, freshness=Freshness.PRIMARY, keys=asked) if asked else []
    return {key: (failures, free_at, known_until) for key, failures, free_at, known_until in rows}


def require_free(found: Standing, limits: Limits, now: datetime) -> None:
    """Raise RateLimited where too many were wrong."""
    blocked = [free_at for key, (failures, free_at, _) in found.items() if _stops(limits.get(key), failures)]
    if (until := max(blocked, default=now)) > now:
        raise too_many(until, now)


def _stops(limit: GuessLimit | None, failures: int) -> bool:
    return limit is not None and failures >= limit.free


def too_many(until: datetime, now: datetime) -> RateLimited:
    """Return what is told to those who must wait until then."""
    seconds = max(1, ceil((until - now).total_seconds()))
    return RateLimited(f"Too much was wrong lately. Try again in {seconds:,} second{'s' * (seconds > 1)}.", seconds)


async def reserve(tx: Transaction, limits: Limits, times: GuessTimes) -> Slots:
    """Count one more check in progress for each key; raises Busy, or RateLimited where too many were wrong."""
    given, slots = {**times.at(tx.now), "slot": _slot_at(tx.now)}, {}
    for key in sorted(limits):
        slot = await tx.value(_RESERVE, key=key, free=limits[key].free, **given)
        if slot is None:
            state = await tx.row(_STATE, key=key)
            require_free({} if state is None else {key: (*state, None)}, limits, tx.now)
            raise ChecksBusy(key)
        slots[key] = slot
    return slots


async def clear(tx: Transaction) -> None:
    """Delete some rows that are not needed any more."""
    await tx.rows(CLEAR_OLD, now=tx.now)


async def renew(tx: Transaction, slots: Slots) -> Slots:
    """Move a check in progress to the current slot."""
    now = _slot_at(tx.now)
    return {key: await tx.value(_RENEW, key=key, held=slots[key], slot=now) or 0 for key in sorted(slots)}


async def release(tx: Transaction, slots: Slots) -> None:
    """Count one check less in progress."""
    for key in sorted(slots):
        await tx.rows(_RELEASE, key=key, held=slots[key])


async def count_wrong(tx: Transaction, limits: Limits, slots: Slots, times: GuessTimes) -> None:
    """Count a check that is over as a wrong password."""
    for key in sorted(slots):
        failures = await tx.value(_WRONG, key=key, held=slots[key], **times.at(tx.now))
        await _block(tx, key, limits[key], failures or 0)


async def count_right(tx: Transaction, slots: Slots, pair: str, known: timedelta) -> None:
    """End a check that was right: the pair of account and address is cleared of its wrong passwords."""
    for key in sorted(slots):
        if key == pair:
            await tx.rows(_OPENED, key=key, held=slots[key], now=tx.now, until=tx.now + known)
        else:
            await tx.rows(_RELEASE, key=key, held=slots[key])


async def count(tx: Transaction, limits: Limits, times: GuessTimes) -> None:
    """Count something wrong that was not counted while it was checked; raises RateLimited where too many were."""
    for key in sorted(limits):
        failures = await tx.value(_COUNT, key=key, free=limits[key].free, **times.at(tx.now))
        if failures is None:
            state = await tx.row(_STATE, key=key)
            raise too_many(tx.now if state is None else state[1], tx.now)
        await _block(tx, key, limits[key], failures)
        if failures == 1:
            await clear(tx)


async def _block(tx: Transaction, key: str, limit: GuessLimit, failures: int) -> None:
    if wait := limit.wait(failures):
        await tx.rows(_BLOCK, key=key, until=tx.now + timedelta(seconds=wait))


def _slot_at(now: datetime) -> int:
    return int(now.timestamp()) // SLOT_SECONDS
