"""Transports that write a statement together with the messages that are sent before it.

A write wakes the server process, which often takes the processor from this one at once. So two messages that belong
together are one write. asyncpg cannot be told that. But it connects by the event loop that it is given, so this loop
gives it another transport. Connections with TLS have their own transport.
"""

import asyncio
from collections.abc import Callable
from typing import Any


class JoiningTransport:
    """A transport that writes the data of `hold` with the next write."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self._write, self._preceding = inner.write, b""

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the inner transport, and keep it."""
        value = getattr(self.inner, name)
        setattr(self, name, value)
        return value

    def hold(self, data: bytes) -> None:
        """Write data together with what is written next."""
        self._preceding = data

    def release(self) -> None:
        """Forget what was to be written, if nothing followed it."""
        self._preceding = b""

    def write(self, data: Any) -> None:
        """Write data, after what precedes it."""
        if self._preceding:
            data, self._preceding = self._preceding + data, b""
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

    async def start_tls(self, transport: Any, *arguments: Any, **options: Any) -> Any:
        """Begin TLS on a connection, which has the transport of TLS from then on."""
        plain = transport.inner if type(transport) is JoiningTransport else transport
        return await self._loop.start_tls(plain, *arguments, **options)
