"""Migrations of the database schema, and the checks that it is current and writable."""

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import asyncpg
from sqlalchemy import Select, column, select, table, text

from app.db import Database, Freshness
from app.db.failures import Failure, classify
from app.db.postgresql.connecting import connect
from app.domain.errors import Refusal

HEAD = max(path.name[:4] for path in (Path(__file__).parent / "versions").glob("0*.py"))
"""The revision of the last migration, from the name of its file."""

UNFINISHED = "unfinished copy"
"""The revision of a database that `ostiary copy` has not finished, in place of a migration: nothing may use it."""

_DONE = "SELECT version_num FROM alembic_version"
_STEP: Select[tuple[str]] = select(column("version_num")).select_from(table("alembic_version"))

_TOUCH = text("UPDATE alembic_version SET version_num = version_num")

ANSWER_SECONDS = 1.0
"""Timeout of each check."""


def upgrade(url: str) -> list[str]:
    """Run the missing migrations in one transaction; return their revisions, oldest first."""
    if is_current(url):
        return []
    from app.db.migrations import runner  # noqa: PLC0415 - alembic takes a tenth of the start, and most starts need no migration

    return runner.upgrade(url)


def require_current(url: str) -> None:
    """Raise OutdatedSchema, NewerSchema or UnfinishedCopy unless the schema is current. A file must exist."""
    if not is_current(url):
        from app.db.migrations import runner  # noqa: PLC0415 - the same

        runner.require_current(url)


def is_current(url: str) -> bool:
    """Return whether no migration is missing; False on any error, which alembic then reports."""
    if url.startswith("sqlite:///"):
        return _is_current_file(Path(url.removeprefix("sqlite:///")))
    return asyncio.run(_is_current_server(url))


def _is_current_file(path: Path) -> bool:
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection,
    ):
        return bool(connection.execute(_DONE).fetchall() == [(HEAD,)])
    return False


async def _is_current_server(url: str) -> bool:
    with suppress(asyncpg.PostgresError):
        connection = await connect(url)
        try:
            return bool([row[0] for row in await connection.fetch(_DONE)] == [HEAD])
        finally:
            await connection.close()
    return False


async def failing(database: Database) -> str | None:
    """Return the reason why the database cannot serve requests, or None.

    The reason is `database` if it does not respond, `migrations` if its schema is older or newer, or the name of the
    failure of a write. A write that waits for another transaction is no failure.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            rows = await database.ask(_STEP, freshness=Freshness.PRIMARY)
    except Refusal as error:
        return _name_failure(error)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error, TimeoutError):
        return "database"
    return await _failing_to_write(database) if rows == [(HEAD,)] else "migrations"


async def _failing_to_write(database: Database) -> str | None:
    """Try a write and roll it back. After a persistent failure, commit it: only a commit proves that the disk has room.

    A damaged file of SQLite is never written to again. The failure stands until a restart.
    """
    persistent = database.failures.persistent
    if persistent is Failure.DAMAGED and database.dialect.name == "sqlite":
        return persistent.value
    try:
        async with asyncio.timeout(ANSWER_SECONDS), database.write(dry_run=persistent is None) as tx:
            await tx.rows(_TOUCH)
    except TimeoutError:
        return None if persistent is None else persistent.value
    except Refusal as error:
        return _name_failure(error)
    database.failures.persistent = None
    return None


def _name_failure(error: Refusal) -> str:
    failure = None if error.__cause__ is None else classify(error.__cause__)
    if failure is Failure.WRONG_SCHEMA:
        return "migrations"
    return "database" if failure in {None, Failure.AWAY, Failure.TIMED_OUT, Failure.BUSY} else failure.value
