"""Requests as bytes over a socket, which no HTTP client would send."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

SECONDS = 15
"""The longest time for a reply and the end of its connection; the limits in these tests are one second."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, read until the connection was closed."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Return the code of the first GraphQL error."""
        code: str = self.json["errors"][0]["extensions"]["code"]
        return code


class Wire:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def opened(cls, address: str) -> "Wire":
        parts = urlsplit(address)
        wire = cls(*await asyncio.open_connection(parts.hostname, parts.port))
        _OPENED.append(wire)
        return wire

    async def send(self, *pieces: bytes) -> None:
        """Send each piece in a packet of its own, as far as that is ours to say; the server may have had enough."""
        try:
            for piece in pieces:
                self._writer.write(piece)
                await self._writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            pass

    async def rest(self) -> bytes:
        """Everything until the server closes the connection."""
        async with asyncio.timeout(SECONDS):
            return await self._reader.read()

    async def reply(self) -> Reply | None:
        """One answer; None where the server closes without any."""
        async with asyncio.timeout(SECONDS):
            try:
                head = await self._reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError as cut:
                if cut.partial:
                    raise
                return None
            line, *lines = head.decode("latin-1").split("\r\n")[:-2]
            headers = dict(each.lower().split(": ", 1) for each in lines)
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return Reply(int(line.split(" ")[1]), headers, body)

    def close(self) -> None:
        self._writer.close()


_OPENED: list[Wire] = []


def close_all() -> None:
    """Close what a test has left open."""
    while _OPENED:
        _OPENED.pop().close()


async def exchange(address: str, *pieces: bytes) -> Reply:
    """Send a request on a new connection, and return the reply; the server closes the connection."""
    wire = await Wire.opened(address)
    await wire.send(*pieces)
    reply = await wire.reply()
    assert reply is not None
    assert await wire.rest() == b""
    return reply


def head(line: str, *fields: str, host: str = "localhost") -> bytes:
    """The head of a request."""
    return "\r\n".join([f"{line} HTTP/1.1", f"Host: {host}", *fields, "", ""]).encode("latin-1")


def chunked(body: bytes, trailers: Iterable[str] = ()) -> Sequence[bytes]:
    """The chunks of a body, eleven bytes each, and the trailers."""
    parts = [body[at : at + 11] for at in range(0, len(body), 11)]
    chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in parts]
    return [*chunks, b"0\r\n", *(f"{each}\r\n".encode() for each in trailers), b"\r\n"]
