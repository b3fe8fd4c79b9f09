"""Connections to PostgreSQL, lent to one at a time.

asyncpg's own pool forgets prepared statements with each loan, and its loan costs as much as a small query.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import asyncpg

IDLE_SECONDS = 300.0
"""How long a connection may rest: on the way there may be who forgets those on which nothing is said."""

END_SECONDS = 5.0
"""How long a connection may take to come to rest, or to end."""


class ConnectionPool:
    """Lends at most `size` connections. Those that rest lie in a stack, so that in a quiet time few are used."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], size: int) -> None:
        self._connect = connect
        self._size = size
        self._places = asyncio.Semaphore(size)
        self._resting: list[tuple[Any, float]] = []
        self._lent: set[Any] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def acquire(self) -> Any:
        """Borrow a connection; raises what asyncpg raises when nobody answers."""
        await self._places.acquire()
        try:
            connection = self.idle_expired()
            if connection is None:
                connection = await self._connect()
        except BaseException:
            self._places.release()
            raise
        self._lent.add(connection)
        return connection

    def release(self, connection: Any) -> None:
        """End a loan: nothing is open on the connection."""
        self._lent.discard(connection)
        now = monotonic()
        if not connection.is_closed():
            self._resting.append((connection, now))
        self._places.release()
        if self._resting and now - self._resting[0][1] > IDLE_SECONDS:
            self._hold_task(asyncio.create_task(_closed(self._resting.pop(0)[0])))

    def release_after(self, connection: Any, statement: str) -> None:
        """End a loan that nobody waits for: once what is going on has come to rest, and this was said."""
        self._hold_task(asyncio.create_task(self._settle(connection, statement)))

    async def release_settled(self, connection: Any, statement: str) -> None:
        """The same, and wait for it."""
        settling = asyncio.create_task(self._settle(connection, statement))
        self._hold_task(settling)
        await asyncio.shield(settling)

    def expire(self) -> None:
        """Close every connection that rests."""
        resting, self._resting = self._resting, []
        for connection, _ in resting:
            self._hold_task(asyncio.create_task(_closed(connection)))

    def stats(self) -> tuple[int, int]:
        """How many are in use and how many are not."""
        return len(self._lent), len(self._resting)

    async def close(self) -> None:
        """Wait for all that are lent, and close; those that do not come back in time are cut off."""
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                for _ in range(self._size):
                    await self._places.acquire()
        for connection in self._lent:
            connection.terminate()
        await asyncio.gather(*(_closed(connection) for connection, _ in self._resting), *self._tasks)
        self._resting.clear()

    def idle_expired(self) -> Any:
        """The one that rested for the shortest time and is still good, if there is one."""
        while self._resting:
            connection, since = self._resting.pop()
            if monotonic() - since <= IDLE_SECONDS and not connection.is_closed():
                return connection
            self._hold_task(asyncio.create_task(_closed(connection)))
        return None

    async def _settle(self, connection: Any, statement: str) -> None:
        try:
            await connection.execute(statement, timeout=END_SECONDS)
        except Exception:  # whatever it is, nobody shall meet what was left open
            connection.terminate()
        except asyncio.CancelledError:
            connection.terminate()
            raise
        finally:
            self.release(connection)

    def _hold_task(self, task: asyncio.Task[None]) -> None:
        """A task that nobody keeps may vanish."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _closed(connection: Any) -> None:
    try:
        await connection.close(timeout=END_SECONDS)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()
