"""A PostgreSQL primary with a streaming replica, and connections to both for what the tests do to them."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from app import db
from app.db import migrations
from app.db.postgresql import replicated
from app.db.postgresql.replicated import ReplicatedDatabase
from app.observability import counters
from tests.support.postgres import HASTY, SETTINGS, Postgres

NAME = "ostiary"
WAIT_SECONDS = 60.0

SENDS = {"wal_level": "replica", "max_wal_senders": "8", "hot_standby": "on"}
"""Settings of both servers. As in other tests, a commit does not wait for the disk."""

TESTED = {
    "wal_receiver_status_interval": "1s",
    "max_standby_streaming_delay": "0",
    "wal_retrieve_retry_interval": "100ms",
}
"""Settings of a replica: a read in the way of the replay is cancelled at once."""


class Primary(Postgres):
    """A server that others may replicate."""

    def __init__(self) -> None:
        super().__init__()
        self._settings = SETTINGS | HASTY | SENDS

    def clone(self, **settings: str) -> "Standby":
        """Start a replica of this server."""
        standby = Standby(self, settings)
        standby.start()
        return standby


class Standby(Postgres):
    """A streaming replica of a server."""

    def __init__(self, primary: Primary, settings: dict[str, str]) -> None:
        super().__init__()
        self._primary = primary
        self._settings = SETTINGS | HASTY | SENDS | TESTED | settings
        self._password = primary._password

    def _init(self, folder: Path) -> None:
        source = self._primary.url().rpartition("/")[0]
        options = ["--pgdata", str(folder / "data"), "--write-recovery-conf", "--wal-method=stream", "--no-sync"]
        self._call(["pg_basebackup", "--checkpoint=fast", "--dbname", source, *options], folder)

    def restart(self) -> None:
        """Stop the server without regard to its clients, and start it again at its port."""
        self.halt()
        self.resume()

    def halt(self) -> None:
        """Stop the server without regard to its clients."""
        self._call(["pg_ctl", "stop", "--mode=fast", "--pgdata", str(self._data)], "/")
        assert self._server is not None
        self._server.wait(30)

    def resume(self) -> None:
        """Start the server again at its port."""
        assert self._folder is not None
        self._server = self._spawn(self._folder)
        assert self._ready(self._server, self._folder)

    def freeze(self, *, frozen: bool = True) -> None:
        """Stop every process of the server without an end, as a network does that loses every packet; or go on."""
        assert self._server is not None
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self._server.pid)], capture_output=True, text=True, check=False
        )
        for pid in (self._server.pid, *map(int, children.stdout.split())):
            os.kill(pid, 19 if frozen else 18)

    @property
    def _data(self) -> Path:
        assert self._folder is not None
        return self._folder / "data"


async def execute(server: Postgres, statement: str, database: str = "postgres") -> str:
    """Execute a statement on a server of its own connection, and return the first value or nothing."""
    connection = await asyncpg.connect(server.url(database))
    try:
        return str(await connection.fetchval(statement))
    finally:
        await connection.close()


class Pair:
    """A primary with a replica, and the URLs of their database."""

    def __init__(self) -> None:
        self.primary = Primary()
        self.primary.start()
        self.primary.create(NAME)
        migrations.upgrade(self.primary.url(NAME))
        self.standby = self.primary.clone()

    @property
    def urls(self) -> tuple[str, str]:
        """Return the URLs of the primary and of the replica."""
        return self.primary.url(NAME), self.standby.url(NAME)

    def stop(self) -> None:
        """Stop both servers."""
        self.standby.stop()
        self.primary.stop()

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Stop the replay of the replica during the block."""
        await execute(self.standby, "SELECT pg_wal_replay_pause()")
        await until(self._is_paused)
        try:
            yield
        finally:
            await execute(self.standby, "SELECT pg_wal_replay_resume()")

    async def _is_paused(self) -> bool:
        return await execute(self.standby, "SELECT pg_get_wal_replay_pause_state()") == "paused"


async def until(is_true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not await is_true():  # noqa: ASYNC110 - the database has no event for it
            await asyncio.sleep(0.01)


def reads(result: str) -> float:
    """Return the number of reads of this process with a result."""
    return counters.samples()[counters.sample(replicated.READS, result=result)]


async def by_replica(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask until the replica answers, and return its answer: it may lag for a moment after the rows were made."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            before, others = reads("replica"), reads("behind") + reads("failed") + reads("none")
            answer = await ask()
            if reads("replica") > before and reads("behind") + reads("failed") + reads("none") == others:
                return answer
            await asyncio.sleep(0.02)


async def by_primary(database: db.Database, ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask without replicas."""
    assert isinstance(database, ReplicatedDatabase)
    kept, database._replicas = database._replicas, []
    try:
        return await ask()
    finally:
        database._replicas = kept
