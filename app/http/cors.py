"""Cross-origin resource sharing (CORS) for both APIs."""

from collections.abc import Collection

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.fastpath.buffered_response import BUFFERED

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Ostiary-Stats",
    "Ostiary-Viewer",
    "X-Request-Id",
    "Idempotency-Key",
    "Traceparent",
    "Tracestate",
    "Apollo-Require-Preflight",
    "Apollographql-Client-Name",
    "Apollographql-Client-Version",
)
"""Headers that pages may send: those the server reads, and those GraphQL clients add by default."""

RESPONSE_HEADERS = ("Allow", "ETag", "Location", "Ostiary-Executor", "Retry-After", "WWW-Authenticate", "X-Request-Id")


def cors(app: ASGIApp, allowed_origins: Collection[str]) -> ASGIApp:
    """Allow pages of these origins to call the application. Credentials are never allowed, so cookies do not work."""
    if not allowed_origins:
        return app
    return _Cors(
        app,
        allow_origins=allowed_origins,
        allow_methods=METHODS,
        allow_headers=REQUEST_HEADERS,
        expose_headers=RESPONSE_HEADERS,
    )


class _Cors(CORSMiddleware):
    """Disables buffered responses, since the middleware adds headers to `http.response.start` only."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.get("extensions", {}).pop(BUFFERED, None)
        await super().__call__(scope, receive, send)
