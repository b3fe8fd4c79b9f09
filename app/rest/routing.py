"""From a table of routes to answers: paths, methods, who may call and which body, in one way for all of them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import quote, unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from app import auth, policy, web
from app.auth import Viewer
from app.errors import Forbidden
from app.rest import bodies, errors
from app.rest.bodies import Body, Fields
from app.services import accounts
from app.services.accounts import Desk
from app.settings import Settings

SAFE = ("GET", "HEAD")


class Who(Enum):
    """Whose calls are let in. What she may do then is for the service to say."""

    UNASKED = "whoever it is: no token is looked at"
    ANYONE = "somebody, or nobody: a token that is no good is refused"
    SIGNED_IN = "somebody"


@dataclass(frozen=True, slots=True)
class Call:
    """What one call carries: who calls, the `{words}` of the path, the fields of the body, and what the house has."""

    request: Request
    settings: Settings
    desk: Desk
    viewer: Viewer
    words: Mapping[str, str]
    fields: Fields


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table. The path's fixed words are in lower case; `{word}` stands for any."""

    method: str
    path: str
    answer: Callable[[Call], Awaitable[Response]]
    who: Who
    body: Body = Body.NONE


@dataclass(frozen=True, slots=True)
class Place:
    """A path of the table, and what is answered there by method."""

    pattern: tuple[str, ...]
    routes: Mapping[str, Route]

    def matched(self, words: Sequence[str]) -> dict[str, str] | None:
        """The words that stand for the pattern's `{words}`; None for another path."""
        if len(words) != len(self.pattern):
            return None
        pairs = list(zip(self.pattern, words, strict=True))
        if not all(word if _is_open(part) else word.lower() == part for part, word in pairs):
            return None
        return {part[1:-1]: word for part, word in pairs if _is_open(part)}

    @property
    def methods(self) -> list[str]:
        """What `Allow` lists."""
        return sorted({*self.routes, *(["HEAD"] if "GET" in self.routes else [])})


def _is_open(part: str) -> bool:
    return part.startswith("{")


def places(table: Sequence[Route]) -> list[Place]:
    """The table by path, in the order in which they are tried: a fixed word goes before `{word}`."""
    found: dict[tuple[str, ...], dict[str, Route]] = {}
    for route in table:
        here = found.setdefault(tuple(route.path.split("/")[1:]), {})
        assert route.method not in here, f"{route.method} {route.path} stands in the table twice"
        here[route.method] = route
    return [Place(pattern, found[pattern]) for pattern in sorted(found, key=lambda parts: [*map(_is_open, parts)])]


class Face(BaseRoute):
    """All REST routes as one: a Starlette route that matches every path of the table."""

    def __init__(self, table: Sequence[Route], desk_of: Callable[[Request], Desk], settings: Settings) -> None:
        self._places = places(table)
        self._desk_of = desk_of
        self._settings = settings

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match by path alone: a method that is not taken is refused here too."""
        words = _words(scope) if scope["type"] == "http" else []
        for place in self._places:
            if (matched := place.matched(words)) is not None:
                return Match.FULL, {"place": place, "path_params": matched}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, whatever happens."""
        response = await self._respond(Request(scope, receive), scope["place"])
        await response(scope, receive, send)

    async def _respond(self, request: Request, place: Place) -> Response:
        try:
            route = place.routes.get("GET" if request.method == "HEAD" else request.method)
            if route is None:
                raise web.MethodNotAllowed("This path does not take that method.", place.methods)
            return await route.answer(await self._call(request, route))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except Exception as error:
            return errors.answered(error, drone_db_clients=self._settings.drone_db_clients)

    async def _call(self, request: Request, route: Route) -> Call:
        desk = self._desk_of(request)
        viewer = auth.ANONYMOUS if route.who is Who.UNASKED else await self._viewer(request, desk)
        if route.who is Who.SIGNED_IN:
            policy.require_signed_in(viewer)
        fields = await bodies.read(request, route.body)
        return Call(request, self._settings, desk, viewer, request.path_params, fields)

    async def _viewer(self, request: Request, desk: Desk) -> Viewer:
        """Who calls; one who is known by a cookie changes something only from our own pages."""
        cookie = request.cookies.get(self._settings.auth_cookie_name)
        shown = auth.presented(request.headers.get("authorization"), cookie)
        viewer = await accounts.identified(desk, shown)
        by_cookie = shown is not None and shown.by_cookie and viewer.user_id is not None
        if by_cookie and request.method not in SAFE and not web.same_origin(request):
            raise Forbidden(
                "A change with a cookie must come from this site's own pages; send the token in a header instead."
            )
        return viewer


def _words(scope: Scope) -> list[str]:
    """The words of the path, without the slash that may end it; none when they are not UTF-8.

    From the raw path: in the decoded one, a `/` inside a word looks like any other.
    """
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    path = raw.decode("latin-1").removeprefix(quote(scope.get("root_path", "")))
    parts = path.removesuffix("/").split("/")[1:]
    try:
        return [unquote(part, errors="strict") for part in parts]
    except UnicodeDecodeError:
        return []


def json(body: Any) -> Response:
    """An answer in JSON."""
    return Response(web.encoded(body), 200, web.UNKEPT, "application/json")
