"""Tests that every change of the tables whose rows are cached is recorded."""

from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.sql.base import Executable

from app import db
from app.db import Freshness
from app.db.access_changes import (
    NOT_RECORDED,
    RECORDED_OF_RESOURCES,
    TABLE_SCOPES,
    edit_scope,
    resource_scope,
    user_scope,
)
from app.db.tables import Grant, GroupMember, OrgMember, Resource, UserRole, col
from app.query.relations import Relation
from app.services import read_graph
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


LISTS = {UserRole: user_scope, OrgMember: user_scope, GroupMember: user_scope, Grant: resource_scope}
"""The tables of lists that workers keep, with the function of their scopes."""


def _owner(table: Any) -> Any:
    return table.resource_id if table is Grant else table.user_id


@pytest.mark.parametrize("table", LISTS, ids=lambda table: table.__tablename__)
async def test_each_change_of_a_row_of_a_cached_list_is_recorded(database: db.Database, make: Make, table: Any) -> None:
    user, org = await make.user(None, "admin"), await make.org()
    group = await make.group(None, user)
    await make.member(org, user)
    await make.grant(await make.resource(org), group, 1)
    columns = [*table.__table__.c]
    (row,) = await database.ask(select(*columns).limit(1), freshness=Freshness.PRIMARY)
    values = dict(zip((each.name for each in columns), row, strict=True))
    scope = LISTS[table](values[_owner(table).key])
    this = [each == values[each.name] for each in table.__table__.primary_key]
    written = [
        *(update(table).where(*this).values({each.name: each}) for each in columns),
        delete(table).where(*this),
        insert(table).values(values),
    ]
    state = (await database.read_with_changes(None))[0].state
    for statement in written:
        await _write(database, statement)
        changes, _ = await database.read_with_changes(state)
        state = changes.state
        assert changes.scopes is not None
        assert scope in changes.scopes, statement


async def test_each_edit_of_a_resource_is_recorded_but_not_its_size_and_revisions(
    database: db.Database, make: Make
) -> None:
    thing = await make.resource(await make.org())
    columns = Resource.__table__.c  # type: ignore[attr-defined]  # a table
    for column in columns:
        state = (await database.read_with_changes(None))[0].state
        await _write(database, update(Resource).where(col(Resource.id) == thing.id).values({column.name: column}))
        changes, _ = await database.read_with_changes(state)
        assert changes.scopes is not None
        assert (edit_scope(thing.id) in changes.scopes) == (column.name in RECORDED_OF_RESOURCES), column
        assert resource_scope(thing.id) not in changes.scopes
    assert {each.name for each in columns} - RECORDED_OF_RESOURCES == {"size_bytes", "revision", "edit_revision"}


def test_every_relation_with_a_scope_reads_such_a_table() -> None:
    relations = [each for each in vars(read_graph).values() if isinstance(each, Relation) and each.scope is not None]
    assert {each.anchor for each in relations} == {*LISTS}
    for each in relations:
        assert each.scope is LISTS[each.anchor]
        assert each.by.key == _owner(each.anchor).key
