"""The computing time of one new document, which the admission queue charges."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import thread_time
from typing import TypeVar

Result = TypeVar("Result")


class Charge:
    """Seconds of computing in this request; other requests do not count."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Charge the CPU time of a block that does not await."""
        began = thread_time()
        try:
            yield
        finally:
            self.seconds += thread_time() - began

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """Run work in a thread, and charge it. The event loop continues at each switch interval of the interpreter."""

        def run() -> Result:
            with self.measure():
                return work()

        return await asyncio.to_thread(run)
