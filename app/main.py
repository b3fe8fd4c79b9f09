"""Joins the parts: the only place that knows them all."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
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

from app import db, migrations, rest, schema, signing, tickets, web
from app.executor.changes import Changes
from app.executor.documents import Documents
from app.executor.plan import Planner
from app.executor.run import Compiled
from app.executor.variables import Variables
from app.operations import Operations
from app.origin import COMMAND, ORIGIN
from app.passwords import Hasher
from app.schema import http
from app.schema.execution import Answering
from app.services import accounts, api_tokens, bootstrap, demo, quotas, reindexing
from app.services.provider import Provider
from app.services.signing import Keyring, Listed, listed, rotate
from app.services.throttle import Throttle
from app.settings import Settings, secret
from app.statements import Statements
from app.tokens import Signer
from app.web import Front, Watch, Watching
from app.web.budget import BUDGET, Budget
from app.web.entrance import Entrance
from app.written import FILE_VARIABLE

Done = TypeVar("Done")

KEYS_KEPT = {"Cache-Control": "public, max-age=300"}
"""How long others may keep the public keys: a new one is looked for by its name anyway."""

HASHING_QUEUE = 64
"""How many passwords may wait to be hashed before a request is turned away."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What was done before serving: the steps that were run, and whether well-known passwords open a door."""

    migrated: list[str]
    default_password_valid: bool
    demo_password_valid: bool


def prepare(settings: Settings, *, exposed: bool = False) -> Ready:
    """Bring the database to its shape and see to it that somebody administers it.

    Where others reach the server (`exposed`), no administrator is made with the password that everybody knows: the
    caller refuses to serve, and the next start, with another password set, makes her. An external provider says itself
    who administers, so that none is made at all.
    """
    migrated = migrations.upgrade(settings.database_url)

    async def bootstrapped(desk: accounts.Desk) -> Ready:
        if desk.provider is not None:  # no password that is stored here opens anything
            return Ready(migrated, default_password_valid=False, demo_password_valid=False)
        is_open = await bootstrap.is_default_password_valid(desk, settings.default_admin)
        if not (exposed and is_open):
            await bootstrap.ensure_admin(desk, settings.default_admin)
        return Ready(migrated, is_open, await demo.is_open(desk))

    return _at_desk(settings, bootstrapped)


def fill(settings: Settings) -> Sequence[str]:
    """Fill the empty, prepared database with the demo world; answers what to tell about it, line by line."""
    return _at_desk(settings, demo.fill).report


def tour() -> Sequence[str]:
    """What to tell about the demo world where it is made already."""
    return demo.tour()


def reindex(settings: Settings, tell: Callable[[int, int], None]) -> reindexing.Reindexed:
    """Make the access index anew; tells as it goes how many resources are done, and of how many."""
    migrations.upgrade(settings.database_url)
    return _at_desk(settings, lambda desk: reindexing.reindex(desk.database, tell))


def signing_keys(settings: Settings) -> list[Listed]:
    """The keys that sign tokens, oldest first."""
    migrations.upgrade(settings.database_url)
    return _at_desk(settings, lambda desk: listed(desk.keyring))


def rotate_keys(settings: Settings, *, revoke: bool) -> str:
    """Make a key that signs tokens from now on; answers its name."""
    migrations.upgrade(settings.database_url)
    lifetime = timedelta(days=settings.token_expiration_in_days)
    return _at_desk(settings, lambda desk: rotate(desk.keyring, lifetime, revoke=revoke))


def _at_desk(settings: Settings, act: Callable[[accounts.Desk], Awaitable[Done]]) -> Done:
    """Do one thing with the database and leave."""

    async def done() -> Done:
        ORIGIN.set(COMMAND)
        desk = await _desk(settings)
        try:
            return await act(desk)
        finally:
            await _close(desk)

    return asyncio.run(done())


def sdl() -> str:
    """The GraphQL schema as text."""
    return schema.sdl()


def create() -> Entrance:
    """The application for the settings of this process's environment."""
    file = os.environ.get(FILE_VARIABLE)
    made = create_app(Settings.read(Path(file) if file else None), owns_process=True)
    gc.collect()
    gc.freeze()  # what is loaded stays: the collector need not look through it again and again
    gc.enable()
    return Entrance(made)


def create_app(settings: Settings, *, owns_process: bool = False) -> Starlette:
    """The application for some settings; its database must have been prepared.

    Where it `owns_process`, it takes note of the signals that end it.
    """
    documents = Documents(schema.core(), settings.limits)
    operations = Operations(documents)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Budget]]:
        desk = await _desk(settings, longest=settings.query_seconds)
        app.state.answering = _answering(settings, documents, desk)
        with operations.stopping.on_signals() if owns_process else nullcontext():
            async with operations.watched(desk):
                yield {BUDGET: Budget(settings.request_limits, operations.meter, _failed(settings))}
        await _close(desk)

    def answer(scope: Scope, asked: http.GraphQLRequest) -> Awaitable[http.Answer]:
        answering: Answering = made.state.answering
        return answering(scope, asked)

    async def admit(request: Request) -> None:
        answering: Answering = request.app.state.answering
        await answering.require_schema_shown(request)

    def house_of(request: Request) -> rest.House:
        answering: Answering = request.app.state.answering
        return rest.House(answering.desk, answering.statements, settings)

    admission = None if settings.introspection == "everyone" else admit
    api, *parts = http.routes(answer, schema.sdl(), settings.request_limits.body_bytes, admit=admission)
    routes = [api, *parts, *_pages(settings, operations), *rest.description(settings), rest.face(house_of)]
    made = Starlette(routes=routes, lifespan=lifespan)
    front = Front([api], ExceptionMiddleware(made.router, {HTTPException: rest.unanswered}))
    watching = Watching(operations.meter, operations.stopping, _failed(settings), settings.slow_request_milliseconds)
    made.middleware_stack = Watch(web.cors(front, settings.allowed_origins), watching)
    return made


def _pages(settings: Settings, operations: Operations) -> list[BaseRoute]:
    token = settings.metrics_token.get_secret_value() if settings.metrics_token else None
    return [Route("/", _home), *operations.routes(token), Route("/.well-known/jwks.json", _keys)]


def _answering(settings: Settings, documents: Documents, desk: accounts.Desk) -> Answering:
    statements = Statements(desk.database)
    planner = Planner(schema.core(), statements, schema.converted)
    answering = Answering(schema.core(), documents, desk, statements, settings, Variables(schema.core()))
    if settings.executor == "stock":
        return answering
    return replace(answering, compiled=Compiled(planner), changes=Changes(planner))


def _failed(settings: Settings) -> Callable[[str, Exception], Response]:
    """How each face writes what went wrong outside of it."""

    def failed(face: str, error: Exception) -> Response:
        if face == "graphql":
            return http.unanswered(error)
        return rest.answered(error, drone_db_clients=settings.drone_db_clients)

    return failed


async def _desk(settings: Settings, *, longest: float = inf) -> accounts.Desk:
    database = await db.connected(settings.database_url, size=settings.database_pool_size, longest=longest)
    kept = secret(settings)
    signer = Signer(kept, timedelta(days=settings.token_expiration_in_days), settings.revoked_tokens)
    keyring = Keyring(database, signer, signing.Sealer(kept), signs=settings.signs_with_keys)
    await keyring.open()
    hasher = Hasher(settings.hashing_threads, HASHING_QUEUE)
    lifetime = timedelta(minutes=settings.ticket_expiration_in_minutes)
    provider = Provider(settings.external_auth_url) if settings.external_auth_url else None
    return accounts.Desk(
        database,
        hasher,
        signer,
        keyring,
        settings.password_policy,
        tickets.Signer(kept),
        quotas.Terms(settings.enable_storage_limiter, lifetime),
        Throttle(settings.throttle, kept),
        api_tokens.Uses(database),
        settings.api_token_lifetime,
        provider=provider,
        gives_orgs=settings.makes_personal_orgs,
    )


async def _close(desk: accounts.Desk) -> None:
    await desk.uses.settled()
    desk.hasher.close()
    if desk.provider is not None:
        await desk.provider.close()
    await desk.database.close()


async def _home(request: Request) -> Response:
    return RedirectResponse(request.url_for("graphql").path)


async def _keys(request: Request) -> Response:
    answering: Answering = request.app.state.answering
    desk = answering.desk
    await desk.keyring.refresh()
    signing_keys = desk.signer.ring.verifying(desk.database.clock())
    body = orjson.dumps({"keys": [desk.tickets.jwk, *(key.jwk for key in signing_keys)]})
    return Response(body, headers=KEYS_KEPT, media_type="application/jwk-set+json")
