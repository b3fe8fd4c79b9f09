"""Bringing a database to the shape that the code expects."""

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import asyncpg
from sqlalchemy import Select, column, select, table

from app.db import Database
from app.errors import TimedOut

HEAD = max(path.name[:4] for path in (Path(__file__).parent / "versions").glob("0*.py"))
"""The last step: the number at the head of its file's name."""

_DONE = "SELECT version_num FROM alembic_version"
_STEP: Select[tuple[str]] = select(column("version_num")).select_from(table("alembic_version"))

ANSWER_SECONDS = 1.0
"""How long the database may take to say where it stands."""


def upgrade(url: str) -> list[str]:
    """Run what is missing, in one transaction; answers the steps that were run, oldest first."""
    if is_current(url):
        return []
    from app.migrations import running  # noqa: PLC0415 - alembic is a tenth of a start, and most starts need no step

    return running.upgrade(url)


def is_current(url: str) -> bool:
    """Whether nothing is missing; False too when that cannot be told, since alembic will tell why."""
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
        connection = await asyncpg.connect(url)
        try:
            return bool([row[0] for row in await connection.fetch(_DONE)] == [HEAD])
        finally:
            await connection.close()
    return False


async def failing(database: Database) -> str | None:
    """What stands against serving: the `database` does not answer, or its `migrations` are not ours; None for nothing.

    A database that is ahead of us is not ours either: another version has taken it over.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            rows = await database.ask(_STEP)
    except (asyncpg.UndefinedTableError, sqlite3.OperationalError) as error:
        is_there = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) == sqlite3.SQLITE_ERROR
        return "migrations" if is_there else "database"
    except (asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error, TimeoutError, TimedOut):
        return "database"
    return None if rows == [(HEAD,)] else "migrations"
