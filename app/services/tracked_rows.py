"""Inserting and updating many rows of one kind that the audit log tracks."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from app.db import Transaction, UniqueViolation
from app.db.statements import Values
from app.db.tables import col
from app.domain.errors import Retry
from app.query.relations import among, texts
from app.services import audit


async def insert(tx: Transaction, table: Any, rows: Sequence[Values], key: str = "slug") -> list[int]:
    """Insert rows, track them for the audit log, and return their ids in order; `key` is a unique column.

    Raise Retry if a value was just taken: the next attempt names it.
    """
    if not rows:
        return []
    try:
        await tx.insert(table, rows)
    except UniqueViolation:
        raise Retry from None
    column, keys = col(getattr(table, key)), [row[key] for row in rows]
    inserted = await tx.rows(select(column, col(table.id)).where(among(column, texts(keys))))
    ids_by_key: dict[str, int] = dict(inserted)
    ids = [ids_by_key[each] for each in keys]
    audit.track_new(tx, table.__name__, ids)
    return ids


async def update(tx: Transaction, table: Any, rows: Sequence[Values]) -> None:
    """Update rows by their ids, all with the same columns, and track them. They are locked."""
    await audit.track(tx, table.__name__, [row["id"] for row in rows])
    await tx.update_many(table, rows)
