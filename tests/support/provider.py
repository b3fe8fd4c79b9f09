"""An identity provider on a loopback port, which replies as a test sets it up and records its requests."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl

import httpx
import orjson

from tests.support.changes import change
from tests.support.client import codes

PASSWORD = "the word that they typed"
PATH = "/sign/in"
LOGIN = change("login", "session { token }")
STATUSES = {
    200: "",
    400: "INVALID_INPUT",
    401: "UNAUTHENTICATED",
    409: "PROTECTED",
    503: "SERVICE_UNAVAILABLE",
}
"""The code in GraphQL for each status of REST."""

Speech = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""A function that writes something other than a normal reply."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A request: its first line, its headers in lower case, and the fields of its form."""

    line: str
    headers: dict[str, str]
    form: list[tuple[str, str]]


@dataclass
class Provider:
    """A provider that accepts `people` with `PASSWORD`, and `tokens`, and replies with their values.

    `instead` replaces every reply.
    """

    people: dict[str, Any] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    instead: bytes | Speech | None = None
    tls: ssl.SSLContext | None = None
    heard: list[Heard] = field(default_factory=list)
    port: int = 0
    _talks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}{PATH}"

    async def stop(self) -> None:
        """Stop the server."""
        assert self._server is not None
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks)
        await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            while not writer.is_closing():
                await self._answer(await _heard(reader), writer)
        writer.close()

    async def _answer(self, heard: Heard, writer: asyncio.StreamWriter) -> None:
        self.heard.append(heard)
        said = self._said(dict(heard.form)) if self.instead is None else self.instead
        if isinstance(said, bytes):
            writer.write(said)
            await writer.drain()
        else:
            await said(writer)
            writer.close()

    def _said(self, form: dict[str, str]) -> bytes:
        account = self.tokens.get(form["token"]) if "token" in form else self.people.get(form["username"])
        if account is None or form.get("password", PASSWORD) != PASSWORD:
            return answer(401, b'{"error": "Who is that?"}')
        return answer(200, orjson.dumps(account))


async def _heard(reader: asyncio.StreamReader) -> Heard:
    line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Heard(line, headers, parse_qsl(body.decode(), keep_blank_values=True))


def answer(status: int, body: bytes, **headers: str) -> bytes:
    """Return a complete response; the name of a header has `_` for `-`."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a sign-in over either API: a code (none for a success), a text, a token."""

    code: str
    text: str = ""
    token: str = ""


async def over_rest(client: httpx.AsyncClient, **form: str) -> Reply:
    """Sign in with a form; `userName` is what the documented clients call `username`."""
    client.cookies.clear()
    response = await client.post("/users/authenticate", data={name.lower(): text for name, text in form.items()})
    said = response.json()
    return Reply(STATUSES[response.status_code], said.get("error", ""), said.get("token", ""))


async def over_graphql(client: httpx.AsyncClient, **form: str) -> Reply:
    """Sign in with the mutation."""
    client.cookies.clear()
    response = await client.post("/graphql", json={"query": LOGIN, "variables": {"input": form}})
    said = response.json()
    if refused := codes(said):
        problems = said.get("errors") or said["data"]["login"]["errors"]
        (code,) = refused
        return Reply(code, problems[0]["message"])
    return Reply("", token=said["data"]["login"]["session"]["token"])


FACES = {"rest": over_rest, "graphql": over_graphql}
