"""How a database would go about a statement."""

import sqlite3
from contextlib import closing

import asyncpg

from app.db.postgresql import SETTINGS
from app.prepared import Prepared, Values


async def plan_of(url: str, prepared: Prepared, values: Values) -> str:
    """The plan in its own words; on PostgreSQL for all values, and as of a table of which nobody reads all."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {prepared.text}", prepared.arguments(values)).fetchall()
            return "\n".join(str(row[-1]) for row in rows)
    never = {"enable_seqscan": "off", "enable_bitmapscan": "off"}
    connected = await asyncpg.connect(url, server_settings=SETTINGS | never)
    try:
        await connected.execute(f"PREPARE asked AS {prepared.text}")
        unknown = ", ".join("NULL" for _ in prepared.names)
        return "\n".join(str(row[0]) for row in await connected.fetch(f"EXPLAIN EXECUTE asked ({unknown})"))
    finally:
        await connected.close()
