"""Execution of migrations with alembic. If several processes start at once, one of them migrates."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, delete, event, inspect, literal, pool, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.migrations import INTERRUPTED, RESTORE_MARK, UNFINISHED, UNFINISHED_RESTORE
from app.db.postgresql.connecting import connect
from app.db.tables import Role
from app.domain.errors import Interrupted, NewerSchema, OutdatedSchema

LOCK = 0x6F73_7469_6172_79
"""Key of the advisory lock of migrations on PostgreSQL: "ostiary" in ASCII."""

WAIT_SECONDS = 120


def upgrade(url: str, *, restores: bool = False) -> list[str]:
    """Run the missing migrations in one transaction; return their revisions, oldest first."""
    return _with_connection(url, partial(_run_pending, restores=restores))


def require_current(url: str) -> None:
    """Raise OutdatedSchema if migrations are missing, and NewerSchema or Interrupted as `upgrade` does."""

    def work(connection: Connection) -> list[str]:
        if missing := _pending(connection):
            raise OutdatedSchema(
                f"the database lacks the migrations {missing[0]} to {missing[-1]}, which --no-migrate does not run: "
                "run `ostiary migrate` with the role that owns the tables, then start again"
            )
        return []

    _with_connection(url, work)


def create_unfinished(url: str, statements: Sequence[str]) -> None:
    """Create the tables of an empty database without rows, and execute `statements`, in one transaction.

    The database has the revision `UNFINISHED`, so that only the copy that fills it uses it.
    """

    def work(connection: Connection) -> list[str]:
        missing = _run_pending(connection)
        for table in reversed(Role.metadata.sorted_tables):
            # A DELETE without rows would be refused too: the audit log accepts none.
            if connection.execute(select(literal(1)).select_from(table).limit(1)).first() is not None:
                connection.execute(delete(table))
        connection.execute(text("UPDATE alembic_version SET version_num = :mark"), {"mark": UNFINISHED})
        for statement in statements:
            connection.execute(text(statement))
        return missing

    _with_connection(url, work)


def _with_connection(url: str, work: Callable[[Connection], list[str]]) -> list[str]:
    if url.startswith("sqlite:///"):
        return _on_sqlite(Path(url.removeprefix("sqlite:///")), work)
    return asyncio.run(_on_postgresql(url, work))


def _on_sqlite(path: Path, work: Callable[[Connection], list[str]]) -> list[str]:
    """Run migrations on a file, created readable by its owner only since it contains password hashes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))

    def connect() -> Any:
        connection = sqlite3.connect(path, isolation_level=None, timeout=WAIT_SECONDS)
        connection.execute("PRAGMA journal_mode=WAL")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=pool.NullPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        return work(connection)


async def _on_postgresql(url: str, work: Callable[[Connection], list[str]]) -> list[str]:
    # asyncpg parses the URL, as in the server, since SQLAlchemy does not support all of its forms.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: connect(url), poolclass=pool.NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _pending(connection: Connection, *, restores: bool = False) -> list[str]:
    script = ScriptDirectory.from_config(_config(connection))
    done = MigrationContext.configure(connection).get_current_revision()
    steps = [step.revision for step in script.walk_revisions()]
    if not restores and inspect(connection).has_table(RESTORE_MARK):
        done = UNFINISHED_RESTORE
    if done in INTERRUPTED:
        raise Interrupted(INTERRUPTED[done])
    if done is not None and done not in steps:
        raise NewerSchema(
            f"the database is at migration {done}, and this version knows steps up to {steps[0]}: "
            "start the version that migrated it, or restore a backup"
        )
    return [step.revision for step in reversed([*script.iterate_revisions("head", done or "base")])]


def _run_pending(connection: Connection, *, restores: bool = False) -> list[str]:
    missing = _pending(connection, restores=restores)
    if missing:
        command.upgrade(_config(connection), "head")
    return missing
