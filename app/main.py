"""The composition root: builds both APIs and the ASGI application around the context of the services."""

import gc
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Scope

from app import http as web
from app import rest
from app.administration import close_context, open_context
from app.config import Settings
from app.config.sources import FILE_VARIABLE
from app.domain.program import program_name
from app.graphql import http, schema
from app.graphql.coercion.variables import VariableCoercion
from app.graphql.compiled.executor import CompiledExecutor
from app.graphql.compiled.mutations import MutationExecutor
from app.graphql.compiled.planner import Planner
from app.graphql.documents.cache import DocumentCache
from app.graphql.handler import GraphQLHandler
from app.http import FastRouter, RequestLog, RequestMiddleware, console
from app.http.budget import BUDGET, Budget
from app.http.fastpath.router import ProxyGate
from app.http.listener import listen
from app.http.traced_middleware import TracedRequestMiddleware
from app.observability.trace_export import TraceExporter
from app.operations import Operations
from app.query.sql import SelectBuilder
from app.services import housekeeping
from app.services.app_context import AppContext
from app.services.backups.schedule import BackupSchedule, scheduled

Result = TypeVar("Result")

log = logging.getLogger(__name__)

KEY_CACHE_HEADERS = {"Cache-Control": "public, max-age=300"}
"""Clients cache the public keys for five minutes. They fetch a new key earlier when they meet its id in a token."""

YOUNG_OBJECTS = 10_000
"""New objects that start a collection of garbage. A few dozen requests in flight hold thousands that are no garbage."""

SWITCH_SECONDS = 0.001
"""Interpreter switch interval: a thread that parses a large document blocks the event loop no longer than this."""


def sdl() -> str:
    """Return the GraphQL schema in its definition language."""
    return schema.sdl()


def create() -> ProxyGate:
    """Return the application for the settings in the environment of this process."""
    program_name.set(f"ostiary worker {os.getpid()}")
    file = os.environ.get(FILE_VARIABLE)
    settings = Settings.read(Path(file) if file else None)
    app = create_app(settings, owns_process=True)
    gc.collect()
    gc.freeze()  # objects loaded at startup live as long as the process: no collection scans them again
    gc.set_threshold(YOUNG_OBJECTS)
    gc.enable()
    sys.setswitchinterval(SWITCH_SECONDS)
    return ProxyGate(app, settings.trusted_proxies)


def create_app(settings: Settings, *, owns_process: bool = False) -> Starlette:
    """Return the application for these settings. Their database must be prepared.

    With `owns_process`, the application handles the signals that end the process.
    """
    documents = DocumentCache(schema.core(), settings.limits, max_errors=settings.request_limits.errors)
    operations, write_error = Operations(documents), _error_writer(settings)
    exporter = TraceExporter(settings.traces_endpoint) if settings.traces_endpoint else None

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Budget]]:
        context = await open_context(settings, longest=settings.query_seconds, traced=exporter is not None)
        app.state.answering = _graphql_handler(settings, documents, context)
        exporting = exporter.running() if exporter else nullcontext()
        with operations.shutdown.on_signals() if owns_process else nullcontext():
            async with exporting, operations.attach(context), _work_beside_requests(settings, operations, context):
                yield {BUDGET: Budget(settings.request_limits, operations.metrics, write_error)}
        await close_context(context)

    def answer(scope: Scope, request: http.GraphQLRequest) -> Awaitable[http.GraphQLAnswer]:
        return _handler_of(app)(scope, request)

    async def require_schema_access(request: Request) -> None:
        await _handler_of(request.app).require_schema_shown(request)

    def rest_context(request: Request) -> rest.RestContext:
        handler = _handler_of(request.app)
        return rest.RestContext(handler.app, handler.statements, settings)

    admission = None if settings.introspection == "everyone" else require_schema_access
    build = console.Build.read()
    page, limits = console.graphiql(build), settings.request_limits
    api, *parts = http.routes(answer, schema.sdl(), page=page, limits=limits, admit=admission)
    pages = [*parts, *console.routes(build, has_pages=settings.console), *_pages(settings, operations)]
    app = Starlette(routes=[api, *pages, rest.create_router(rest_context)], lifespan=lifespan)
    log = RequestLog(operations.metrics, operations.shutdown, write_error, settings.slow_request_milliseconds)
    router = FastRouter([api], ExceptionMiddleware(app.router, {HTTPException: rest.unexpected_response}))
    app.middleware_stack = _around(web.cors(router, settings.allowed_origins), log, settings, exporter)
    return app


def _handler_of(app: Starlette) -> GraphQLHandler:
    """Return the handler of GraphQL requests, which the start of the application makes."""
    handler: GraphQLHandler = app.state.answering
    return handler


def _around(inner: ASGIApp, log: RequestLog, settings: Settings, exporter: TraceExporter | None) -> RequestMiddleware:
    """Return the middleware around the routes: with an exporter, it traces requests."""
    if exporter is None:
        return RequestMiddleware(inner, log)
    return TracedRequestMiddleware(inner, log, exporter.add, settings.traces_ratio)


@asynccontextmanager
async def _work_beside_requests(settings: Settings, operations: Operations, context: AppContext) -> AsyncIterator[None]:
    """Make the backups that are due, do the housekeeping, and serve the metrics at their own address."""
    operations.backups = BackupSchedule(settings) if settings.backup_interval else None
    retention = housekeeping.Retention(settings.audit_lifetime, settings.ended_lifetime)
    has_metrics = settings.metrics_address is not None or settings.metrics_token is not None
    async with (
        operations.measure() if has_metrics else nullcontext(),
        _listen(settings, operations),
        scheduled(operations.backups),
        housekeeping.running(context, retention),
    ):
        yield


def _listen(settings: Settings, operations: Operations) -> AbstractAsyncContextManager[None]:
    """Serve the metrics at their own address, if `MetricsAddress` is set."""
    if settings.metrics_address is None:
        return nullcontext()
    return listen(Starlette(routes=operations.routes(is_open=True)), settings.metrics_endpoint)


def _pages(settings: Settings, operations: Operations) -> list[BaseRoute]:
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    own = [Route("/", _home), *operations.routes(token), Route("/.well-known/jwks.json", _public_keys)]
    return [*own, *rest.description(settings)]


def _graphql_handler(settings: Settings, documents: DocumentCache, app: AppContext) -> GraphQLHandler:
    statements = SelectBuilder(app.database)
    planner = Planner(schema.core(), statements, schema.converted, app)
    limits = settings.request_limits
    variables = VariableCoercion(schema.core(), limits.errors, limits.variable_values)
    handler = GraphQLHandler(schema.core(), documents, app, statements, settings, variables)
    if settings.executor == "reference":
        return handler
    return replace(handler, compiled=CompiledExecutor(planner), changes=MutationExecutor(planner))


def _error_writer(settings: Settings) -> Callable[[str, Exception], Response]:
    """Return a function that writes an error raised outside of an API in the format of that API."""

    def write(api: str, error: Exception) -> Response:
        if api == "graphql":
            return http.unexpected_response(error)
        return rest.error_response(
            error, drone_db_clients=settings.drone_db_clients, max_errors=settings.request_limits.errors
        )

    return write


async def _home(request: Request) -> Response:
    return RedirectResponse(request.url_for("graphql").path)


async def _public_keys(request: Request) -> Response:
    handler: GraphQLHandler = request.app.state.answering
    app = handler.app
    await app.key_store.refresh()
    jwks = [app.tickets.jwk, *(key.jwk for key in app.signer.keys.valid_at(app.database.clock()))]
    return Response(orjson.dumps({"keys": jwks}), headers=KEY_CACHE_HEADERS, media_type="application/jwk-set+json")
