"""Which sites' pages may ask, whichever face they ask."""

from collections.abc import Collection

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.fastpath.buffered_response import BUFFERED

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ASKED = (
    "Authorization",
    "Content-Type",
    "If-None-Match",
    "Ostiary-Stats",
    "X-Request-Id",
    "Traceparent",
    "Tracestate",
    "Apollo-Require-Preflight",
    "Apollographql-Client-Name",
    "Apollographql-Client-Version",
)
"""What GraphQL and REST read, and what clients of GraphQL send unasked: a preflight refuses a request for one more."""

ANSWERED = ("Allow", "ETag", "Location", "Ostiary-Executor", "Retry-After", "WWW-Authenticate", "X-Request-Id")


def cors(app: ASGIApp, allowed_origins: Collection[str]) -> ASGIApp:
    """Lets pages of other sites ask. Credentials are never allowed, so that no cookie opens anything to them."""
    if not allowed_origins:
        return app
    return _Cors(
        app,
        allow_origins=allowed_origins,
        allow_methods=METHODS,
        allow_headers=ASKED,
        expose_headers=ANSWERED,
    )


class _Cors(CORSMiddleware):
    """What it adds, it adds to heads that are sent in the ordinary way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.get("extensions", {}).pop(BUFFERED, None)
        await super().__call__(scope, receive, send)
