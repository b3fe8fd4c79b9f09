"""The commands `export`, `plan` and `apply`: their files, outputs, exit codes, and what an interruption leaves."""

import asyncio
import io
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from app import cli, db
from app.config import Settings
from app.domain.errors import Conflict
from app.services.state import applying
from tests.conftest import SECRET, open_db
from tests.services.state.documents import BASE, events, exported, planned
from tests.support.factories import stale
from tests.support.programs import Program
from tests.support.server import Server

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)


@pytest.fixture
def document(settings: Settings, tmp_path: Path) -> Path:
    """A document in the folder of the command, and a registry without users."""
    path = tmp_path / "reef.yaml"
    path.write_text(BASE)
    return path


def test_a_plan_is_shown_and_applied_and_exported_again(document: Path, capsys: Capture) -> None:
    assert cli.main(["plan", "reef.yaml", "--exit-code"]) == 3
    out, err = capsys.readouterr()
    assert out.startswith("  + user ann\n  + user bob\n")
    assert "\n11 to add, 0 to change, 0 to remove\n" in out
    assert "  user bob gains READ_ONLY in org reef\n" in out
    assert "left alone, since the document does not list them: 7 resource types\n" in out

    assert cli.main(["apply", "reef.yaml"]) == 0
    assert capsys.readouterr().out.startswith("11 added, 0 changed, 0 removed\n")

    assert cli.main(["plan", "reef.yaml", "--exit-code"]) == 0
    assert capsys.readouterr().out.startswith("no changes: the registry is as the document says\n")

    assert cli.main(["export", "whole.jsonl"]) == 0
    assert capsys.readouterr().out.startswith(
        "wrote whole.jsonl: 7 resourceTypes, 3 roles, 2 users, 1 org, 1 group, 1 resource"
    )
    assert stat.S_IMODE(Path("whole.jsonl").stat().st_mode) == 0o600
    assert cli.main(["plan", "whole.jsonl", "--prune", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changes"] == []

    assert cli.main(["export"]) == 0
    assert "passwordHash" not in (text := capsys.readouterr().out)
    assert "  - userName: ann\n" in text
    assert err == ""
    assert sorted(path.name for path in document.parent.iterdir() if "ostiary.db" not in path.name) == [
        "reef.yaml",
        "whole.jsonl",
    ]


def test_faults_are_lines_that_name_the_file(document: Path, capsys: Capture) -> None:
    document.write_text(BASE.replace("owner: ann", "owner: nemo"))

    assert cli.main(["apply", "reef.yaml"]) == 1

    out, err = capsys.readouterr()
    missing = "There is no user `nemo`, neither in the registry nor in the document."
    assert out == ""
    assert err.splitlines() == [
        f"ostiary: reef.yaml: line 7: orgs[0].owner: {missing}",
        f"ostiary: reef.yaml: line 18: resources[0].owner: {missing}",
        "ostiary: nothing was changed",
    ]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["plan", "missing.yaml"], "missing.yaml cannot be read: No such file or directory"),
        (["plan", "reef.txt"], "reef.txt: name the file .yaml, .jsonl or .csv, or set --format"),
        (["export", "no/folder.yaml"], "no/folder.yaml cannot be written: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(
    document: Path, capsys: Capture, arguments: list[str], text: str
) -> None:
    assert cli.main(arguments) == 1
    assert capsys.readouterr().err == f"ostiary: {text}\n"


def test_a_document_comes_from_standard_input(document: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(BASE.encode())))

    assert cli.main(["apply", "-", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "counts": {"add": 11, "change": 0, "remove": 0},
        "transactions": 1,
        "leftAlone": {"resourceType": 7},
    }


def _many(users: int) -> str:
    lines = ["version: 1", "users:", *(f"  - {{userName: u{at}, metadata: {{n: {at}}}}}" for at in range(users))]
    lines += ["orgs:", "  - {slug: sea, name: Sea, owner: u0}", "resources:"]
    for at in range(users // 4):
        lines += [f"  - org: sea\n    slug: r{at}\n    type: MODEL\n    name: R {at}\n    grants:"]
        lines += ["      general: {roles: []}", f"      users: [{{user: u{at}, roles: [ADMIN]}}]"]
    return "\n".join(lines) + "\n"


async def test_a_killed_apply_leaves_whole_steps_and_the_next_one_makes_the_rest(
    settings: Settings, url: str, tmp_path: Path
) -> None:
    text = _many(6_000)
    (tmp_path / "many.yaml").write_text(text)
    command = [sys.executable, "-m", "app.cli", "apply", "many.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])}
    async with open_db(url) as database:
        with (tmp_path / "out").open("wb") as out:
            process = Program("apply", "many.yaml", folder=tmp_path, environment=environment, out=out, err=out)
            try:
                await _until_events(database, 7)
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
        made = len(await events(database))
        rest = await planned(database, text)
        assert 0 < len(rest.changes) < 6_000 + 1 + 3 * 1_500
        assert await stale(database) == set()
        generals = [change for change in rest.changes if change.key[-1] == "general" and change.before is not None]
        assert generals == [], "no resource is there without its grants"

        done = await asyncio.to_thread(subprocess.run, command, cwd=tmp_path, env=environment, capture_output=True)
        assert done.returncode == 0, done.stderr

        assert len(await events(database)) > made
        assert (await planned(database, text)).changes == []
        assert await stale(database) == set()


async def _until_events(database: db.Database, number: int) -> None:
    deadline = time.monotonic() + 60
    while len(await events(database)) < number:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def test_a_server_answers_and_changes_while_a_document_is_applied(
    settings: Settings, url: str, tmp_path: Path
) -> None:
    (tmp_path / "many.yaml").write_text(_many(4_000))
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])}
    with Server(tmp_path, OSTIARY_DATABASE_URL=url, OSTIARY_SECRET=SECRET) as server:
        server.ready()
        token = await server.token("admin", "password")
        async with server.client(token) as client:
            with (tmp_path / "out").open("wb") as out:
                process = Program("apply", "many.yaml", folder=tmp_path, environment=environment, out=out, err=out)
            created = 0
            while process.poll() is None:
                created += await _create_org(client, created)
                await asyncio.sleep(0.05)
            assert process.returncode == 0
        assert created > 3
    async with open_db(url) as database:
        assert await stale(database) == set()
        names = await exported(database)
        assert names.count("\n  - slug: own-") == created
        assert "userName: u3999\n" in names


async def _create_org(client: httpx.AsyncClient, number: int) -> int:
    query = f'mutation {{ createOrg(input: {{slug: "own-{number}", name: "Own"}}) {{ errors {{ message }} }} }}'
    reply = (await client.post("/graphql", json={"query": query})).json()
    assert reply == {"data": {"createOrg": {"errors": []}}}
    return 1


def test_the_error_of_a_file_is_not_one_of_the_database(document: Path, capsys: Capture) -> None:
    assert cli.main(["export", f"{'x' * 300}.yaml"]) == 1
    assert capsys.readouterr().err.endswith(".yaml cannot be written: File name too long\n")


def test_a_full_disk_is_one_line_and_a_closed_pipe_is_none(document: Path) -> None:
    assert cli.main(["apply", "reef.yaml"]) == 0
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])}
    for command in ("export", "plan reef.yaml"):
        arguments = [sys.executable, "-m", "app.cli", *command.split()]
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                arguments, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
        assert (done.returncode, done.stderr) == (1, "ostiary: the output cannot be written: No space left on device\n")

    reading, writing = os.pipe()
    os.close(reading)
    arguments = [sys.executable, "-m", "app.cli", "export", "--format", "jsonl"]
    done = subprocess.run(arguments, env=environment, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_pruning_by_a_pipe_needs_the_mark_of_the_end(document: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])}
    assert cli.main(["apply", "reef.yaml"]) == 0
    assert cli.main(["export", "whole.yaml"]) == 0
    whole = Path("whole.yaml").read_text()
    cut_off = (
        "ostiary: -: hasEnd: The document was cut off: it begins with `hasEnd`, and has no `end`. Export it again.\n"
    )
    cases = {
        whole: (0, ""),
        whole.partition("groups:")[0]: (1, f"{cut_off}ostiary: nothing was changed\n"),
        BASE: (1, "With --prune, a document from a pipe must begin with `hasEnd`"),
    }
    for text, (code, told) in cases.items():
        arguments = [sys.executable, "-m", "app.cli", "apply", "--prune", "-"]
        done = subprocess.run(arguments, env=environment, input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, told in done.stderr) == (code, True), done.stderr
    arguments = [sys.executable, "-m", "app.cli", "apply", "--prune", "--table", "users", "-"]
    done = subprocess.run(
        arguments, env=environment, input="userName\nann\n", capture_output=True, text=True, check=False
    )
    told = "ostiary: with --prune, a table must be a file: what is cut off in a pipe would be removed\n"
    assert (done.returncode, done.stderr) == (1, told)
    with Path("whole.yaml").open() as file:
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", "apply", "--prune", "-"],
            env=environment,
            stdin=file,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout == "no changes: the registry is as the document says\n"


def test_a_password_that_was_set_and_not_printed_is_told(document: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])}
    create = "ann was created, but the output was not written: set a password with `ostiary admin reset-password`"
    reset = "the password of ann was changed, but the output was not written: run this again"
    for command, told in (("user create ann", create), ("admin reset-password ann", reset)):
        reading, writing = os.pipe()
        os.close(reading)
        with Path("/dev/full").open("w") as full, os.fdopen(writing, "w") as closed:
            for output in (full, closed) if told is reset else (full,):
                arguments = [sys.executable, "-m", "app.cli", *command.split()]
                done = subprocess.run(
                    arguments, env=environment, stdout=output, stderr=subprocess.PIPE, text=True, check=False
                )
                assert (done.returncode, done.stderr) == (1, f"ostiary: {told}\n")
    assert cli.main(["user", "show", "ann"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "\udcff", "reef/corals"],
        ["explain", "ann", "reef/\udcff"],
        ["admin", "reset-password", "\udcff"],
        ["doctor", "--workers", "-3"],
        ["doctor", "--workers", "9" * 5_000],
    ],
)
def test_an_argument_that_nothing_has_is_refused(document: Path, arguments: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert ": must be a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("failure", "code", "reason"),
    [
        (KeyboardInterrupt, 130, ""),
        (lambda: ConnectionRefusedError("it is away"), 1, "cannot be used: it is away\n"),
        (lambda: Conflict("a reason"), 1, "ostiary: a reason\n"),
    ],
)
@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (0, "ostiary: nothing was changed\n"),
        (2, "ostiary: 2,000 of 3,000 changes are made; the same command again makes the others\n"),
    ],
)
def test_whatever_ends_an_apply_early_it_says_how_much_is_made(
    failure: Callable[[], BaseException],
    code: int,
    reason: str,
    steps: int,
    text: str,
    document: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document.write_text("version: 1\nusers:\n" + "".join(f"  - userName: user{at}\n" for at in range(3_000)))
    calls: list[object] = []
    commit = applying._commit

    async def fail(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) > steps:
            raise failure()
        await commit(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(applying, "_commit", fail)
        assert cli.main(["apply", "reef.yaml"]) == code
    err = capsys.readouterr().err
    assert err.startswith(text)
    assert err.endswith(reason)

    assert cli.main(["apply", "reef.yaml"]) == 0
    assert capsys.readouterr().out.startswith(f"{3_000 - 1_000 * steps:,} added, 0 changed, 0 removed\n")
