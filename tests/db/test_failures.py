"""Claims about databases that fail: each failure has its own report, and ends with its cause."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from app import db
from app.db import migrations
from app.db.failures import Failure, FileReplaced, classify, refusal
from app.db.sqlite import group_commit
from app.domain.errors import NewerSchema, Refusal
from tests.support.changes import change
from tests.support.client import Api, codes
from tests.support.factories import Make

ON_SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
ASK = "{ viewer { user { userName } } }"
CREATE = change("createGroup")


def _sqlite(code: int, message: str = "") -> sqlite3.Error:
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


def _postgres(state: str, message: str = "") -> Any:
    return asyncpg.PostgresError.new({"C": state, "M": message})


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (_sqlite(sqlite3.SQLITE_BUSY), Failure.BUSY),
        (_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), Failure.BUSY),
        (_sqlite(sqlite3.SQLITE_READONLY_DBMOVED), Failure.READ_ONLY),
        (_sqlite(sqlite3.SQLITE_FULL), Failure.FULL),
        (_sqlite(sqlite3.SQLITE_IOERR_WRITE), Failure.DAMAGED),
        (_sqlite(sqlite3.SQLITE_CORRUPT_VTAB), Failure.DAMAGED),
        (_sqlite(sqlite3.SQLITE_CANTOPEN), Failure.AWAY),
        (_sqlite(sqlite3.SQLITE_ERROR, "no such table: users"), Failure.WRONG_SCHEMA),
        (_sqlite(sqlite3.SQLITE_ERROR, 'near "SELEC": syntax error'), None),
        (_sqlite(sqlite3.SQLITE_CONSTRAINT_CHECK), None),
        (FileReplaced("gone"), Failure.REPLACED),
        (_postgres("57014", "canceling statement due to statement timeout"), Failure.TIMED_OUT),
        (_postgres("57014", "canceling statement due to user request"), Failure.CANCELLED),
        (_postgres("55P03", "canceling statement due to lock timeout"), Failure.BUSY),
        (_postgres("57P01"), Failure.AWAY),
        (_postgres("08006"), Failure.AWAY),
        (_postgres("3D000"), Failure.AWAY),
        (_postgres("25006"), Failure.READ_ONLY),
        (_postgres("53100"), Failure.FULL),
        (_postgres("53300"), Failure.NO_CONNECTIONS),
        (_postgres("42P01"), Failure.WRONG_SCHEMA),
        (_postgres("42501"), Failure.DENIED),
        (_postgres("XX001"), Failure.DAMAGED),
        (_postgres("42601", "syntax error"), None),
        (_postgres("22003", "out of range"), None),
        (asyncpg.InterfaceError("cannot perform operation: the connection is closed"), Failure.AWAY),
        (asyncpg.DataError("an integer is required"), None),
        (ConnectionResetError(), Failure.AWAY),
        (TimeoutError(), Failure.AWAY),
        (KeyError("a mistake of ours"), None),
    ],
)
def test_each_error_of_a_driver_has_its_own_failure(error: Exception, failure: Failure | None) -> None:
    assert classify(error) is failure


@pytest.mark.parametrize("failure", list(Failure))
def test_each_failure_is_a_503_that_tells_nothing_of_statements_hosts_or_paths(failure: Failure) -> None:
    error = refusal(failure)

    assert error.status == 503
    assert error.code in {"TIMEOUT", "SERVICE_UNAVAILABLE", "RETRY"}
    assert not any(sign in error.message for sign in ("/", "SELECT", "127.0.0.1", ":"))


@pytest.fixture
async def is_read_only(database: db.Database, backend: str) -> AsyncIterator[None]:
    """The database takes no writes for as long as the test runs."""
    if backend == "sqlite":
        connection = database._writer.commits._connection  # type: ignore[attr-defined]
        connection.execute("PRAGMA query_only=ON")
        yield
        connection.execute("PRAGMA query_only=OFF")
        return
    yield
    await _run(database, "ALTER DATABASE reused RESET default_transaction_read_only")


async def _run(database: db.Database, statement: str) -> None:
    connection = await asyncpg.connect(database.url)  # type: ignore[attr-defined]  # PostgreSQL's
    await connection.execute("SET default_transaction_read_only = off")
    await connection.execute(statement)
    await connection.close()


async def _begin_to_fail(database: db.Database, backend: str) -> None:
    if backend == "postgresql":
        await _run(database, "ALTER DATABASE reused SET default_transaction_read_only = on")
        database._pool.expire()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("is_read_only")
async def test_a_database_that_takes_no_writes_is_logged_once_and_counted(
    api: Api, make: Make, database: db.Database, backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    root = await _root(make, database, backend)
    await _begin_to_fail(database, backend)
    caplog.clear()

    replies = [await api(CREATE, as_=root, input={"slug": f"g{at}", "displayName": "G"}) for at in range(3)]

    assert [codes(reply) for reply in replies] == [["SERVICE_UNAVAILABLE"]] * 3
    assert codes(await api(ASK, as_=root)) == []
    assert await migrations.failing(database) == "read_only"
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.name, record.exc_info) for record in warnings] == [("app.db.failures", None)]


async def _root(make: Make, database: db.Database, backend: str) -> Any:
    if backend == "postgresql":
        return await make.admin()
    connection = database._writer.commits._connection  # type: ignore[attr-defined]
    connection.execute("PRAGMA query_only=OFF")
    root = await make.admin()
    connection.execute("PRAGMA query_only=ON")
    return root


@ON_SQLITE
async def test_a_full_file_refuses_what_needs_room_and_takes_it_again(
    api: Api, make: Make, database: db.Database
) -> None:
    root = await make.admin()
    connection = database._writer.commits._connection  # type: ignore[attr-defined]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    group = {"slug": "big", "displayName": "Big", "description": "x" * 900}

    codes_seen = [codes(await api(CREATE, as_=root, input={**group, "slug": f"big{at}"})) for at in range(60)]

    assert ["SERVICE_UNAVAILABLE"] in codes_seen
    assert {code for each in codes_seen for code in each} == {"SERVICE_UNAVAILABLE"}
    connection.execute("PRAGMA max_page_count=1000000")
    assert codes(await api(CREATE, as_=root, input=group)) == []


async def test_readiness_commits_a_write_after_a_full_disk(database: db.Database) -> None:
    """A write that is rolled back needs no room, so it does not notice."""
    database.failures.note(Failure.FULL, Exception("no room"))
    writes: list[bool] = []
    write = database.write

    def count(*, dry_run: bool = False, is_large: bool = False) -> Any:
        writes.append(dry_run)
        return write(dry_run=dry_run, is_large=is_large)

    database.write = count  # type: ignore[method-assign]

    assert [await migrations.failing(database) for _ in range(2)] == [None, None]
    assert writes == [False, True]


@ON_SQLITE
async def test_a_damaged_file_is_not_ready_until_a_restart(database: db.Database) -> None:
    database.failures.note(Failure.DAMAGED, Exception("malformed"))

    assert [await migrations.failing(database) for _ in range(2)] == ["damaged", "damaged"]


@ON_SQLITE
async def test_a_file_that_another_program_holds_is_busy(
    api: Api, make: Make, database: db.Database, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = await make.admin()
    monkeypatch.setattr(group_commit, "BUSY_SECONDS", 0.05)
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    reply = await api(CREATE, as_=root, input={"slug": "group", "displayName": "G"})

    assert codes(reply) == ["RETRY"]
    other.execute("ROLLBACK")
    other.close()
    assert codes(await api(CREATE, as_=root, input={"slug": "group", "displayName": "G"})) == []


@ON_SQLITE
@pytest.mark.parametrize("end", ["", "-wal"])
@pytest.mark.parametrize("is_replaced", [False, True])
async def test_a_file_that_was_deleted_or_replaced_is_not_written_to(
    api: Api, make: Make, database: db.Database, url: str, end: str, is_replaced: bool
) -> None:
    root = await make.admin()
    path = Path(url.removeprefix("sqlite:///") + end)
    _take_away(path, is_replaced=is_replaced)

    reply = await api(CREATE, as_=root, input={"slug": "group", "displayName": "G"})

    assert codes(reply) == ["SERVICE_UNAVAILABLE"]
    assert await migrations.failing(database) == "replaced"
    _bring_back(path)
    assert codes(await api(CREATE, as_=root, input={"slug": "group", "displayName": "G"})) == []


def _take_away(path: Path, *, is_replaced: bool) -> None:
    path.rename(path.with_name("away"))
    if is_replaced:
        path.write_bytes(path.with_name("away").read_bytes())


def _bring_back(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name("away").rename(path)


@ON_POSTGRESQL
async def test_idle_connections_that_died_cause_no_error(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    for at in range(3):
        assert codes(await api(ASK, as_=root)) == []
        await _run(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query NOT LIKE 'BEGIN; DELETE%'",
        )
        assert codes(await api(ASK, as_=root)) == []
        await _run(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query NOT LIKE 'BEGIN; DELETE%'",
        )
        assert codes(await api(CREATE, as_=root, input={"slug": f"g{at}", "displayName": "G"})) == []


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT pg_sleep(30)", "TIMEOUT"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", "TIMEOUT"),
        ("SELECT * FROM no_such_table", "SERVICE_UNAVAILABLE"),
    ],
)
async def test_what_ends_a_statement_of_a_change_is_no_surprise(
    database: db.Database, statement: str, code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await _change(database, "SET LOCAL statement_timeout = 50", statement)

    assert refused.value.code == code
    async with database.write() as tx:
        assert await tx.value(text("SELECT 1")) == 1


async def _change(database: db.Database, *statements: str) -> None:
    async with database.write() as tx:
        for statement in statements:
            await tx.rows(text(statement))


async def test_a_database_of_a_newer_version_is_reported_in_one_line(database: db.Database, url: str) -> None:
    async with database.write() as tx:
        await tx.rows(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        assert await migrations.failing(database) == "migrations"
        with pytest.raises(NewerSchema, match="at migration 9999, and this version knows steps up to 00"):
            await _upgrade(url)
    finally:
        async with database.write() as tx:
            await tx.rows(text(f"UPDATE alembic_version SET version_num = '{migrations.HEAD}'"))


async def _upgrade(url: str) -> None:

    await asyncio.to_thread(migrations.upgrade, url)
