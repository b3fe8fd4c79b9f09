"""Transports that join what is written before a statement to the message of the statement.

Each write wakes the server's process, which often takes the processor from this one at once. So two messages that
belong together are one write. asyncpg has no way to say that: it gets its transport through the event loop that it is
given, so that is where this module comes in. With TLS the transport is left alone.
"""

import asyncio
from collections.abc import Callable
from typing import Any


class JoiningTransport:
    """A transport that keeps the data of `hold` until the next write."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._write, self._held = inner.write, b""

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the inner transport, and keep it."""
        value = getattr(self._inner, name)
        setattr(self, name, value)
        return value

    def hold(self, data: bytes) -> None:
        """Write data together with what is written next."""
        self._held += data

    def write(self, data: Any) -> None:
        """Write what is held, and data."""
        if self._held:
            data, self._held = self._held + data, b""
        self._write(data)


class _Connecting(asyncio.Protocol):
    """The protocol of a new connection, until it is made: then it is `inner`, with a joining transport."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Give the connection to the inner protocol."""
        self.transport = JoiningTransport(transport)
        transport.set_protocol(self.inner)
        self.inner.connection_made(self.transport)


class JoiningLoop:
    """The event loop for asyncpg, whose connections without TLS have joining transports."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the event loop, and keep it."""
        value = getattr(self._loop, name)
        setattr(self, name, value)
        return value

    async def create_connection(self, factory: Callable[[], Any], *arguments: Any, **options: Any) -> tuple[Any, Any]:
        """Connect by TCP."""
        if options.get("ssl") is not None:
            return await self._loop.create_connection(factory, *arguments, **options)
        _, new = await self._loop.create_connection(lambda: _Connecting(factory()), *arguments, **options)
        return new.transport, new.inner

    async def create_unix_connection(
        self, factory: Callable[[], Any], *arguments: Any, **options: Any
    ) -> tuple[Any, Any]:
        """Connect by a socket of this machine."""
        _, new = await self._loop.create_unix_connection(lambda: _Connecting(factory()), *arguments, **options)
        return new.transport, new.inner
