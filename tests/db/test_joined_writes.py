"""Tests that messages which belong together are one write, on every kind of connection that allows it."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import func, select

from app import db
from app.db import Freshness
from app.db.postgresql.joined_writes import JoiningLoop, JoiningTransport
from app.db.statements import condition
from app.db.tables import User, col
from tests.support.factories import Make

on_postgresql = pytest.mark.parametrize("backend", ["postgresql"])


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the growing list of what is written to PostgreSQL, each write by itself."""
    written: list[bytes] = []
    write = JoiningTransport.write

    def noting(self: Any, data: Any) -> None:
        inner = self._write

        def note(every: Any) -> None:
            written.append(bytes(every))
            inner(every)

        self._write = note
        try:
            write(self, data)
        finally:
            self._write = inner

    monkeypatch.setattr(JoiningTransport, "write", noting)
    return written


def _condition(database: db.Database, name: str) -> db.BoundStatement:
    """Return the condition that there is no user but the one with this name."""
    others = select(col(User.id)).where(col(User.user_name) != name).having(func.count() > 0)
    return database.prepare(condition(others)), {}


@on_postgresql
async def test_a_condition_and_its_statement_are_one_write(
    make: Make, database: db.Database, writes: list[bytes]
) -> None:
    ann = await make.user("ann")
    names: db.BoundStatement = database.prepare(select(col(User.user_name))), {}
    for _ in range(3):
        writes.clear()
        rows = await database.read([names, _condition(database, "ann")], freshness=Freshness.PRIMARY)
        assert rows == [[("ann",)], []]
    assert ann.id
    (one,) = writes
    assert one.count(b"__asyncpg_stmt_") == 2


@on_postgresql
async def test_a_failed_condition_leaves_nothing_for_the_next_statement(make: Make, database: db.Database) -> None:
    await make.user("ann")
    names: db.BoundStatement = database.prepare(select(col(User.user_name))), {}
    for _ in range(3):
        with pytest.raises(db.ConditionFailed):
            await database.read([names, _condition(database, "nobody")], freshness=Freshness.PRIMARY)
        assert await database.read([names], freshness=Freshness.PRIMARY) == [[("ann",)]]


@on_postgresql
async def test_an_argument_that_asyncpg_refuses_leaves_nothing_for_the_next_statement(database: db.Database) -> None:
    assert isinstance(database, db.PostgresDatabase)
    connection = await database._connect()
    await connection.rows("SELECT 1", ())
    with pytest.raises(asyncpg.DataError):
        await connection.rows("SELECT $1::int", ("x",), before=[("SELECT 2 WHERE false", ())])
    assert connection.is_closed()
    transport = connection._transport
    assert type(transport) is JoiningTransport
    assert not transport._preceding


@on_postgresql
async def test_a_cancelled_read_leaves_nothing_for_the_next_one(make: Make, database: db.Database) -> None:
    await make.user("ann")
    slow: db.BoundStatement = database.prepare(select(col(User.user_name))), {}
    for delay in (0, 0.0005, 0.002):
        task = asyncio.create_task(database.read([slow, _condition(database, "ann")], freshness=Freshness.PRIMARY))
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await database.read([slow], freshness=Freshness.PRIMARY) == [[("ann",)]]


class _Echo(asyncio.Protocol):
    """A protocol that notes what it receives."""

    def __init__(self) -> None:
        self.received, self.has_all = list[bytes](), asyncio.Event()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received.append(data)
        if b"".join(self.received) == b"abc":
            self.has_all.set()


async def _server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


@pytest.mark.parametrize("kind", ["tcp", "unix"])
async def test_a_connection_of_each_kind_joins_and_is_closed(kind: str, tmp_path: Path) -> None:
    loop: Any = JoiningLoop(asyncio.get_running_loop())
    if kind == "tcp":
        server = await asyncio.start_server(_server, "127.0.0.1", 0)
        transport, protocol = await loop.create_connection(_Echo, *server.sockets[0].getsockname()[:2])
    else:
        server = await asyncio.start_unix_server(_server, tmp_path / "s")
        transport, protocol = await loop.create_unix_connection(_Echo, str(tmp_path / "s"))
    async with server:
        assert protocol.transport is transport
        transport.hold(b"a")
        transport.write(memoryview(b"b"))
        transport.write(b"c")
        await asyncio.wait_for(protocol.has_all.wait(), 30)
        assert protocol.received[0].startswith(b"ab")
        transport.hold(b"d")
        transport.release()
        transport.close()
        assert transport.is_closing()
