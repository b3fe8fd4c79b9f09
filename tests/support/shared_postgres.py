"""One PostgreSQL database for many tests, emptied between them, since to create one takes most of a test."""

import asyncio
from collections.abc import Coroutine
from threading import Thread
from typing import Any

import asyncpg
from sqlmodel import SQLModel

from tests.support.postgres import Postgres

NAME = "reused"
SEEDED_TABLES = ("roles", "resource_types")
"""Tables that a migration fills."""

LOCK_TIMEOUT = 5
"""Seconds to wait for transactions that an earlier test left open; then the database is created again."""


class SharedPostgres:
    """A database that `reset` empties, over one connection that stays open in its own thread."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._make()

    @property
    def url(self) -> str:
        """Return its URL."""
        return self._server.url(NAME)

    def reset(self) -> None:
        """Restore the state after the migrations."""
        try:
            self._run(self._connection.execute(self._script))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            self._make()

    def close(self) -> None:
        """Close the connection."""
        self._run(self._connection.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def _make(self) -> None:
        self._server.drop(NAME)
        self._server.create(NAME, template="template")
        self._run(self._open())

    async def _open(self) -> None:
        self._connection = await asyncpg.connect(self.url, server_settings={"lock_timeout": f"{LOCK_TIMEOUT}s"})
        tables = [table.name for table in SQLModel.metadata.sorted_tables]
        seeded = [name for name in SEEDED_TABLES if name in tables]
        await self._connection.execute("SET session_replication_role = replica; CREATE SCHEMA kept")
        for name in seeded:
            await self._connection.execute(f"CREATE TABLE kept.{name} AS TABLE {name}")
        counted = [table.name for table in SQLModel.metadata.sorted_tables if "id" in table.c]
        # The names are those of our own tables.
        steps = [f"DELETE FROM {name}" for name in tables]
        steps += [f"INSERT INTO {name} SELECT * FROM kept.{name}" for name in seeded]
        steps += [_counted(name) for name in counted]
        self._script = "; ".join(["BEGIN", *steps, "COMMIT"])


def _counted(table: str) -> str:
    """Return the statement that sets the next id to the one after the largest."""
    largest = f"(SELECT coalesce(max(id), 0) FROM {table})"
    return f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {largest} + 1, false)"
