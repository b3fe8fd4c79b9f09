"""How a connection ends: after the last byte of the answer, within a bounded time, and without a reset."""

from asyncio import Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.http.budget import BUDGET, NEVER, Budget, exceeded

IDLE, HEAD, BODY, REFUSED, CLOSED = range(5)
"""The state of a connection: what is received, if anything, or that nothing that is received counts any more."""

LINGER_SECONDS = 1.0
"""How long the rest of a request is received and dropped after the last answer, so that no reset destroys it."""

STOP_SECONDS = 0.25
"""How long an idle connection stays open at a stop: a request that is on its way is answered, and told to close."""

SLOWEST = 4_096
"""Bytes a second that a client must read of a response that waits for it."""


class ClosingProtocol(HttpToolsProtocol):
    """A connection that is closed gently: a base of the protocol.

    What is ours stands in slots: with more than thirty attributes in its `__dict__`, all of an object's are slow.
    """

    __slots__ = (
        "_body_seconds",
        "_budget",
        "_held",
        "_left",
        "_running",
        "_socket",
        "_state",
        "deadline",
        "drain_deadline",
    )

    def expire(self) -> None:
        """Act on a deadline that has passed."""
        raise NotImplementedError

    def give_up(self, *, lingers: bool) -> None:
        """Refuse the connection for the sake of a newer one."""
        raise NotImplementedError

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.deadline = self.drain_deadline = NEVER
        self._budget: Budget = self.app_state.get(BUDGET) or Budget()
        self._body_seconds: float = self._budget.limits.body_seconds
        self._state = IDLE
        self._running: RequestResponseCycle | None = None
        """The request that is being answered; uvicorn's `cycle` is the one that came last."""
        self._held = bytearray()
        """A piece of a line that is not parsed yet."""
        self._left = 0

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
        """Whether nothing is received or answered any more."""
        return self._state == CLOSED

    @property
    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def close(self, *, lingers: bool = False) -> None:
        """Close the connection once the last answer is sent.

        Where a request is being received, or may be on its way, the rest is dropped for a while first: to close a
        socket that has received more than was read resets the connection, and the client may lose the answer.
        """
        if self._state == CLOSED:
            return
        lingers = lingers or self._state != IDLE
        self._state = CLOSED
        self._budget.release_bytes(self)
        self._disconnect()
        now = self.loop.time()
        self._left, self.drain_deadline = self._socket.get_write_buffer_size(), now + self._body_seconds
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
        """Tell the application that nobody waits for its answer: uvicorn tells only the last of pipelined requests."""
        for cycle in (self._running, self.cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

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


class _Closing:
    """A transport whose `close` is the one of the protocol."""

    __slots__ = ("_protocol", "get_extra_info", "write")

    def __init__(self, transport: Transport, protocol: ClosingProtocol) -> None:
        self._protocol = protocol
        self.write = transport.write
        self.get_extra_info = transport.get_extra_info

    def close(self) -> None:
        self._protocol.close()

    def is_closing(self) -> bool:
        return self._protocol.is_closed
