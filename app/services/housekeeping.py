"""Work that each server does beside its requests: it seals the audit log and removes what is old.

Every worker of every host does it, at random times, a bounded piece at once. The second of two workers finds nothing to
do.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import uniform

from app.db.access_changes_trim import remove_old
from app.db.cancellation import cancel_and_wait
from app.domain.errors import OstiaryError
from app.services import ended
from app.services.app_context import AppContext
from app.services.audit import pruning, sealing

log = logging.getLogger(__name__)

PAUSE_SECONDS = 60.0
"""Mean time between two rounds of a worker, in seconds."""

MAX_STRETCHES = 20
"""Stretches of the audit log that one round seals, and that it removes."""

MAX_REMOVALS = 100
"""Times that one round removes notes about changes: more than the busiest minute can write."""

STEP_SECONDS = 0.05
"""Pause after a piece of work, so that requests have most of the time."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Times after which the server removes what is old; None is never."""

    audit: timedelta | None = None
    ended: timedelta | None = None


async def run_once(app: AppContext, retention: Retention) -> None:
    """Do one round. A piece that fails is logged, and the others are done."""
    await _attempt("sealing of the audit log", lambda: _seal(app))
    await _attempt("removal of old notes about changes", lambda: _remove_changes(app))
    if (audit := retention.audit) is not None:
        await _attempt("retention of the audit log", lambda: _prune(app, audit))
    if (after := retention.ended) is not None:
        await _attempt("removal of what has ended", lambda: _remove_ended(app, after))


async def _attempt(name: str, work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except OstiaryError as error:
        log.warning("housekeeping failed work=%r: %s", name, error)
    except Exception:
        log.exception("housekeeping failed work=%r", name)


async def _seal(app: AppContext) -> None:
    for _ in range(MAX_STRETCHES):
        if not await sealing.seal_next(app.database, app.seal_key):
            return
        await asyncio.sleep(STEP_SECONDS)


async def _remove_changes(app: AppContext) -> None:
    for _ in range(MAX_REMOVALS):
        if not await remove_old(app.database):
            return
        await asyncio.sleep(STEP_SECONDS)


async def _prune(app: AppContext, keep: timedelta) -> None:
    before = app.database.clock() - keep
    if await pruning.is_due(app.database, before):
        pruned = await pruning.prune(app.database, app.seal_key, before, _ignore, MAX_STRETCHES)
        log.info("removed old audit events number=%d", pruned.events)


async def _remove_ended(app: AppContext, keep: timedelta) -> None:
    number = await ended.remove(app.database, app.database.clock() - keep)
    if number:
        log.info("removed ended memberships, grants and tokens number=%d", number)


def _ignore(*_: object) -> None:
    """Report nothing."""


@asynccontextmanager
async def running(app: AppContext, retention: Retention) -> AsyncIterator[None]:
    """Do rounds during the block."""
    task = asyncio.create_task(_run(app, retention))
    try:
        yield
    finally:
        await cancel_and_wait(task)


async def _run(app: AppContext, retention: Retention) -> None:
    while True:
        await asyncio.sleep(uniform(0.5, 1.5) * PAUSE_SECONDS)  # noqa: S311 - it protects nothing
        await run_once(app, retention)
