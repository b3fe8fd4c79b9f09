"""The database interface: `read` and `snapshot` return rows, `write` opens a transaction. No other code uses a driver.

Statements are SQLAlchemy expressions, compiled once per database and run on the drivers without SQLAlchemy's engine:
`asyncpg` on a pool, and `sqlite3` on read-only connections, in the event loop or, if it takes long, in a thread. Rows
are tuples in the order of the select list.
"""

from collections.abc import Sequence
from math import inf
from pathlib import Path

from app.db.cached_lists import FieldLists, ListsMissing, OpenedLists, ResourceColumns
from app.db.cached_rows import CacheCheckingDatabase, CachedTables, OpenedSelection, RowsChanged, Selection
from app.db.commit_cache import CommitScopedCache
from app.db.conditional import ConditionalDatabase
from app.db.interface import (
    BoundStatement,
    ConditionFailed,
    Database,
    ForeignKeyViolation,
    Freshness,
    Read,
    ReplicaState,
    SnapshotLost,
    Transaction,
    UniqueViolation,
)
from app.db.loop_yield import LoopYield, Turns, chunks
from app.db.postgresql.database import PostgresDatabase
from app.db.postgresql.replicated import ReplicatedDatabase
from app.db.scoped_cache import CachedPairs, ScopedCache
from app.db.snapshot_reader import SnapshotReader, at_one_moment
from app.db.sqlite.connection import connect
from app.db.sqlite.database import SqliteDatabase
from app.db.sqlite.group_commit import CommitFailed
from app.db.traced import TracedDatabase


async def open_database(
    url: str, *, size: int = 10, longest: float = inf, read_only: bool = False, replicas: Sequence[str] = ()
) -> Database:
    """Open the database of a URL: `sqlite:///PATH` (the file must exist) or `postgresql://…`.

    `size` is the number of connections in the pool of PostgreSQL; `longest` limits one read of SQLite, in seconds.
    With `read_only`, writes fail. `replicas` are the URLs of read replicas of PostgreSQL.
    """
    if url.startswith("sqlite:///"):
        return SqliteDatabase(Path(url.removeprefix("sqlite:///")), longest, read_only=read_only)
    replicated = ReplicatedDatabase(url, size, read_only, replica_urls=replicas) if replicas else None
    database = replicated or PostgresDatabase(url, size, read_only)
    await database.open()
    return database
