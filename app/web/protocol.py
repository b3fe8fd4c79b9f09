"""uvicorn's HTTP/1.1 within the budget of a request: the same bytes as uvicorn's, as long as no limit is exceeded.

A connection has one deadline, which the budget looks at a few times a second, so that a request costs no timer.
"""

from asyncio import Future, Transport
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.errors import BadRequest, Refusal
from app.web.budget import BUDGET, HEALTH_PATHS, NEVER, RESERVED_SECONDS, Budget, exceeded
from app.web.exchange import Exchange
from app.web.heads import Connection
from app.web.watching import new_request_id

IDLE, HEAD, BODY, REFUSED, CLOSED = range(5)
"""The state of a connection: what is received, if anything, or that nothing that is received counts any more."""

SPECIAL = frozenset({b"expect", b"host", b"transfer-encoding"})
"""Header fields that the protocol itself looks at."""

PIECE = 4_096
"""Smaller pieces of a line are put together before they are parsed: the parser copies what it has for each piece."""

MOST_PIPELINED = 32
"""Requests of one connection that wait for the answer to the one before."""

LINGER_SECONDS = 1.0
"""How long the rest of a request is received and dropped after the last answer, so that no reset destroys it."""

STOP_SECONDS = 0.25
"""How long an idle connection stays open at a stop: a request that is on its way is answered, and told to close."""

SLOWEST = 4_096
"""Bytes a second that a client must read of a response that waits for it."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.known = Connection()
        self.sent: Future[None] = self.loop.create_future()
        self.sent.set_result(None)
        self.refusal: Refusal | None = None
        """Why no more of the body is received, for the application that waits for it."""
        self.deadline = self.drain_deadline = NEVER
        self._budget: Budget = self.app_state.get(BUDGET) or Budget()
        limits = self._budget.limits
        self._most_bytes, self._most_fields = limits.header_bytes, limits.header_fields
        self._head_seconds: float = limits.header_seconds
        self._body_seconds: float = limits.body_seconds
        self._state = self._timed = IDLE
        self._is_reserved = False
        self._held = bytearray()
        self._size = self._arrived = self._shared = self._body = self._quiet = self._left = 0
        self._upgrade: bytes | None = None

    @property
    def is_closed(self) -> bool:
        """Whether nothing is received or answered any more."""
        return self._state == CLOSED

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._socket = transport
        self.transport = _Closing(transport, self)  # type: ignore[assignment]  # as much of it as uvicorn uses
        if not self._budget.admit(self, self.loop):
            self._is_reserved = True
            self._head_seconds = self._body_seconds = RESERVED_SECONDS
        self._timed = HEAD
        self.deadline = self.loop.time() + (STOP_SECONDS if self._budget.is_stopping else self._head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._budget.release(self)
        self._state, self.deadline, self.drain_deadline = CLOSED, NEVER, NEVER
        self._held.clear()
        self.transport = self._socket
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._state >= REFUSED:
            return
        self._size = len(data)
        self._arrived += self._size
        if (self._state != BODY or self._quiet) and (self._held or b"\n" not in data):
            data = self._coalesce(data)
        before = self._body
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            reason = error.__context__
            self._refuse(reason if isinstance(reason, Refusal) else None)
            return
        if self._state or self._arrived - self._shared > self._most_bytes:
            self._check(self._body - before)

    def _coalesce(self, data: bytes) -> bytes:
        """Return what is to be parsed now: nothing, as long as a small piece of a line has come."""
        self._held += data
        if b"\n" not in data and len(self._held) < PIECE:
            return b""
        joined = bytes(self._held)
        self._held.clear()
        return joined

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._feed(self._without_upgrade() + data[upgrade.args[0] :])

    def _without_upgrade(self) -> bytes:
        """Return the head again without the wish for another protocol, which nobody has to grant (RFC 9110, 7.8).

        The parser takes such a request for one without a body, and its body for the next request.
        """
        method, self._upgrade = self._upgrade, None
        if method in {None, b"CONNECT"}:
            raise httptools.HttpParserError
        lines = [b"%b: %b\r\n" % pair for pair in self.headers if pair[0] != b"upgrade"]
        version = self.parser.get_http_version().encode()
        return b"".join([b"%b %b HTTP/%b\r\n" % (method, self.url, version), *lines, b"\r\n"])

    def _check(self, new: int) -> None:
        """Compare what has come with the limits, where a request has not come to its end yet."""
        state = HEAD if self._state == IDLE and self._held else self._state
        if state == BODY:
            # What is neither head nor body: the sizes of chunks with their extensions, and trailers.
            self._quiet = 0 if new or self._timed != BODY else self._quiet + self._size
            if self._quiet > self._most_bytes:
                self._refuse(exceeded("header_bytes", self._most_bytes))
            elif self.cycle.response_complete and self._body > self._budget.limits.body_bytes:
                self._refuse(exceeded("body_bytes", self._budget.limits.body_bytes))
        elif self._arrived - self._shared > self._most_bytes:
            self._refuse(exceeded("header_bytes", self._most_bytes))
        if self._timed != state and state in {HEAD, BODY}:
            self._timed = state
            self.deadline = self.loop.time() + (self._head_seconds if state == HEAD else self._body_seconds)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._state = HEAD

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if self._state == BODY:  # a trailer: it says nothing about the request, and must not look as if it did
            if name == b"connection":  # the parser heeds it
                self.cycle.keep_alive = False
            return
        if name in SPECIAL:
            self._check_special(name, value)
        self.headers.append((name, value))

    def _check_special(self, name: bytes, value: bytes) -> None:
        if name == b"expect":
            self.expect_100_continue = self.expect_100_continue or value.lower() == b"100-continue"
        elif name == b"host":
            if any(other == b"host" for other, _ in self.headers):
                raise httptools.HttpParserError
        elif value.strip().lower() != b"chunked":
            raise httptools.HttpParserError

    def on_headers_complete(self) -> None:
        if self._is_reserved and not self._asks_for_health():
            raise exceeded("connections", self._budget.most_connections)
        if self._arrived > self._most_bytes and self._head_size() > self._most_bytes:
            raise exceeded("header_bytes", self._most_bytes)
        if len(self.headers) > self._most_fields:
            raise exceeded("header_fields", self._most_fields)
        if len(self.pipeline) >= MOST_PIPELINED:
            raise BadRequest("Too many requests wait on this connection.")
        if self.parser.should_upgrade():
            self._upgrade = self.parser.get_method()
            return
        super().on_headers_complete()
        self._state, self._body, self._quiet = BODY, 0, 0
        if self._is_reserved or self._budget.is_stopping:
            self.cycle.keep_alive = False

    def _asks_for_health(self) -> bool:
        path = self.url.partition(b"?")[0]
        return path in HEALTH_PATHS or path.removeprefix(self.root_path.encode()) in HEALTH_PATHS

    def _head_size(self) -> int:
        """Return the bytes of the head, of which more than the limit came together with something else."""
        line = len(self.parser.get_method()) + len(self.url) + len(" " + " HTTP/1.1\r\n" + "\r\n")
        return line + sum(len(name) + len(value) + len(": " + "\r\n") for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        if self._upgrade is not None:
            return
        self._state = self._timed = IDLE
        self._arrived = self._shared = self._size
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()
        elif not cycle.keep_alive:
            self.close()
        else:
            self.deadline = self.loop.time() + self.timeout_keep_alive

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self._state == CLOSED:
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self._state == IDLE and not self._held:
            self.deadline = self.loop.time() + self.timeout_keep_alive

    def expire(self) -> None:
        self.deadline = NEVER
        if self._state == CLOSED:
            self._socket.close()
        elif self._state == IDLE and not self._held:
            self._expire_idle()
        elif self._state == BODY and self._is_unasked:
            self.deadline = self.loop.time() + self._body_seconds
        elif self._state == HEAD and self.flow.read_paused:
            self.deadline = self.loop.time() + self._head_seconds
        elif self._state != REFUSED:
            self._refuse(self._timeout())

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    @property
    def _is_unasked(self) -> bool:
        """Whether the application has not asked for the rest of a body yet, so that the client waits for it."""
        return self._is_answering and (self.flow.read_paused or self.cycle.waiting_for_100_continue)

    def _expire_idle(self) -> None:
        if self._is_answering:
            return
        if self._is_reserved:
            self._refuse(self._timeout())
        else:
            self.close(lingers=True)

    def _timeout(self) -> Refusal:
        if self._is_reserved and self._state != BODY:
            return exceeded("connections", self._budget.most_connections)
        if self._state == BODY:
            return exceeded("body_seconds", int(self._body_seconds))
        return exceeded("header_seconds", int(self._head_seconds))

    def _refuse(self, error: Refusal | None) -> None:
        """Refuse what is being received, and close: at once, or after the answers that are under way.

        Without an error, the request is not HTTP as we take it.
        """
        if not self._is_answering:
            if self._state != BODY:
                self._write(error)
            self.close(lingers=True)
        elif self._state == BODY and error is None:
            if not self.cycle.response_started and not self.pipeline:
                self._write(None)
            self.close(lingers=True)
        else:
            self.cycle.keep_alive = False
            if self._state == BODY:
                self.refusal = error
                self.cycle.message_event.set()
            self._state = REFUSED

    def _write(self, error: Refusal | None) -> None:
        """Answer for the application."""
        if error is None:
            self.send_400_response("Invalid HTTP request received.")
            return
        is_known = self._state == HEAD
        response = self._budget.refusal(error, self.url.partition(b"?")[0] if is_known else b"")
        own = (b"x-request-id", new_request_id().encode())
        lines = [*self.server_state.default_headers, *response.raw_headers, own]
        head = b"".join([STATUS_LINE[response.status_code], *(b"%b: %b\r\n" % pair for pair in lines), b"\r\n"])
        is_bodiless = is_known and self.parser.get_method() == b"HEAD"
        self._socket.write(head if is_bodiless else head + bytes(response.body))

    def close(self, *, lingers: bool = False) -> None:
        """Close the connection once the last answer is sent.

        Where a request is being received, or may be on its way, the rest is dropped for a while first: to close a
        socket that has received more than was read resets the connection, and the client may lose the answer.
        """
        if self._state == CLOSED:
            return
        lingers = lingers or self._state != IDLE
        self._state = CLOSED
        if self._is_answering:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        now = self.loop.time()
        self._left, self.drain_deadline = self._socket.get_write_buffer_size(), now + self._body_seconds
        if not lingers or self._socket.is_closing():
            self._socket.close()
            return
        self.flow.resume_reading()
        self._socket.write_eof()
        self.deadline = now + (STOP_SECONDS if self._budget.is_stopping else LINGER_SECONDS)

    def give_up(self) -> None:
        if self._state == CLOSED:
            self._socket.abort()
        elif not self._is_answering:
            self._write(exceeded("connections", self._budget.most_connections))
            self._state = CLOSED
            self._socket.close()

    def shutdown(self) -> None:
        """Begin to close at a stop: answers say so, and what is idle stays open for a moment."""
        self._budget.is_stopping = True
        if self._is_answering:
            self.cycle.keep_alive = False
        elif self._state == BODY:
            self.close()
        elif self._state == IDLE and not self._held:
            self.deadline = self.loop.time() + STOP_SECONDS

    def pause_writing(self) -> None:
        super().pause_writing()
        self._left = self._socket.get_write_buffer_size()
        self.drain_deadline = self.loop.time() + self._body_seconds

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._state != CLOSED:
            self.drain_deadline = NEVER

    def check_drain(self) -> None:
        left = self._socket.get_write_buffer_size()
        if self._left - left < min(self._left, SLOWEST * self._body_seconds):
            exceeded("body_seconds", int(self._body_seconds))
            self._socket.abort()
        self._left, self.drain_deadline = left, self.loop.time() + self._body_seconds if left else NEVER

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        super()._start_asgi_task(cycle, Exchange(self, cycle, app))  # type: ignore[arg-type]  # its types are its own


class _Closing:
    """A transport whose `close` is the one of the protocol."""

    __slots__ = ("_protocol", "get_extra_info", "write")

    def __init__(self, transport: Transport, protocol: Protocol) -> None:
        self._protocol = protocol
        self.write = transport.write
        self.get_extra_info = transport.get_extra_info

    def close(self) -> None:
        self._protocol.close()

    def is_closing(self) -> bool:
        return self._protocol.is_closed
