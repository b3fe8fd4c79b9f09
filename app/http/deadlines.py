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


class Timer:
    """A limit for the current task, like `asyncio.Timeout`, but for one period after the other.

    Each change has two periods. Two objects of asyncio for them cost as much as an SQL statement.
    """

    __slots__ = ("_cancelling", "_handle", "has_fired", "loop", "task")

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.loop, self.task, self._cancelling = task.get_loop(), task, task.cancelling()
        self._handle: asyncio.TimerHandle | None = None
        self.has_fired = False

    def start(self, deadline: float) -> None:
        """Begin a period, or give the current one another end; `inf` for none."""
        if self._handle is not None:
            self._handle.cancel()
        is_limited = deadline != inf and not self.has_fired
        self._handle = self.loop.call_at(deadline, self._fire) if is_limited else None

    def _fire(self) -> None:
        self._handle, self.has_fired = None, True
        self.task.cancel()

    def end(self, error: BaseException | None) -> bool:
        """End the period; return whether it ended with a timeout: a cancellation by this timer, and by nothing else."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self.has_fired:
            self.has_fired = False
            if self.task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError):
                return True
        return isinstance(error, TimeoutError)


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
    timer: Timer | None = None
    """The timer of the current change, and then of the reading of its response."""

    def changing(self) -> AbstractAsyncContextManager[None]:
        """Limit one change. Raises TimedOut at the deadline, Unavailable at a shutdown, ChangeMade after the commit."""
        return _Changing(self)

    @asynccontextmanager
    async def hashing(self) -> AsyncIterator[None]:
        """Limit the hashing of passwords before a transaction. Its time does not count towards the deadline."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._restart_timer(inf)
        try:
            async with asyncio.timeout_at(None if self.hashing_seconds == inf else began + self.hashing_seconds):
                yield
        except TimeoutError:
            raise self.stop(TimedOut(HASHING_STOPPED)) from None
        finally:
            spent = loop.time() - began
            self.hashing_seconds -= spent
            self.deadline += spent
            self._restart_timer(self.deadline)

    def _restart_timer(self, deadline: float) -> None:
        if self.timer is not None:
            self.timer.start(deadline)

    def answering(self, *, is_done: bool = False) -> AbstractAsyncContextManager[None]:
        """Limit one change with the reading of its response; `is_done` if the change was made before."""
        return _Answering(self, is_done=is_done)

    def stop(self, refusal: Refusal) -> Refusal:
        """Record the error of the first change that was stopped, and return that of this one."""
        self.stopped = self.stopped or refusal
        return refusal

    def begin_to_read(self) -> None:
        """Start the time limit for reading the response of this change."""
        if self.timer is not None and self.seconds != inf:
            self.timer.start(self.timer.loop.time() + self.seconds)

    def read_error(self, otherwise: Refusal) -> Refusal:
        """Return the error of a response that cannot be read: ChangeMade after the commit, otherwise another one."""
        return ChangeMade(CHANGE_MADE) if self.has_committed else otherwise


class _Changing(AbstractAsyncContextManager[None]):
    """The limit for a change. It is a class since a generator costs as much as a statement, as is the other one."""

    __slots__ = ("_before", "_deadlines", "_stats")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines, self._stats = deadlines, request_stats.current_request()

    async def __aenter__(self) -> None:
        deadlines = self._deadlines
        self._before, deadlines.has_committed = self._stats.committed_changes, False
        assert deadlines.timer is not None, "the response of each change is limited too"
        timer = deadlines.timer
        if timer.loop.time() >= deadlines.deadline:
            raise deadlines.stop(TimedOut(STOPPED))
        if timer.task.cancelling():  # cancelled during an earlier commit
            raise deadlines.stop(_shutdown_error())
        timer.start(deadlines.deadline)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        deadlines, has_committed = self._deadlines, self._stats.committed_changes > self._before
        assert deadlines.timer is not None
        is_late = deadlines.timer.end(error)
        deadlines.has_committed = has_committed
        deadlines.begin_to_read()
        if is_late:
            raise (ChangeMade(CHANGE_MADE) if has_committed else deadlines.stop(TimedOut(STOPPED))) from None


class _Answering(AbstractAsyncContextManager[None]):
    __slots__ = ("_deadlines", "_is_done")

    def __init__(self, deadlines: Deadlines, *, is_done: bool) -> None:
        self._deadlines, self._is_done = deadlines, is_done

    async def __aenter__(self) -> None:
        deadlines = self._deadlines
        deadlines.has_committed = deadlines.has_committed and self._is_done
        deadlines.timer = Timer()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        deadlines = self._deadlines
        assert deadlines.timer is not None
        is_late, deadlines.timer = deadlines.timer.end(error), None
        if is_late:
            raise deadlines.read_error(TimedOut("Reading the response took too long. Nothing was changed.")) from None
        # Before the commit, the middleware refuses the request.
        if isinstance(error, asyncio.CancelledError) and request_stats.current_request().committed_changes:
            raise deadlines.read_error(_shutdown_error()) from None


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
