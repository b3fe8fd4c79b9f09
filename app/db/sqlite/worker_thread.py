"""The thread of a writer: the event loop blocks on its short statements, and goes on during long ones."""

import asyncio
from _thread import allocate_lock
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar

from app.db.cancellation import end_first

T = TypeVar("T")

SHORT = 0.005
"""Seconds for which the event loop blocks on a statement before it runs other tasks."""


class Job(Generic[T]):
    """A function call in the thread and its outcome. `on_end` is called in the event loop after it."""

    __slots__ = ("_ended", "_loop", "_result", "_work", "error", "on_end")

    def __init__(self, work: Callable[[], T], on_end: Callable[[], None] | None = None) -> None:
        self._work, self._loop, self.on_end = work, asyncio.get_running_loop(), on_end
        self._ended = allocate_lock()
        self._ended.acquire()
        self._result: T
        self.error: BaseException | None = None

    def run(self) -> None:
        """Call the function in the thread."""
        try:
            self._result = self._work()
        except BaseException as error:
            self.error = error
        self._ended.release()
        if self.on_end is not None:
            self._loop.call_soon_threadsafe(self.on_end)

    def is_over(self, seconds: float) -> bool:
        """Block the event loop until the end, or for this number of seconds; return whether it has ended."""
        return self._ended.acquire(timeout=seconds)

    async def end(self) -> None:
        """Wait for the end without blocking the event loop; a cancellation is raised after it."""
        waiter = self._loop.create_future()
        self.on_end = lambda: None if waiter.done() else waiter.set_result(None)
        if self._ended.acquire(blocking=False):  # it just ended, possibly without calling on_end
            self.on_end()
        await end_first(waiter)

    def result(self) -> T:
        """Return the result, or raise the exception of the call."""
        if self.error is not None:
            raise self.error
        return self._result


class WorkerThread:
    """A thread that executes one job at a time."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
            del job

    async def run(self, work: Callable[[], T], seconds: float = SHORT) -> T:
        """Call a function in the thread; the event loop blocks for at most this number of seconds."""
        job = Job(work)
        self._jobs.put(job)
        if seconds <= 0 or not job.is_over(seconds):
            await job.end()
        return job.result()

    def start(self, work: Callable[[], Any], ended: Callable[[BaseException | None], None]) -> None:
        """Call a function in the thread, and then `ended` in the event loop with its exception or None."""
        job = Job(work)
        job.on_end = lambda: ended(job.error)
        self._jobs.put(job)

    def close(self) -> None:
        """Wait for the current job, and end the thread."""
        self._jobs.put(None)
        self._thread.join()
