"""The shortest way to the paths that are asked most: past the look through all routes."""

from collections.abc import Awaitable, Iterable

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send


class FastRouter:
    """An ASGI application that hands a request to one of a few routes by its exact path, and else to all of them."""

    def __init__(self, routes: Iterable[Route], others: ASGIApp) -> None:
        self._apps = {route.path: route.app for route in routes}
        self._others = others

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Behind a prefix (`root_path`) paths are not what they seem: that is for the router to see through."""
        is_plain = scope["type"] == "http" and not scope.get("root_path")
        app = self._apps.get(scope["path"], self._others) if is_plain else self._others
        return app(scope, receive, send)
