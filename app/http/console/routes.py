"""Which requests the console answers: its own addresses in a browser, and the files of its build."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from app.http.console import pages
from app.http.console.build import Asset, Build
from app.http.headers import parse_headers
from app.http.responses import cached_response
from app.http.weights import weights
from app.observability import request_stats

PREFIXES = frozenset({"account", "audit", "groups", "licenses", "login", "organizations", "resources", "settings"})
"""First segments of the console's addresses. `users` and `orgs` are REST's."""

METHODS = frozenset({"GET", "HEAD"})
GZIP = "gzip"


class ConsoleRoute(BaseRoute):
    """A Starlette route for the addresses of the console and the files of its build.

    It answers a GET of a client that names text/html in `Accept`. Every other request is left to the other routes.
    Without `has_pages` it has the files alone, which GraphiQL needs.
    """

    def __init__(self, build: Build, *, has_pages: bool = True) -> None:
        self._build = build
        self._has_pages = has_pages

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match by path, method and `Accept`."""
        if scope["type"] != "http" or scope["method"] not in METHODS:
            return Match.NONE, {}
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        if (asset := self._build.assets.get(path)) is not None:
            return Match.FULL, {"console_asset": asset}
        prefix = _prefix(path) if self._has_pages else None
        if prefix is None or not _accepts_html(scope):
            return Match.NONE, {}
        return Match.FULL, {"console_asset": None, "console_prefix": prefix}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file or the page. The log has the first segment of its path only."""
        asset: Asset | None = scope["console_asset"]
        stats = request_stats.current_request()
        if asset is not None:
            stats.path, response = "/{asset}", _file(asset, Request(scope))
        else:
            stats.path, response = f"/{scope['console_prefix']}", self._page(scope)
        await response(scope, receive, send)

    def _page(self, scope: Scope) -> Response:
        index = self._build.index
        return pages.missing_page(scope) if index is None else pages.console_page(index, scope)


def routes(build: Build, *, has_pages: bool) -> list[BaseRoute]:
    """Return the routes of the build. If the console is switched off, it `has_pages` no more."""
    return [ConsoleRoute(build, has_pages=has_pages)]


def graphiql(build: Build) -> Callable[[Scope], Response]:
    """Return the function that writes GraphiQL, or without a build the page that says how to make one."""
    page = build.graphiql
    return pages.missing_graphiql_page if page is None else lambda scope: pages.graphiql_page(page, scope)


def _prefix(path: str) -> str | None:
    """Return the first segment if the path is one of the console's."""
    first = path.partition("/")[2].partition("/")[0]
    return first if path == "/" or first in PREFIXES else None


def _accepts_html(scope: Scope) -> bool:
    header = parse_headers(scope).get(b"accept", b"").decode("latin-1")
    return any(weight > 0 and name == pages.MEDIA_TYPE for name, weight in weights(header))


def _file(asset: Asset, request: Request) -> Response:
    accepted = dict(weights(request.headers.get("accept-encoding", "")))
    packed = asset.compressed if accepted.get(GZIP, 0) > 0 else None
    variant = packed or asset.plain
    response = cached_response(request, variant.content, asset.media_type, asset.cache_control, variant.tag)
    response.headers["Vary"] = "Accept-Encoding"
    if packed is not None and response.body:
        response.headers["Content-Encoding"] = GZIP
    return response
