"""Routes for monitoring: liveness, readiness and metrics."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.http.responses import NO_STORE, encode_json
from app.http.shutdown import Shutdown
from app.observability import metrics
from app.security import authentication

CHECK_INTERVAL = 1.0
"""Seconds for which a result is reused: the database is checked once a second, however many requests ask."""


class Readiness:
    """Readiness of this worker for requests. `check` returns the name of a failed check, or None."""

    def __init__(self, shutdown: Shutdown, check: Callable[[], Awaitable[str | None]]) -> None:
        self._shutdown = shutdown
        self._check = check
        self._lock = asyncio.Lock()
        self._problem: str | None = None
        self._until = 0.0

    async def find_problem(self) -> str | None:
        """Return the name of the failed check, or None if this worker is ready."""
        if self._shutdown.is_requested:
            return "stopping"
        async with self._lock:
            if monotonic() >= self._until:
                self._problem = await self._check()
                self._until = monotonic() + CHECK_INTERVAL
        return self._problem


def routes(
    readiness: Readiness, format_metrics: Callable[[], str], metrics_token: str | None, *, is_open: bool = False
) -> Sequence[Route]:
    """Return the routes. If `is_open`, `/metrics` needs no token; without a token and not open, it is 404."""

    async def get_readiness(request: Request) -> Response:
        problem = await readiness.find_problem()
        body = {"status": "ready"} if problem is None else {"status": "not ready", "failed": [problem]}
        return Response(encode_json(body), 503 if problem else 200, NO_STORE, "application/json")

    async def get_metrics(request: Request) -> Response:
        if not (is_open or _has_token(request, metrics_token)):
            raise HTTPException(404)
        return Response(format_metrics(), headers={**NO_STORE, "Content-Type": metrics.CONTENT_TYPE})

    return [Route("/health/live", _get_liveness), Route("/health/ready", get_readiness), Route("/metrics", get_metrics)]


async def _get_liveness(request: Request) -> Response:
    return PlainTextResponse("alive\n")


def _has_token(request: Request, token: str | None) -> bool:
    """Return whether the bearer token of the request is the metrics token; False if none is set."""
    if token is None:
        return False
    credentials = authentication.extract_credentials(request.headers.get("authorization", ""), None)
    return credentials is not None and hmac.compare_digest(credentials.token.encode(), token.encode())
