"""Graceful close of a connection: after the last byte of the response, in bounded time, and without a TCP reset."""

from asyncio import Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.http.budget import BUDGET, NEVER, Budget, exceeded

IDLE, HEAD, BODY, REFUSED, CLOSED = range(5)
"""States of a connection: the part of a request that is being received, or that received data is ignored."""

LINGER_SECONDS = 1.0
"""Seconds to receive and drop the rest of a request after the last response, so that a reset does not destroy it."""

STOP_SECONDS = 0.25
"""Seconds that an idle connection stays open at a shutdown, so that a request in transit is answered."""

MIN_DRAIN_RATE = 4_096
"""Bytes per second that a client must read of a buffered response."""


class ClosingProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a graceful close; the base class of `Protocol`.

    Our attributes are slots: an object with more than thirty attributes in its `__dict__` is slow.
    """

    __slots__ = (
        "_body_seconds",
        "_budget",
        "_pending",
        "_running",
        "_socket",
        "_state",
        "_undrained",
        "deadline",
        "drain_deadline",
    )

    def expire(self) -> None:
        """Refuse the request or close the connection after `deadline`."""
        raise NotImplementedError

    def give_up(self, *, lingers: bool) -> None:
        """Refuse this connection to make room for a newer one."""
        raise NotImplementedError

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deadline = self.drain_deadline = NEVER
        self._budget: Budget = self.app_state.get(BUDGET) or Budget()
        self._body_seconds: float = self._budget.limits.body_seconds
        self._state = IDLE
        self._running: RequestResponseCycle | None = None
        """The request that is being answered; uvicorn's `cycle` is the last received one."""
        self._pending = bytearray()
        """Received bytes of a line that are not parsed yet."""
        self._undrained = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._socket = transport
        self.transport = _Closing(transport, self)  # type: ignore[assignment]  # as much of it as uvicorn uses

    def connection_lost(self, exc: Exception | None) -> None:
        self._budget.release(self)
        self._state, self.deadline, self.drain_deadline = CLOSED, NEVER, NEVER
        self.transport = self._socket
        self._disconnect()
        super().connection_lost(exc)

    @property
    def is_closed(self) -> bool:
        """True if nothing is received or answered any more."""
        return self._state == CLOSED

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def close(self, *, lingers: bool = False) -> None:
        """Close the connection after the last response is sent.

        While a request is received or may be in transit, the rest is dropped first: closing a socket with unread data
        resets the connection, and the client may lose the response.
        """
        if self._state == CLOSED:
            return
        lingers = lingers or self._state != IDLE
        self._state = CLOSED
        self._budget.release_bytes(self)
        self._disconnect()
        now = self.loop.time()
        self._undrained, self.drain_deadline = self._socket.get_write_buffer_size(), now + self._body_seconds
        if not lingers or self._socket.is_closing():
            self._socket.close()
            return
        self.deadline = now + (STOP_SECONDS if self._budget.is_stopping else LINGER_SECONDS)
        try:
            self.flow.resume_reading()
            self._socket.write_eof()
        except (OSError, RuntimeError):  # the client is gone
            self._socket.abort()

    def _disconnect(self) -> None:
        """Disconnect all pipelined requests of the application; uvicorn disconnects only the last one."""
        for cycle in (self._running, self.cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

    def shutdown(self) -> None:
        """Begin to close at a shutdown: responses say `Connection: close`, and idle connections stay open briefly."""
        self._budget.is_stopping = True
        if self._is_answering:
            self.cycle.keep_alive = False
        elif self._state == BODY:
            self.close()
        elif self._state == IDLE and not self._pending:
            self.deadline = self.loop.time() + STOP_SECONDS

    def pause_writing(self) -> None:
        super().pause_writing()
        self._undrained = self._socket.get_write_buffer_size()
        self.drain_deadline = self.loop.time() + self._body_seconds

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._state != CLOSED:
            self.drain_deadline = NEVER

    def check_drain(self) -> None:
        left = self._socket.get_write_buffer_size()
        if self._undrained - left < min(self._undrained, MIN_DRAIN_RATE * self._body_seconds):
            exceeded("body_seconds", int(self._body_seconds))
            self._socket.abort()
        self._undrained, self.drain_deadline = left, self.loop.time() + self._body_seconds if left else NEVER


class _Closing:
    """A transport whose `close` calls the one of the protocol."""

    __slots__ = ("_protocol", "get_extra_info", "write")

    def __init__(self, transport: Transport, protocol: ClosingProtocol) -> None:
        self._protocol = protocol
        self.write = transport.write
        self.get_extra_info = transport.get_extra_info

    def close(self) -> None:
        self._protocol.close()

    def is_closing(self) -> bool:
        return self._protocol.is_closed
