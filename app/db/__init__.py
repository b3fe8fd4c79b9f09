"""The only door to a driver: `read` and `snapshot` give rows, `write` a transaction; nothing else begins or ends one.

Statements are SQLAlchemy expressions. They are compiled once per database and then run on the bare drivers: `sqlite3`
in the event loop on read-only connections, `asyncpg` on a pool. Rows are plain tuples in the order of the select list.
"""

from pathlib import Path

from app.db.commits import Unkept
from app.db.door import Dangling, Database, Duplicate, Question, Read, Transaction
from app.db.kept import Kept
from app.db.postgresql import PostgresDatabase, PostgresTransaction
from app.db.sqlite import SqliteDatabase, connect

__all__ = [
    "Dangling",
    "Database",
    "Duplicate",
    "Kept",
    "PostgresDatabase",
    "PostgresTransaction",
    "Question",
    "Read",
    "SqliteDatabase",
    "Transaction",
    "Unkept",
    "connect",
    "connected",
]


async def connected(url: str, *, size: int = 10) -> Database:
    """Open the database that a URL names: `sqlite:///PATH` (the file must exist) or `postgresql://…`."""
    if url.startswith("sqlite:///"):
        return SqliteDatabase(Path(url.removeprefix("sqlite:///")))
    database = PostgresDatabase(url, size)
    await database.open()
    return database
