"""Retries of changes that other requests interfered with.

A change reads what it needs, checks it, and writes. A concurrent change can invalidate the checks: it takes the same
name, deletes a row that this one refers to, or ends in a deadlock. Then the whole change runs again, so that its own
checks report what is true now: a taken name as Conflict, a deleted object as NotFound.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextvars import ContextVar
from dataclasses import dataclass, field
from random import uniform
from time import monotonic
from typing import Any, TypeVar

from app.db import ForeignKeyViolation, UniqueViolation
from app.domain.errors import Retry
from app.observability import counters, request_stats

Result = TypeVar("Result")

ATTEMPTS = 4
"""Attempts of a change, the first one included."""

MAX_SECONDS = 5.0
"""Seconds after which no further attempt begins: a change that waited that long for a lock has tried enough."""

MIN_PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.005, 0.05
"""Bounds of the random pause before the second attempt; it doubles before each further one."""


RETRIES = "ostiary_change_retries_total"
counters.declare(RETRIES)


@dataclass(slots=True)
class _Change:
    """A change in progress. `is_final` if the current attempt is the last one."""

    outer: "_Change | None"
    is_final: bool = False
    results: dict[Hashable, Any] = field(default_factory=dict)


_CURRENT: ContextVar[_Change | None] = ContextVar("change", default=None)


async def run(work: Callable[[], Awaitable[Result]]) -> Result:
    """Run a change, again if others interfere, and return its result.

    It does not run again after a commit or after `forbid`. Raises Retry if the last attempt fails too.
    """
    stats = request_stats.current_request()
    committed, began = stats.committed_changes, monotonic()
    change = _Change(_CURRENT.get())
    token = _CURRENT.set(change)
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await work()
            except (Retry, ForeignKeyViolation, UniqueViolation) as error:
                is_last = attempt == ATTEMPTS or monotonic() - began > MAX_SECONDS
                if is_last or change.is_final or stats.committed_changes > committed:
                    if isinstance(error, ForeignKeyViolation):
                        raise Retry from error
                    raise
                counters.increment(RETRIES)
            await asyncio.sleep(2 ** (attempt - 1) * uniform(MIN_PAUSE_SECONDS, MAX_PAUSE_SECONDS))  # noqa: S311 - no secret
    finally:
        _CURRENT.reset(token)
    raise AssertionError


def forbid() -> None:
    """Forbid further attempts of the current change: it checked a password, which must not count twice.

    A later `run` within it, for its transaction alone, can still try again.
    """
    change = _CURRENT.get()
    while change is not None:
        change.is_final = True
        change = change.outer


async def run_once(key: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
    """Return the result of slow work that is done once for all attempts of the current change, such as hashing."""
    change = _CURRENT.get()
    if change is None:
        return await work()
    if key not in change.results:
        change.results[key] = await work()
    result: Result = change.results[key]
    return result
