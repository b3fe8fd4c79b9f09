"""Watches every request from the outside: its id, its line in the log, its counters, and an answer whatever happens."""

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
from app.http.deadlines import MADE
from app.http.fastpath.buffered_response import BUFFERED, HEADER_CACHE
from app.http.headers import parse_headers
from app.http.shutdown import Shutdown
from app.observability import logs, request_stats
from app.observability.metrics import WorkerMetrics
from app.observability.request_stats import RequestStats

LOG = logging.getLogger(logs.REQUESTS)

UNFINISHED = "The server is stopping, and had to leave this unfinished. Ask again."
UNEXPECTED = "INTERNAL_SERVER_ERROR"

REQUEST_ID_RE = re.compile(rb"[\w.:/=+-]{1,128}")
"""What we take from a caller as the id of her request, and write into our log; two of them have a comma between."""

_WORKER = token_hex(4)
_NUMBERS = count(randbits(31))
"""Together they make an id that no other request has, of this worker or another."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class RequestLog:
    """What watching needs. `failed` writes an error as the face does; `slow` is in milliseconds, 0 for never."""

    meter: WorkerMetrics
    stopping: Shutdown
    failed: Callable[[str, Exception], Response]
    slow: int


class RequestMiddleware:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, watching: RequestLog) -> None:
        self._app = app
        self._watching = watching

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        about = RequestStats(_request_id(scope), method if method in METHODS else "OTHER")
        about.receive, about.address = receive, (scope.get("client") or (None,))[0]
        before = request_stats.CURRENT.set(about)
        sending, meter, began = ResponseSender(send, about.request_id), self._watching.meter, perf_counter()
        meter.running += 1
        try:
            await self._app(scope, receive, sending)
        except (Exception, asyncio.CancelledError) as error:
            if not await self._write_error(error, about, sending, (scope, receive)):
                raise
        finally:
            meter.running -= 1
            seconds = perf_counter() - began
            about.path = about.path or getattr(scope.get("route"), "path", "")
            meter.record(about, sending.status, seconds)
            self._log(about, sending.status, seconds * 1000)
            request_stats.CURRENT.reset(before)

    async def _write_error(
        self, error: BaseException, about: RequestStats, sending: "ResponseSender", of: tuple[Scope, Receive]
    ) -> bool:
        """Answer what failed before a face saw it, or was cut off by the end of the server; False for all else."""
        if isinstance(error, Exception):
            if sending.status:
                return False
        elif self._watching.stopping.is_requested:
            error = ChangeMade(MADE) if about.change_made else Unavailable(UNFINISHED)
        else:
            return False
        if not sending.status:
            await self._watching.failed(about.api, error)(*of, sending)
        return True

    def _log(self, about: RequestStats, status: int, spent: float) -> None:
        is_slow = 0 < self._watching.slow <= spent
        level = logging.WARNING if is_slow or UNEXPECTED in about.codes else logging.INFO
        if LOG.isEnabledFor(level):
            fields = {
                "face": about.api,
                "method": about.method,
                "path": about.path,
                "kind": about.kind,
                "operation": about.operation,
                "viewer": about.viewer,
                "status": status,
                "durationMs": round(spent, 3),
                "statements": about.statements,
                "codes": list(dict.fromkeys(about.codes)),
                "errors": len(about.codes) if len(about.codes) > len(set(about.codes)) else None,
            }
            LOG.log(level, "%s request", "slow" if is_slow else "answered", extra={"fields": fields})


class ResponseSender:
    """Sends on, completes the head of the answer, and remembers its status: 0 until there is one."""

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
            told = dict(headers)
            completed = (HEADER_CACHE | told).items() if len(told) == len(headers) else _complete_headers(headers)
            message["headers"] = [*completed, (b"x-request-id", self._id)]
        return self._send(message)


def _complete_headers(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The same where a header stands there twice, as it may."""
    told = {name for name, _ in headers}
    return [*(each for each in HEADER_CACHE.items() if each[0] not in told), *headers]


def _request_id(scope: Scope) -> str:
    given = parse_headers(scope).get(b"x-request-id")
    if given is not None and REQUEST_ID_RE.fullmatch(given):
        return given.decode("ascii")
    return new_request_id()


def new_request_id() -> str:
    """Return an id that no other request has."""
    return f"{_WORKER}{next(_NUMBERS):08x}"
