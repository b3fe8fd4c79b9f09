"""Backups that the server makes by itself: of all workers of a host, one at a time makes those that are due."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime, timedelta

from app.config import Settings
from app.db.backups import BackupFailed
from app.db.cancellation import cancel_and_wait
from app.observability import counters
from app.services.backups import folder as folders
from app.services.backups.making import CreatedBackup, make_locked

log = logging.getLogger(__name__)

CHECK_SECONDS = 30.0
"""Seconds between two checks of the folder."""

RETRY = timedelta(minutes=10)
"""Time after a failure until the next attempt of any worker."""

FAILURES = "ostiary_backup_failures_total"

counters.declare(FAILURES)


class Stopped(Exception):
    """The server stops, so the backup is abandoned; nothing of it stays."""


class BackupSchedule:
    """The backups of one server; `clock` gives the moment, which tests set."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        assert settings.backup_interval is not None
        self._settings, self._clock = settings, clock
        self._interval = settings.backup_interval
        self._folder, self._kind = settings.backup_path, folders.kind_of(settings)
        self._stop = threading.Event()
        self._next_attempt: datetime | None = None
        self.last_good: float | None = None
        """The moment of the newest backup in the folder, of any worker, in seconds of the epoch."""

    async def run(self) -> None:
        """Look at the folder until the task is cancelled."""
        try:
            while True:
                await asyncio.to_thread(self.run_if_due)
                await asyncio.sleep(CHECK_SECONDS)
        finally:
            self._stop.set()

    def run_if_due(self) -> CreatedBackup | None:
        """Make a backup if one is due and no other worker makes one. A failure is logged and counted, not raised."""
        try:
            created = self._run_if_due()
            self._note_newest()
        except Stopped:
            return None
        except (BackupFailed, OSError) as error:
            self._next_attempt = self._clock() + min(RETRY, self._interval)
            counters.increment(FAILURES)
            log.warning("backup failed folder=%s: %s", self._folder, error)
            return None
        return created

    def _run_if_due(self) -> CreatedBackup | None:
        if not self._is_due():
            return None
        with folders.lock(self._folder, waits=False) as is_locked:
            if not is_locked or not self._is_due():  # another worker made it meanwhile
                return None
            try:
                created = make_locked(self._settings, self._folder, self._continue, self._clock())
            except BackupFailed:
                folders.note_failure(self._folder, self._clock())
                raise
            folders.prune(self._folder, self._kind, self._settings.backup_keep, self._clock())
        size, seconds = created.size, created.seconds
        log.info("made a backup file=%s bytes=%d seconds=%.1f", created.backup.file, size, seconds)
        return created

    def _is_due(self) -> bool:
        now = self._clock()
        if self._next_attempt is not None and now < self._next_attempt:
            return False
        failed = folders.failed_at(self._folder)
        if failed is not None and failed <= now < failed + min(RETRY, self._interval):
            return False
        last = folders.newest(self._folder, self._kind, now)
        return last is None or now >= last.moment + self._interval

    def _note_newest(self) -> None:
        last = folders.newest(self._folder, self._kind, self._clock())
        self.last_good = last.moment.timestamp() if last else None

    def _continue(self, *_: object) -> None:
        if self._stop.is_set():
            raise Stopped


def scheduled(schedule: BackupSchedule | None) -> AbstractAsyncContextManager[None]:
    """Make the backups of a schedule during the block; none without a schedule."""
    return nullcontext() if schedule is None else _running(schedule)


@asynccontextmanager
async def _running(schedule: BackupSchedule) -> AsyncIterator[None]:
    task = asyncio.create_task(schedule.run())
    try:
        yield
    finally:
        await cancel_and_wait(task)
