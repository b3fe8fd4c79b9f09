"""The budget of a request and of its connection: every limit with its status, its code and its metric.

`settings.request_limits` has the numbers. The bytes and the times of a connection are measured by `web.protocol`, the
bytes of a body also by `web.reading`; both refuse with what `exceeded` returns. The limits on values and on errors are
not about the connection: the GraphQL API keeps them.
"""

import logging
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable, Mapping
from math import inf
from types import MappingProxyType
from typing import Protocol

from starlette.responses import Response

from app.config import RequestLimits
from app.domain.errors import BodyTooLarge, HeadersTooLarge, Refusal, RequestTimeout
from app.http import file_descriptors
from app.http.fastpath.buffered_response import BufferedResponse
from app.http.middleware import new_request_id
from app.http.refusals import Overloaded, headers
from app.http.responses import encode_json
from app.observability import counters, logs
from app.observability.metrics import WorkerMetrics
from app.observability.request_stats import RequestStats

LOG = logging.getLogger(logs.REQUESTS)

BUDGET = "ostiary.budget"
"""The key of the budget in the state of the ASGI application."""

LIMITS: Mapping[str, tuple[type[Refusal], str]] = MappingProxyType(
    {
        "header_bytes": (HeadersTooLarge, "The request line and the header fields exceed {:,} bytes."),
        "header_fields": (HeadersTooLarge, "The request has more than {:,} header fields."),
        "header_seconds": (RequestTimeout, "The header fields were not received within {:,} s."),
        "body_seconds": (RequestTimeout, "The body was not received within {:,} s."),
        "body_bytes": (BodyTooLarge, "The body exceeds {:,} bytes."),
        "connections": (Overloaded, "The server has too many connections or unfinished requests. Try again."),
    }
)

TICK = 0.2
"""Seconds between two looks at the deadlines of all connections: one timer a worker instead of one a request."""

RESERVED_CONNECTIONS = 64
"""Connections above the bound that may still ask for their health check."""

UNFINISHED_BYTES = 33_554_432
"""Bytes that a worker holds of requests that have not come to their end, or four times the largest body."""

RESERVED_SECONDS = 2
"""How long each of them may take for its request."""

HEALTH_PATHS = frozenset({b"/health/live", b"/health/ready"})


def exceeded(limit: str, most: int) -> Refusal:
    """Count that a limit was exceeded, and return the refusal that says so."""
    kind, message = LIMITS[limit]
    counters.increment("ostiary_limits_exceeded_total", limit=limit)
    return kind(message.format(most))


def write_plainly(_: str, error: Exception) -> Response:
    """Return the response to a refusal in the form of the REST API."""
    assert isinstance(error, Refusal)
    return BufferedResponse(
        encode_json({"error": error.message, "noRetry": False}), error.status, "application/json", headers(error)
    )


NEVER = inf
"""The deadline of what may take any time."""


class BudgetedConnection(Protocol):
    """A client connection, as far as its budget is concerned. Deadlines are moments of the loop's clock."""

    deadline: float
    """The moment at which the request must have come further."""
    drain_deadline: float
    """The moment at which the client must have read more of the response."""

    def expire(self) -> None:
        """Act on a deadline that has passed."""

    def check_drain(self) -> None:
        """Abort the connection if the client reads nothing."""

    def give_up(self, *, lingers: bool) -> None:
        """Refuse the connection for the sake of a newer one."""


class Budget:
    """The limits of one worker, and its open connections.

    `write` makes the response to a refusal in the form of the API that was asked for, `meter` counts it.
    """

    def __init__(
        self,
        limits: RequestLimits | None = None,
        meter: WorkerMetrics | None = None,
        write: Callable[[str, Exception], Response] = write_plainly,
    ) -> None:
        self.limits = limits or RequestLimits()
        self.most_connections = file_descriptors.permitted(self.limits.connections, RESERVED_CONNECTIONS)
        self.is_stopping = False
        self._meter = meter
        self._write = write
        self._open: set[BudgetedConnection] = set()
        self._reserved: dict[BudgetedConnection, None] = {}
        self._unfinished: dict[BudgetedConnection, int] = {}
        self._unfinished_bytes = 0
        self._most_unfinished = max(UNFINISHED_BYTES, 4 * self.limits.body_bytes)
        self._timer: TimerHandle | None = None

    def admit(self, connection: BudgetedConnection, loop: AbstractEventLoop) -> bool:
        """Note a new connection, and tell whether it is within the bound.

        One above the bound displaces the oldest of its kind if there are too many of them: who asks for a health
        check sends a short request at once, and who only holds a connection does not.
        """
        is_within = len(self._open) - len(self._reserved) < self.most_connections
        self._open.add(connection)
        if not is_within:
            if len(self._reserved) >= RESERVED_CONNECTIONS:
                oldest = next(iter(self._reserved))
                del self._reserved[oldest]
                oldest.give_up(lingers=False)
            self._reserved[connection] = None
        if self._timer is None:
            self._timer = loop.call_later(TICK, self._look, loop)
        return is_within

    def release(self, connection: BudgetedConnection) -> None:
        """Forget a connection that has ended."""
        self._open.discard(connection)
        self._reserved.pop(connection, None)
        self.release_bytes(connection)

    def hold(self, connection: BudgetedConnection, size: int) -> None:
        """Note that so many bytes of an unfinished request are held; too many in all displace the oldest request.

        A client that sends at once is never the oldest for long.
        """
        self._unfinished[connection] = self._unfinished.get(connection, 0) + size
        self._unfinished_bytes += size
        while self._unfinished_bytes > self._most_unfinished and len(self._unfinished) > 1:
            oldest = next(iter(self._unfinished))
            self.release_bytes(oldest)
            oldest.give_up(lingers=True)

    def release_bytes(self, connection: BudgetedConnection) -> None:
        """Note that nothing of an unfinished request is held any more."""
        self._unfinished_bytes -= self._unfinished.pop(connection, 0)

    def refusal(self, error: Refusal, path: bytes) -> Response:
        """Return the response to a request that is refused before the application sees it, and count it."""
        face = "graphql" if path == b"/graphql" else "rest" if path else "other"
        response = self._write(face, error)
        if self._meter is not None:
            about = RequestStats("", "OTHER")
            about.api, about.codes = face, [error.code]
            self._meter.record(about, response.status_code, 0)
        request_id = new_request_id()
        fields = {"requestId": request_id, "face": face, "status": response.status_code, "codes": [error.code]}
        LOG.info("refused request", extra={"fields": fields})
        response.raw_headers.append((b"x-request-id", request_id.encode()))
        return response

    def _look(self, loop: AbstractEventLoop) -> None:
        """Act on every deadline that has passed, and look again later as long as there are connections."""
        # First of all, so that nothing that fails for one connection leaves the others without a deadline.
        self._timer = loop.call_later(TICK, self._look, loop) if self._open else None
        now = loop.time()
        for connection in [each for each in self._open if each.deadline <= now]:
            connection.expire()
        for connection in [each for each in self._open if each.drain_deadline <= now]:
            connection.check_drain()
