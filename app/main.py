"""Joins the parts: the only place that knows them all."""

import asyncio
import gc
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import TypeVar

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from app import db, rest
from app import http as web
from app.config import Settings, secret
from app.config.sources import FILE_VARIABLE
from app.db import migrations
from app.domain.request_origin import COMMAND, current_origin
from app.graphql import http, schema
from app.graphql.coercion.variables import VariableCoercion
from app.graphql.compiled.executor import CompiledExecutor
from app.graphql.compiled.mutations import MutationExecutor
from app.graphql.compiled.planner import Planner
from app.graphql.documents.cache import DocumentCache
from app.graphql.handler import GraphQLHandler
from app.http import FastRouter, RequestLog, RequestMiddleware
from app.http.budget import BUDGET, Budget
from app.http.fastpath.proxy_gate import ProxyGate
from app.http.listener import listen
from app.operations import Operations
from app.query.sql import SelectBuilder
from app.security import keys, passwords, tickets
from app.security.passwords import PasswordHasher
from app.security.session_tokens import TokenSigner
from app.services import access_index_rebuild, api_tokens, bootstrap, demo, quotas, session, session_revocation
from app.services.app_context import AppContext
from app.services.identity_provider import IdentityProvider
from app.services.login_throttle import LoginThrottle
from app.services.signing_keys import KeyInfo, KeyStore, list_keys, rotate

Done = TypeVar("Done")

log = logging.getLogger(__name__)

FIRST_STEP = "0001"
"""The migration that only a new database needs."""

KEYS_KEPT = {"Cache-Control": "public, max-age=300"}
"""How long others may keep the public keys: a new one is looked for by its name anyway."""

SWITCH_SECONDS = 0.001
"""How long a thread that reads a large document keeps the event loop from its turn. It competes with nothing else."""

HASHING_QUEUE = 1_024
"""How many requests may wait for their turn to have a password hashed."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was done before serving: the steps that were run, and whether well-known passwords open an account.

    `first_password` is that of an administrator that was just made with a password of their own, to be told once.
    """

    migrated: list[str]
    default_password_valid: bool
    demo_password_valid: bool
    first_password: str | None = None


def prepare(settings: Settings, *, exposed: bool = False, serves: bool = False) -> Prepared:
    """Bring the database to its shape and see to it that somebody administers it.

    Where others reach the server (`exposed`), no administrator is made with the password that everybody knows. A start
    that `serves` makes them with a random password instead; other commands leave it to the next start. An external
    provider says itself who administers, so that none is made at all.
    """
    has_secret = settings.secret is None and settings.secret_path.exists()
    migrated = migrations.upgrade(settings.database_url)
    if has_secret and migrated and migrated[0] == FIRST_STEP:
        log.warning(
            "new database beside an old secret path=%s: if the database is missing, stop and put it back",
            settings.secret_path,
        )

    async def bootstrapped(desk: AppContext) -> Prepared:
        if desk.provider is not None:  # no password that is stored here opens anything
            return Prepared(migrated, default_password_valid=False, demo_password_valid=False)
        is_open = await bootstrap.is_default_password_valid(desk, settings.default_admin)
        first = None
        if not (exposed and is_open):
            await bootstrap.ensure_admin(desk, settings.default_admin)
        elif serves and not await bootstrap.is_administered(desk):
            first = passwords.generate(settings.password_policy)
            is_made = await bootstrap.ensure_admin(desk, settings.default_admin, first)
            is_open, first = False, first if is_made else None
        return Prepared(migrated, is_open, await demo.is_demo_password_valid(desk), first)

    return _with_context(settings, bootstrapped)


def fill(settings: Settings) -> Sequence[str]:
    """Fill the empty, prepared database with the demo world; answers what to tell about it, line by line."""
    return _with_context(settings, demo.fill).report


def tour() -> Sequence[str]:
    """What to tell about the demo world where it is made already."""
    return demo.tour_lines()


def reindex(settings: Settings, tell: Callable[[int, int], None]) -> access_index_rebuild.RebuildResult:
    """Make the access index anew; tells as it goes how many resources are done, and of how many."""
    migrations.upgrade(settings.database_url)
    return _with_context(settings, lambda desk: access_index_rebuild.reindex(desk.database, tell))


def end_sessions(settings: Settings, *, api_tokens: bool) -> session_revocation.EndedSessions:
    """End every session and ticket, and every API token if so asked."""
    migrations.upgrade(settings.database_url)
    return _with_context(settings, lambda desk: session_revocation.end_all(desk.database, api_tokens=api_tokens))


def reset_password(settings: Settings, user_name: str, password: str | None) -> str | None:
    """Set a user's password; returns the one that was made up where none is given."""
    migrations.upgrade(settings.database_url)
    made = passwords.generate(settings.password_policy) if password is None else None
    _with_context(settings, lambda desk: session.reset_by_operator(desk, user_name, password or made or ""))
    return made


def signing_keys(settings: Settings) -> list[KeyInfo]:
    """The keys that sign tokens, oldest first."""
    migrations.upgrade(settings.database_url)
    return _with_context(settings, lambda desk: list_keys(desk.key_store))


def rotate_keys(settings: Settings, *, revoke: bool) -> str:
    """Make a key that signs tokens from now on; answers its name."""
    migrations.upgrade(settings.database_url)
    lifetime = timedelta(days=settings.token_expiration_in_days)
    return _with_context(settings, lambda desk: rotate(desk.key_store, lifetime, revoke=revoke))


def _with_context(settings: Settings, act: Callable[[AppContext], Awaitable[Done]]) -> Done:
    """Do one thing with the database and leave."""

    async def done() -> Done:
        current_origin.set(COMMAND)
        desk = await _app_context(settings)
        try:
            return await act(desk)
        finally:
            await _close(desk)

    return asyncio.run(done())


def sdl() -> str:
    """The GraphQL schema as text."""
    return schema.sdl()


def create() -> ProxyGate:
    """The application for the settings of this process's environment."""
    file = os.environ.get(FILE_VARIABLE)
    settings = Settings.read(Path(file) if file else None)
    made = create_app(settings, owns_process=True)
    gc.collect()
    gc.freeze()  # what is loaded stays: the collector need not look through it again and again
    gc.enable()
    sys.setswitchinterval(SWITCH_SECONDS)
    return ProxyGate(made, settings.trusted_proxies)


def create_app(settings: Settings, *, owns_process: bool = False) -> Starlette:
    """The application for some settings; its database must have been prepared.

    Where it `owns_process`, it takes note of the signals that end it.
    """
    documents = DocumentCache(schema.core(), settings.limits, most_errors=settings.request_limits.errors)
    operations = Operations(documents)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Budget]]:
        desk = await _app_context(settings, longest=settings.query_seconds)
        app.state.answering = _graphql_handler(settings, documents, desk)
        with operations.stopping.on_signals() if owns_process else nullcontext():
            async with operations.attach(desk), _listen(settings, operations):
                yield {BUDGET: Budget(settings.request_limits, operations.meter, _failed(settings))}
        await _close(desk)

    def answer(scope: Scope, asked: http.GraphQLRequest) -> Awaitable[http.GraphQLAnswer]:
        answering: GraphQLHandler = made.state.answering
        return answering(scope, asked)

    async def admit(request: Request) -> None:
        answering: GraphQLHandler = request.app.state.answering
        await answering.require_schema_shown(request)

    def house_of(request: Request) -> rest.RestContext:
        answering: GraphQLHandler = request.app.state.answering
        return rest.RestContext(answering.app, answering.statements, settings)

    admission = None if settings.introspection == "everyone" else admit
    api, *parts = http.routes(answer, schema.sdl(), limits=settings.request_limits, admit=admission)
    routes = [api, *parts, *_pages(settings, operations), *rest.description(settings), rest.create_router(house_of)]
    made = Starlette(routes=routes, lifespan=lifespan)
    front = FastRouter([api], ExceptionMiddleware(made.router, {HTTPException: rest.unexpected_response}))
    watching = RequestLog(operations.meter, operations.stopping, _failed(settings), settings.slow_request_milliseconds)
    made.middleware_stack = RequestMiddleware(web.cors(front, settings.allowed_origins), watching)
    return made


def _listen(settings: Settings, operations: Operations) -> AbstractAsyncContextManager[None]:
    """The listener of its own for metrics, if one is set."""
    if settings.metrics_address is None:
        return nullcontext()
    return listen(Starlette(routes=operations.routes(is_open=True)), settings.metrics_endpoint)


def _pages(settings: Settings, operations: Operations) -> list[BaseRoute]:
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    return [Route("/", _home), *operations.routes(token), Route("/.well-known/jwks.json", _keys)]


def _graphql_handler(settings: Settings, documents: DocumentCache, desk: AppContext) -> GraphQLHandler:
    statements = SelectBuilder(desk.database)
    planner = Planner(schema.core(), statements, schema.converted)
    answering = GraphQLHandler(schema.core(), documents, desk, statements, settings, _variables(settings))
    if settings.executor == "reference":
        return answering
    return replace(answering, compiled=CompiledExecutor(planner), changes=MutationExecutor(planner))


def _variables(settings: Settings) -> VariableCoercion:
    return VariableCoercion(schema.core(), settings.request_limits.errors)


def _failed(settings: Settings) -> Callable[[str, Exception], Response]:
    """How each face writes what went wrong outside of it."""

    def failed(face: str, error: Exception) -> Response:
        if face == "graphql":
            return http.unexpected_response(error)
        return rest.error_response(
            error, drone_db_clients=settings.drone_db_clients, most_errors=settings.request_limits.errors
        )

    return failed


async def _app_context(settings: Settings, *, longest: float = inf) -> AppContext:
    database = await db.open_database(settings.database_url, size=settings.database_pool_size, longest=longest)
    kept = secret(settings)
    signer = TokenSigner(kept, timedelta(days=settings.token_expiration_in_days), settings.revoked_tokens)
    keyring = KeyStore(database, signer, keys.KeyCipher(kept), signing_key=settings.signs_with_keys)
    await keyring.open()
    hasher = PasswordHasher(settings.hashing_threads, HASHING_QUEUE)
    lifetime = timedelta(minutes=settings.ticket_expiration_in_minutes)
    provider = IdentityProvider(settings.external_auth_url) if settings.external_auth_url else None
    return AppContext(
        database,
        hasher,
        signer,
        keyring,
        settings.password_policy,
        tickets.TicketSigner(kept),
        quotas.StoragePolicy(settings.enable_storage_limiter, lifetime),
        LoginThrottle(settings.throttle, kept),
        api_tokens.LastUsedRecorder(database),
        settings.api_token_lifetime,
        provider=provider,
        has_personal_orgs=settings.makes_personal_orgs,
    )


async def _close(desk: AppContext) -> None:
    await desk.last_used.flush()
    await desk.throttle.flush()
    desk.hasher.close()
    if desk.provider is not None:
        await desk.provider.close()
    await desk.database.close()


async def _home(request: Request) -> Response:
    return RedirectResponse(request.url_for("graphql").path)


async def _keys(request: Request) -> Response:
    answering: GraphQLHandler = request.app.state.answering
    desk = answering.app
    await desk.key_store.refresh()
    signing_keys = desk.signer.keys.valid_at(desk.database.clock())
    body = orjson.dumps({"keys": [desk.tickets.jwk, *(key.jwk for key in signing_keys)]})
    return Response(body, headers=KEYS_KEPT, media_type="application/jwk-set+json")
