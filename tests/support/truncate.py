"""Delete all rows of a database, also those of the audit log, which triggers protect."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from sqlalchemy import delete, text
from sqlmodel import SQLModel

from app import db


async def empty(database: db.Database, tx: db.Transaction, stays: Collection[str] = ()) -> None:
    """Delete every row of every table but those that stay."""
    async with unguarded(database, tx):
        for table in reversed(SQLModel.metadata.sorted_tables):
            if table.name not in stays:
                await tx.rows(delete(table))
        await tx.rows(text(_NOTE[database.dialect.name]))


_NOTE = {
    "sqlite": "INSERT INTO access_changes (scope) VALUES (0)",
    "postgresql": "INSERT INTO access_changes (scope, xid) VALUES (0, pg_current_xact_id()::text::bigint)",
}
"""Empties the caches, as the triggers that are disabled would do."""


@asynccontextmanager
async def unguarded(database: db.Database, tx: db.Transaction) -> AsyncIterator[None]:
    """Disable the triggers during the block."""
    if database.dialect.name == "postgresql":
        await tx.rows(text("SET LOCAL session_replication_role = replica"))
        yield
        await tx.rows(text("SET LOCAL session_replication_role = origin"))
        return
    triggers = await tx.rows(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    for name, _ in triggers:
        await tx.rows(text(f"DROP TRIGGER {name}"))
    yield
    for _, definition in triggers:
        await tx.rows(text(definition))
