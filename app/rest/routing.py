"""From a table of routes to answers: paths, methods, who may call and which body, in one way for all of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import quote, unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from app import http, policy
from app.config import Settings
from app.db import Freshness, Transaction
from app.domain import viewer as viewers
from app.domain.errors import ChangeMade, Problem
from app.domain.viewer import Viewer
from app.http.deadlines import CHANGE_MADE
from app.observability import request_stats
from app.query.reader import ListReader, query_freshness
from app.query.sql import SelectBuilder
from app.rest import errors, request_bodies
from app.rest.parameters import Field, bound
from app.rest.request_bodies import Body
from app.services import audit, session
from app.services.app_context import AppContext
from app.services.roles import RowRef

SAFE = ("GET", "HEAD")

SECONDS = 60
"""How long a call may take, once its body is received."""


class AuthMode(Enum):
    """Whose calls are let in. What she may do then is for the service to say."""

    NONE = "whoever it is: a token is only looked at to refuse one that was revoked"
    OPTIONAL = "somebody, or nobody: a token that is no good is refused"
    REQUIRED = "somebody"


@dataclass(frozen=True, slots=True)
class RestContext:
    """What the routes have of the house."""

    app: AppContext
    statements: SelectBuilder
    settings: Settings


@dataclass(frozen=True, slots=True)
class Call:
    """What one call carries: who calls, the `{words}` of the path, and what was given in the query and the body.

    `document` is the body of a route that takes one; else it is empty.
    """

    request: Request
    context: RestContext
    viewer: Viewer
    path_parameters: Mapping[str, str]
    query: Mapping[str, Any]
    fields: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def app(self) -> AppContext:
        """What signing in needs, and the door to the database."""
        return self.context.app

    @property
    def reads(self) -> ListReader:
        """Reads for who calls, as of now."""
        freshness = query_freshness(self.viewer) if self.request.method == "GET" else Freshness.PRIMARY
        return ListReader(self.app.database, self.context.statements, self.viewer, self.app.database.clock(), freshness)

    def change(self, action: str) -> AbstractAsyncContextManager[Transaction]:
        """Open the transaction of a change. The action is the GraphQL mutation that does the same."""
        return audit.transaction(self.app.database, self.viewer, action)

    def load_user(self, word: str = "userName") -> RowRef:
        """How the path names a user."""
        return "user_name", self.path_parameters[word]

    def load_org(self) -> RowRef:
        """How the path names an org."""
        return "slug", self.path_parameters["orgSlug"]


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table. The path's fixed words are in lower case; `{word}` stands for any.

    `gives` is the shape of the body of a success, None for no body. `as_400` are the problems that this route tells
    with that status instead of their own; `refuses` the statuses of its refusals beyond those that all such routes
    have. `name` is the operation's in the OpenAPI description; `elsewhere` says that an external provider does this
    where there is one, so that it is refused here; `weighs_tokens` that who brings bad tokens is made to wait.
    """

    method: str
    path: str
    answer: Callable[[Call], Awaitable[Response]]
    auth_mode: AuthMode
    description: str
    body: Body = Body.NONE
    fields: tuple[Field, ...] = ()
    query: tuple[Field, ...] = ()
    response_type: Any = None
    status: int = 200
    refusals: tuple[int, ...] = ()
    answers_400: tuple[type[Problem], ...] = ()
    name: str = ""
    is_externally_managed: bool = False
    throttles_tokens: bool = False

    @property
    def parameter_names(self) -> list[str]:
        """The names of the path's `{words}`, in its order."""
        return [part[1:-1] for part in self.path.split("/") if _is_open(part)]


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A path of the table, and what is answered there by method."""

    pattern: tuple[str, ...]
    routes: Mapping[str, Route]

    def match(self, words: Sequence[str]) -> dict[str, str] | None:
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


def build_routes(table: Sequence[Route]) -> list[RouteEntry]:
    """The table by path, in the order in which they are tried: a fixed word goes before `{word}`."""
    found: dict[tuple[str, ...], dict[str, Route]] = {}
    for route in table:
        here = found.setdefault(tuple(route.path.split("/")[1:]), {})
        assert route.method not in here, f"{route.method} {route.path} stands in the table twice"
        here[route.method] = route
    return [RouteEntry(pattern, found[pattern]) for pattern in sorted(found, key=lambda parts: [*map(_is_open, parts)])]


class RestRouter(BaseRoute):
    """All REST routes as one: a Starlette route that matches every path of the table."""

    def __init__(self, table: Sequence[Route], house_of: Callable[[Request], RestContext]) -> None:
        self._places = build_routes(table)
        self._house_of = house_of

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match by path alone: a method that is not taken is refused here too."""
        words = _path_segments(scope) if scope["type"] == "http" else []
        for place in self._places:
            if (matched := place.match(words)) is not None:
                return Match.FULL, {"place": place, "path_params": matched}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, whatever happens."""
        request, place, about = Request(scope, receive), scope["place"], request_stats.current_request()
        about.api, about.path = "rest", "/" + "/".join(place.pattern)
        about.kind = "query" if request.method in SAFE else "mutation"
        http.note_origin(request, "REST")
        response = await _answer(request, place, self._house_of(request))
        await response(scope, receive, send)


async def _answer(request: Request, place: RouteEntry, house: RestContext) -> Response:
    route = place.routes.get("GET" if request.method == "HEAD" else request.method)
    drone_db_clients = house.settings.drone_db_clients
    try:
        if route is None:
            raise http.MethodNotAllowed("This path does not take that method.", place.methods)
        async with asyncio.timeout(SECONDS + house.settings.request_limits.body_seconds):
            call = await _call(request, route, house)
        async with _limited(house.settings.query_seconds):
            return await route.answer(call)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    except Exception as error:
        as_400 = () if route is None else route.answers_400
        return errors.error_response(
            error,
            as_400=as_400,
            drone_db_clients=drone_db_clients,
            most_errors=house.settings.request_limits.errors,
        )


@asynccontextmanager
async def _limited(seconds: int) -> AsyncIterator[None]:
    """Stop what takes too long; after a commit, the answer has so many seconds of its own."""
    about, loop = request_stats.current_request(), asyncio.get_running_loop()
    try:
        async with asyncio.timeout(SECONDS) as limit:

            def begin_to_read() -> None:
                if not limit.expired():
                    limit.reschedule(loop.time() + seconds)

            about.after_commit = begin_to_read
            yield
    except asyncio.CancelledError:
        if not about.committed_changes:
            raise
        raise ChangeMade(CHANGE_MADE) from None
    finally:
        about.after_commit = None


async def _call(request: Request, route: Route, house: RestContext) -> Call:
    async with session.token_slot(house.app) if route.throttles_tokens else nullcontext():
        viewer = await _viewer(request, route, house)
        if route.auth_mode is AuthMode.REQUIRED:
            policy.require_signed_in(viewer)
    query = bound(route.query, request_bodies.query(request))
    sent = await request_bodies.read(request, route.body, house.settings.request_limits)
    given, document = bound(route.fields, sent), sent.document or {}
    return Call(request, house, viewer, request.path_params, query, given, document)


async def _viewer(request: Request, route: Route, house: RestContext) -> Viewer:
    """Who calls; one who is known by a cookie changes something only from our own pages."""
    shown = http.extract_credentials(request.scope, house.settings.auth_cookie_name)
    if route.auth_mode is AuthMode.NONE:
        await session.reject_revoked(house.app, shown)
        return viewers.ANONYMOUS
    viewer = await http.authenticate(house.app, shown)
    if request.method not in SAFE:
        http.require_own_page(request, shown, viewer)
    return viewer


def _path_segments(scope: Scope) -> list[str]:
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
