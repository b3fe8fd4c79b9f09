"""A bound of the reads of anonymous viewers at one time, so that they never have all connections to the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.domain.errors import Unavailable


class AnonymousReads:
    """At most `size` reads at a time in this worker; another one waits, at most `seconds`."""

    def __init__(self, size: int, seconds: float) -> None:
        self._slots, self._seconds = asyncio.Semaphore(max(size, 1)), seconds

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the reads. Raises Unavailable after the wait."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._slots.acquire()
        except TimeoutError:
            raise Unavailable("Too many requests without a sign-in are waiting. Try again in a moment.") from None
        try:
            yield
        finally:
            self._slots.release()
