"""Fixtures of all tests: a real database of each backend, the application on it, and clients of its two APIs."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from math import inf
from pathlib import Path
from shutil import copyfile
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from app import db, main
from app.caching import WeightedLRU
from app.config import Settings
from app.db import migrations
from app.db.postgresql import database as postgresql_database
from app.db.sqlite import database as sqlite_database
from app.db.statements import StatementCache
from app.graphql.documents.admission import AdmissionQueue
from app.graphql.documents.cache import DocumentCache
from app.http import authentication
from app.http.console.build import Build
from app.query.sql import SelectBuilder
from app.services import housekeeping
from tests.support.client import Api
from tests.support.direct_client import DirectClient
from tests.support.factories import Make
from tests.support.pooler import POOLED, POOLED_CONNECTIONS, Pooler
from tests.support.postgres import Postgres
from tests.support.rest_client import Rest
from tests.support.shared_postgres import SharedPostgres

BACKENDS = ("sqlite", "postgresql")
BUILT: dict[str, Any] = {}
"""Compiled statements, by backend. All tests share them, since to compile one is slow."""

UNDERSTOOD: WeightedLRU[Any, Any] = WeightedLRU(5_000)
"""Validated documents, by text and limits. All tests share them for the same reason."""

STATEMENTS = 2_048
"""Statements of all tests together, which are more than those of one server; it would compile them again and again."""

sqlite_database._statement_cache = StatementCache(sqlite_database._statement_cache.dialect, STATEMENTS)
postgresql_database._statement_cache = StatementCache(postgresql_database._statement_cache.dialect, STATEMENTS)

LONG_TEXT = 5_000
"""Characters of a text that one test alone sends."""

NEVER_SECONDS = 86_400.0
"""Time between rounds of work beside the requests, so that none is done during a test."""

SECRET = "a secret that is long enough for tests alone"


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Return the event loop that the server uses: uvloop if it is installed."""
    has_uvloop = find_spec("uvloop") is not None
    return {"loop": import_module("uvloop").new_event_loop if has_uvloop else asyncio.new_event_loop}


def pytest_collection_finish() -> None:
    """Freeze the loaded objects, as the server does: then the garbage collector does not scan them again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server with a migrated database to copy."""
    server = Postgres()
    server.start()
    server.create("template")
    migrations.upgrade(server.url("template"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "ostiary.db"
    migrations.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """The backend of the database: every test that uses one runs on both."""
    return str(request.param)


@pytest.fixture(scope="session")
def shared_postgres(postgres: Postgres) -> Iterator[SharedPostgres]:
    """The PostgreSQL database that the tests use one after the other."""
    database = SharedPostgres(postgres)
    yield database
    database.close()


@pytest.fixture(scope="session")
def pooler(postgres: Postgres) -> Iterator[Pooler | None]:
    """A PgBouncer in transaction mode, if `scripts/poolers --suite` asks for one; each database has few connections."""
    mode = os.environ.get(POOLED)
    if mode is None:
        yield None
        return
    with Pooler(postgres.url(), mode, POOLED_CONNECTIONS) as running:
        yield running


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated, empty database."""
    if backend == "sqlite":
        path = tmp_path / "ostiary.db"
        copyfile(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    database: SharedPostgres = request.getfixturevalue("shared_postgres")
    database.reset()
    pooler: Pooler | None = request.getfixturevalue("pooler")
    return database.url if pooler is None else pooler.url(database.url)


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Environment variables of a test module, which overrides this fixture."""
    return {}


@pytest.fixture
def settings(url: str, overrides: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the application, in a working directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OSTIARY_DATABASE_URL", url)
    monkeypatch.setenv("OSTIARY_SECRET", SECRET)
    monkeypatch.setenv("OSTIARY_STATISTICS", "everyone")
    for name, value in overrides.items():
        monkeypatch.setenv(name, value)
    return Settings.read()


class Understanding(DocumentCache):
    """A document cache that validates a text once for all tests; each application counts and evicts its own."""

    def _validate(self, new: Any, introspection: bool) -> Any:
        if len(new.sent) > LONG_TEXT:
            return super()._validate(new, introspection)
        key = self._limits, new, introspection
        if (entry := UNDERSTOOD.get(key)) is None:
            UNDERSTOOD.put(key, entry := super()._validate(new, introspection))
        return entry


@pytest.fixture(scope="session")
def console_build() -> Build:
    """The built console. All tests share it, since to read and digest a hundred files is slow."""
    return Build.read()


@pytest.fixture
async def app(
    settings: Settings, backend: str, console_build: Build, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Starlette]:
    """The started application."""
    monkeypatch.setattr(main, "DocumentCache", Understanding)
    monkeypatch.setattr(Build, "read", lambda: console_build)
    # Tests send more new documents than clients do, and would wait for most of their time.
    monkeypatch.setattr(AdmissionQueue, "_max_credit", NEVER_SECONDS)
    # Worlds have members and grants that ended years ago, and tests count statements.
    monkeypatch.setattr(housekeeping, "PAUSE_SECONDS", NEVER_SECONDS)
    application = main.create_app(settings)
    async with application.router.lifespan_context(application):
        statements: SelectBuilder = application.state.answering.statements
        statements._statements = BUILT.setdefault(backend, statements._statements)
        yield application


@pytest.fixture
def nothing_cached(database: db.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep no rows in the application, so that the number of statements depends on the query alone."""
    monkeypatch.setattr(database, "logs_changes", False)


@pytest.fixture
def from_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat requests of the client as local ones, for which well-known passwords are valid."""
    monkeypatch.setattr(authentication, "is_direct_local", lambda scope: True)


@pytest.fixture
async def own_db(url: str) -> AsyncIterator[db.Database]:
    """A database connection that the application does not use."""
    async with open_db(url) as connected:
        yield connected


@pytest.fixture
async def second_db(url: str) -> AsyncIterator[db.Database]:
    """A second connection to the same database, as another worker has it."""
    async with open_db(url) as connected:
        yield connected


@asynccontextmanager
async def open_db(url: str, size: int = 10, longest: float = inf) -> AsyncIterator[db.Database]:
    """Open a database, and close it after the block."""
    connected = await db.open_database(url, size=size, longest=longest)
    try:
        yield connected
    finally:
        await connected.close()


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application."""
    async with DirectClient(app) as http_client:
        yield http_client


@pytest.fixture
def database(app: Starlette) -> db.Database:
    """The database of the application."""
    opened: db.Database = app.state.answering.app.database
    return opened


@pytest.fixture
def make(app: Starlette) -> Make:
    """A factory of rows for the claims."""
    return Make(app.state.answering.app)


@pytest.fixture
def api(client: httpx.AsyncClient, make: Make) -> Api:
    """A GraphQL client, which sends requests as any user."""
    return Api(client, make.app)


@pytest.fixture
def rest(api: Api) -> Rest:
    """A REST client, which sends requests as any user."""
    return Rest(api)
