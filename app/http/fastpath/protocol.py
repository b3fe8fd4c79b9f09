"""uvicorn's HTTP/1.1 protocol with the limits of `Budget`. Within the limits, it sends the same bytes as uvicorn.

A connection has one deadline, which the budget checks a few times per second, so that a request needs no timer.
"""

from asyncio import Future, Transport
from typing import Any

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from app.domain.errors import BadRequest, Refusal
from app.http.budget import HEALTH_PATHS, NEVER, RESERVED_SECONDS, exceeded
from app.http.fastpath.closing import BODY, CLOSED, HEAD, IDLE, REFUSED, STOP_SECONDS, ClosingProtocol
from app.http.fastpath.exchange import Exchange
from app.http.headers import ConnectionHeaders

SPECIAL = frozenset({b"expect", b"host", b"transfer-encoding", b"upgrade"})
"""Header fields that the protocol checks."""

MIN_PIECE = 4_096
"""Bytes below which pieces of a line are joined before parsing, since the parser copies the line for each piece."""

CHUNK_FRAMING = 5
"""Least bytes of a chunk beside its data: one digit of its size and two line ends."""

UNCOUNTED_BYTES = 16_384
"""Bytes of an unfinished request that are not counted in the total of the worker."""

MAX_PIPELINED = 32
"""Most requests of one connection that wait for the response to the previous one."""


class Protocol(ClosingProtocol):
    """One client connection with its limits."""

    __slots__ = (
        "_arrived",
        "_body",
        "_chunks",
        "_framing",
        "_head_seconds",
        "_is_counted",
        "_is_quiet",
        "_is_reserved",
        "_max_fields",
        "_max_head_bytes",
        "_shared",
        "_size",
        "_timed",
        "_trailers",
        "_upgrade",
        "header_memory",
        "refusal",
        "responses_sent",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.header_memory = ConnectionHeaders()
        self.responses_sent: Future[None] = self.loop.create_future()
        self.responses_sent.set_result(None)
        self.refusal: Refusal | None = None
        """The error to raise in the application if the rest of the body is not received."""
        limits = self._budget.limits
        self._max_head_bytes, self._max_fields = limits.header_bytes, limits.header_fields
        self._head_seconds: float = limits.header_seconds
        self._timed = IDLE
        self._is_reserved = False
        self._size = self._arrived = self._shared = self._body = 0
        self._framing = self._trailers = 0
        self._chunks: int | None = None
        self._is_quiet = self._is_counted = False
        self._upgrade: bytes | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if not self._budget.admit(self, self.loop):
            self._is_reserved = True
            self._head_seconds = self._body_seconds = RESERVED_SECONDS
        self._timed = HEAD
        self.deadline = self.loop.time() + (STOP_SECONDS if self._budget.is_stopping else self._head_seconds)

    def data_received(self, data: bytes) -> None:
        if self._state >= REFUSED:
            return
        self._size = len(data)
        self._arrived += self._size
        if (self._state != BODY or self._is_quiet) and (self._pending or b"\n" not in data):
            data = self._coalesce(data)
        before = self._body
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._feed_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse_for(error)
        if self._state or self._pending or self._arrived - self._shared > self._max_head_bytes:
            self._check(self._body - before)

    def _coalesce(self, data: bytes) -> bytes:
        """Return the bytes to parse now: none while only a small piece of a line has arrived."""
        self._pending += data
        if b"\n" not in data and len(self._pending) < MIN_PIECE:
            return b""
        joined = bytes(self._pending)
        self._pending.clear()
        return joined

    def _feed_without_upgrade(self, rest: bytes) -> None:
        """Parse the head again without its Upgrade header, which a server may ignore (RFC 9110, 7.8).

        With the header, the parser would read the body as the next request.
        """
        method, self._upgrade = self._upgrade or b"", None
        lines = [b"%b: %b\r\n" % pair for pair in self.headers if pair[0] != b"upgrade"]
        version = self.parser.get_http_version().encode()
        head = b"".join([b"%b %b HTTP/%b\r\n" % (method, self.url, version), *lines, b"\r\n"])
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        try:
            self.parser.feed_data(head + rest)
        except httptools.HttpParserUpgrade as upgrade:  # the next request has an Upgrade header too
            self._feed_without_upgrade((head + rest)[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse_for(error)

    def _refuse_for(self, error: Exception) -> None:
        """Refuse the request with the error of a callback, or as invalid HTTP for an error of the parser."""
        if self._state < REFUSED:
            reason = error.__context__
            self._refuse(reason if isinstance(reason, Refusal) else None)

    def _check(self, new: int) -> None:
        """Check the limits of an incomplete request; `new` is the number of body bytes just received."""
        if self._state >= REFUSED:
            return
        state = self._state or (HEAD if self._pending else IDLE)
        is_first = self._timed != state
        if is_first and state:
            self._timed = state
            self.deadline = self.loop.time() + (self._head_seconds if state == HEAD else self._body_seconds)
        if state != BODY:
            if self._arrived - self._shared > self._max_head_bytes:
                self._refuse(exceeded("header_bytes", self._max_head_bytes))
        elif self._chunks is not None:
            self._check_chunks(new, is_first)
        elif self.cycle.response_complete:
            self._check_unread()
        if self._arrived > UNCOUNTED_BYTES and 0 < self._state < REFUSED:
            self._is_counted = True
            self._budget.hold(self, self._size)

    def _check_chunks(self, new: int, is_first: bool) -> None:
        """Check the limits of a chunked body. Chunk sizes, chunk extensions and trailers count as header bytes."""
        if is_first:
            self._framing = 0 if self._shared else self._arrived - self._head_size() - self._body
        else:
            self._framing += self._size - new
        self._is_quiet = not new
        if self._is_framing_excessive(self._framing):
            self._refuse(exceeded("header_bytes", self._max_head_bytes))
        elif self.cycle.response_complete:
            self._check_unread()

    def _check_unread(self) -> None:
        """Check the size of a body that no application reads; an application checks it itself."""
        if self._body > self._budget.limits.body_bytes:
            self._refuse(exceeded("body_bytes", self._budget.limits.body_bytes))

    def on_url(self, url: bytes) -> None:
        if self._state >= REFUSED:
            raise httptools.HttpParserError
        self._state = HEAD
        self.url += url

    def on_chunk_header(self) -> None:
        self._chunks = (self._chunks or 0) + 1
        if self._is_framing_excessive(self._chunks * CHUNK_FRAMING):
            raise exceeded("header_bytes", self._max_head_bytes)

    def _is_framing_excessive(self, framing: int) -> bool:
        """Return whether the bytes between chunks are too many; each chunk takes the same time, however small it is."""
        return framing > self._max_head_bytes + self._body // 2

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if self._state == BODY:
            self._drop_trailer(name, value)
            return
        if name in SPECIAL:
            self._check_special(name, value)
        self.headers.append((name, value))

    def _drop_trailer(self, name: bytes, value: bytes) -> None:
        """Count a trailer field and drop it: as a header field it would change the meaning of the request."""
        self._trailers += len(name) + len(value) + len(": " + "\r\n")
        if self._trailers > self._max_head_bytes:
            raise exceeded("header_bytes", self._max_head_bytes)
        if name == b"connection":  # the parser obeys it and reads no further request
            self.cycle.keep_alive = False

    def _check_special(self, name: bytes, value: bytes) -> None:
        if name == b"expect":
            self.expect_100_continue = self.expect_100_continue or value.lower() == b"100-continue"
        elif name == b"host":
            if any(other == b"host" for other, _ in self.headers):
                raise httptools.HttpParserError
        elif name == b"upgrade":
            self._upgrade = self.parser.get_method()
        elif value.strip().lower() != b"chunked":
            raise httptools.HttpParserError
        else:
            self._chunks = 0

    def on_headers_complete(self) -> None:
        if self._is_reserved or self.pipeline or self._arrived > self._max_head_bytes:
            self._check_head()
        if len(self.headers) > self._max_fields:
            raise exceeded("header_fields", self._max_fields)
        if self._upgrade is not None:
            if self.parser.should_upgrade():
                return
            self._upgrade = None
        super().on_headers_complete()
        self._state = BODY
        self._body = self._trailers = 0
        if self._is_reserved or self._budget.is_stopping:
            self.cycle.keep_alive = False

    def _check_head(self) -> None:
        """Check the limits that apply to few heads only: reserved connections, large heads and pipelines."""
        if self._is_reserved and not self._asks_for_health():
            raise exceeded("connections", self._budget.max_connections)
        if self._arrived > self._max_head_bytes and self._head_size() > self._max_head_bytes:
            raise exceeded("header_bytes", self._max_head_bytes)
        if len(self.pipeline) >= MAX_PIPELINED:
            raise BadRequest("Too many requests wait on this connection. Read the responses first.")

    def _asks_for_health(self) -> bool:
        path = self.url.partition(b"?")[0]
        return path in HEALTH_PATHS or path.removeprefix(self.root_path.encode()) in HEALTH_PATHS

    def _head_size(self) -> int:
        """Return the bytes of the head alone, if more than the limit arrived together with other data."""
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
        self._chunks = None
        self._is_quiet = False
        if self._is_counted:
            self._is_counted = False
            self._budget.release_bytes(self)
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
        elif self._state == IDLE and not self._pending:
            self.deadline = self.loop.time() + self.timeout_keep_alive

    def expire(self) -> None:
        self.deadline = NEVER
        if self._state == CLOSED:
            self._socket.close()
        elif self._state == IDLE and not self._pending:
            self._expire_idle()
        elif self._state == BODY and self._waits_for_application:
            self.deadline = self.loop.time() + self._body_seconds
        elif self._state == HEAD and self.flow.read_paused:
            self.deadline = self.loop.time() + self._head_seconds
        elif self._state != REFUSED:
            self._refuse(self._timeout_error())

    @property
    def _waits_for_application(self) -> bool:
        """True if the client cannot send, since the application has not asked for the rest of the body."""
        return self._is_answering and (self.flow.read_paused or self.cycle.waiting_for_100_continue)

    def _expire_idle(self) -> None:
        if self._is_answering:
            return
        if self._is_reserved:
            self._refuse(self._timeout_error())
        else:
            self.close(lingers=True)

    def _timeout_error(self) -> Refusal:
        if self._is_reserved and self._state != BODY:
            return exceeded("connections", self._budget.max_connections)
        if self._state == BODY:
            return exceeded("body_seconds", int(self._body_seconds))
        return exceeded("header_seconds", int(self._head_seconds))

    def _refuse(self, error: Refusal | None) -> None:
        """Refuse the request that is being received, and close after the running responses are sent.

        Without an error, the request is not valid HTTP.
        """
        if not self._is_answering:
            if self._state != BODY:
                self._write_error(error)
            self.close(lingers=True)
        elif self._state == BODY and error is None:
            if not self.cycle.response_started and not self.pipeline:
                self._write_error(None)
            self.close(lingers=True)
        else:
            self.cycle.keep_alive = False
            if self._state == BODY:
                self.refusal = error
                self.cycle.message_event.set()
            self._state = REFUSED

    def _write_error(self, error: Refusal | None) -> None:
        """Write the response to a refused request, or uvicorn's response to invalid HTTP."""
        if error is None:
            self._state = self._state or HEAD  # an invalid method is a request too, and its rest is dropped
            self.send_400_response("Invalid HTTP request received.")
            return
        has_url = self._state == HEAD
        response = self._budget.refusal(error, self.url.partition(b"?")[0] if has_url else b"")
        lines = [*self.server_state.default_headers, *response.raw_headers]
        head = b"".join([STATUS_LINE[response.status_code], *(b"%b: %b\r\n" % pair for pair in lines), b"\r\n"])
        is_bodiless = has_url and self.parser.get_method() == b"HEAD"
        self._socket.write(head if is_bodiless else head + bytes(response.body))

    def give_up(self, *, lingers: bool) -> None:
        if self._state == CLOSED:
            self._socket.abort()
        elif self._state != REFUSED:
            self._refuse(exceeded("connections", self._budget.max_connections))
            if self.is_closed and not lingers:
                self._socket.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, Exchange(self, cycle, app))  # type: ignore[arg-type]  # its types are its own
