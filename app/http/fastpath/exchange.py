"""Fast receive and send for ordinary requests.

Most bodies have arrived before the application reads them, and most responses are complete before they are sent. These
take two steps and one write instead of uvicorn's four steps and its loop over the headers. All others use uvicorn's
code.
"""

from asyncio import AbstractEventLoop, Future
from collections.abc import Awaitable
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.domain.errors import Refusal
from app.http.fastpath.buffered_response import BUFFERED
from app.http.headers import CONNECTION, ConnectionHeaders


class ConnectionState(Protocol):
    """The part of a connection that an exchange uses."""

    header_memory: ConnectionHeaders
    loop: AbstractEventLoop
    responses_sent: Future[None]
    refusal: Refusal | None


class Exchange:
    """An ASGI application for one request, around the served application."""

    __slots__ = ("_app", "_connection", "_cycle")

    def __init__(self, connection: ConnectionState, cycle: Any, app: ASGIApp) -> None:
        self._connection = connection
        self._cycle = cycle
        self._app = app

    def __call__(self, scope: Scope, _: Receive, __: Send) -> Awaitable[None]:
        scope[CONNECTION] = self._connection.header_memory
        scope["extensions"] = {BUFFERED: {}}
        return self._app(scope, self.receive, self.send)

    def receive(self) -> Awaitable[Message]:
        """Return the complete body at once if it has arrived, else wait for the next part."""
        cycle = self._cycle
        is_complete = cycle.body and not cycle.more_body and not cycle.flow.read_paused
        if not is_complete or cycle.waiting_for_100_continue or cycle.disconnected or cycle.response_complete:
            return self._receive_part()
        body, cycle.body = bytes(cycle.body), bytearray()
        cycle.message_event.clear()
        read: Future[Message] = self._connection.loop.create_future()
        read.set_result({"type": "http.request", "body": body, "more_body": False})
        return read

    async def _receive_part(self) -> Message:
        """Wait for the next part. Raises the refusal of a body that is not received completely."""
        message: Message = await self._cycle.receive()
        refusal = self._connection.refusal
        if refusal is not None and self._cycle.more_body:
            raise type(refusal)(refusal.message)  # a copy: the traceback of a raised error keeps the body alive
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """Write a buffered response at once; pass other messages, and responses in special states, to uvicorn."""
        cycle = self._cycle
        if message["type"] != BUFFERED:
            sending: Awaitable[None] = cycle.send(message)
            return sending
        if (
            cycle.response_started
            or cycle.disconnected
            or cycle.flow.write_paused
            or not cycle.keep_alive
            or cycle.scope["method"] == "HEAD"
        ):
            return self._send_parts(message)
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        first = [b"%b: %b\r\n" % pair for pair in cycle.default_headers]
        cycle.transport.write(
            b"".join((STATUS_LINE[message["status"]], *first, message["head"], b"\r\n", message["body"]))
        )
        cycle.message_event.set()
        cycle.on_response()
        return self._connection.responses_sent

    async def _send_parts(self, message: Message) -> None:
        headers = [line.split(b": ", 1) for line in message["head"].split(b"\r\n")[:-1]]
        await self._cycle.send({"type": "http.response.start", "status": message["status"], "headers": headers})
        await self._cycle.send({"type": "http.response.body", "body": message["body"]})
