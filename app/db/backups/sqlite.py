"""Copies of a SQLite file while servers write to it, and the replacement of one by another."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import disk_usage

from app.db.backups import BackupFailed, Report

PAGES = 2_000
"""Pages of 4 KiB that one step copies, between two reports."""

STEPS = 200_000
"""Instructions of SQLite between two reports of a check."""

MAGIC = b"SQLite format 3\0"
SIDE_FILES = ("-wal", "-shm")


def copy(source: Path, target: Path, report: Report) -> None:
    """Copy the state of one moment into the empty file `target`, check it, and sync it to the disk.

    The read transaction around all steps keeps that moment: changes go on, and do not restart the copy. The copy has
    no write-ahead log, so it is one file. Raises BackupFailed if there is no space for it or if it is damaged.
    """
    with closing(_open(source)) as connection, closing(sqlite3.connect(target)) as copied:
        connection.execute("BEGIN")
        _require_space(connection, target.parent)
        copied.execute("PRAGMA synchronous=OFF")  # `sync` follows, and an unfinished file is deleted
        connection.backup(copied, pages=PAGES, progress=lambda _, left, total: report("copied", total - left, total))
        copied.execute("PRAGMA journal_mode=DELETE")
    check(target, report)
    sync(target)


def check(path: Path, report: Report) -> None:
    """Raise BackupFailed unless every page, index and reference of the file is in order."""
    problems = integrity_problems(path, report)
    if problems:
        raise BackupFailed(f"the copy is damaged: {problems[0]}")


def integrity_problems(path: Path, report: Report) -> list[str]:
    """Return what SQLite's own checks find in a file, at most 100 texts; [] if it is in order."""
    problems: list[str] = []
    with closing(_open(path)) as connection, _reporting(connection, lambda: report("checked", 0, 0)):
        try:
            problems += [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
            dangling = {(row[0], row[2]) for row in connection.execute("PRAGMA foreign_key_check")}
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise
            return [*problems, str(error)]
    return problems + [f"rows of {table} refer to missing rows of {other}" for table, other in sorted(dangling)]


def revision(path: Path) -> str | None:
    """Return the last migration of a file; None if it is no database of Ostiary."""
    with closing(_open(path)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.DatabaseError:
            return None
    return row and str(row[0])


def sync(path: Path) -> None:
    """Force a file and its name to the disk."""
    for each, flags in ((path, os.O_RDONLY), (path.parent, os.O_RDONLY | os.O_DIRECTORY)):
        handle = os.open(each, flags)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def settle(path: Path) -> None:
    """Bring the write-ahead log of a file that no process uses into the file. Raises sqlite3.Error if one uses it."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=1)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def is_used(path: Path) -> bool:
    """Return whether another process has the file open; a server has from its start to its stop.

    SQLite leaves the write-ahead log only when no other connection is open. A damaged file counts as unused.
    """
    try:
        settle(path)
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    except sqlite3.DatabaseError:
        return False
    return False


def replace(path: Path, new: Path, aside: Path | None) -> None:
    """Put the file `new` in the place of `path`; what was there stays as `aside`.

    There is a complete database at `path` at every moment.
    """
    if aside is not None:
        os.link(path, aside)
        for suffix in SIDE_FILES:  # only a damaged file still has them; they belong to it
            side = path.with_name(path.name + suffix)
            if side.exists():
                side.rename(aside.with_name(aside.name + suffix))
    new.replace(path)
    sync(path)


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10)


def _require_space(connection: sqlite3.Connection, folder: Path) -> None:
    """Raise BackupFailed if the copy would fill the disk, on which the server may write too."""
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    free = disk_usage(folder).free
    if pages * size > free:
        raise BackupFailed(f"{folder} has {free:,} bytes free, and the database has {pages * size:,}: make room there")


@contextmanager
def _reporting(connection: sqlite3.Connection, report: Callable[[], None]) -> Iterator[None]:
    """Call `report` during long statements of a connection, and raise the exception that it raises."""
    raised: list[BaseException] = []

    def step() -> int:
        try:
            report()
        except BaseException as error:
            raised.append(error)
        return len(raised)

    connection.set_progress_handler(step, STEPS)
    try:
        yield
    except sqlite3.OperationalError:
        if raised:
            raise raised[0] from None
        raise
    finally:
        connection.set_progress_handler(None, 0)
