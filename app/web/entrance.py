"""What the server calls: the application, past what few requests need."""

import os
from collections.abc import Awaitable
from typing import Any

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.web.heads import heads

TRUSTED = "FORWARDED_ALLOW_IPS"
"""The environment variable of uvicorn that names the proxies which are believed: 127.0.0.1 where it is not set."""


class Entrance:
    """An ASGI application before ours: who sent a request is asked only where a proxy may have passed it on."""

    def __init__(self, app: Starlette) -> None:
        assert app.middleware_stack is not None
        self._app = app
        self._watched = app.middleware_stack
        self._behind: Any = ProxyHeadersMiddleware(app, os.environ.get(TRUSTED, "127.0.0.1"))  # type: ignore[arg-type]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Call the application."""
        if scope["type"] == "http":
            found = heads(scope)
            if b"x-forwarded-for" not in found and b"x-forwarded-proto" not in found:
                scope["app"] = self._app  # as Starlette itself does
                return self._watched(scope, receive, send)
        behind: Awaitable[None] = self._behind(scope, receive, send)
        return behind
