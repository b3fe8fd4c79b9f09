"""The folder of backups: names that contain a moment, a lock, and the deletion of old ones.

Only files with exactly these names are backups; every other file in the folder is left alone.
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.config import Settings
from app.db.types import format_instant

_NAME = re.compile(r"ostiary-(\d{8}T\d{6})Z(?:-\d+)?\.(db|dump)")
_UNFINISHED = ".ostiary-unfinished-"
_LOCK = ".ostiary-backups.lock"
_MOMENT = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True)
class Backup:
    """A complete backup. `secret` is the file beside it; None if the secret is a setting."""

    file: Path
    moment: datetime

    @property
    def secret(self) -> Path | None:
        """Return the file of the secret, if there is one."""
        path = secret_beside(self.file)
        return path if path.exists() else None


def secret_beside(file: Path) -> Path:
    """Return the path of the secret that belongs to a backup."""
    return file.with_name(f"{file.name}.secret")


def kind_of(settings: Settings) -> str:
    """Return the suffix of the backups of a database: `db` for SQLite, `dump` for PostgreSQL."""
    return "db" if settings.is_sqlite else "dump"


def list_backups(folder: Path, kind: str = "") -> list[Backup]:
    """Return the backups in a folder, or those of one kind, oldest first; [] if there is no folder.

    Those of another kind are of another database: a registry that has moved leaves them behind.
    """
    if not folder.is_dir():
        return []
    files = ((path, _NAME.fullmatch(path.name)) for path in folder.iterdir() if path.is_file())
    matches = [(path, match) for path, match in files if match and match[2].endswith(kind)]
    backups = [Backup(path, datetime.strptime(match[1], _MOMENT).replace(tzinfo=UTC)) for path, match in matches]
    return sorted(backups, key=lambda each: (each.moment, len(each.file.name), each.file.name))


def newest(folder: Path, kind: str, now: datetime) -> Backup | None:
    """Return the newest backup of a kind until now; one from the future was made while the clock was wrong."""
    return next((each for each in reversed(list_backups(folder, kind)) if each.moment <= now), None)


def prune(folder: Path, kind: str, keep: int, now: datetime) -> list[Path]:
    """Delete all but the newest `keep` backups of a kind, with their secrets, and return their paths.

    Those from the future count as the oldest.
    """
    backups = sorted(list_backups(folder, kind), key=lambda each: each.moment <= now)  # keeps the order otherwise
    old = backups[: max(0, len(backups) - keep)]
    for each in old:
        each.file.unlink()
        secret_beside(each.file).unlink(missing_ok=True)
    return [each.file for each in old]


@contextmanager
def lock(folder: Path, *, waits: bool) -> Iterator[bool]:
    """Hold the lock of a folder, which is made with mode 700; False if another process has it and `waits` is false.

    The lock ends with the process, however it ends. Its holder deletes what a killed holder left unfinished.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        for left in folder.glob(f"{_UNFINISHED}*"):
            left.unlink()
        yield True
    finally:
        os.close(handle)


def note_failure(folder: Path, moment: datetime) -> None:
    """Write into the lock file, whose lock must be held, when a backup failed."""
    with suppress(OSError):  # a full disk
        (folder / _LOCK).write_text(format_instant(moment))


def failed_at(folder: Path) -> datetime | None:
    """Return when the last backup failed; None if it did not, or if none was made yet."""
    with suppress(OSError, ValueError):
        return datetime.fromisoformat((folder / _LOCK).read_text())
    return None


def clear_failure(folder: Path) -> None:
    """Forget the last failure."""
    os.truncate(folder / _LOCK, 0)


@contextmanager
def draft(folder: Path) -> Iterator[Path]:
    """Make an empty file of mode 600, and delete it after the block if it still has its temporary name."""
    handle, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=folder)
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):  # those of an interrupted work on a database
            path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def free_name(folder: Path, moment: datetime, kind: str) -> Path:
    """Return the path of a new backup: `kind` is `db` or `dump`. A second one in a second gets a number."""
    stem, number = f"ostiary-{moment.astimezone(UTC):{_MOMENT}}Z", 1
    path = folder / f"{stem}.{kind}"
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.{kind}"
    return path
