"""Migrations of the database schema, and the checks that it is current and writable."""

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import asyncpg
from sqlalchemy import Select, column, select, table, text

from app.db import Database, Freshness, table_rights
from app.db.failures import Failure, classify
from app.db.postgresql.connecting import connect
from app.domain.errors import Refusal

HEAD = max(path.name[:4] for path in (Path(__file__).parent / "versions").glob("0*.py"))
"""The revision of the last migration, from the name of its file."""

UNFINISHED = "unfinished copy"
"""The revision of a database that `ostiary copy` has not finished, in place of a migration: nothing may use it."""

UNFINISHED_RESTORE = "unfinished restore"
"""The same for a database of PostgreSQL that `ostiary restore` has not finished; it has the table `RESTORE_MARK`."""

RESTORE_MARK = "unfinished_restore"
"""A table with the schema to which the restore has moved the tables that were there before; null if none were."""

INTERRUPTED = {
    UNFINISHED: "the database is an unfinished copy: run the same `ostiary copy SOURCE TARGET` again, "
    "which finishes it",
    UNFINISHED_RESTORE: "an interrupted restore has left the database unfinished: run the same `ostiary restore` "
    "again, which first brings back the tables that were there before",
}
"""Texts about databases that only the command that was interrupted may use, by revision."""

_DONE = "SELECT version_num FROM alembic_version"
_IS_MARKED = f"SELECT to_regclass(quote_ident(current_schema()) || '.{RESTORE_MARK}') IS NOT NULL"
_STEP: Select[tuple[str]] = select(column("version_num")).select_from(table("alembic_version"))

_TOUCH = text("UPDATE alembic_version SET version_num = version_num")

ANSWER_SECONDS = 1.0
"""Timeout of each check."""


def upgrade(url: str, *, restores: bool = False) -> list[str]:
    """Run the missing migrations in one transaction; return their revisions, oldest first.

    Only the restore of a backup, with `restores`, may do so in a database that it has not finished.
    """
    if is_current(url, restores=restores):
        return []
    from app.db.migrations import runner  # noqa: PLC0415 - alembic takes a tenth of the start, and most starts need no migration

    return runner.upgrade(url, restores=restores)


def require_current(url: str) -> None:
    """Raise OutdatedSchema, NewerSchema or Interrupted unless the schema is current. A file must exist."""
    if not is_current(url):
        from app.db.migrations import runner  # noqa: PLC0415 - the same

        runner.require_current(url)


def is_current(url: str, *, restores: bool = False) -> bool:
    """Return whether no migration is missing; False on any error, which alembic then reports."""
    if url.startswith("sqlite:///"):
        return _is_current_file(Path(url.removeprefix("sqlite:///")))
    return asyncio.run(_is_current_server(url, restores=restores))


def _is_current_file(path: Path) -> bool:
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection,
    ):
        return bool(connection.execute(_DONE).fetchall() == [(HEAD,)])
    return False


def has_tables(url: str) -> bool:
    """Return whether the database has tables of Ostiary, of any migration or unfinished. A file must exist."""
    if url.startswith("sqlite:///"):
        return _has_tables_file(Path(url.removeprefix("sqlite:///")))
    return asyncio.run(_has_tables_server(url))


def _has_tables_file(path: Path) -> bool:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'").fetchall()
        return bool(tables and connection.execute(_DONE).fetchall())


async def _has_tables_server(url: str) -> bool:
    connection = await connect(url)
    try:
        if await is_restore_unfinished(connection):
            return True
        has_steps = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
        return bool(has_steps and await connection.fetch(_DONE))
    finally:
        await connection.close()


async def _is_current_server(url: str, *, restores: bool) -> bool:
    with suppress(asyncpg.PostgresError):
        connection = await connect(url)
        try:
            if [row[0] for row in await connection.fetch(_DONE)] != [HEAD]:
                return False
            return restores or not await is_restore_unfinished(connection)
        finally:
            await connection.close()
    return False


async def is_restore_unfinished(connection: asyncpg.Connection) -> bool:
    """Return whether a restore of this PostgreSQL database was interrupted, or is running."""
    return bool(await connection.fetchval(_IS_MARKED))


async def failing(database: Database) -> str | None:
    """Return the reason why the database cannot serve requests, or None.

    The reason is `database` if it does not respond, `migrations` if its schema is older or newer or a table is missing,
    or the name of the failure of a write, such as `denied` if the role lacks a right to any table. A write that waits
    for another transaction is no failure.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            rows = await database.ask(_STEP, freshness=Freshness.PRIMARY)
            failure = await table_rights.find_failure(database)
    except Refusal as error:
        return _name_failure(error)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error, TimeoutError):
        return "database"
    if rows != [(HEAD,)] or failure is Failure.WRONG_SCHEMA:
        return "migrations"
    return await _failing_to_write(database) if failure is None else failure.value


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
