"""Routing of the REST API: a table of routes with their authentication, parameters and bodies, and one router."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from app import http, policy
from app.config import Settings
from app.db import Freshness, Transaction
from app.db.statements import Row
from app.domain import viewer as viewers
from app.domain.errors import ChangeMade, NotFound, Problem, Unauthenticated
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.http.deadlines import CHANGE_MADE
from app.observability import request_stats
from app.query.reader import QUERY_FRESHNESS, ListReader
from app.query.relations import Layout
from app.query.sql import SelectBuilder
from app.rest import errors, etags, idempotency, models, request_bodies
from app.rest.parameters import Field, bind, fill_empty_form
from app.rest.request_bodies import Body
from app.services import audit, read_graph, retries, session, users, validation
from app.services.app_context import AppContext

SAFE = ("GET", "HEAD")

MAX_SECONDS = 60
"""Time limit of a call after its body is received."""


T = TypeVar("T")


class AuthMode(Enum):
    """Authentication of a route. The services check the permissions."""

    NONE = "not authenticated: every caller is anonymous, and a revoked token is rejected"
    OPTIONAL = "anonymous without a token: an invalid token is rejected"
    REQUIRED = "a valid token is required"


@dataclass(frozen=True, slots=True)
class RestContext:
    """Dependencies of the routes."""

    app: AppContext
    statements: SelectBuilder
    settings: Settings


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a route: the viewer and the parsed parameters of path, query and body.

    `document` is the JSON object of a route with `Body.DOCUMENT`, else empty.
    """

    request: Request
    context: RestContext
    viewer: Viewer
    path_parameters: Mapping[str, str]
    query: Mapping[str, Any]
    fields: Mapping[str, Any]
    document: Mapping[str, Any]
    condition: etags.Condition = etags.ANY
    """The condition of a change, by If-Match and If-None-Match."""

    @property
    def app(self) -> AppContext:
        """The dependencies of the process."""
        return self.context.app

    @property
    def reads(self) -> ListReader:
        """A reader for the viewer at the current time. A replica may answer only a GET."""
        freshness = QUERY_FRESHNESS if self.request.method == "GET" else Freshness.PRIMARY
        return ListReader(self.app.database, self.context.statements, self.viewer, self.app.database.clock(), freshness)

    def change(self, action: str) -> AbstractAsyncContextManager[Transaction]:
        """Open the transaction of a change, audited under the name of the equivalent GraphQL mutation."""
        return audit.transaction(self.app.database, self.viewer, action, if_revisions=self.condition.revisions)

    def user_ref(self, parameter: str = "userName") -> RowRef:
        """Return the reference to the user in the path."""
        return "user_name", self.path_parameters[parameter]

    def org_ref(self) -> RowRef:
        """Return the reference to the org in the path."""
        return "slug", self.path_parameters["orgSlug"]


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table. Fixed segments of the path are in lower case, `{name}` is a parameter.

    `response_type` is the type of the body of a success, None for no body. `refusals` are the statuses of errors beyond
    those of all such routes. `answers_400` are the problems with status 400 instead of their own. `name` is the OpenAPI
    operation id. With `needs_local_accounts`, the description says that the route is refused if there is an identity
    provider; the service refuses it. With
    `throttles_tokens`, callers with invalid tokens must wait. A route that `has_revision` answers one object with its
    ETag, or changes one and obeys If-Match. Any other change refuses conditions.
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
    needs_local_accounts: bool = False
    throttles_tokens: bool = False
    has_revision: bool = False

    @property
    def takes_key(self) -> bool:
        """Return whether the route takes an idempotency key: a change whose response has no token."""
        return self.method not in SAFE and self.response_type is not models.Session

    @property
    def field_names(self) -> dict[str, str]:
        """Names of the fields by the names that the services use for them, where those differ."""
        return {name: field.name for field in (*self.query, *self.fields) for name in field.input_fields}

    @property
    def parameter_names(self) -> list[str]:
        """Names of the path parameters, in the order of the path."""
        return [segment[1:-1] for segment in self.path.split("/") if _is_parameter(segment)]


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A path of the table with its routes by method."""

    pattern: tuple[str, ...]
    routes: Mapping[str, Route]

    def match(self, segments: Sequence[str]) -> dict[str, str] | None:
        """Return the path parameters, or None if the path does not match."""
        if len(segments) != len(self.pattern):
            return None
        pairs = list(zip(self.pattern, segments, strict=True))
        if not all(segment if _is_parameter(part) else segment.lower() == part for part, segment in pairs):
            return None
        return {part[1:-1]: segment for part, segment in pairs if _is_parameter(part)}

    @property
    def methods(self) -> list[str]:
        """The methods of the path, for the header Allow."""
        return sorted({*self.routes, *(["HEAD"] if "GET" in self.routes else [])})


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{")


def build_routes(table: Sequence[Route]) -> list[RouteEntry]:
    """Return the entries in matching order: fixed segments come before parameters."""
    routes: dict[tuple[str, ...], dict[str, Route]] = {}
    for route in table:
        by_method = routes.setdefault(tuple(route.path.split("/")[1:]), {})
        assert route.method not in by_method, f"{route.method} {route.path} is in the table twice"
        by_method[route.method] = route
    patterns = sorted(routes, key=lambda pattern: [*map(_is_parameter, pattern)])
    return [RouteEntry(pattern, routes[pattern]) for pattern in patterns]


class RestRouter(BaseRoute):
    """A Starlette route for all paths of the table."""

    def __init__(self, table: Sequence[Route], get_context: Callable[[Request], RestContext]) -> None:
        self._entries = build_routes(table)
        self._longest = max(len(entry.pattern) for entry in self._entries)
        self._get_context = get_context

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the path alone; `handle` refuses unsupported methods."""
        segments = _path_segments(scope, self._longest) if scope["type"] == "http" else []
        for entry in self._entries:
            if (parameters := entry.match(segments)) is not None:
                return Match.FULL, {"route_entry": entry, "path_params": parameters}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response of the route, or of its error."""
        request, entry, stats = Request(scope, receive), scope["route_entry"], request_stats.current_request()
        stats.api, stats.path = "rest", "/" + "/".join(entry.pattern)
        stats.kind = "query" if request.method in SAFE else "mutation"
        http.note_origin(request, "REST")
        response = await _answer(request, entry, self._get_context(request))
        await response(scope, receive, send)


async def _answer(request: Request, entry: RouteEntry, context: RestContext) -> Response:
    route = entry.routes.get("GET" if request.method == "HEAD" else request.method)
    settings = context.settings
    try:
        if route is None:
            raise http.MethodNotAllowed("This path does not support that method.", entry.methods)
        async with asyncio.timeout(MAX_SECONDS + settings.request_limits.body_seconds):
            call = await _parse_call(request, route, context)
        async with _limit_time(settings.query_seconds):
            return await _run(call, route)
    except ClientDisconnect:
        return Response(status_code=400)  # the client is gone
    except Exception as error:
        return errors.error_response(
            error,
            as_400=() if route is None else route.answers_400,
            names={} if route is None else route.field_names,
            drone_db_clients=settings.drone_db_clients,
            max_errors=settings.request_limits.errors,
        )


async def _run(call: Call, route: Route) -> Response:
    """Return the response of a route. A change is tried again if others interfere, and may have an idempotency key."""
    work = partial(route.answer, call)
    if call.request.method in SAFE:
        if route.auth_mode is AuthMode.OPTIONAL and call.viewer.user_id is None and call.app.database.waits:
            async with call.app.anonymous_reads.slot():
                return await work()
        return await work()
    if not route.takes_key:
        idempotency.refuse(call.request)
    elif idempotency.HEADER in call.request.headers:
        values = [call.path_parameters, call.query, call.fields, call.document]
        return await idempotency.answer(call.app, call.request, call.viewer, route.name, values, work)
    return await retries.run(work)


@asynccontextmanager
async def _limit_time(seconds: int) -> AsyncIterator[None]:
    """Limit a call to `MAX_SECONDS`. After a commit, the response has `seconds` of its own."""
    stats, loop = request_stats.current_request(), asyncio.get_running_loop()
    try:
        async with asyncio.timeout(MAX_SECONDS) as limit:

            def begin_to_read() -> None:
                if not limit.expired():
                    limit.reschedule(loop.time() + seconds)

            stats.after_commit = begin_to_read
            yield
    except asyncio.CancelledError:
        if not stats.committed_changes:
            raise
        raise ChangeMade(CHANGE_MADE) from None
    finally:
        stats.after_commit = None


async def _parse_call(request: Request, route: Route, context: RestContext) -> Call:
    async with session.token_slot(context.app) if route.throttles_tokens else nullcontext():
        viewer = await _authenticate(request, route, context)
        if route.auth_mode is AuthMode.REQUIRED:
            policy.require_signed_in(viewer)
    query = bind(route.query, request_bodies.query(request))
    body = await request_bodies.read(request, route.body, context.settings.request_limits)
    if context.settings.drone_db_clients:
        body = fill_empty_form(route.fields, body)
    fields, document = bind(route.fields, body), body.document or {}
    return Call(request, context, viewer, request.path_params, query, fields, document, _condition(request, route))


def _condition(request: Request, route: Route) -> etags.Condition:
    if request.method in SAFE:
        return etags.ANY
    return etags.read_condition(request) if route.has_revision else etags.refuse_conditions(request)


async def _authenticate(request: Request, route: Route, context: RestContext) -> Viewer:
    """Return the viewer. Raises Unauthenticated, and Forbidden for a change with a cookie from another site."""
    credentials = http.extract_credentials(request.scope, context.settings.auth_cookie_name)
    if route.auth_mode is AuthMode.NONE:
        await session.reject_revoked(context.app, credentials)
        return viewers.ANONYMOUS
    viewer = await http.authenticate(context.app, credentials)
    http.require_expected_viewer(request.scope, viewer)
    if request.method not in SAFE:
        http.require_own_page(request, credentials, viewer)
    return viewer


def _path_segments(scope: Scope, maximum: int) -> list[str]:
    """Return the decoded segments of the path without a trailing slash.

    The list is empty if they are not UTF-8, or more than `maximum`. They come from the raw path, since the decoded path
    does not distinguish an encoded `/` from a separator.
    """
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    path = raw.decode("latin-1").removeprefix(quote(scope.get("root_path", "")))
    segments = path.removesuffix("/").split("/", maximum + 1)[1:]
    if len(segments) > maximum:
        return []
    try:
        return [unquote(segment, errors="strict") for segment in segments]
    except UnicodeDecodeError:
        return []


async def load_user(call: Call, layout: Layout) -> Row:
    """Return the columns of the user in the path. Raises NotFound."""
    user_name = validation.normalize_key(call.path_parameters["userName"])
    row = await call.reads.one(read_graph.user_named, layout, user_name)
    if row is None:
        raise users.user_not_found(("userName",))
    return row


async def load_org(reads: ListReader, slug: str, layout: Layout) -> Row:
    """Return the columns of an org by its slug. Raises NotFound."""
    row = await reads.one(read_graph.org_slugged, layout, validation.normalize_key(slug))
    if row is None:
        raise NotFound("There is no such org.", ("orgSlug",))
    return row


def require_viewer(value: T | None) -> T:
    """Return what was read about the viewer; raises Unauthenticated if they were deleted since they were found."""
    if value is None:
        raise Unauthenticated("This user was just deleted.")
    return value


def require_result(row: Row | None) -> Row:
    """Return the row of an object that this call has changed; raises ChangeMade if it was deleted since."""
    if row is None:
        raise ChangeMade(CHANGE_MADE)
    return row
