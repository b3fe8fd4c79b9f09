"""Facts about a database for `ostiary doctor`, read with connections of their own that change nothing."""

import asyncio
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from sqlmodel import SQLModel

from app.db.interface import ReplicaState
from app.db.migrations import UNFINISHED_RESTORE, is_restore_unfinished
from app.db.postgresql.connecting import connect, is_direct
from app.db.postgresql.database import SETTINGS
from app.db.postgresql.replica import Problem, Replica
from app.db.postgresql.wal_position import FLUSHED, position_of, read_cluster

MAX_REPLICA_CHECKS = 10
"""Most looks at replicas that are behind."""


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """Facts of both databases; those of the other one have their defaults.

    `refusal` is the reason why writes are refused. `ahead` is the time of the database minus our own, in seconds.
    `late_sequences` are columns whose next number is taken already. `used` counts the connections of all clients.
    `session_settings` are the values that the role has for the names of `SETTINGS`; behind a pooler they count.
    `replicas` are those of DatabaseReplicas.
    """

    version: str
    revision: str | None
    refusal: str | None = None
    ahead: float = 0.0
    late_sequences: tuple[str, ...] = ()
    invalid_indexes: tuple[str, ...] = ()
    max_connections: int = 0
    used: int = 0
    has_pooler: bool = False
    session_settings: Mapping[str, str] = field(default_factory=dict)
    replicas: tuple[ReplicaState, ...] = ()


def inspect_file(path: Path) -> DatabaseFacts:
    """Return the facts of a SQLite file. Raises sqlite3.Error if it cannot be read."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
        row = None
        if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'").fetchone():
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    denied = [str(each) for each in (path, path.parent) if not os.access(each, os.W_OK)]
    refusal = f"this user may not write to {denied[0]}" if denied else None
    return DatabaseFacts(f"SQLite {sqlite3.sqlite_version}", row and str(row[0]), refusal)


async def inspect_server(url: str, replicas: Sequence[str] = ()) -> DatabaseFacts:
    """Return the facts of a PostgreSQL database and of its replicas. Raises the exceptions of asyncpg if it is away."""
    connection = await connect(url)
    try:
        has_pooler = not await is_direct(connection)
        refusal = await _refusal(connection)
        async with connection.transaction(readonly=True):  # a setting of the session would stay with a pooler
            facts = await _read_facts(connection, refusal, has_pooler=has_pooler)
        states = await _inspect_replicas(connection, replicas, has_pooler=has_pooler)
        return replace(facts, replicas=states)
    finally:
        await connection.close()


async def _read_facts(connection: asyncpg.Connection, refusal: str | None, *, has_pooler: bool) -> DatabaseFacts:
    has_tables = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
    revision = await connection.fetchval("SELECT version_num FROM alembic_version") if has_tables else None
    if await is_restore_unfinished(connection):
        revision, has_tables = UNFINISHED_RESTORE, False
    now = await connection.fetchval("SELECT clock_timestamp()")
    return DatabaseFacts(
        f"PostgreSQL {await connection.fetchval('SHOW server_version')}",
        revision,
        refusal,
        (now - datetime.now(UTC)).total_seconds(),
        tuple([name for name in _sequences() if has_tables and await _is_late(connection, name)]),
        tuple([row[0] for row in await connection.fetch(_INVALID_INDEXES)]),
        int(await connection.fetchval("SELECT current_setting('max_connections')::int")),
        int(await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")),
        has_pooler,
        {name: await connection.fetchval("SELECT current_setting($1, true)", name) or "" for name in SETTINGS},
    )


async def _inspect_replicas(
    connection: asyncpg.Connection, urls: Sequence[str], *, has_pooler: bool
) -> tuple[ReplicaState, ...]:
    """Return the state of each replica beside a primary; one that is behind has a second to follow."""
    replicas = [Replica(url, 1, {}, is_logged=False) for url in urls]
    least: int | None = None
    try:
        for _ in range(MAX_REPLICA_CHECKS if replicas else 0):
            cluster = None if has_pooler else await read_cluster(connection)
            ((file, lsn),) = await connection.fetch(FLUSHED.text)
            position = position_of(cluster, (file, lsn))
            least = position.lsn if least is None else least  # a later one would be a new lag of a busy primary
            await asyncio.gather(*(replica.check(position, least) for replica in replicas))
            if not any(replica.problem is Problem.BEHIND for replica in replicas):
                break
            await asyncio.sleep(1 / MAX_REPLICA_CHECKS)
    finally:
        await asyncio.gather(*(replica.close() for replica in replicas))
    return tuple(replica.state for replica in replicas)


_INVALID_INDEXES = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1"


async def _refusal(connection: asyncpg.Connection) -> str | None:
    if await connection.fetchval("SELECT pg_is_in_recovery()"):
        return "the server is a standby"
    if await connection.fetchval("SHOW transaction_read_only") == "on":
        return "the database or the role is read-only"
    may_write = await connection.fetchval(
        "SELECT has_table_privilege(oid, 'INSERT') FROM pg_class WHERE oid = to_regclass('users')"
    )
    return "the role may not write to the tables" if may_write is False else None


def _sequences() -> list[str]:
    return [table.name for table in SQLModel.metadata.sorted_tables if "id" in table.c]


async def _is_late(connection: asyncpg.Connection, table: str) -> bool:
    """Return whether the next id of one of our tables is not above its largest one."""
    sequence = await connection.fetchval(
        "SELECT pg_get_serial_sequence(quote_ident($1), 'id') WHERE to_regclass(quote_ident($1)) IS NOT NULL", table
    )
    if sequence is None:
        return False
    following = await connection.fetchval(f"SELECT last_value + is_called::int FROM {sequence}")  # noqa: S608 - its own name
    largest = await connection.fetchval(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608 - our own table
    return bool(following <= largest)
