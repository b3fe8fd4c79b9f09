"""Claims about connections to PostgreSQL: their name, several hosts, refused parameters, and poolers in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from app import db
from app.config import Settings
from app.db import BoundStatement, Freshness
from app.db.backups import BackupFailed
from app.db.postgresql import connecting
from app.db.postgresql import database as postgresql
from app.db.postgresql.connecting import connect
from app.domain.errors import SettingsError
from app.domain.program import program_name
from app.services.backups import making
from tests.support.postgres import free_port
from tests.support.shared_postgres import SharedPostgres

NAME = "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    connection = await connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_connection_has_the_name_of_its_program(
    shared_postgres: SharedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = shared_postgres.url
    program_name.set("ostiary worker 4711")

    async with connected(url) as connection:
        assert await connection.fetchval(NAME) == "ostiary worker 4711"
    monkeypatch.setenv("PGAPPNAME", "of the environment")
    async with connected(url) as connection:
        assert await connection.fetchval(NAME) == "of the environment"
    async with connected(f"{url}?application_name=mine&connect_timeout=9&keepalives_idle=3") as connection:
        assert await connection.fetchval(NAME) == "mine"


async def test_the_first_host_that_is_a_primary_is_used(shared_postgres: SharedPostgres) -> None:
    parts = urlsplit(shared_postgres.url)
    user, _, host = parts.netloc.rpartition("@")
    url = parts._replace(netloc=f"{user}@127.0.0.1:{free_port()},{host}").geturl()

    async with connected(url) as connection:
        assert await connection.fetchval("SELECT NOT pg_is_in_recovery()")


@pytest.mark.parametrize("query", ["pgbouncer=true", "statement_timeout=never", "server_version=9"])
async def test_a_parameter_that_the_server_refuses_is_named(query: str, shared_postgres: SharedPostgres) -> None:
    with pytest.raises(SettingsError, match=f'URL of the database has a parameter .*"{query.partition("=")[0]}"'):
        await connect(f"{shared_postgres.url}?{query}")


async def test_behind_a_pooler_nothing_stays_with_a_connection(
    shared_postgres: SharedPostgres, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def is_direct(_: Any) -> bool:
        return False

    monkeypatch.setattr(postgresql, "is_direct", is_direct)
    database = await db.open_database(shared_postgres.url, size=2)
    statements = text("SELECT count(*) FROM pg_prepared_statements"), text("SELECT current_setting('plan_cache_mode')")
    try:
        prepared: list[BoundStatement] = [(database.prepare(each), {}) for each in statements]
        for _ in range(2):
            assert await database.read(prepared, freshness=Freshness.PRIMARY) == [[(0,)], [("auto",)]]
            async with database.snapshot(freshness=Freshness.PRIMARY) as read:
                assert await read(prepared) == [[(0,)], [("auto",)]]
            async with database.write() as tx:
                await tx.lock("admins")
                assert await tx.rows(statements[0]) == [(0,)]
    finally:
        await database.close()
    assert [each.message for each in caplog.records if each.name == postgresql.__name__] == [postgresql.POOLER]


async def test_a_direct_connection_is_told_from_one_through_a_pooler(
    shared_postgres: SharedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(shared_postgres.url) as connection:
        assert await connecting.is_direct(connection)
        pooled = SimpleNamespace(execute=connection.execute, get_server_pid=lambda: connection.get_server_pid() + 1)
        assert not await connecting.is_direct(pooled)


async def test_a_dump_through_a_pooler_is_refused(
    shared_postgres: SharedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_direct(_: Any) -> bool:
        return False

    monkeypatch.setattr(connecting, "is_direct", is_direct)
    settings = Settings(database_url=shared_postgres.url)

    with pytest.raises(BackupFailed, match=r"no backup was made in .*: the URL leads to a connection pooler"):
        await asyncio.to_thread(making.make, settings, tmp_path, lambda *_: None)
