"""Writes a world into a database by bulk: the rows without their indexes, then those, then the access index."""

import asyncio
import hashlib
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Dialect
from sqlalchemy.dialects import sqlite
from sqlmodel import SQLModel

from app import db
from app.db import migrations, tables
from app.db.postgresql.connection import PostgresConnection
from app.db.postgresql.pool import ConnectionPool
from app.db.postgresql.transaction import PostgresTransaction
from app.services import access_index
from scripts.benchmark.world import ExistingIds, Rows, Spec, World

ROOT = Path(__file__).resolve().parents[2]
FAST = ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-262144")
BATCH = 20_000
MAX_ENTRIES = 6
"""Entries of one resource of a world."""

MADE_BY = (
    "app/db/migrations/versions/*.py",
    "app/services/access_index.py",
    "scripts/benchmark/filling.py",
    "scripts/benchmark/world.py",
)
"""The files that decide what a kept world looks like."""

TOTALS = """
UPDATE orgs SET size_bytes = sizes.total
FROM (SELECT org_id, sum(size_bytes) AS total FROM resources GROUP BY org_id) AS sizes
WHERE sizes.org_id = orgs.id
"""
"""Sets the size of each org to the sum of its resources."""


_NEXT_ID = "SELECT setval(pg_get_serial_sequence('{0}', 'id'), max(id)) FROM {0}"
"""Sets the next id of a table of PostgreSQL after the largest one."""


def say(text: str) -> None:
    """Show progress."""
    sys.stderr.write(f"bench: {text}\n")
    sys.stderr.flush()


class _Progress:
    """Progress messages of steps that take longer than a second."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is None and time.monotonic() - self._began > 1:
            say(f"  {self._what}: {time.monotonic() - self._began:.0f} s")


def sqlite_world(spec: Spec, folder: Path, store_folder: Path | None, kind: type[World] = World) -> str:
    """Write this world to a file in a folder, or copy the stored one; return its URL."""
    path = folder / f"{spec}.db"
    store = None if store_folder is None or kind is not World else store_folder / f"{spec}-{_fingerprint()}.db"
    if store is None or not store.exists():
        fill_sqlite(path, kind(spec))
        if store is not None:
            store.parent.mkdir(parents=True, exist_ok=True)
            draft = store.with_suffix(".new")
            shutil.copyfile(path, draft)
            draft.rename(store)
    else:
        say(f"SQLite, {spec.all_resources:,} resources: the stored world {store.name}")
        shutil.copyfile(store, path)
    return f"sqlite:///{path}"


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for pattern in MADE_BY:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _copies(spec: Spec) -> Iterator[str]:
    """Yield the statements that copy each resource with its entries and its access index, for both databases."""
    for copy in range(1, spec.copies):
        later = f"+ {copy * spec.resources}"
        renamed = {name: f"{name} || '-{copy}'" for name in ("slug", "path")}
        yield _copy_rows(tables.Resource, {"id": f"id {later}"} | renamed, f"id <= {spec.resources}")
        later_id = f"id + {copy} * {MAX_ENTRIES} * {spec.resources}"
        yield _copy_rows(
            tables.Grant, {"id": later_id, "resource_id": f"resource_id {later}"}, f"resource_id <= {spec.resources}"
        )
        yield _copy_rows(tables.Access, {"resource_id": f"resource_id {later}"}, f"resource_id <= {spec.resources}")


def _copy_rows(table: type[SQLModel], changed: dict[str, str], condition: str) -> str:
    name = str(table.__tablename__)
    columns = [column.name for column in SQLModel.metadata.tables[name].columns]
    values = ", ".join(changed.get(column, column) for column in columns)
    return f"INSERT INTO {name} ({', '.join(columns)}) SELECT {values} FROM {name} WHERE {condition}"  # noqa: S608 - names of ours


def fill_sqlite(path: Path, world: World) -> None:
    """Make a SQLite file with this world."""
    say(f"SQLite, {world.spec.all_resources:,} resources: making the world")
    migrations.upgrade(f"sqlite:///{path}")
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=OFF", *FAST):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    # An index is faster to build at once. A trigger would record each row for caches that nobody has.
    indexes, triggers = (_dropped(connection, kind) for kind in ("INDEX", "TRIGGER"))
    existing = ExistingIds(_ids(connection, "roles"), _ids(connection, "resource_types"))
    for rows in world.tables(existing):
        with _Progress(str(rows.table.__tablename__)):
            _insert(connection, rows)
    connection.execute("COMMIT")
    with _Progress("access index"):
        asyncio.run(_reindexed(path))
    connection.close()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=DELETE", "journal_mode=OFF", *FAST):  # the server's connection has made it WAL
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    with _Progress("copies"):
        for statement in _copies(world.spec):
            connection.execute(statement)
    connection.execute(TOTALS)
    with _Progress("indexes"):
        for statement in (*indexes, *triggers):
            connection.execute(statement)
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _dropped(connection: sqlite3.Connection, kind: str) -> list[str]:
    """Drop all indexes or triggers; return the statements that make them again."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL", (kind.lower(),))
    statements = dict(rows.fetchall())
    for name in statements:
        connection.execute(f"DROP {kind} {name}")
    return list(statements.values())


def _ids(connection: sqlite3.Connection, table: str) -> dict[str, int]:
    return dict(connection.execute(f"SELECT name, id FROM {table}").fetchall())  # noqa: S608 - a name of ours


def _insert(connection: sqlite3.Connection, rows: Rows) -> None:
    marks = ", ".join("?" * len(rows.columns))
    statement = f"INSERT INTO {rows.table.__tablename__} ({', '.join(rows.columns)}) VALUES ({marks})"  # noqa: S608 - names of ours
    connection.executemany(statement, _written(rows, sqlite.dialect()))


async def _reindexed(path: Path) -> None:
    database = db.SqliteDatabase(path)
    try:
        async with database.write() as tx:
            await access_index.rebuild(tx)
    finally:
        await database.close()


def fill_postgresql(url: str, world: World) -> None:
    """Put this world into an empty database."""
    say(f"PostgreSQL, {world.spec.all_resources:,} resources: making the world")
    migrations.upgrade(url)
    asyncio.run(_filled_postgresql(url, world))


async def _filled_postgresql(url: str, world: World) -> None:
    connection = await asyncpg.connect(url, connection_class=PostgresConnection)
    try:
        for setting in ("session_replication_role = replica", "maintenance_work_mem = '512MB'"):
            await connection.execute(f"SET {setting}")
        index_rows = await connection.fetch("SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'ix\\_%'")
        for name, _ in index_rows:
            await connection.execute(f"DROP INDEX {name}")
        existing = ExistingIds(await _names(connection, "roles"), await _names(connection, "resource_types"))
        for rows in world.tables(existing):
            with _Progress(str(rows.table.__tablename__)):
                await _copy(connection, rows)
        with _Progress("access index"):
            tx = PostgresTransaction(db.PostgresDatabase(url), ConnectionPool(asyncpg.connect, 0), connection)
            await access_index.rebuild(tx)
            await tx.commit()
        with _Progress("copies"):
            for statement in _copies(world.spec):
                await connection.execute(statement)
            for name in ("resources", "grants"):
                await connection.execute(_NEXT_ID.format(name))
        await connection.execute(TOTALS)
        with _Progress("indexes"):
            for _, statement in index_rows:
                await connection.execute(statement)
            for statement in ("VACUUM (ANALYZE)", "CHECKPOINT"):  # nothing is left to be done behind the measuring
                await connection.execute(statement)
    finally:
        await connection.close()


async def _names(connection: Any, table: str) -> dict[str, int]:
    return dict(await connection.fetch(f"SELECT name, id FROM {table}"))  # noqa: S608 - a name of ours


async def _copy(connection: Any, rows: Rows) -> None:
    """Copy the rows in; the next id follows theirs."""
    name = str(rows.table.__tablename__)
    records = _written(rows, db.PostgresDatabase("").dialect)
    while batch := list(islice(records, BATCH)):
        await connection.copy_records_to_table(name, records=batch, columns=rows.columns)
    if "id" in rows.columns:
        await connection.execute(_NEXT_ID.format(name))


def _written(rows: Rows, dialect: Dialect) -> Iterator[tuple[Any, ...]]:
    """Yield the rows as the driver takes them."""
    columns = SQLModel.metadata.tables[str(rows.table.__tablename__)].c
    writers: list[tuple[int, Callable[[Any], Any]]] = []
    for at, name in enumerate(rows.columns):
        change = columns[name].type.dialect_impl(dialect).bind_processor(dialect)
        if change is not None:
            writers.append((at, change))
    for row in rows.rows:
        cells = list(row)
        for at, write in writers:
            cells[at] = write(cells[at])
        yield tuple(cells)
