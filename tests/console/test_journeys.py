"""The web console in a browser: each journey is a file `*.spec.ts` in `app/console/tests`.

A journey runs in headless Chromium against a server of its own with the demo world. To add one, add a file:

    import { expect, test } from "vitest";
    import { visit } from "../visit";

    test("what it shows", async () => {
      await visit(async (page) => {
        await page.goto("/login");
        ...
      });
    });

`visit` (`app/console/tests/visit.ts`) opens a browser session and checks what holds on every page. Steps are those of
Playwright, claims those of vitest. A journey whose name is in `ON_POSTGRESQL` runs there too, with two workers.

    scripts/test -k journey                    all of them; a name of a file selects one
    CHROMIUM=/path/to/chromium scripts/test …  another browser
    REQUIRE_BROWSER=1 scripts/test …           a missing browser or build is a failure, as in CI
"""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.services.demo.names import PASSWORD
from scripts.console import browser as browsers
from scripts.console.sources import Console
from tests.support.journeys import Journeys
from tests.support.postgres import Postgres
from tests.support.server import Server

CONSOLE = Console()
JOURNEYS = sorted(path.relative_to(CONSOLE.folder).as_posix() for path in CONSOLE.folder.glob("tests/**/*.spec.ts"))
ON_POSTGRESQL = ("tests/journeys/sign-in-page.spec.ts",)
OPTIONS = {"tests/journeys/24-below-a-prefix.spec.ts": ("--root-path", "/ostiary")}
"""Options of the server of a journey."""

GROUP_CONTACT = "the data office, https://help.example/groups."
"""Whom to ask for a group."""

RUNS = [*((journey, "sqlite") for journey in JOURNEYS), *((journey, "postgresql") for journey in ON_POSTGRESQL)]

LONGEST = 600
"""Seconds of one journey."""


def _unavailable(reason: str) -> None:
    """Skip the test, or fail if a browser is required."""
    if os.environ.get("REQUIRE_BROWSER"):
        pytest.fail(f"REQUIRE_BROWSER is set: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> str:
    """The program of the browser."""
    program = browsers.find()
    if not program:
        _unavailable("no Chromium was found: apt install chromium, or name it in CHROMIUM")
    if not CONSOLE.has_packages() or not CONSOLE.is_current():
        _unavailable("the web console is not built from these sources: run scripts/setup")
    return program


@pytest.fixture(scope="session")
def journeys(browser: str) -> Iterator[Journeys]:
    """The process that runs journeys. To start vitest and a browser takes as long as a journey does."""
    running = Journeys(CONSOLE, CHROMIUM=browser, DEMO_PASSWORD=PASSWORD, NO_COLOR="1")
    yield running
    running.close()


@pytest.fixture(scope="session")
def demo_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo world in SQLite, to copy: to fill it takes seconds."""
    folder = tmp_path_factory.mktemp("demo")
    with Server(folder, "--demo") as server:
        server.ready()
        server.signal(signal.SIGTERM)
        server.ended()
    return folder


@contextmanager
def _served(journey: str, backend: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Serve the demo world: on SQLite with one worker, on PostgreSQL with two."""
    if backend == "sqlite":
        shutil.copytree(request.getfixturevalue("demo_world"), folder, dirs_exist_ok=True)
        settings = {"OSTIARY_GROUP_CONTACT": GROUP_CONTACT, "OSTIARY_STATISTICS": "everyone"}
        with Server(folder, "--demo", *OPTIONS.get(journey, ()), **settings) as server:
            server.ready()
            yield server
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    postgres.create("journey")
    try:
        settings = {"OSTIARY_DATABASE_URL": postgres.url("journey"), "OSTIARY_STATISTICS": "everyone"}
        with Server(folder, "--demo", "--workers", "2", **settings) as server:
            server.ready()
            yield server
    finally:
        postgres.drop("journey")


@pytest.mark.parametrize(("journey", "backend"), RUNS)
def test_journey(
    journey: str, backend: str, journeys: Journeys, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with _served(journey, backend, tmp_path, request) as server:
        failure = journeys.run(journey, server.address, LONGEST)
        log = server.err

    if failure is not None:
        pytest.fail(f"{failure}\nlog of the server:\n{log}", pytrace=False)


def test_every_journey_on_postgresql_exists() -> None:
    assert set(ON_POSTGRESQL) <= set(JOURNEYS)


def test_every_journey_with_options_exists() -> None:
    assert set(OPTIONS) <= set(JOURNEYS)
