"""The outermost middleware: request id, log line, metrics, and a response to every error."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from itertools import count
from secrets import randbits, token_hex
from time import perf_counter

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.errors import ChangeMade, Unavailable
from app.http.deadlines import CHANGE_MADE
from app.http.fastpath.buffered_response import BUFFERED, HEADER_CACHE
from app.http.headers import parse_headers
from app.http.shutdown import Shutdown, run_lifespan
from app.observability import logs, request_stats
from app.observability.metrics import WorkerMetrics
from app.observability.request_stats import RequestStats

LOG = logging.getLogger(logs.REQUESTS)

UNFINISHED = "The server is stopping and did not finish this request. Try again."
UNEXPECTED = "INTERNAL_SERVER_ERROR"

REQUEST_ID_RE = re.compile(rb"[\w.:/=+-]{1,128}")
"""Accepted values of X-Request-Id, safe to log. Repeated headers are joined by a comma, so that they do not match."""

_WORKER = token_hex(4)
_NUMBERS = count(randbits(31))
"""Worker id and request number: together they are unique among all workers."""

TRACEPARENT_RE = re.compile(
    rb"(?!ff|00.{54})([0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(?:-[^,]*)?"
)
"""Accepted values of traceparent (W3C Trace Context, 3.2): version, trace id, parent id, flags. Zeros are no ids.

Versions above 00 may have further fields, which are left out.
"""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "OTHER"
"""Stands for every other method."""


@dataclass(frozen=True, slots=True)
class RequestLog:
    """The dependencies of the middleware.

    `write_error` returns the response to an error in the format of the API, which is named by its first argument.
    `slow_milliseconds` is the duration from which a request is logged as slow; 0 means never.
    """

    metrics: WorkerMetrics
    shutdown: Shutdown
    write_error: Callable[[str, Exception], Response]
    slow_milliseconds: int


class RequestMiddleware:
    """ASGI middleware that records each HTTP request and responds to errors no API has handled."""

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await run_lifespan(self._app, scope, receive, send)
            return
        stats = self._begin(scope)
        stats.receive, stats.address = receive, (scope.get("client") or (None,))[0]
        token = request_stats.CURRENT.set(stats)
        sender, metrics, began = ResponseSender(send, stats.request_id), self._log.metrics, perf_counter()
        metrics.running += 1
        try:
            await self._app(scope, receive, sender)
        except (Exception, asyncio.CancelledError) as error:
            if not await self._write_error(error, stats, sender, (scope, receive)):
                raise
        finally:
            metrics.running -= 1
            seconds = perf_counter() - began
            stats.path = stats.path or getattr(scope.get("route"), "path", "")
            metrics.record(stats, sender.status, seconds)
            self._end(stats, sender.status, seconds * 1000)
            request_stats.CURRENT.reset(token)

    def _begin(self, scope: Scope) -> RequestStats:
        """Return the statistics of a request that begins."""
        method = scope["method"]
        stats = RequestStats(_request_id(scope), method if method in METHODS else OTHER)
        traceparent = parse_headers(scope).get(b"traceparent")
        if traceparent and (match := TRACEPARENT_RE.fullmatch(traceparent)):
            stats.traceparent = match[1].decode("ascii")
        return stats

    async def _write_error(
        self, error: BaseException, stats: RequestStats, sender: "ResponseSender", request: tuple[Scope, Receive]
    ) -> bool:
        """Respond to an error, or to a cancellation by the shutdown. Return False if the caller must raise it again."""
        if isinstance(error, Exception):
            if sender.status:
                return False
        elif self._log.shutdown.is_requested:
            error = ChangeMade(CHANGE_MADE) if stats.committed_changes else Unavailable(UNFINISHED)
        else:
            return False
        if not sender.status:
            await self._log.write_error(stats.api, error)(*request, sender)
        return True

    def _end(self, stats: RequestStats, status: int, milliseconds: float) -> None:
        """Write the log line of a request that has ended."""
        is_slow = 0 < self._log.slow_milliseconds <= milliseconds
        level = logging.WARNING if is_slow or UNEXPECTED in stats.codes else logging.INFO
        if LOG.isEnabledFor(level):
            fields = {
                "api": stats.api,
                "method": stats.method,
                "path": stats.path,
                "kind": stats.kind,
                "operation": stats.operation,
                "viewer": stats.viewer,
                "status": status,
                "durationMs": round(milliseconds, 3),
                "statements": stats.statements,
                "codes": list(dict.fromkeys(stats.codes)),
                "traceId": stats.traceparent.split("-")[1] if stats.traceparent else None,
                "errors": len(stats.codes) if len(stats.codes) > len(set(stats.codes)) else None,
            }
            LOG.log(level, "%s request", "slow" if is_slow else "answered", extra={"fields": fields})


class ResponseSender:
    """ASGI send that adds the common headers and the request id. `status` is 0 until the response has started."""

    __slots__ = ("_id", "_send", "status")

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._id = request_id.encode()
        self.status = 0

    def __call__(self, message: Message) -> Awaitable[None]:
        kind = message["type"]
        if kind == BUFFERED:
            self.status = message["status"]
            message["head"] += b"x-request-id: %b\r\n" % self._id
        elif kind == "http.response.start":
            self.status, headers = message["status"], message.get("headers", ())
            by_name = dict(headers)
            completed = (HEADER_CACHE | by_name).items() if len(by_name) == len(headers) else _add_headers(headers)
            message["headers"] = [*completed, (b"x-request-id", self._id)]
        return self._send(message)


def _add_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers with the missing common ones; a name may occur more than once, as Set-Cookie does."""
    names = {name for name, _ in headers}
    return [*(each for each in HEADER_CACHE.items() if each[0] not in names), *headers]


def _request_id(scope: Scope) -> str:
    value = parse_headers(scope).get(b"x-request-id")
    if value is not None and REQUEST_ID_RE.fullmatch(value):
        return value.decode("ascii")
    return new_request_id()


def new_request_id() -> str:
    """Return an id that is unique among the requests of all workers."""
    return f"{_WORKER}{next(_NUMBERS):08x}"
