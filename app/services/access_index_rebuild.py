"""Rebuilding the whole access index, and counting the rows that were wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Executable, Integer, except_, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ClauseElement

from app.db import Database, Freshness, Transaction, at_one_moment
from app.db.tables import Access, Grant, Resource, col
from app.domain.viewer import SYSTEM
from app.query.relations import among, integers
from app.services import access_index, audit

BATCH_SIZE = 5_000
"""Resources that one statement rebuilds, so that none runs for longer than a second and progress is visible."""


@dataclass(frozen=True, slots=True)
class RebuildResult:
    """The number of rows now; how many were missing or different; how many should not have existed."""

    rows: int
    missing: int
    surplus: int


class LockTables(Executable, ClauseElement):
    """Wait for running changes of resources, grants and the index, and block new ones until the end. Reads continue."""

    inherit_cache = True


@compiles(LockTables, "sqlite")
def _lock_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return "SELECT 1"  # SQLite has one writer at a time


@compiles(LockTables, "postgresql")
def _lock_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    tables = (Resource, Grant, Access)  # every change locks the resource first
    return f"LOCK TABLE {', '.join(str(table.__tablename__) for table in tables)} IN EXCLUSIVE MODE"


async def reindex(database: Database, report: Callable[[int, int], None]) -> RebuildResult:
    """Rebuild all rows in one transaction; call `report(done, total)` after each batch of resources."""
    async with audit.transaction(database, SYSTEM, "reindex") as tx:
        return await _rebuild(tx, report)


async def check(database: Database, report: Callable[[int, int], None]) -> RebuildResult:
    """Count the wrong rows at one moment, without a change; call `report(done, total)` as `reindex` does."""
    async with at_one_moment(database) as reader:

        async def count(rows: Any) -> int:
            number: int = (await reader.ask(_count_of(rows), freshness=Freshness.PRIMARY))[0][0]
            return number

        rows = await reader.ask(select(col(Resource.id)).order_by(col(Resource.id)), freshness=Freshness.PRIMARY)
        keys, missing, surplus = [row[0] for row in rows], 0, 0
        for at in range(0, len(keys), BATCH_SIZE):
            batch = keys[at : at + BATCH_SIZE]
            expected, stored = _compared(batch)
            missing += sum([await count(except_(part, stored)) for part in expected])
            surplus += await count(except_(stored, *expected))
            report(min(at + BATCH_SIZE, len(keys)), len(keys))
        return RebuildResult(await count(select(col(Access.resource_id))), missing, surplus)


async def _rebuild(tx: Transaction, report: Callable[[int, int], None]) -> RebuildResult:
    await tx.rows(LockTables())
    keys = [row[0] for row in await tx.rows(select(col(Resource.id)).order_by(col(Resource.id)))]
    missing = surplus = 0
    for at in range(0, len(keys), BATCH_SIZE):
        batch = keys[at : at + BATCH_SIZE]
        expected, stored = _compared(batch)
        missing += sum([await _count(tx, except_(part, stored)) for part in expected])
        surplus += await _count(tx, except_(stored, *expected))
        await access_index.refresh(tx, batch)
        report(min(at + BATCH_SIZE, len(keys)), len(keys))
    return RebuildResult(await _count(tx, select(col(Access.resource_id))), missing, surplus)


def _compared(batch: list[int]) -> tuple[Sequence[Any], Any]:
    """Return the SELECTs of the rows that these resources should have, and the one of the rows that they have."""
    expected = access_index.definition(among(col(Resource.id), integers(batch))).selects
    return expected, select(*_columns()).where(among(col(Access.resource_id), integers(batch)))


def _count_of(rows: Any) -> Any:
    return select(literal_column("count(*)", Integer)).select_from(rows.subquery())


async def _count(tx: Transaction, rows: Any) -> int:
    """Return the number of rows of a SELECT."""
    number: int = await tx.value(_count_of(rows))
    return number


def _columns() -> list[ColumnElement[Any]]:
    return [col(getattr(Access, name)) for name in access_index.COLUMNS]
