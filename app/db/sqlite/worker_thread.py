"""One thread for the statements of a writer: a short one is waited for at once, during a long one the loop goes on."""

import asyncio
from _thread import allocate_lock
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar

from app.db.cancellation import end_first

T = TypeVar("T")

SHORT = 0.005
"""Seconds for which the event loop waits for a statement before it goes on without it."""


class Job(Generic[T]):
    """A piece of work, and its end as both threads see it. `told` is called in the event loop then."""

    __slots__ = ("_ended", "_loop", "_result", "_work", "error", "told")

    def __init__(self, work: Callable[[], T], on_end: Callable[[], None] | None = None) -> None:
        self._work, self._loop, self.told = work, asyncio.get_running_loop(), on_end
        self._ended = allocate_lock()
        self._ended.acquire()
        self._result: T
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do the work, in the thread."""
        try:
            self._result = self._work()
        except BaseException as error:
            self.error = error
        self._ended.release()
        if self.told is not None:
            self._loop.call_soon_threadsafe(self.told)

    def is_over(self, seconds: float) -> bool:
        """Wait for the end, for so many seconds at most; the event loop does nothing else meanwhile."""
        return self._ended.acquire(timeout=seconds)

    async def end(self) -> None:
        """Wait for the end while others have their turns; a cancellation is raised after it."""
        waiter = self._loop.create_future()
        self.told = lambda: None if waiter.done() else waiter.set_result(None)
        if self._ended.acquire(blocking=False):  # it has ended at this moment, and may not have seen that
            self.told()
        await end_first(waiter)

    def result(self) -> T:
        """Return what came out; raises what was raised."""
        if self.error is not None:
            raise self.error
        return self._result


class WorkerThread:
    """The thread. It has one piece of work at a time, of whoever has the turn."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
            del job

    async def run(self, work: Callable[[], T], seconds: float = SHORT) -> T:
        """Do the work in the thread; what takes longer than so many seconds does not hold the event loop."""
        job = Job(work)
        self._jobs.put(job)
        if seconds <= 0 or not job.is_over(seconds):
            await job.end()
        return job.result()

    def start(self, work: Callable[[], Any], ended: Callable[[BaseException | None], None]) -> None:
        """Do the work in the thread, and call what is to be called in the event loop with what was raised."""
        job = Job(work)
        job.told = lambda: ended(job.error)
        self._jobs.put(job)

    def close(self) -> None:
        """Wait for what is being done, and end the thread."""
        self._jobs.put(None)
        self._thread.join()
