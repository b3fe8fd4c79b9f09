"""Claims about the example of a nightly synchronization, against a real server in a process of its own."""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from scripts.examples import nightly_sync
from tests.conftest import BACKENDS
from tests.support.postgres import Postgres
from tests.support.server import READY_SECONDS, Server, graphql

PASSWORD = "a password for these tests"
SIZE = ("--people", "60", "--groups", "6", "--resources", "12")
ROWS = {"people": 60, "orgs": 12, "groups": 6, "members": 300, "resources": 12, "grants": 48}
STATE = """{
  auditEvents { totalCount }
  users { totalCount } orgs { totalCount } groups { totalCount } resources { totalCount }
}"""


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server on an empty database."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path}/ostiary.db"
        if request.param == "postgresql":
            postgres: Postgres = request.getfixturevalue("postgres")
            postgres.create("nightly", template="template")
            stack.callback(postgres.drop, "nightly")
            url = postgres.url("nightly")
        settings = {"OSTIARY_DATABASE_URL": url, "OSTIARY_DEFAULT_ADMIN__PASSWORD": PASSWORD}
        server = stack.enter_context(Server(tmp_path, **settings))
        server.ready()
        yield server


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A small sample world."""
    assert nightly_sync.main(["--make-sample", str(tmp_path / "world"), *SIZE]) == 0
    return tmp_path / "world"


async def _state(server: Server, token: str) -> dict[str, int]:
    async with server.client(token) as client:
        data = (await graphql(client, STATE))["data"]
    return {name: connection["totalCount"] for name, connection in data.items()}


def _statuses(output: str) -> dict[str, list[int]]:
    """Return the numbers of created, updated, unchanged and rejected entries by the kind."""
    rows = [line.replace(",", "").split() for line in output.splitlines()[1:]]
    return {name: [*map(int, numbers)] for name, *numbers in rows}


@pytest.fixture
async def token(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    token = await server.token("admin", PASSWORD)
    monkeypatch.setenv("TOKEN", token)
    return token


async def test_a_second_run_writes_no_event_and_a_change_one(
    server: Server, world: Path, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def run() -> dict[str, list[int]]:
        capsys.readouterr()
        assert nightly_sync.main([str(world), "--url", server.address, "--batch", "40"]) == 0
        shown = capsys.readouterr()
        assert "300/300" in shown.err
        return _statuses(shown.out)

    assert run() == {name: [number, 0, 0, 0] for name, number in ROWS.items()}
    before = await _state(server, token)
    assert run() == {name: [0, 0, number, 0] for name, number in ROWS.items()}
    assert await _state(server, token) == before
    people = world / "people.csv"
    people.write_text(people.read_text().replace("person00007@example.org", "seven@example.org"))
    assert run()["people"] == [0, 1, 59, 0]
    assert await _state(server, token) == before | {"auditEvents": before["auditEvents"] + 1}


async def test_a_run_that_is_killed_is_taken_up_again(
    server: Server, world: Path, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [nightly_sync.__file__, str(world), "--url", server.address, "--batch", "1"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env=os.environ | {"TOKEN": token}, stdout=asyncio.subprocess.DEVNULL
    )
    deadline = time.monotonic() + READY_SECONDS
    while (await _state(server, token))["groups"] < ROWS["groups"]:
        assert process.returncode is None
        assert time.monotonic() < deadline
    process.kill()
    await process.wait()
    assert (await _state(server, token))["resources"] == 0
    capsys.readouterr()

    for done in (False, True):
        assert nightly_sync.main([str(world), "--url", server.address]) == 0
        statuses = _statuses(capsys.readouterr().out)
        assert statuses["people"] == [0, 0, 60, 0]
        assert statuses["grants"] == ([0, 0, 48, 0] if done else [48, 0, 0, 0])
        assert {name: sum(numbers) for name, numbers in statuses.items()} == ROWS
    state = await _state(server, token)
    assert state | {"auditEvents": 0} == {"auditEvents": 0, "users": 61, "orgs": 12, "groups": 6, "resources": 12}


async def test_rejected_entries_are_told_and_the_others_of_other_requests_are_written(
    server: Server, tmp_path: Path, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "wrong"
    folder.mkdir()
    (folder / "people.json").write_text('[{"userName": "ann", "passwordHash": "secret"}, {"userName": "ben"}]')
    (folder / "groups.csv").write_text("slug,displayName\npilots,Pilots\n")

    assert nightly_sync.main([str(folder), "--url", server.address]) == 1

    shown = capsys.readouterr().out
    assert _statuses(shown.partition("people: ")[0]) == {"people": [0, 0, 0, 2], "groups": [1, 0, 0, 0]}
    assert 'people: {"userName": "ann"}: This is not a supported password hash.' in shown


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "name a folder"),
        (["--batch", "0", "x"], "numbers begin at 1"),
        (["--people", "0", "--make-sample", "x"], "numbers begin at 1"),
    ],
)
def test_bad_arguments_are_explained(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "ost_x")
    with pytest.raises(SystemExit):
        nightly_sync.main(arguments)

    assert text in capsys.readouterr().err


def test_a_server_that_is_away_or_refuses_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "ost_x")
    monkeypatch.setattr(nightly_sync, "TRIES", 1)
    outcomes: list[Any] = [nightly_sync.main([str(tmp_path), "--url", "http://127.0.0.1:9"])]
    (tmp_path / "groups.csv").write_text("slug,displayName\npilots,Pilots\n")
    outcomes.append(nightly_sync.main([str(tmp_path), "--url", "http://127.0.0.1:9"]))

    shown = capsys.readouterr().err
    assert outcomes == [1, 1]
    assert "has none of the files" in shown
    assert "http://127.0.0.1:9 does not answer" in shown


@pytest.mark.parametrize(
    ("number", "batch", "lines"),
    [(30, 50, 1), (1_000, 50, 1), (6_000, 50, 6), (5_990, 50, 6), (6_000, 7, 6), (400_000, 50, 100), (9_000, 1_000, 9)],
)
def test_progress_is_one_line_for_a_thousand_entries_or_a_percent(
    number: int, batch: int, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for before in range(0, number, batch):
        nightly_sync._show_progress("members", before, min(before + batch, number), number)

    printed = capsys.readouterr().err.splitlines()
    assert len(printed) == lines
    assert printed[-1].endswith(f"{number:,}/{number:,}")
