"""What the server calls: the application, past what few requests need."""

from collections.abc import Awaitable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.http.headers import parse_headers


class ProxyGate:
    """An ASGI application before ours: who sent a request is asked only where a trusted proxy may have passed it on.

    Without trusted proxies whatever a client says of its address and scheme is ignored: a proxy that is not told to do
    otherwise passes on what the client sent.
    """

    def __init__(self, app: Starlette, trusted_proxies: Sequence[str] = ()) -> None:
        assert app.middleware_stack is not None
        self._app = app
        self._watched = app.middleware_stack
        self._behind: Any = None
        if trusted_proxies:
            self._behind = ProxyHeadersMiddleware(app, list(trusted_proxies))  # type: ignore[arg-type]  # its types are its own

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Call the application."""
        if scope["type"] == "http":
            found = parse_headers(scope)
            if self._behind is None or (b"x-forwarded-for" not in found and b"x-forwarded-proto" not in found):
                scope["app"] = self._app  # as Starlette itself does
                return self._watched(scope, receive, send)
        behind: Awaitable[None] = (self._behind or self._app)(scope, receive, send)
        return behind
