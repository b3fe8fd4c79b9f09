"""Positions of the write-ahead log: how far a primary has written, and how far a replica has replayed.

A read on a replica is as new as a position if an earlier statement there has said that the position is replayed.
"""

from typing import Any, NamedTuple

import asyncpg

from app.db.statements import CompiledStatement

SHORT_HEADER, LONG_HEADER = 24, 40
"""Bytes of the header of a page of the log, and of the first page of a segment."""

_IDENTITY = """
SELECT (SELECT system_identifier FROM pg_control_system()),
       (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
       to_regclass('alembic_version')::oid::bigint,
       current_setting('wal_block_size')::bigint,
       (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size')
"""

_POSITION = """
SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_walfile_name({function}()) END,
       CASE WHEN NOT pg_is_in_recovery() THEN ({function}() - '0/0')::bigint END
"""

WRITTEN = CompiledStatement(_POSITION.format(function="pg_current_wal_insert_lsn"), (), {}, (), ())
"""Selects the position after every record that is written so far; nulls on a server in recovery.

The record of a commit is written before another statement can see it and before it is acknowledged, also with
`synchronous_commit` off, where it is flushed later.
"""

FLUSHED = CompiledStatement(_POSITION.format(function="pg_current_wal_flush_lsn"), (), {}, (), ())
"""Selects the position up to which the log is on the disk, which is all that a replica can get."""

FLUSH = "SELECT pg_logical_emit_message({arguments}) WHERE (pg_current_wal_flush_lsn() - '0/0')::bigint < $1"
"""Puts the log on the disk if it is not there up to a position. Records without a commit may wait for seconds.

They come from reads that clean up after a change, among others, and a position counts them too.
"""

FLUSHES_MESSAGES = 17
"""First version of PostgreSQL whose messages can be flushed without a transaction."""


def flush_statement(version: int) -> str:
    """Return `FLUSH` for a version of the server."""
    return FLUSH.format(
        arguments="false, 'ostiary', '', true" if version >= FLUSHES_MESSAGES else "true, 'ostiary', ''"
    )


REPLAYED = CompiledStatement(
    "SELECT pg_is_in_recovery(), (pg_last_wal_replay_lsn() - '0/0')::bigint,"
    " (SELECT received_tli FROM pg_stat_wal_receiver WHERE status = 'streaming')",
    (),
    {},
    (),
    (),
)
"""Selects on a replica whether it is one, the position that it has replayed, and the timeline that it receives.

The timeline is selected last: a replica that still receives it has replayed nothing of a later one. It is null without
a stream, and for a role that may not see it.
"""

MAY_SEE_STREAM = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"


class Cluster(NamedTuple):
    """Identity of the tables of a connection: physical copies have the same. The last two are sizes in bytes."""

    system: int
    database: int
    schema: int | None
    block: int
    segment: int


class Position(NamedTuple):
    """A position of the log: everything before the byte `lsn` of a timeline. Without a cluster, no replica has it."""

    cluster: Cluster | None
    timeline: int
    lsn: int


NOWHERE = Position(None, 0, 0)
"""The position of a request that only the primary answers."""


class Replayed(NamedTuple):
    """Answer of a replica to `REPLAYED`."""

    is_standby: bool
    lsn: int | None
    timeline: int | None

    def has_reached(self, position: Position) -> bool:
        """Return whether everything before the position is replayed."""
        return self.is_standby and self.timeline == position.timeline and (self.lsn or 0) >= position.lsn


async def read_cluster(connection: Any) -> Cluster | None:
    """Return the identity of the tables of a connection; None if the role may not know it, or without tables."""
    try:
        cluster = Cluster(*await connection.fetchrow(_IDENTITY))
    except asyncpg.InsufficientPrivilegeError:
        return None
    return None if cluster.schema is None else cluster


def position_of(cluster: Cluster | None, row: tuple[str | None, int | None]) -> Position:
    """Return the position of a row of `WRITTEN` or `FLUSHED`."""
    file, lsn = row
    if cluster is None or file is None or lsn is None:
        return NOWHERE
    return Position(cluster, int(file[:8], 16), _before_header(cluster, lsn))


def _before_header(cluster: Cluster, lsn: int) -> int:
    """Return the end of the last record: PostgreSQL adds the header of the next page, a replica does not."""
    used = lsn % cluster.block
    header = SHORT_HEADER if (lsn - used) % cluster.segment else LONG_HEADER
    return lsn - used if used == header else lsn
