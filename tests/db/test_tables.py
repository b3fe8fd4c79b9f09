"""The migrations make just the tables that the code describes."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from warnings import catch_warnings, filterwarnings

import pytest
from alembic import command
from sqlalchemy import Connection, Inspector, create_engine, inspect, pool, text
from sqlalchemy.exc import SAWarning
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from app.db import migrations
from app.db.migrations import runner
from tests.support.postgres import Postgres

OWN = ("alembic_version", "access_changes")
"""The table of alembic, and one whose columns depend on the database."""


@pytest.fixture
def fresh(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path}/fresh.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"fresh_{abs(hash(str(tmp_path)))}"
    server.create(name)
    yield server.url(name)
    server.drop(name)


def test_the_migrations_make_the_tables_of_the_code(url: str, fresh: str) -> None:
    migrated = _with_connection(url, _shapes)
    _with_connection(fresh, SQLModel.metadata.create_all)

    assert migrated == _with_connection(fresh, _shapes)
    if url.startswith("sqlite:"):
        assert _with_connection(url, _indexes) == _with_connection(fresh, _indexes)
    assert set(migrated) == set(SQLModel.metadata.tables)


def test_every_table_has_a_number_for_its_rows_on_sqlite(sqlite_template: Path) -> None:
    """Pages below a key scan row ids, and the id of a deleted row is never used again."""
    tables = _with_connection(f"sqlite:///{sqlite_template}", _sources)

    assert [name for name, source in tables.items() if "WITHOUT ROWID" in source.upper()] == []
    assert {name for name, source in tables.items() if "AUTOINCREMENT" in source} == {
        table.name for table in SQLModel.metadata.sorted_tables if "id" in table.c
    }


OLD = """
INSERT INTO orgs VALUES (1, 'aa', 'A', 'a', '', NULL, TRUE, '2024-01-01T00:00:00+00:00');
INSERT INTO orgs VALUES (2, 'bb', 'B', 'b', '', NULL, TRUE, '2024-01-01T00:00:00+00:00');
INSERT INTO resources VALUES (1, 1, 1, 'r1', 'aa/r1', 'R', 'r', '', '{}', NULL, 5, 31, 1,
  '2024-01-01T00:00:00+00:00', '2024-01-01T00:00:00+00:00');
INSERT INTO resources VALUES (2, 1, 1, 'r2', 'aa/r2', 'R', 'r', '', '{}', NULL, 1099511627776, 31, 1,
  '2024-01-01T00:00:00+00:00', '2024-01-01T00:00:00+00:00')
"""
"""Two orgs, of which one has resources, in a database of the second step."""


def test_what_is_there_already_is_added_up(fresh: str) -> None:
    def older(connection: Connection) -> list[str]:
        command.upgrade(runner._config(connection), "0002")
        for statement in OLD.split(";"):
            connection.execute(text(statement))
        return []

    runner._with_connection(fresh, older)

    assert migrations.upgrade(fresh)[0] == "0003"
    assert _with_connection(fresh, _totals) == [(1, 1_099_511_627_781), (2, 0)]


def test_what_carried_everything_does_and_names_are_kept(fresh: str) -> None:
    """Also where the account is gone by now, which leaves no name."""

    def older(connection: Connection) -> list[str]:
        command.upgrade(runner._config(connection), "0006")
        for statement in _FROM_BEFORE.split(";"):
            connection.execute(text(statement))
        return []

    runner._with_connection(fresh, older)

    assert "0012" in migrations.upgrade(fresh)
    assert _with_connection(fresh, _what_came_of_it) == {
        "roles": [("admin", 2047), ("boss", 2047), ("some", 254)],
        "org_members": [("ann", 1), (None, None)],
        "groups": ["MEMBERS"],
        "lock_events": ["ann"],
    }


_FROM_BEFORE = """
INSERT INTO roles (name, name_key, description, permissions, is_built_in, created_at)
VALUES ('boss', 'boss', '', 255, false, '2031-05-06'), ('some', 'some', '', 254, false, '2031-05-06');
INSERT INTO users (id, user_name, user_key, token_generation, details, created_at)
VALUES (1, 'ann', 'ann', 0, '{}', '2031-05-06'), (2, 'bob', 'bob', 0, '{}', '2031-05-06');
INSERT INTO orgs (id, slug, name, name_key, description, is_public, created_at)
VALUES (1, 'sea', 'Sea', 'sea', '', false, '2031-05-06');
INSERT INTO org_members (org_id, user_id, level, granted_at, granted_by)
VALUES (1, 2, 1, '2031-05-06', 1), (1, 1, 1, '2031-05-06', null);
INSERT INTO groups (slug, display_name, name_key, description, created_at) VALUES ('g', 'G', 'g', '', '2031-05-06');
INSERT INTO resources (id, org_id, type_id, slug, path, name, name_key, description, details, size_bytes, full_mask,
                       revision, created_at, updated_at)
VALUES (1, 1, 1, 'reef', 'sea/reef', 'Reef', 'reef', '', '{}', 0, 31, 1, '2031-05-06', '2031-05-06');
INSERT INTO lock_events (resource_id, user_id, is_lock, reason, created_at) VALUES (1, 1, true, 'x', '2031-05-06')
"""


def _what_came_of_it(connection: Connection) -> dict[str, Any]:
    def rows(statement: str) -> list[Any]:
        return [tuple(row) if len(row) > 1 else row[0] for row in connection.execute(text(statement))]

    return {
        "roles": rows("SELECT name, permissions FROM roles WHERE permissions > 8 ORDER BY name"),
        "org_members": rows("SELECT granted_by_name, granted_by FROM org_members ORDER BY user_id DESC"),
        "groups": rows("SELECT members_seen_by FROM groups"),
        "lock_events": rows("SELECT user_name FROM lock_events"),
    }


def _totals(connection: Connection) -> list[Any]:
    return [tuple(row) for row in connection.execute(text("SELECT id, size_bytes FROM orgs ORDER BY id"))]


def _with_connection(url: str, work: Callable[[Connection], Any]) -> Any:
    if url.startswith("sqlite:"):
        with create_engine(url, poolclass=pool.NullPool).begin() as connection:
            return work(connection)
    return asyncio.run(_on_postgresql(url, work))


async def _on_postgresql(url: str, work: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine("postgresql+asyncpg" + url[url.index("://") :], poolclass=pool.NullPool)
    async with engine.begin() as connection:
        return await connection.run_sync(work)


def _shapes(connection: Connection) -> dict[str, Any]:
    inspector = inspect(connection)
    with catch_warnings():  # SQLAlchemy does not read indexes of expressions on SQLite
        filterwarnings("ignore", "Skipped unsupported reflection of expression-based index", SAWarning)
        return {name: _shape(inspector, name) for name in inspector.get_table_names() if name not in OWN}


def _shape(inspector: Inspector, table: str) -> dict[str, Any]:
    return {
        "columns": {
            each["name"]: (repr(each["type"]), each["nullable"], each["default"])
            for each in inspector.get_columns(table)
        },
        "key": inspector.get_pk_constraint(table),
        "foreign": _sorted(inspector.get_foreign_keys(table)),
        "unique": _sorted(inspector.get_unique_constraints(table)),
        "indexes": [{**each, "dialect_options": _as_text(each)} for each in _sorted(inspector.get_indexes(table))],
        "checks": _sorted(inspector.get_check_constraints(table)),
    }


def _as_text(index: Any) -> dict[str, str]:
    """Return the options of an index, of which the condition is an expression on SQLite, as text."""
    return {name: str(value) for name, value in index.get("dialect_options", {}).items()}


def _sorted(rows: Any) -> list[Any]:
    return sorted(rows, key=lambda each: str(each["name"]))


def _indexes(connection: Connection) -> dict[str, str]:
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
    return {row.name: row.sql for row in rows}


def _sources(connection: Connection) -> dict[str, str]:
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
    return {row.name: row.sql for row in rows if row.name not in OWN and not row.name.startswith("sqlite_")}
