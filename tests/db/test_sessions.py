"""Claims about the sessions of PostgreSQL: which settings they have, and that joins of subjects bind no values."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Dialect, select, text
from sqlalchemy.dialects import postgresql, sqlite

from app import policy
from app.db import BoundStatement, Freshness, open_database
from app.db.postgresql.database import SETTINGS
from app.db.statements import compile_statement
from app.db.tables import Access, Group, col
from app.domain.resource_roles import SubjectType
from app.policy.effective_subjects import subject_key_sql, subject_type_sql
from tests.support.shared_postgres import SharedPostgres

DIALECTS: list[Dialect] = [sqlite.dialect(), postgresql.dialect()]  # type: ignore[no-untyped-call]  # they have no annotations
EXPRESSIONS: list[Any] = [
    *(policy.subject_id(kind, col(Group.id)) for kind in SubjectType),
    subject_type_sql(col(Access.subject)),
    subject_key_sql(col(Access.subject)),
]


async def test_all_connections_of_a_pool_have_the_settings(shared_postgres: SharedPostgres) -> None:
    database = await open_database(shared_postgres.url, size=3)
    columns = [f"current_setting('{name}')" for name in SETTINGS]
    statement = text(f"SELECT {', '.join(columns)}, pg_sleep(0.1)")
    read: list[BoundStatement] = [(database.prepare(statement), {})]
    try:
        answers = await asyncio.gather(*(database.read(read, freshness=Freshness.PRIMARY) for _ in range(6)))
    finally:
        await database.close()
    assert {answer[0][0][:-1] for answer in answers} == {tuple(SETTINGS.values())}
    assert SETTINGS["enable_memoize"] == "off"


@pytest.mark.parametrize("dialect", DIALECTS, ids=["sqlite", "postgresql"])
@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_the_number_of_a_subject_is_computed_by_constants(expression: ColumnElement[Any], dialect: Dialect) -> None:
    assert compile_statement(select(expression), dialect).names == ()
