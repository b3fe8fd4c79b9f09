"""The outermost ASGI applications: proxy headers for the requests of trusted proxies, and routes by exact path."""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.config.values import UNIX
from app.http.headers import parse_headers


class FastRouter:
    """Calls one of a few routes by its exact path, before the routes of Starlette are searched."""

    def __init__(self, routes: Iterable[Route], others: ASGIApp) -> None:
        self._apps = {route.path: route.app for route in routes}
        self._others = others

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Call the route, or the other application for other paths and behind a prefix (`root_path`)."""
        is_plain = scope["type"] == "http" and not scope.get("root_path")
        app = self._apps.get(scope["path"], self._others) if is_plain else self._others
        return app(scope, receive, send)


class ProxyGate:
    """Applies uvicorn's proxy headers middleware only to requests with forwarding headers.

    Without trusted proxies, forwarding headers are ignored: a proxy passes on those of the client by default.
    """

    def __init__(self, app: Starlette, trusted_proxies: Sequence[str] = ()) -> None:
        assert app.middleware_stack is not None
        self._app = app
        self._stack = app.middleware_stack
        self._proxied: Any = None
        if trusted_proxies:
            self._proxied = ProxyHeadersMiddleware(app, list(trusted_proxies))  # type: ignore[arg-type]  # its own types

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Call the application, through the middleware if it is needed."""
        if scope["type"] == "http":
            headers = parse_headers(scope)
            if self._proxied is None or (b"x-forwarded-for" not in headers and b"x-forwarded-proto" not in headers):
                scope["app"] = self._app  # as Starlette does
                return self._stack(scope, receive, send)
            if scope.get("client") is None and (scope.get("server") or ("", 0))[1] is None:
                scope["client"] = (UNIX, 0)  # which `TrustedProxies` can name
        call: Awaitable[None] = (self._proxied or self._app)(scope, receive, send)
        return call
