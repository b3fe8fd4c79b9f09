"""Deadlines of changes, and the errors of a change whose response cannot be read.

A deadline or a cancellation stops a change until its commit begins; see `Database.write`. After the commit, reading the
response has its own time limit. If that fails, the error says that the change was made.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from math import inf
from types import TracebackType

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
    response: asyncio.Timeout | None = None
    """The timeout of the current change with the reading of its response."""
    change: asyncio.Timeout | None = None
    """The timeout of the current change."""

    def changing(self) -> AbstractAsyncContextManager[None]:
        """Limit one change. Raises TimedOut at the deadline, Unavailable at a shutdown, ChangeMade after the commit."""
        return _Changing(self)

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
            raise self.stop(TimedOut(HASHING_STOPPED)) from None
        finally:
            spent = loop.time() - began
            self.hashing_seconds -= spent
            self.deadline += spent
            self._reschedule(self.deadline)

    def _reschedule(self, deadline: float) -> None:
        if self.change is not None and not self.change.expired():
            self.change.reschedule(_timer(deadline))

    def answering(self, *, is_done: bool = False) -> AbstractAsyncContextManager[None]:
        """Limit one change with the reading of its response; `is_done` if the change was made before."""
        return _Answering(self, is_done=is_done)

    def require_time(self) -> None:
        """Raise the error of a change that begins after the deadline or a cancellation."""
        if asyncio.get_running_loop().time() >= self.deadline:
            raise self.stop(TimedOut(STOPPED))
        if (task := asyncio.current_task()) is not None and task.cancelling():  # cancelled during a commit
            raise self.stop(_shutdown_error())

    def stop(self, refusal: Refusal) -> Refusal:
        """Record the error of the first change that was stopped, and return that of this one."""
        self.stopped = self.stopped or refusal
        return refusal

    def begin_to_read(self) -> None:
        """Start the time limit for reading the response of this change."""
        if self.response is not None and self.seconds != inf and not self.response.expired():
            self.response.reschedule(asyncio.get_running_loop().time() + self.seconds)

    def read_error(self, otherwise: Refusal) -> Refusal:
        """Return the error of a response that cannot be read: ChangeMade after the commit, otherwise another one."""
        return ChangeMade(CHANGE_MADE) if self.has_committed else otherwise


class _Limit(AbstractAsyncContextManager[None]):
    """A limit for a block. It is a class since each change has two, and a generator costs as much as a statement."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines, self._stats = deadlines, request_stats.current_request()


class _Changing(_Limit):
    async def __aenter__(self) -> None:
        self._before, self._deadlines.has_committed = self._stats.committed_changes, False
        self._deadlines.require_time()
        self._timeout = self._deadlines.change = asyncio.timeout_at(_timer(self._deadlines.deadline))
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        deadlines, has_committed = self._deadlines, self._stats.committed_changes > self._before
        try:
            await self._timeout.__aexit__(kind, error, trace)
            if isinstance(error, TimeoutError):
                raise error
        except TimeoutError:
            raise (ChangeMade(CHANGE_MADE) if has_committed else deadlines.stop(TimedOut(STOPPED))) from None
        finally:
            deadlines.change, deadlines.has_committed = None, has_committed
            deadlines.begin_to_read()


class _Answering(_Limit):
    def __init__(self, deadlines: Deadlines, *, is_done: bool) -> None:
        super().__init__(deadlines)
        self._is_done = is_done

    async def __aenter__(self) -> None:
        deadlines = self._deadlines
        deadlines.has_committed = deadlines.has_committed and self._is_done
        self._timeout = deadlines.response = asyncio.timeout(None)
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        deadlines = self._deadlines
        try:
            await self._timeout.__aexit__(kind, error, trace)
            if isinstance(error, TimeoutError):
                raise error
        except TimeoutError:
            raise deadlines.read_error(TimedOut("Reading the response took too long. Nothing was changed.")) from None
        finally:
            deadlines.response = None
        # Before the commit, the middleware refuses the request.
        if isinstance(error, asyncio.CancelledError) and self._stats.committed_changes:
            raise deadlines.read_error(_shutdown_error()) from None


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
