"""Measurements for /metrics that are taken from time to time, so that neither a request nor a scrape pays for them."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic

from sqlalchemy import func, select

from app.db import Database, Freshness
from app.db.tables import AuditEvent
from app.domain.errors import OstiaryError
from app.observability.counters import sample

TICK_SECONDS = 0.5
"""Seconds between two measurements of the lag of the event loop."""

LAGS = 60
"""Number of measured lags of which the longest is reported: those of 30 seconds."""

ROUND_SECONDS = 15.0
"""Seconds between two checks of readiness and of the sizes; the first is made after a second."""

_NEWEST = select(func.max(AuditEvent.id))

log = logging.getLogger(__name__)


class Measurements:
    """Lag of the event loop, readiness, size of the database and number of the newest audit event.

    `find_problem` returns the name of a failed check of readiness, or None.
    """

    def __init__(self, database: Database, find_problem: Callable[[], Awaitable[str | None]]) -> None:
        self._database = database
        self._find_problem = find_problem
        self._lags: deque[float] = deque([0.0], LAGS)
        self._samples: dict[str, float] = {}

    def samples(self) -> dict[str, float]:
        """Return the last measurements, by metric and labels."""
        return {"ostiary_event_loop_lag_seconds": max(self._lags), **self._samples}

    async def run(self) -> None:
        """Measure until cancelled. The rounds are a task of their own: a slow database must not hide the lag."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._measure_rounds())
            while True:
                await self._measure_lag()

    async def measure(self) -> None:
        """Check readiness and read the sizes. Sizes that cannot be read keep their last values."""
        problem = await self._find_problem()
        self._samples["ostiary_workers_ready"] = int(problem is None)
        if problem is not None:
            return
        ((newest,),) = await self._database.ask(_NEWEST, freshness=Freshness.PRIMARY)
        self._samples["ostiary_audit_newest_event"] = newest or 0
        for file, number in (await self._database.size_bytes()).items():
            self._samples[sample("ostiary_database_size_bytes", file=file)] = number

    async def _measure_lag(self) -> None:
        began = monotonic()
        await asyncio.sleep(TICK_SECONDS)
        self._lags.append(max(0.0, monotonic() - began - TICK_SECONDS))

    async def _measure_rounds(self) -> None:
        await asyncio.sleep(1)
        while True:
            try:
                await self.measure()
            except OstiaryError as error:
                log.warning("measurement failed: %s", error)
            except Exception:
                log.exception("measurement failed")
            await asyncio.sleep(ROUND_SECONDS)
