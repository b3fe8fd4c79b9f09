"""What machines ask a running server: whether it lives, whether it is ready, and what it has counted."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.http.responses import UNKEPT, encode_json
from app.http.shutdown import Shutdown
from app.observability import metrics
from app.security import authentication

KEPT_SECONDS = 1.0
"""How long a finding is good for: however many ask, the database is asked once a second."""


class Readiness:
    """Whether requests should be sent here. `check` names what stands against it, or None."""

    def __init__(self, stopping: Shutdown, check: Callable[[], Awaitable[str | None]]) -> None:
        self._stopping = stopping
        self._check = check
        self._turn = asyncio.Lock()
        self._failed: str | None = None
        self._until = 0.0

    async def failed(self) -> str | None:
        """What stands against it."""
        if self._stopping.is_requested:
            return "stopping"
        async with self._turn:
            if monotonic() >= self._until:
                self._failed = await self._check()
                self._until = monotonic() + KEPT_SECONDS
        return self._failed


def routes(
    readiness: Readiness, numbers: Callable[[], str], metrics_token: str | None, *, is_open: bool = False
) -> Sequence[Route]:
    """The paths that no person asks."""

    async def ready(request: Request) -> Response:
        failed = await readiness.failed()
        body = {"status": "ready"} if failed is None else {"status": "not ready", "failed": [failed]}
        return Response(encode_json(body), 503 if failed else 200, UNKEPT, "application/json")

    async def counted(request: Request) -> Response:
        if not (is_open or _has_token(request, metrics_token)):
            raise HTTPException(404)
        return Response(numbers(), headers={**UNKEPT, "Content-Type": metrics.CONTENT_TYPE})

    return [Route("/health/live", _live), Route("/health/ready", ready), Route("/metrics", counted)]


async def _live(request: Request) -> Response:
    return PlainTextResponse("alive\n")


def _has_token(request: Request, token: str | None) -> bool:
    """Return whether the request shows the token; where none is set, nobody reads the numbers here."""
    if token is None:
        return False
    shown = authentication.extract_credentials(request.headers.get("authorization", ""), None)
    return shown is not None and hmac.compare_digest(shown.token.encode(), token.encode())
