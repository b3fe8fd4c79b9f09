"""The limits of requests and connections: each with its status, its code and its metric.

`settings.request_limits` has the numbers. `fastpath.protocol` measures the bytes and times of a connection, and
`bodies` the bytes of a body; both refuse with the result of `exceeded`. The GraphQL API enforces the limits on variable
values and errors.
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
from app.http.responses import Overloaded, encode_json, headers
from app.observability import counters, logs
from app.observability.metrics import WorkerMetrics
from app.observability.request_stats import RequestStats

LOG = logging.getLogger(logs.REQUESTS)

BUDGET = "ostiary.budget"
"""Key of the budget in the state of the ASGI application."""

LIMITS: Mapping[str, tuple[type[Refusal], str]] = MappingProxyType(
    {
        "header_bytes": (HeadersTooLarge, "The request line and the header fields exceed {:,} bytes."),
        "header_fields": (HeadersTooLarge, "The request has more than {:,} header fields."),
        "header_seconds": (RequestTimeout, "The header fields were not received within {:,} s."),
        "body_seconds": (RequestTimeout, "The body was not received within {:,} s."),
        "body_bytes": (BodyTooLarge, "The body exceeds {:,} bytes."),
        "form_bytes": (BodyTooLarge, "A form may have {:,} bytes at most. Send fewer or shorter fields, or JSON."),
        "connections": (Overloaded, "The server has too many connections or unfinished requests. Try again later."),
    }
)

counters.declare("ostiary_limits_exceeded_total", limit=LIMITS)

TICK = 0.2
"""Seconds between two checks of all deadlines: one timer for each worker is cheaper than one for each request."""

RESERVED_CONNECTIONS = 64
"""Connections above the limit that are accepted for health checks only."""

RESERVED_SECONDS = 2
"""Seconds in which a reserved connection must send its request."""

UNFINISHED_BYTES = 33_554_432
"""Most bytes of unfinished requests that a worker holds in memory, unless four of the largest bodies are more."""

HEALTH_PATHS = frozenset({b"/health/live", b"/health/ready"})


def exceeded(limit: str, maximum: int) -> Refusal:
    """Count an exceeded limit and return its error; `maximum` is the number in the message."""
    kind, message = LIMITS[limit]
    counters.increment("ostiary_limits_exceeded_total", limit=limit)
    return kind(message.format(maximum))


def write_rest_error(_: str, error: Exception) -> Response:
    """Return the response to a refusal in the format of the REST API."""
    assert isinstance(error, Refusal)
    return BufferedResponse(
        encode_json({"error": error.message, "noRetry": False}), error.status, "application/json", headers(error)
    )


NEVER = inf
"""A deadline that never passes."""


class BudgetedConnection(Protocol):
    """The part of a client connection that `Budget` uses. Deadlines are times of the event loop's clock."""

    deadline: float
    """Time at which the next part of the request must have arrived."""
    drain_deadline: float
    """Time at which the client must have read more of the response."""

    def expire(self) -> None:
        """Refuse the request or close the connection after `deadline`."""

    def check_drain(self) -> None:
        """Abort the connection if the client has read nothing since the last check."""

    def give_up(self, *, lingers: bool) -> None:
        """Refuse this connection to make room for a newer one."""


class Budget:
    """The limits of one worker, and its open connections.

    `write_error` returns the response to a refusal in the format of an API, and `metrics` counts it.
    """

    def __init__(
        self,
        limits: RequestLimits | None = None,
        metrics: WorkerMetrics | None = None,
        write_error: Callable[[str, Exception], Response] = write_rest_error,
    ) -> None:
        self.limits = limits or RequestLimits()
        self.max_connections = file_descriptors.allowed_connections(self.limits.connections, RESERVED_CONNECTIONS)
        self.is_stopping = False
        self._metrics = metrics
        self._write_error = write_error
        self._open: set[BudgetedConnection] = set()
        self._reserved: dict[BudgetedConnection, None] = {}
        self._unfinished: dict[BudgetedConnection, int] = {}
        self._unfinished_bytes = 0
        self._max_unfinished_bytes = max(UNFINISHED_BYTES, 4 * self.limits.body_bytes)
        self._timer: TimerHandle | None = None

    def admit(self, connection: BudgetedConnection, loop: AbstractEventLoop) -> bool:
        """Register a new connection and return whether it is within the limit.

        A connection above the limit is reserved for health checks. If too many are reserved, the oldest one is closed:
        a client that checks the health sends its short request at once, and an idle client does not.
        """
        is_within = len(self._open) - len(self._reserved) < self.max_connections
        self._open.add(connection)
        if not is_within:
            if len(self._reserved) >= RESERVED_CONNECTIONS:
                oldest = next(iter(self._reserved))
                del self._reserved[oldest]
                oldest.give_up(lingers=False)
            self._reserved[connection] = None
        if self._timer is None:
            self._timer = loop.call_later(TICK, self._check_deadlines, loop)
        return is_within

    def release(self, connection: BudgetedConnection) -> None:
        """Unregister a closed connection."""
        self._open.discard(connection)
        self._reserved.pop(connection, None)
        self.release_bytes(connection)

    def hold(self, connection: BudgetedConnection, size: int) -> None:
        """Add bytes of an unfinished request. If there are too many in all, the oldest requests are refused.

        A client that sends without pauses is never the oldest for long.
        """
        self._unfinished[connection] = self._unfinished.get(connection, 0) + size
        self._unfinished_bytes += size
        while self._unfinished_bytes > self._max_unfinished_bytes and len(self._unfinished) > 1:
            oldest = next(iter(self._unfinished))
            self.release_bytes(oldest)
            oldest.give_up(lingers=True)

    def release_bytes(self, connection: BudgetedConnection) -> None:
        """Subtract the bytes of a request that is finished or gone."""
        self._unfinished_bytes -= self._unfinished.pop(connection, 0)

    def refusal(self, error: Refusal, path: bytes) -> Response:
        """Return, count and log the response to a request that is refused before it reaches the application."""
        api = "graphql" if path == b"/graphql" else "rest" if path else "other"
        response = self._write_error(api, error)
        if self._metrics is not None:
            stats = RequestStats("", "OTHER")
            stats.api, stats.codes = api, [error.code]
            self._metrics.record(stats, response.status_code, 0)
        request_id = new_request_id()
        fields = {"requestId": request_id, "api": api, "status": response.status_code, "codes": [error.code]}
        LOG.info("refused request", extra={"fields": fields})
        response.raw_headers.append((b"x-request-id", request_id.encode()))
        return response

    def _check_deadlines(self, loop: AbstractEventLoop) -> None:
        """Act on all passed deadlines; run again after `TICK` while connections are open."""
        # The timer is set first, so that an error of one connection does not leave the others without deadlines.
        self._timer = loop.call_later(TICK, self._check_deadlines, loop) if self._open else None
        now = loop.time()
        for connection in [each for each in self._open if each.deadline <= now]:
            connection.expire()
        for connection in [each for each in self._open if each.drain_deadline <= now]:
            connection.check_drain()
