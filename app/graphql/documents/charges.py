"""What one new document computes, here or in a thread, so that the queue of new documents can charge it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import thread_time
from typing import TypeVar

Done = TypeVar("Done")


class Charge:
    """Seconds of computing; other requests that are answered meanwhile do not count."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Charge what is computed in a block, which awaits nothing."""
        began = thread_time()
        try:
            yield
        finally:
            self.seconds += thread_time() - began

    async def in_thread(self, work: Callable[[], Done]) -> Done:
        """Do work in a thread, and charge it. The loop gets its turns after each switch interval of the interpreter."""

        def measured() -> Done:
            with self.measure():
                return work()

        return await asyncio.to_thread(measured)
