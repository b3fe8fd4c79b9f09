"""Classification of database failures for both drivers, such as an outage or a full disk; others are defects."""

import logging
import sqlite3
from enum import StrEnum
from time import monotonic
from typing import NoReturn

import asyncpg

from app.db.sqlite.group_commit import CommitFailed
from app.domain.errors import Refusal, Retry, TimedOut, Unavailable
from app.observability import counters

log = logging.getLogger(__name__)

LOG_INTERVAL_SECONDS = 60.0
"""Minimum seconds between two log lines about the same failure."""


class Failure(StrEnum):
    """Reasons for which an operation of the database fails; the values are labels of metrics."""

    AWAY = "away"
    READ_ONLY = "read_only"
    FULL = "full"
    BUSY = "busy"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    NO_CONNECTIONS = "no_connections"
    WRONG_SCHEMA = "wrong_schema"
    DAMAGED = "damaged"
    DENIED = "denied"
    REPLACED = "replaced"
    UNUSABLE = "unusable"


counters.declare("ostiary_database_failures_total", reason=Failure)


class FileReplaced(Exception):
    """The file of the database was deleted or replaced while it was open."""


_STATES = {
    "2200H": Failure.UNUSABLE,
    "25006": Failure.READ_ONLY,
    "25P03": Failure.TIMED_OUT,
    "25P04": Failure.TIMED_OUT,
    "42501": Failure.DENIED,
    "42703": Failure.WRONG_SCHEMA,
    "42704": Failure.WRONG_SCHEMA,
    "42809": Failure.WRONG_SCHEMA,
    "42883": Failure.WRONG_SCHEMA,
    "42P01": Failure.WRONG_SCHEMA,
    "42P05": Failure.UNUSABLE,
    "42P10": Failure.WRONG_SCHEMA,
    "53100": Failure.FULL,
    "53300": Failure.NO_CONNECTIONS,
    "55000": Failure.AWAY,
    "55006": Failure.BUSY,
    "55P03": Failure.BUSY,
    "57014": Failure.CANCELLED,
}
"""Failures by SQLSTATE: 2200H is a used-up sequence, 42P10 a missing unique index, 55000 a database that is closed."""

DEFECTS = frozenset("00 01 02 03 09 0B 0F 0Z 10 20 21 22 23 24 25 27 2B 2D 2F 34 3B 42".split())  # noqa: SIM905 - shorter
"""Classes of SQLSTATEs that a statement or a value of this server causes by itself, except those in `_STATES`."""

_CLASSES = {
    "08": Failure.AWAY,
    "0L": Failure.DENIED,
    "0P": Failure.DENIED,
    "28": Failure.DENIED,
    "3D": Failure.AWAY,
    "3F": Failure.WRONG_SCHEMA,
    "40": Failure.BUSY,
    "44": Failure.DENIED,
    "53": Failure.FULL,
    "57": Failure.AWAY,
    "58": Failure.DAMAGED,
    "72": Failure.TIMED_OUT,
    "XX": Failure.DAMAGED,
}
"""Failures by the class of a SQLSTATE, its first two characters (PostgreSQL's documentation, appendix A).

Every other class is a state of the database, such as an extension, a trigger of the operator or a pooler: UNUSABLE.
"""

_SQLITE = {
    sqlite3.SQLITE_AUTH: Failure.DENIED,
    sqlite3.SQLITE_BUSY: Failure.BUSY,
    sqlite3.SQLITE_CANTOPEN: Failure.AWAY,
    sqlite3.SQLITE_CORRUPT: Failure.DAMAGED,
    sqlite3.SQLITE_FULL: Failure.FULL,
    sqlite3.SQLITE_INTERRUPT: Failure.CANCELLED,
    sqlite3.SQLITE_IOERR: Failure.DAMAGED,
    sqlite3.SQLITE_LOCKED: Failure.BUSY,
    sqlite3.SQLITE_NOLFS: Failure.FULL,
    sqlite3.SQLITE_NOMEM: Failure.UNUSABLE,
    sqlite3.SQLITE_NOTADB: Failure.DAMAGED,
    sqlite3.SQLITE_PERM: Failure.DENIED,
    sqlite3.SQLITE_PROTOCOL: Failure.BUSY,
    sqlite3.SQLITE_READONLY: Failure.READ_ONLY,
}
"""Failures by SQLite's primary result code, the lowest eight bits."""

_TEXTS = {
    Failure.AWAY: "The database does not respond. Try again later.",
    Failure.READ_ONLY: "The database is read-only at the moment. Try again later.",
    Failure.FULL: "The database has no space left. Try again later.",
    Failure.BUSY: "Other requests keep the database busy. Nothing was changed. Try again.",
    Failure.CANCELLED: "The database cancelled the request. Try again in a moment.",
    Failure.TIMED_OUT: "The database stopped the request, which took too long. Request less data, or try again.",
    Failure.NO_CONNECTIONS: "The database accepts no more connections. Try again in a moment.",
    Failure.WRONG_SCHEMA: "The schema of the database belongs to another version of the server. Try again later.",
    Failure.DAMAGED: "The database is damaged or unreadable. Contact the operator.",
    Failure.DENIED: "The database denies the server access. Contact the operator.",
    Failure.REPLACED: "The database file was replaced. The operator must restart the server.",
    Failure.UNUSABLE: "The database cannot run the request in its present state. Contact the operator.",
}

_TIMEOUTS = frozenset({Failure.AWAY, Failure.TIMED_OUT, Failure.CANCELLED})


def classify(error: BaseException) -> Failure | None:  # noqa: PLR0911 - one for each kind of error that drivers raise
    """Return the failure that an exception represents; None for an exception that indicates a defect."""
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return _of_state(state, str(error))
    match error:
        case FileReplaced():
            return Failure.REPLACED
        case CommitFailed():
            return None if error.__cause__ is None else classify(error.__cause__)
        case asyncpg.DataError():
            return None
        case asyncpg.InterfaceError():
            return Failure.AWAY if "connection" in str(error) else None
        case sqlite3.Error():
            return _of_sqlite(error)
        case OSError() | EOFError() | asyncpg.InternalClientError():  # the last: the connection just ended
            return Failure.AWAY
    return None


def cause_of(error: BaseException) -> BaseException:
    """Return the exception of the driver or of the system that SQLAlchemy, or its adapter of a driver, has wrapped."""
    wrapped = getattr(error, "orig", None) or error
    is_adapted = type(wrapped).__module__.startswith("sqlalchemy.") and wrapped.__cause__ is not None
    return wrapped.__cause__ if is_adapted and wrapped.__cause__ else wrapped


def reason(error: BaseException, setting: str = "DatabaseUrl") -> str:
    """Return one line for an operator on why the database of a setting cannot be used, without names of classes."""
    cause = cause_of(error)
    silent = "it does not respond in time" if isinstance(cause, TimeoutError) else "it gives no reason"
    text = next(iter(str(cause).splitlines()), "") or silent
    return f"{text}: create it, or correct {setting}" if getattr(cause, "sqlstate", None) == "3D000" else text


def _of_state(state: str, text: str) -> Failure | None:
    failure = _STATES.get(state) or _CLASSES.get(state[:2])
    if failure is None:
        return None if state[:2] in DEFECTS else Failure.UNUSABLE
    if failure is Failure.CANCELLED and "timeout" in text:
        return Failure.TIMED_OUT
    return failure


def _of_sqlite(error: sqlite3.Error) -> Failure | None:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_ERROR and str(error).startswith(("no such table", "no such column")):
        return Failure.WRONG_SCHEMA
    return _SQLITE.get(code)


def refusal(failure: Failure) -> Refusal:
    """Return the error for the client, which contains no statement, host or path."""
    kind = Retry if failure is Failure.BUSY else TimedOut if failure in _TIMEOUTS else Unavailable
    return kind(_TEXTS[failure])


PERSISTENT = frozenset({Failure.FULL, Failure.DAMAGED})
"""Failures that a write without a commit does not notice: it may touch neither the disk nor the damaged page."""


class FailureLog:
    """A counter of all failures that logs each kind at most once a minute."""

    def __init__(self) -> None:
        self._next_log_at: dict[Failure, float] = {}
        self.persistent: Failure | None = None
        """The last persistent failure, until readiness has committed a write."""

    def note(self, failure: Failure, error: BaseException, *, is_logged: bool = True) -> None:
        """Count a failure, and log it unless the caller logs it itself."""
        counters.increment("ostiary_database_failures_total", reason=failure.value)
        if failure in PERSISTENT:
            self.persistent = failure
        now = monotonic()
        if is_logged and now >= self._next_log_at.get(failure, 0.0):
            self._next_log_at[failure] = now + LOG_INTERVAL_SECONDS
            log.error("database failure reason=%s: %s", failure.value, str(error) or type(error).__name__)

    def refuse(self, error: BaseException) -> NoReturn:
        """Raise the error for the client; an exception that is no database failure is raised unchanged."""
        failure = classify(error)
        if failure is None:
            raise error
        self.note(failure, error)
        raise refusal(failure) from error
