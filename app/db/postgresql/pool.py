"""The connection pool of PostgreSQL.

The pool of asyncpg discards prepared statements on each release, and its acquisition costs as much as a small query.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import asyncpg

from app.db import waits

IDLE_SECONDS = 300.0
"""Seconds after which an idle connection is closed, since firewalls drop connections without traffic."""

END_SECONDS = 5.0
"""Timeout of the last statement on a connection, and of its close."""


class ConnectionPool:
    """A pool of at most `size` connections. The idle ones form a stack, so that under low load few are used."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], size: int) -> None:
        self._connect = connect
        self._size = size
        self._slots = asyncio.Semaphore(size)
        self._idle: list[tuple[Any, float]] = []
        self._used: set[Any] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def acquire(self) -> Any:
        """Acquire a connection; raises the exceptions of asyncpg if the server does not respond."""
        if self._slots.locked():
            with waits.CountedWait(waits.CONNECTION):
                await self._slots.acquire()
        else:
            await self._slots.acquire()
        try:
            connection = self.pop_idle()
            if connection is None:
                connection = await self._connect()
        except BaseException:
            self._slots.release()
            raise
        self._used.add(connection)
        return connection

    def release(self, connection: Any) -> None:
        """Return a connection to the pool; it must have no open transaction."""
        self._used.discard(connection)
        now = monotonic()
        if not connection.is_closed():
            self._idle.append((connection, now))
        self._slots.release()
        if self._idle and now - self._idle[0][1] > IDLE_SECONDS:
            self._hold_task(asyncio.create_task(_close(self._idle.pop(0)[0])))

    def release_after(self, connection: Any, statement: str) -> None:
        """Release a connection in the background, after executing a last statement."""
        self._hold_task(asyncio.create_task(self._settle(connection, statement)))

    async def release_settled(self, connection: Any, statement: str) -> None:
        """Release a connection after executing a last statement, and wait for that."""
        settling = asyncio.create_task(self._settle(connection, statement))
        self._hold_task(settling)
        await asyncio.shield(settling)

    def expire(self) -> None:
        """Close all idle connections."""
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            self._hold_task(asyncio.create_task(_close(connection)))

    async def replace_dead(self, connection: Any) -> Any:
        """Return a new connection in place of one that died while it was idle, as the other idle ones may have."""
        self.expire()
        connection.terminate()
        new = await self._connect()
        self._used.discard(connection)
        self._used.add(new)
        return new

    def terminate_used(self) -> None:
        """End the connections in use: the reads on them fail at once."""
        for connection in self._used:
            connection.terminate()

    def stats(self) -> tuple[int, int]:
        """Return the numbers of used and idle connections."""
        return len(self._used), len(self._idle)

    async def close(self) -> None:
        """Wait until all connections are released, and close them; terminate those still used after the timeout."""
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                for _ in range(self._size):
                    await self._slots.acquire()
        self.terminate_used()
        await asyncio.gather(*(_close(connection) for connection, _ in self._idle), *self._tasks)
        self._idle.clear()

    def pop_idle(self) -> Any:
        """Return the most recently released connection that is still usable, or None; close expired ones."""
        while self._idle:
            connection, since = self._idle.pop()
            if monotonic() - since <= IDLE_SECONDS and not connection.is_closed():
                return connection
            self._hold_task(asyncio.create_task(_close(connection)))
        return None

    async def _settle(self, connection: Any, statement: str) -> None:
        try:
            await connection.execute(statement, timeout=END_SECONDS)
        except Exception:  # an open transaction must not reach the next user of the connection
            connection.terminate()
        except asyncio.CancelledError:
            connection.terminate()
            raise
        finally:
            self.release(connection)

    def _hold_task(self, task: asyncio.Task[None]) -> None:
        """Keep a reference to a task, which may otherwise be garbage-collected."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _close(connection: Any) -> None:
    try:
        await connection.close(timeout=END_SECONDS)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection.terminate()
