"""Whole copies of a running database: of a SQLite file, and of PostgreSQL with its own programs."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import asyncpg

from app.domain.errors import OstiaryError

Report = Callable[[str, int, int], None]
"""Is called about ten times a second with the name of a stage, what is done and the total; 0 and 0 if unknown.

An exception that it raises stops the work.
"""


class BackupFailed(OstiaryError):
    """A backup cannot be made, read or restored. Its text says why and what to do."""


@contextmanager
def explain(failure: str) -> Iterator[None]:
    """Raise BackupFailed, with `failure` in front of the reason, for errors of files and databases.

    A BackupFailed gets the same beginning.
    """
    try:
        yield
    except (OSError, sqlite3.Error, asyncpg.PostgresError, BackupFailed) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BackupFailed(f"{failure}: {reason}") from None
