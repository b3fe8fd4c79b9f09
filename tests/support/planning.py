"""Query plans of a database."""

import sqlite3
from contextlib import closing

import asyncpg

from app.db.postgresql.database import SETTINGS
from app.db.statements import CompiledStatement, Values

MANY = """INSERT INTO resources
  (id, org_id, type_id, slug, path, name, name_key, description, details,
   size_bytes, full_mask, revision, created_at, updated_at)
SELECT
  nextval('resources_id_seq'), org_id, type_id, 'copy' || number, 'copy/' || number, 'copy', 'copy' || number, '',
  details, 0, full_mask, 1, created_at, updated_at
FROM (SELECT * FROM resources ORDER BY id LIMIT 1) AS one, generate_series(1, 10000) AS number"""


async def plan_of(url: str, prepared: CompiledStatement, values: Values) -> str:
    """Return the plan as text; on PostgreSQL the generic plan for many resources."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {prepared.text}", prepared.arguments(values)).fetchall()
            return "\n".join(str(row[-1]) for row in rows)
    connected = await asyncpg.connect(url, server_settings=SETTINGS)
    try:
        await connected.execute("VACUUM")  # dead rows of other tests would make small tables look expensive
        for statement in ("BEGIN", MANY, "ANALYZE", f"PREPARE asked AS {prepared.text}"):
            await connected.execute(statement)
        unknown = ", ".join("NULL" for _ in prepared.names)
        return "\n".join(str(row[0]) for row in await connected.fetch(f"EXPLAIN EXECUTE asked ({unknown})"))
    finally:
        await connected.close()  # nothing of it was committed
