"""Tests that every change of the tables whose rows are cached is recorded."""

from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.sql.base import Executable

from app import db
from app.db import Freshness
from app.db.access_changes import NOT_RECORDED, TABLE_SCOPES
from app.db.tables import col
from tests.support.factories import Make


async def _write(database: db.Database, statement: Executable) -> None:
    async with database.write() as tx:
        await tx.rows(statement)


@pytest.mark.parametrize("table", TABLE_SCOPES, ids=lambda table: table.__tablename__)
async def test_each_change_of_a_cached_column_is_recorded(database: db.Database, make: Make, table: Any) -> None:
    await make.org()
    await make.group()
    (row,) = await database.ask(select(*table.__table__.c).limit(1), freshness=Freshness.PRIMARY)
    state = (await database.read_with_changes(None))[0].state
    for column, value in zip(table.__table__.c, row, strict=True):
        await _write(database, update(table).where(col(table.id) == row[0]).values({column.name: column}))
        changes, _ = await database.read_with_changes(state)
        state = changes.state
        recorded = changes.scopes is None or TABLE_SCOPES[table] in changes.scopes
        assert recorded == (column.name not in NOT_RECORDED | {"created_at"}), (column, value)


@pytest.mark.parametrize("table", TABLE_SCOPES, ids=lambda table: table.__tablename__)
async def test_new_and_deleted_rows_of_cached_tables_are_recorded(
    database: db.Database, make: Make, table: Any
) -> None:
    await make.org()
    await make.group()
    columns = [each for each in table.__table__.c if each.name != "id"]
    unique = {"slug", "name", "name_key"}
    copy = select(*(each.concat("x") if each.name in unique else each for each in columns)).limit(1)
    state = (await database.read_with_changes(None))[0].state
    written = [
        insert(table).from_select([each.name for each in columns], copy),
        delete(table).where(col(table.id) == select(func.max(table.id)).scalar_subquery()),
    ]
    for statement in written:
        await _write(database, statement)
        changes, _ = await database.read_with_changes(state)
        state = changes.state
        assert changes.scopes is None or TABLE_SCOPES[table] in changes.scopes
