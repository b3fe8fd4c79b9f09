"""Making the whole access index anew, and counting what was wrong in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Executable, Integer, except_, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ClauseElement

from app.db import Database, Transaction
from app.db.tables import Access, Grant, Resource, col
from app.domain.viewer import SYSTEM
from app.query.relations import among, integers
from app.services import access_index, audit

BATCH_SIZE = 5_000
"""How many resources one statement takes: none runs for longer than a second, and progress can be told."""


@dataclass(frozen=True, slots=True)
class RebuildResult:
    """How many rows the index has now, how many of them were missing or wrong, and how many stood there in error."""

    rows: int
    missing: int
    surplus: int


class LockTables(Executable, ClauseElement):
    """Wait until nobody changes what the index follows from, and let nobody until the end; reading goes on."""

    inherit_cache = True


@compiles(LockTables, "sqlite")
def _still_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return "SELECT 1"  # there is one writer at a time


@compiles(LockTables, "postgresql")
def _still_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    tables = (Resource, Grant, Access)  # a change holds the resource first
    return f"LOCK TABLE {', '.join(str(table.__tablename__) for table in tables)} IN EXCLUSIVE MODE"


async def reindex(database: Database, tell: Callable[[int, int], None]) -> RebuildResult:
    """Make all rows anew in one transaction; tells as it goes how many resources are done, and of how many."""
    async with audit.transaction(database, SYSTEM, "reindex") as tx:
        return await _rebuild(tx, tell)


async def _rebuild(tx: Transaction, tell: Callable[[int, int], None]) -> RebuildResult:
    await tx.rows(LockTables())
    keys = [row[0] for row in await tx.rows(select(col(Resource.id)).order_by(col(Resource.id)))]
    missing = surplus = 0
    for at in range(0, len(keys), BATCH_SIZE):
        some = keys[at : at + BATCH_SIZE]
        wanted = access_index.definition(among(col(Resource.id), integers(some))).selects
        stored = select(*_columns()).where(among(col(Access.resource_id), integers(some)))
        missing += sum([await _number(tx, except_(part, stored)) for part in wanted])
        surplus += await _number(tx, except_(stored, *wanted))
        await access_index.refresh(tx, some)
        tell(min(at + BATCH_SIZE, len(keys)), len(keys))
    return RebuildResult(await _number(tx, select(col(Access.resource_id))), missing, surplus)


async def _number(tx: Transaction, rows: Any) -> int:
    """How many rows a question has."""
    counted: int = await tx.value(select(literal_column("count(*)", Integer)).select_from(rows.subquery()))
    return counted


def _columns() -> list[ColumnElement[Any]]:
    return [col(getattr(Access, name)) for name in access_index.COLUMNS]
