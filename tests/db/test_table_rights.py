"""Claims about readiness and rights: a table that the server may not use, or that is missing, is not ready."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from sqlmodel import SQLModel

from app import db
from app.db import migrations, table_rights
from app.db.table_rights import APPEND_ONLY, RIGHTS
from tests.support.effort import counted

ON_POSTGRESQL = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
TABLES = sorted(SQLModel.metadata.tables)
Run = Callable[[str], Awaitable[Any]]


@pytest.fixture
async def run(database: db.Database) -> AsyncIterator[Run]:
    """Run a statement as the superuser."""
    connection = await asyncpg.connect(database.url)  # type: ignore[attr-defined]  # PostgreSQL's
    yield connection.execute
    await connection.close()


@pytest.fixture
async def limited(database: db.Database, run: Run) -> AsyncIterator[db.Database]:
    """The database as a role sees it that has the documented rights."""
    url: str = database.url  # type: ignore[attr-defined]
    await run("CREATE ROLE rightful LOGIN PASSWORD 'a-password'")
    await run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO rightful")
    await run("GRANT SELECT, USAGE ON ALL SEQUENCES IN SCHEMA public TO rightful")
    opened = await db.open_database(f"postgresql://rightful:a-password@{url.rpartition('@')[2]}", size=2)
    yield opened
    await opened.close()
    await run("DROP OWNED BY rightful")
    await run("DROP ROLE rightful")


@ON_POSTGRESQL
async def test_a_missing_right_to_any_table_is_denied(limited: db.Database, run: Run) -> None:
    assert await migrations.failing(limited) is None

    for table in TABLES:
        for right in RIGHTS[:2] if table in APPEND_ONLY else RIGHTS:
            await run(f"REVOKE {right} ON {table} FROM rightful")
            assert await migrations.failing(limited) == "denied", (table, right)
            await run(f"GRANT {right} ON {table} TO rightful")
    assert await migrations.failing(limited) is None


@ON_POSTGRESQL
async def test_a_missing_right_to_a_sequence_is_denied(limited: db.Database, run: Run) -> None:
    await run("CREATE SEQUENCE of_groups OWNED BY groups.description")

    assert await migrations.failing(limited) == "denied"

    await run("DROP SEQUENCE of_groups")
    assert await migrations.failing(limited) is None


@ON_POSTGRESQL
@pytest.mark.parametrize("table", ["audit_events", "grants", "users"])
async def test_a_renamed_table_is_a_matter_of_migrations(database: db.Database, run: Run, table: str) -> None:
    await run(f"ALTER TABLE {table} RENAME TO was_{table}")
    try:
        assert await migrations.failing(database) == "migrations"
    finally:
        await run(f"ALTER TABLE was_{table} RENAME TO {table}")
    assert await migrations.failing(database) is None


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_a_renamed_table_of_a_file_is_a_matter_of_migrations(database: db.Database, settings: Any) -> None:
    with sqlite3.connect(settings.sqlite_path) as connection:
        connection.execute("ALTER TABLE lock_events RENAME TO was")
    assert await migrations.failing(database) == "migrations"


async def test_the_check_is_one_statement(database: db.Database) -> None:
    await table_rights.find_failure(database)

    with counted() as effort:
        assert await table_rights.find_failure(database) is None

    assert effort.calls < 1_000
