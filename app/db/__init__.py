"""The only door to a driver: `read` and `snapshot` give rows, `write` a transaction; nothing else begins or ends one.

Statements are SQLAlchemy expressions. They are compiled once per database and then run on the bare drivers: `sqlite3`
on read-only connections, in the event loop or, where it takes long, in a thread; `asyncpg` on a pool. Rows are plain
tuples in the order of the select list.
"""

from math import inf
from pathlib import Path

from app.db.commit_cache import CommitScopedCache
from app.db.interface import (
    BoundStatement,
    Database,
    ForeignKeyViolation,
    Freshness,
    Read,
    Transaction,
    UniqueViolation,
)
from app.db.loop_yield import LoopYield, chunks
from app.db.postgresql.database import PostgresDatabase, PostgresTransaction
from app.db.snapshot_reader import SnapshotReader, at_one_moment
from app.db.sqlite.database import SqliteDatabase, connect
from app.db.sqlite.group_commit import CommitFailed

__all__ = [
    "BoundStatement",
    "CommitFailed",
    "CommitScopedCache",
    "Database",
    "ForeignKeyViolation",
    "Freshness",
    "LoopYield",
    "PostgresDatabase",
    "PostgresTransaction",
    "Read",
    "SnapshotReader",
    "SqliteDatabase",
    "Transaction",
    "UniqueViolation",
    "at_one_moment",
    "chunks",
    "connect",
    "open_database",
]


async def open_database(url: str, *, size: int = 10, longest: float = inf) -> Database:
    """Open the database that a URL names: `sqlite:///PATH` (the file must exist) or `postgresql://…`.

    `size` is how many connections PostgreSQL is asked for; `longest`, in seconds, is for one read of SQLite.
    """
    if url.startswith("sqlite:///"):
        return SqliteDatabase(Path(url.removeprefix("sqlite:///")), longest)
    database = PostgresDatabase(url, size)
    await database.open()
    return database
