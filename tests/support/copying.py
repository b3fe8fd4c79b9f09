"""Databases for copies: two of each kind, registries of every table, and statements beside a running loop."""

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
from sqlalchemy import Boolean, LargeBinary, Table
from sqlmodel import SQLModel

from app import db
from app.config import Settings
from app.db import migrations
from app.db.backups import Report
from app.db.copying.endpoints import CopyEndpoint
from app.db.copying.postgresql import PostgresEndpoint
from app.db.copying.sqlite import SqliteEndpoint
from app.db.copying.work import CopiedRows, copy
from app.db.tables import JSONDocument, UTCDateTime
from tests.conftest import open_db
from tests.oracle.worlds import crowded
from tests.oracle.worlds.entities import BEGINNING
from tests.support.factories import everything
from tests.support.postgres import Postgres

TABLES = SQLModel.metadata.sorted_tables


class Databases:
    """Empty databases by the name of their kind; `close` drops those of PostgreSQL."""

    def __init__(self, folder: Path, postgres: Postgres) -> None:
        self.folder, self._postgres = folder, postgres
        self._names: list[str] = []

    def empty(self, kind: str) -> str:
        """Return the URL of a new, empty database."""
        name = f"copy_{abs(hash(str(self.folder)))}_{len(self._names)}"
        self._names.append(name)
        if kind == "sqlite":
            return f"sqlite:///{self.folder}/{name}/ostiary.db"
        self._postgres.create(name)
        return self._postgres.url(name)

    def close(self) -> None:
        """Drop the databases."""
        for name in self._names:
            self._postgres.drop(name)


@contextmanager
def databases(folder: Path, postgres: Postgres) -> Iterator[Databases]:
    """Make databases for the block."""
    made = Databases(folder, postgres)
    try:
        yield made
    finally:
        made.close()


def end(url: str) -> CopyEndpoint:
    """Return a database as one end of a copy."""
    return (SqliteEndpoint if url.startswith("sqlite:") else PostgresEndpoint)(
        url, Settings(database_url=url).redacted_database_url
    )


async def copied(source: str, target: str, report: Report = lambda *_: None) -> CopiedRows:
    """Copy a database."""
    return await copy(end(source), end(target), report, lambda: None)


async def contents(url: str) -> Any:
    """Return all rows of a finished copy, as the services read them."""
    async with open_db(url, size=2) as opened:
        return await everything(opened)


async def fill(opened: db.Database, size: int = 20) -> None:
    """Write a world, and a row into each table that it leaves empty."""
    await crowded(Random(7), size).write(opened)
    async with opened.write() as tx:
        for table in TABLES:
            if not await tx.rows(table.select().limit(1)):
                await tx.rows(table.insert().values(**{each.name: await _value(tx, table, each) for each in table.c}))


async def _value(tx: Any, table: Table, column: Any) -> Any:
    if column.foreign_keys:
        (key,) = column.foreign_keys
        return await tx.value(key.column.table.select().with_only_columns(key.column).limit(1))
    match column.type:
        case UTCDateTime():
            return BEGINNING
        case JSONDocument():
            return {"ö\u0000": [1, None, "\U0001f600"]}
        case Boolean():
            return True
        case _ if column.type.python_type is int:
            return 7
    text = f"{table.name} Ünïcode\n'\"\\"
    return text.encode() if isinstance(column.type, LargeBinary) else text


def execute(url: str, statement: str) -> list[Any]:
    """Execute a statement and return its rows, whether or not a loop runs."""
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as opened:
            return opened.execute(statement).fetchall()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(_on_postgres(url, statement))).result()


def upgraded(url: str) -> list[str]:
    """Run the missing migrations, as every command does, whether or not a loop runs."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(migrations.upgrade, url).result()


async def _on_postgres(url: str, statement: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()
