"""The time that a request has for its changes, and the truth about a change whose answer is cut off.

A change is stopped at its deadline, or by a cancellation, until its commit begins; see `Database.write`. What is
committed is answered: reading what it shows has a time of its own, and where that fails, the error says that the change
was made.
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

MADE = "The change was made, but reading the answer failed."
"""Said in the place of whatever went wrong after a commit; what that was stands in the log."""

STOPPED = "The operation took too long and was stopped. Ask for less at once."


@dataclass(slots=True)
class Deadlines:
    """When changes that are not committed are stopped, by the loop's clock, and how long each answer is read for."""

    deadline: float = inf
    seconds: float = inf
    has_committed: bool = False
    stopped: Refusal | None = None
    _limit: asyncio.Timeout | None = None

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """Around one change. Raises TimedOut, or Unavailable when the server stops; ChangeMade after the commit."""
        about, self.has_committed = request_stats.current_request(), False
        made = about.change_made
        self._require()
        try:
            async with asyncio.timeout_at(None if self.deadline == inf else self.deadline):
                yield
        except TimeoutError:
            raise ChangeMade(MADE) if about.change_made > made else self._stop(TimedOut(STOPPED)) from None
        finally:
            self.has_committed = about.change_made > made
            self.begin_to_read()

    @asynccontextmanager
    async def answering(self, *, is_done: bool = False) -> AsyncIterator[None]:
        """Around one change with its answer; `is_done` where the change itself went before."""
        about, self.has_committed = request_stats.current_request(), self.has_committed and is_done
        try:
            async with asyncio.timeout(None) as self._limit:
                yield
        except TimeoutError:
            raise self._unread(TimedOut("Nothing was changed, and reading the answer took too long.")) from None
        except asyncio.CancelledError:
            if not about.change_made:  # the whole request is refused
                raise
            raise self._unread(_stopping()) from None
        finally:
            self._limit = None

    def _require(self) -> None:
        """Begin no change for which there is no time any more."""
        if asyncio.get_running_loop().time() >= self.deadline:
            raise self._stop(TimedOut(STOPPED))
        if (task := asyncio.current_task()) is not None and task.cancelling():  # a commit outlasted that
            raise self._stop(_stopping())

    def _stop(self, refusal: Refusal) -> Refusal:
        self.stopped = self.stopped or refusal
        return refusal

    def begin_to_read(self) -> None:
        """Give what reads the answer of this change its time."""
        if self._limit is not None and self.seconds != inf and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + self.seconds)

    def _unread(self, otherwise: Refusal) -> Refusal:
        return ChangeMade(MADE) if self.has_committed else otherwise


def _stopping() -> Refusal:
    return Unavailable("The server is stopping, and did not make this change. Ask again.")


def is_failure(error: BaseException) -> bool:
    """Whether an error tells that something failed, and not that something is refused to the asker."""
    return isinstance(error, TimedOut | Unavailable) or not isinstance(error, OstiaryError)


def reported(error: Exception, log: logging.Logger) -> Exception:
    """Return the error that a whole request is answered with, which after a commit never looks like a refusal."""
    if not request_stats.current_request().change_made or isinstance(error, ChangeMade | OutcomeUnknown):
        return error
    if not isinstance(error, Problem | Problems) and not is_failure(error):
        return error
    if not isinstance(error, OstiaryError | TimeoutError):
        log.error("Unexpected error after a commit", exc_info=error)
    return ChangeMade(MADE)
