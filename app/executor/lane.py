"""How much of a worker goes to documents that nobody knows yet: a queue that rests after each one that was refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic

from app.errors import RateLimited
from app.executor.documents import Invalid

MOST_WAITING = 32
REST = 15
LONGEST_REST = 1.0  # seconds


class Lane:
    """One document after another. Whoever is known already does not come here, and so does not wait for others.

    A refusal is answered at once; then the lane rests for fifteen times as long as it took. So documents that are made
    to be dear take a sixteenth of a worker at most, however many send them.
    """

    def __init__(
        self, clock: Callable[[], float] = monotonic, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._free_at = clock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The lane for oneself; raises RateLimited when too many wait for it."""
        if self._waiting >= MOST_WAITING:
            raise RateLimited("Too many new documents are being looked at. Try again in a moment.")
        self._waiting += 1
        try:
            async with self._lock:
                while (rest := self._free_at - self._clock()) > 0:
                    await self._sleep(rest)
                began = self._clock()
                try:
                    yield
                except Invalid:
                    ended = self._clock()
                    self._free_at = ended + min(REST * (ended - began), LONGEST_REST)
                    raise
        finally:
            self._waiting -= 1
