"""What every test stands on: a real database of each kind, the application in front of it, and somebody who asks."""

import asyncio
import gc
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
from app.config import Settings
from app.db import migrations
from app.graphql.documents.cache import DocumentCache
from app.http import authentication
from app.query.sql import SelectBuilder
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.postgres import Postgres
from tests.support.rest_client import Rest
from tests.support.shared_postgres import SharedPostgres

BACKENDS = ("sqlite", "postgresql")
BUILT: dict[str, Any] = {}
"""The statements that were built, for each kind of database: what one test has paid for, the next one has."""

UNDERSTOOD: dict[Any, Any] = {}
"""What became of each text under the limits it was read with, for the same reason."""

SECRET = "a secret that is long enough for tests alone"


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that the server runs on: uvloop where it can be had."""
    has_uvloop = find_spec("uvloop") is not None
    return {"loop": import_module("uvloop").new_event_loop if has_uvloop else asyncio.new_event_loop}


def pytest_collection_finish() -> None:
    """What is loaded stays, as in the server: the collector need not look through it again and again, nor so often."""
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
    """Which database: every test that stands on one runs on both."""
    return str(request.param)


@pytest.fixture(scope="session")
def shared_postgres(postgres: Postgres) -> Iterator[SharedPostgres]:
    """The PostgreSQL database that tests take turns with."""
    database = SharedPostgres(postgres)
    yield database
    database.close()


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated database, as empty as on its first day."""
    if backend == "sqlite":
        path = tmp_path / "ostiary.db"
        copyfile(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    database: SharedPostgres = request.getfixturevalue("shared_postgres")
    database.reset()
    return database.url


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Settings that a test module wants otherwise; it overrides this fixture."""
    return {}


@pytest.fixture
def settings(url: str, overrides: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the application, in a working directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OSTIARY_DATABASE_URL", url)
    monkeypatch.setenv("OSTIARY_SECRET", SECRET)
    for name, value in overrides.items():
        monkeypatch.setenv(name, value)
    return Settings.read()


class Understanding(DocumentCache):
    """Documents that read a text once for all tests; each application still counts and forgets its own."""

    def _understood(self, *arguments: Any) -> Any:
        key = self._limits, *arguments
        if key not in UNDERSTOOD:
            UNDERSTOOD[key] = super()._validate(*arguments)
        return UNDERSTOOD[key]


@pytest.fixture
async def app(settings: Settings, backend: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Starlette]:
    """The application, started."""
    monkeypatch.setattr(main, "DocumentCache", Understanding)
    application = main.create_app(settings)
    async with application.router.lifespan_context(application):
        statements: SelectBuilder = application.state.answering.statements
        statements._statements = BUILT.setdefault(backend, statements._statements)  # noqa: SLF001 - they are the same in every test
        yield application


@pytest.fixture
def from_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of the client count as sent by this machine itself, so that well-known passwords open."""
    monkeypatch.setattr(authentication, "is_direct_local", lambda scope: True)


@pytest.fixture
async def own_db(url: str) -> AsyncIterator[db.Database]:
    """A door of its own."""
    async with open_db(url) as connected:
        yield connected


@pytest.fixture
async def second_db(url: str) -> AsyncIterator[db.Database]:
    """A second door to the same database, as another worker has."""
    async with open_db(url) as connected:
        yield connected


@asynccontextmanager
async def open_db(url: str, size: int = 10, longest: float = inf) -> AsyncIterator[db.Database]:
    """A door to a database, which is closed behind the block."""
    connected = await db.open_database(url, size=size, longest=longest)
    try:
        yield connected
    finally:
        await connected.close()


@pytest.fixture
async def client(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application that keeps no cookies of its own."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http_client:
        yield http_client


@pytest.fixture
def database(app: Starlette) -> db.Database:
    """The application's own door to its database."""
    opened: db.Database = app.state.answering.app.database
    return opened


@pytest.fixture
def make(app: Starlette) -> Make:
    """Makes what a claim needs."""
    return Make(app.state.answering.app)


@pytest.fixture
def api(client: httpx.AsyncClient, make: Make) -> Api:
    """Asks GraphQL at the front door, as somebody."""
    return Api(client, make.app)


@pytest.fixture
def rest(api: Api) -> Rest:
    """Asks REST at the front door, as somebody."""
    return Rest(api)
