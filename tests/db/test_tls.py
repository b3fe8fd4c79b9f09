"""Tests of connections to PostgreSQL with and without TLS, for each mode of the URL, on both event loops."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from app import db
from app.db.postgresql.joined_writes import JoiningTransport
from tests.support.certificates import self_signed
from tests.support.postgres import Postgres

SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
TLS_HANDSHAKE = b"\x16"


class TlsServer:
    """PostgreSQL behind TLS: decrypts, and passes everything on to the port of a server."""

    def __init__(self, context: ssl.SSLContext, target: int) -> None:
        context.set_alpn_protocols(["postgresql"])
        self._context, self._target = context, target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.encrypted = 0
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Accept no more connections, and wait for the end of the others."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._threads:
            each.join(30)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(client,), daemon=True))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        begin = client.recv(8, socket.MSG_PEEK)
        if begin == SSL_REQUEST:
            client.recv(8)
            client.sendall(b"S")
        if begin == SSL_REQUEST or begin[:1] == TLS_HANDSHAKE:
            client = self._context.wrap_socket(client, server_side=True)
            self.encrypted += 1
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            _pass_on(client, server)
            back.join(30)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def tls(postgres: Postgres, tmp_path: Path) -> Iterator[TlsServer]:
    target = int(postgres.url().rpartition(":")[2].partition("/")[0])
    server = TlsServer(self_signed(tmp_path), target)
    yield server
    server.close()


async def _read(url: str) -> tuple[type, list[Any]]:
    """Return the transport of a connection, and what is read by a statement after another message."""
    database = await db.open_database(url, size=1)
    assert isinstance(database, db.PostgresDatabase)
    connection = await database._connect()
    text, before = "x" * 2_000_000, [("SELECT 2 WHERE false", ())]
    rows = [(await connection.rows("SELECT length($1::text)", (each,), before=before))[0][0] for each in ("y", text)]
    await connection.close()
    await database.close()
    return type(connection._transport), rows


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize(
    ("options", "encrypted"),
    [
        ("", True),
        ("?sslmode=prefer", True),
        ("?sslmode=require", True),
        ("?sslmode=require&sslnegotiation=direct", True),
        ("?sslmode=allow", False),
        ("?sslmode=disable", False),
    ],
)
def test_a_connection_of_each_mode_reads(
    postgres: Postgres, tls: TlsServer, loop: Callable[[], Any], options: str, *, encrypted: bool
) -> None:
    head, _, tail = postgres.url().rpartition(":")
    url = f"{head}:{tls.port}/{tail.partition('/')[2]}{options}"
    with asyncio.Runner(loop_factory=loop) as runner:
        transport, rows = runner.run(_read(url))
    assert rows == [1, 2_000_000]
    assert (tls.encrypted > 0) is encrypted
    assert (transport is JoiningTransport) is not encrypted
