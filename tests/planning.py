"""How a database would go about a statement."""

import sqlite3
from contextlib import closing

import asyncpg

from app.prepared import Prepared, Values


async def plan_of(url: str, prepared: Prepared, values: Values) -> str:
    """The plan in its own words; on PostgreSQL that of a table so large that nobody reads all of it."""
    arguments = prepared.arguments(values)
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {prepared.text}", arguments).fetchall()
            return "\n".join(str(row[-1]) for row in rows)
    connected = await asyncpg.connect(url)
    try:
        await connected.execute("SET enable_seqscan = off")
        await connected.execute("SET enable_bitmapscan = off")
        return "\n".join(str(row[0]) for row in await connected.fetch(f"EXPLAIN {prepared.text}", *arguments))
    finally:
        await connected.close()
