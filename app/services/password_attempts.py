"""Database rows that count wrong passwords and checks in progress, shared by all workers.

A check in progress is counted in a time slot, and the counts of the current and the previous slot are valid. So the
checks of a killed worker expire within two slots, and a longer check moves to the current slot (`renew`). Rows are
changed in the order of their keys, because two transactions with different orders would deadlock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same syntax
from sqlalchemy.types import Integer

from app.db import Database, Freshness, Transaction
from app.db.tables import Guess, KeyText, UTCDateTime, col
from app.domain.errors import RateLimited
from app.domain.quantities import format_count
from app.query.relations import Keys, among

SLOT_SECONDS = 5

MAX_DELETED = 16
"""Expired rows that each new row deletes at most, so that few remain."""

_key = bindparam("key", type_=KeyText())
_now = bindparam("now", type_=UTCDateTime())
_until = bindparam("until", type_=UTCDateTime())
_keep_until = bindparam("kept", type_=UTCDateTime())
_stale = bindparam("stale", type_=UTCDateTime())
_free = bindparam("free", type_=Integer())
_slot = bindparam("slot", type_=Integer())
_reserved_slot = bindparam("held", type_=Integer())
_THIS = col(Guess.key) == _key
_IS_STALE = col(Guess.free_at) < _stale
_LATEST_KEPT_UNTIL = case((col(Guess.kept_until) > _keep_until, col(Guess.kept_until)), else_=_keep_until)

Counts = tuple[ColumnElement[int], ColumnElement[int]]
"""Numbers of checks in the slot of a row and in the previous slot."""

_STORED: Counts = (col(Guess.checks), col(Guess.checks_before))


def _at(counts: Counts, slot: ColumnElement[int]) -> Counts:
    """Return the counts as of a slot. The row's slot may be later, by another worker's clock."""
    is_current, is_before = col(Guess.checks_slot) >= slot, col(Guess.checks_slot) == slot - 1
    current = case((is_current, counts[0]), else_=0)
    return current, case((is_current, counts[1]), (is_before, counts[0]), else_=0)


def _without(slot: ColumnElement[int]) -> Counts:
    """Return the counts without one check that was counted in a slot."""
    now, before = _STORED
    return (
        case(((col(Guess.checks_slot) == slot) & (now > 0), now - 1), else_=now),
        case(((col(Guess.checks_slot) == slot + 1) & (before > 0), before - 1), else_=before),
    )


def _with_one(counts: Counts, slot: ColumnElement[int]) -> dict[str, Any]:
    current, before = _at(counts, slot)
    latest = case((col(Guess.checks_slot) >= slot, col(Guess.checks_slot)), else_=slot)
    return {"checks": current + 1, "checks_before": before, "checks_slot": latest}


_RELEASED: dict[str, Any] = dict(zip(("checks", "checks_before"), _without(_reserved_slot), strict=True))
_FAILURES = case((_IS_STALE, 0), else_=col(Guess.failures))
_ROOM = case((_free > _FAILURES, _free - _FAILURES), (col(Guess.free_at) <= _now, 1), else_=0)
_CURRENT, _BEFORE = _at(_STORED, _slot)
_RESERVE = (
    insert(Guess)
    .values(key=_key, failures=0, free_at=_now, kept_until=_keep_until, checks=1, checks_before=0, checks_slot=_slot)
    .on_conflict_do_update(
        index_elements=[col(Guess.key)],
        set_={"failures": _FAILURES, "kept_until": _LATEST_KEPT_UNTIL, **_with_one(_STORED, _slot)},
        where=_CURRENT + _BEFORE < _ROOM,
    )
    .returning(col(Guess.checks_slot))
)
_RENEW = (
    update(Guess).where(_THIS).values(**_with_one(_without(_reserved_slot), _slot)).returning(col(Guess.checks_slot))
)
_RELEASE = update(Guess).where(_THIS).values(**_RELEASED)
_COUNT_CHECKED_FAILURE = (
    update(Guess)
    .where(_THIS)
    .values(failures=_FAILURES + 1, free_at=_now, kept_until=_LATEST_KEPT_UNTIL, **_RELEASED)
    .returning(col(Guess.failures))
)
_COUNT_FAILURE = (
    insert(Guess)
    .values(key=_key, failures=1, free_at=_now, kept_until=_keep_until, checks=0, checks_before=0, checks_slot=0)
    .on_conflict_do_update(
        index_elements=[col(Guess.key)],
        set_={"failures": _FAILURES + 1, "free_at": _now, "kept_until": _LATEST_KEPT_UNTIL},
        where=(col(Guess.free_at) <= _now) | (col(Guess.failures) < _free),
    )
    .returning(col(Guess.failures))
)
_BLOCK = update(Guess).where(_THIS).values(free_at=_until)
_STATE = select(col(Guess.failures), col(Guess.free_at)).where(_THIS)
_STATES = select(col(Guess.key), col(Guess.failures), col(Guess.free_at), col(Guess.known_until)).where(
    among(col(Guess.key), bindparam("keys", type_=Keys(KeyText())))
)
_COUNT_SUCCESS = (
    update(Guess).where(_THIS).values(failures=0, free_at=_now, known_until=_until, kept_until=_until, **_RELEASED)
)
_OLD = select(col(Guess.key)).where(col(Guess.kept_until) < _now).order_by(col(Guess.kept_until)).limit(MAX_DELETED)
# A CTE with row locks runs once. As a plain subquery PostgreSQL may run it again for each row, past its limit.
CLEAR_OLD = delete(Guess).where(col(Guess.key).in_(select(_OLD.with_for_update(skip_locked=True).cte("old").c.key)))


@dataclass(frozen=True, slots=True)
class GuessLimit:
    """Number of guesses without a wait, and the maximum wait after them in seconds."""

    free: int
    max_wait: int

    def wait(self, failures: int) -> int:
        """Return the seconds until the next guess is allowed."""
        return 0 if failures < self.free else min(self.max_wait, 2 ** min(failures - self.free, 30))


Limits = Mapping[str, GuessLimit]
Slots = Mapping[str, int]
"""The slot in which a check is counted, by key."""

GuessStates = Mapping[str, tuple[int, datetime, datetime | None]]
"""By key: number of wrong guesses, start of the next free guess, end of the trust in the address."""


@dataclass(frozen=True, slots=True)
class GuessTimes:
    """Periods after which wrong guesses are forgotten and rows expire."""

    forget: timedelta
    keep: timedelta

    def at(self, now: datetime) -> dict[str, datetime]:
        """Return the times that the statements bind."""
        return {"now": now, "stale": now - self.forget, "kept": now + self.keep}


class ChecksBusy(Exception):
    """As many guesses are being checked for this key as may still be wrong."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


async def load_states(database: Database, keys: Iterable[str]) -> GuessStates:
    """Return the states of the keys that have a row."""
    keys = list(keys)
    rows = await database.ask(_STATES, freshness=Freshness.PRIMARY, keys=keys) if keys else []
    return {key: (failures, free_at, known_until) for key, failures, free_at, known_until in rows}


def require_free(states: GuessStates, limits: Limits, now: datetime) -> None:
    """Raise RateLimited if a key with a limit must still wait."""
    blocked = [free_at for key, (failures, free_at, _) in states.items() if _is_exceeded(limits.get(key), failures)]
    if (until := max(blocked, default=now)) > now:
        raise _rate_limited(until, now)


def _is_exceeded(limit: GuessLimit | None, failures: int) -> bool:
    return limit is not None and failures >= limit.free


def _rate_limited(until: datetime, now: datetime) -> RateLimited:
    seconds = max(1, ceil((until - now).total_seconds()))
    text = f"Too many failed sign-in attempts. Try again in {format_count(seconds, 'second')}."
    return RateLimited(text, seconds)


async def reserve(tx: Transaction, limits: Limits, times: GuessTimes) -> Slots:
    """Count one more check in progress by each key; raise ChecksBusy, or RateLimited if too many guesses were wrong."""
    values, slots = {**times.at(tx.now), "slot": _slot_at(tx.now)}, {}
    for key in sorted(limits):
        slot = await tx.value(_RESERVE, key=key, free=limits[key].free, **values)
        if slot is None:
            state = await tx.row(_STATE, key=key)
            require_free({} if state is None else {key: (*state, None)}, limits, tx.now)
            raise ChecksBusy(key)
        slots[key] = slot
    return slots


async def delete_old(tx: Transaction) -> None:
    """Delete up to MAX_DELETED expired rows."""
    await tx.rows(CLEAR_OLD, now=tx.now)


async def renew(tx: Transaction, slots: Slots) -> Slots:
    """Move a check in progress to the current slot."""
    now = _slot_at(tx.now)
    return {key: await tx.value(_RENEW, key=key, held=slots[key], slot=now) or 0 for key in sorted(slots)}


async def release(tx: Transaction, slots: Slots) -> None:
    """Count one check less in progress by each key."""
    for key in sorted(slots):
        await tx.rows(_RELEASE, key=key, held=slots[key])


async def count_checked_failure(tx: Transaction, limits: Limits, slots: Slots, times: GuessTimes) -> None:
    """End a check in progress and count a wrong guess."""
    for key in sorted(slots):
        failures = await tx.value(_COUNT_CHECKED_FAILURE, key=key, held=slots[key], **times.at(tx.now))
        await _block(tx, key, limits[key], failures or 0)


async def count_success(tx: Transaction, slots: Slots, pair: str, trusted: timedelta) -> None:
    """End a check of a correct password: forget the wrong guesses of account and address, and trust the address."""
    for key in sorted(slots):
        if key == pair:
            await tx.rows(_COUNT_SUCCESS, key=key, held=slots[key], now=tx.now, until=tx.now + trusted)
        else:
            await tx.rows(_RELEASE, key=key, held=slots[key])


async def count_failure(tx: Transaction, limits: Limits, times: GuessTimes) -> None:
    """Count a failure that reserved no place; raise RateLimited if there were too many."""
    for key in sorted(limits):
        failures = await tx.value(_COUNT_FAILURE, key=key, free=limits[key].free, **times.at(tx.now))
        if failures is None:
            state = await tx.row(_STATE, key=key)
            raise _rate_limited(tx.now if state is None else state[1], tx.now)
        await _block(tx, key, limits[key], failures)
        if failures == 1:
            await delete_old(tx)


async def _block(tx: Transaction, key: str, limit: GuessLimit, failures: int) -> None:
    if wait := limit.wait(failures):
        await tx.rows(_BLOCK, key=key, until=tx.now + timedelta(seconds=wait))


def _slot_at(now: datetime) -> int:
    return int(now.timestamp()) // SLOT_SECONDS
