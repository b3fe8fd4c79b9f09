"""What every answer says to browsers, whichever face gives it: how it may be used, and by whose pages."""

from collections.abc import Collection

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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

SAID = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
"""Said unless the answer says otherwise. That a host speaks https for good is for the proxy to say that speaks it."""


def middleware(allowed_origins: Collection[str]) -> list[Middleware]:
    """What stands before both faces. Credentials are never allowed, so that no cookie opens anything to other sites."""
    guards = [Middleware(SecurityHeaders)]
    if allowed_origins:
        guards.append(
            Middleware(
                CORSMiddleware,
                allow_origins=allowed_origins,
                allow_methods=METHODS,
                allow_headers=ASKED,
                expose_headers=ANSWERED,
            )
        )
    return guards


class SecurityHeaders:
    """Adds what an answer does not say."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def said(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                told = {name for name, _ in headers}
                message["headers"] = [*headers, *(each for each in SAID if each[0] not in told)]
            await send(message)

        await self._app(scope, receive, said if scope["type"] == "http" else send)
