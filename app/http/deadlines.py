"""Deadlines of changes, and the errors of a change whose response cannot be read.

A deadline or a cancellation stops a change until its commit begins; see `Database.write`. After the commit, reading the
response has its own time limit. If that fails, the error says that the change was made.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf

from app.domain.errors import (
    ChangeMade,
    OstiaryError,
    OutcomeUnknown,
    Problem,
    Problems,
    Refusal,
    TimedOut,
    Unavailable,
)
from app.observability import request_stats

CHANGE_MADE = "The change was made, but its response could not be read. Query the current state."
"""The message of every error after a commit; the log has the cause."""

STOPPED = "The operation took too long and was stopped. Split it into smaller operations."

HASHING_STOPPED = "The passwords took too long to hash, and nothing was changed. Send fewer users at once."


@dataclass(slots=True)
class Deadlines:
    """Time limits of one request: `deadline` stops uncommitted changes, by the event loop's clock.

    `seconds` limits the reading of each response, and `hashing_seconds` all further hashing of passwords. `stopped` is
    the error of the first change that was stopped.
    """

    deadline: float = inf
    seconds: float = inf
    hashing_seconds: float = inf
    has_committed: bool = False
    stopped: Refusal | None = None
    _limit: asyncio.Timeout | None = None
    _change: asyncio.Timeout | None = None

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """Limit one change. Raises TimedOut at the deadline, Unavailable at a shutdown, ChangeMade after the commit."""
        stats, self.has_committed = request_stats.current_request(), False
        before = stats.committed_changes
        self._require_time()
        try:
            async with asyncio.timeout_at(_timer(self.deadline)) as self._change:
                yield
        except TimeoutError:
            raise (
                ChangeMade(CHANGE_MADE) if stats.committed_changes > before else self._stop(TimedOut(STOPPED))
            ) from None
        finally:
            self._change = None
            self.has_committed = stats.committed_changes > before
            self.begin_to_read()

    @asynccontextmanager
    async def hashing(self) -> AsyncIterator[None]:
        """Limit the hashing of passwords before a transaction. Its time does not count towards the deadline."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._reschedule(inf)
        try:
            async with asyncio.timeout_at(_timer(began + self.hashing_seconds)):
                yield
        except TimeoutError:
            raise self._stop(TimedOut(HASHING_STOPPED)) from None
        finally:
            spent = loop.time() - began
            self.hashing_seconds -= spent
            self.deadline += spent
            self._reschedule(self.deadline)

    def _reschedule(self, deadline: float) -> None:
        if self._change is not None and not self._change.expired():
            self._change.reschedule(_timer(deadline))

    @asynccontextmanager
    async def answering(self, *, is_done: bool = False) -> AsyncIterator[None]:
        """Limit one change with the reading of its response; `is_done` if the change was made before."""
        stats, self.has_committed = request_stats.current_request(), self.has_committed and is_done
        try:
            async with asyncio.timeout(None) as self._limit:
                yield
        except TimeoutError:
            raise self._read_error(TimedOut("Reading the response took too long. Nothing was changed.")) from None
        except asyncio.CancelledError:
            if not stats.committed_changes:  # the middleware refuses the request
                raise
            raise self._read_error(_shutdown_error()) from None
        finally:
            self._limit = None

    def _require_time(self) -> None:
        """Raise the error of a change that begins after the deadline or a cancellation."""
        if asyncio.get_running_loop().time() >= self.deadline:
            raise self._stop(TimedOut(STOPPED))
        if (task := asyncio.current_task()) is not None and task.cancelling():  # cancelled during a commit
            raise self._stop(_shutdown_error())

    def _stop(self, refusal: Refusal) -> Refusal:
        self.stopped = self.stopped or refusal
        return refusal

    def begin_to_read(self) -> None:
        """Start the time limit for reading the response of this change."""
        if self._limit is not None and self.seconds != inf and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + self.seconds)

    def _read_error(self, otherwise: Refusal) -> Refusal:
        return ChangeMade(CHANGE_MADE) if self.has_committed else otherwise


def _timer(deadline: float) -> float | None:
    return None if deadline == inf else deadline


def _shutdown_error() -> Refusal:
    return Unavailable("The server is stopping and did not make this change. Try again.")


def is_failure(error: BaseException) -> bool:
    """Return whether an error is a failure of the server, not a refusal of the request."""
    return isinstance(error, TimedOut | Unavailable) or not isinstance(error, OstiaryError)


def reported_error(error: Exception, log: logging.Logger) -> Exception:
    """Return the error to send for a request; after a commit, ChangeMade instead of any failure or problem."""
    if not request_stats.current_request().committed_changes or isinstance(error, ChangeMade | OutcomeUnknown):
        return error
    if not isinstance(error, Problem | Problems) and not is_failure(error):
        return error
    if not isinstance(error, OstiaryError | TimeoutError):
        log.error("Unexpected error after a commit", exc_info=error)
    return ChangeMade(CHANGE_MADE)
