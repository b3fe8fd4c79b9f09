"""Making one backup: the database of one moment and its secret, complete under their names or not there at all."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from app.config import Settings
from app.db.backups import BackupFailed, Report, explain, postgresql, sqlite
from app.db.migrations import INTERRUPTED
from app.db.types import format_instant
from app.services.backups.folder import Backup, clear_failure, draft, free_name, kind_of, lock, secret_beside


@dataclass(frozen=True, slots=True)
class CreatedBackup:
    """A new backup, its size in bytes without the secret, and the seconds it took."""

    backup: Backup
    size: int
    seconds: float

    def describe(self) -> dict[str, str | float | None]:
        """Return the paths, the moment, the size and the seconds by the names of the JSON output."""
        secret = self.backup.secret
        return {
            "file": str(self.backup.file),
            "secret": None if secret is None else str(secret),
            "createdAt": format_instant(self.backup.moment, "seconds"),
            "sizeBytes": self.size,
            "seconds": round(self.seconds, 3),
        }


def make(settings: Settings, folder: Path, report: Report) -> CreatedBackup:
    """Make a backup now; wait while another process makes one in this folder. Raises BackupFailed."""
    with ExitStack() as stack:
        with explain(f"no backup was made in {folder}"):
            stack.enter_context(lock(folder, waits=True))
        return make_locked(settings, folder, report, datetime.now(UTC))


def make_locked(settings: Settings, folder: Path, report: Report, now: datetime) -> CreatedBackup:
    """Make a backup in a folder whose lock is held. Raises BackupFailed; then the folder is as before."""
    began = perf_counter()
    with explain(f"no backup was made in {folder}"), draft(folder) as copied, draft(folder) as secret:
        _require_finished(settings)
        path = free_name(folder, now, kind_of(settings))
        _copy_secret(settings, secret)
        if settings.is_sqlite:
            sqlite.copy(settings.sqlite_path, copied, report)
        else:
            postgresql.dump(settings.database_url, copied, report)
        size = copied.stat().st_size
        if secret.stat().st_size:  # first, so that no backup is without it
            sqlite.sync(secret)
            secret.replace(secret_beside(path))
        sqlite.sync(copied)
        copied.replace(path)
        sqlite.sync(path)
    clear_failure(folder)
    return CreatedBackup(Backup(path, now.replace(microsecond=0)), size, perf_counter() - began)


def _require_finished(settings: Settings) -> None:
    """Raise BackupFailed for a database that lacks rows: a restore of its backup would look like a registry."""
    if settings.is_sqlite:
        revision = sqlite.revision(settings.sqlite_path)
    else:
        revision = asyncio.run(postgresql.revision(settings.database_url))
    if revision in INTERRUPTED:
        raise BackupFailed(INTERRUPTED[revision])


def _copy_secret(settings: Settings, target: Path) -> None:
    """Copy the secret file, unless the secret is a setting, or there was no start yet that made one."""
    if settings.secret is None and settings.secret_path.exists():
        target.write_bytes(settings.secret_path.read_bytes())
