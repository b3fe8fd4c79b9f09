"""The command line starts the server, shows the settings, and reports each problem in one line."""

import contextlib
import gc
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from app import cli
from app.cli import listening
from app.config import FIELDS, Settings
from app.config.sources import variable
from app.http import supervisor
from tests.support.command_root import Root

HUSH = "geheimnis"


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Root:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith("OSTIARY_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OSTIARY_SETTINGS_FILE", "")  # serve sets it, and the next test shall not see that
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)
    root = Root()
    monkeypatch.setitem(sys.modules, "app.main", root)
    monkeypatch.setitem(sys.modules, "app.administration", root)
    return root


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []

    def run(app: str, sockets: Sequence[socket.socket], **own: Any) -> None:
        calls.append(own | {"app": app, "sockets": sockets, "collects": gc.isenabled()})

    monkeypatch.setattr(supervisor, "run", run)
    return calls


Output = Callable[[], tuple[str, str]]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    def read() -> tuple[str, str]:
        out, err = capsys.readouterr()
        return out, err

    return read


def test_serve_prepares_announces_and_hands_over_to_uvicorn(
    root: Root, served: list[dict[str, Any]], output: Output
) -> None:
    root.migrated = ["0001_users"]

    assert cli.main(["serve", "--port", "0"]) == 0

    (options,) = served
    out, err = output()
    assert (options["app"], options["factory"], options["host"]) == ("app.main:create", True, "127.0.0.1")
    assert options["port"] > 0
    assert (options["workers"], options["reload"], options["reload_dirs"]) == (1, False, None)
    assert (options["collects"], gc.isenabled()) == (False, True)
    assert (options["access_log"], options["server_header"], options["date_header"]) == (False, False, True)
    assert options["timeout_graceful_shutdown"] == 20
    assert out.splitlines()[1:] == [
        f"  address     http://127.0.0.1:{options['port']}",
        f"  GraphiQL    http://127.0.0.1:{options['port']}/graphql",
        "  database    sqlite:///data/ostiary.db",
        "  migrated    0001_users",
    ]
    assert err == ""


def test_serve_gives_every_worker_the_named_settings_file(root: Root, served: list[dict[str, Any]]) -> None:
    Path("other.json").write_text('{"HashingThreads": 5}')

    assert cli.main(["serve", "--port", "0", "--workers", "3", "--settings", "other.json"]) == 0

    assert (served[0]["workers"], served[0]["collects"]) == (3, True)
    assert root.seen[0].hashing_threads == 5
    assert os.environ["OSTIARY_SETTINGS_FILE"] == str(Path("other.json").absolute())


def test_reload_watches_the_servers_code(served: list[dict[str, Any]]) -> None:
    assert cli.main(["serve", "--port", "0", "--reload"]) == 0

    assert served[0]["reload_dirs"] == [str(Path(cli.__file__).parents[1])]


def test_the_default_password_is_pointed_out_at_home_and_refused_abroad(
    root: Root, served: list[dict[str, Any]], output: Output
) -> None:
    root.default_password_valid = True

    assert cli.main(["serve", "--port", "0"]) == 0
    assert "admin still has the default password" in output()[0]

    assert cli.main(["serve", "--port", "0", "--host", "0.0.0.0"]) == 2  # noqa: S104 - the claim is that it refuses
    out, err = output()
    assert out == ""
    assert err.startswith("ostiary: --host 0.0.0.0: ")
    assert "OSTIARY_DEFAULT_ADMIN__PASSWORD" in err
    assert len(served) == 1


def test_on_all_addresses_one_that_can_be_opened_is_shown(served: list[dict[str, Any]], output: Output) -> None:
    assert cli.main(["serve", "--port", "0", "--host", "0.0.0.0"]) == 0  # noqa: S104 - uvicorn.run is not run

    assert f"http://127.0.0.1:{served[0]['port']} (and every other address" in output()[0]


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_reported_in_one_line_before_the_database_is_touched(
    root: Root, served: list[dict[str, Any]], output: Output, taken: int
) -> None:
    assert cli.main(["serve", "--port", str(taken)]) == 1

    assert output() == (
        "",
        f"ostiary: cannot listen on 127.0.0.1 port {taken}: Address already in use; set --host and --port\n",
    )
    assert not root.seen
    assert not served


@pytest.mark.parametrize("host", ["192.0.2.7", "no host", "a..b", "x" * 70 + ".example.org"])
def test_a_foreign_address_is_reported_in_one_line(root: Root, output: Output, host: str) -> None:
    assert cli.main(["serve", "--host", host]) == 1

    assert output()[1].startswith(f"ostiary: cannot listen on {host} port 5000: ")
    assert not root.seen


def sqlite_failure(path: str) -> sqlite3.Error:
    with pytest.raises(sqlite3.Error) as caught, contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version")
    return caught.value


class PostgresFailure(Exception):
    def __init__(self, sqlstate: str, text: str) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


class Wrapped(Exception):
    """As SQLAlchemy wraps a driver's error."""

    def __init__(self, orig: Exception) -> None:
        super().__init__(f"{orig}\n(Background on this error: somewhere)")
        self.orig = orig


@pytest.mark.parametrize("command", ["serve", "migrate"])
@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 5432)"), "Connect call failed"),
        (TimeoutError(), "it does not respond in time"),
        (PostgresFailure("28P01", 'password authentication failed for user "ann"'), 'failed for user "ann"'),
        (Wrapped(PostgresFailure("3D000", 'database "d" does not exist')), 'd" does not exist: create it, or'),
        (sqlite_failure("/nowhere/at/all.db"), "unable to open database file"),
        (sqlite_failure(__file__), "file is not a database"),
    ],
)
def test_an_unusable_database_is_reported_in_one_line(
    root: Root, monkeypatch: pytest.MonkeyPatch, output: Output, failure: Exception, reason: str, command: str
) -> None:
    monkeypatch.setenv("OSTIARY_DATABASE_URL", f"postgresql://ann:{HUSH}@127.0.0.1/d")
    root.failure = failure
    monkeypatch.setattr(listening, "free_port", lambda _, port: port)

    assert cli.main([command]) == 1

    out, err = output()
    assert out == ""
    assert err.startswith("ostiary: the database postgresql://ann:(hidden)@127.0.0.1/d cannot be used: ")
    assert reason in err
    assert err.count("\n") == 1
    assert HUSH not in err


@pytest.mark.parametrize("failure", [ZeroDivisionError(), sqlite3.OperationalError("no such table: users")])
def test_our_own_mistake_keeps_its_trace(root: Root, failure: Exception) -> None:
    root.failure = failure

    with pytest.raises(type(failure)):
        cli.main(["migrate"])


def test_migrate_says_what_it_did(root: Root, output: Output) -> None:
    assert cli.main(["migrate"]) == 0
    assert output()[0] == "sqlite:///data/ostiary.db is up to date\n"

    root.migrated = ["0001_users", "0002_orgs"]
    assert cli.main(["migrate"]) == 0
    assert output()[0] == "migrated 0001_users\nmigrated 0002_orgs\n"


def test_schema_prints_the_sdl_and_nothing_else(output: Output) -> None:
    assert cli.main(["schema"]) == 0

    assert output() == ("type Query {\n  viewer: String\n}\n", "")


def test_settings_shows_every_setting_and_no_secret(monkeypatch: pytest.MonkeyPatch, output: Output) -> None:
    Path("mine.json").write_text(json.dumps({"Secret": HUSH * 4, "AuthCookieName": "door"}))
    monkeypatch.setenv("OSTIARY_DATABASE_URL", f"postgresql://ann:{HUSH}@h/d")

    assert cli.main(["settings", "--settings", "mine.json"]) == 0

    out, err = output()
    assert "AuthCookieName = door\n    from mine.json; variable OSTIARY_AUTH_COOKIE_NAME\n" in out
    assert "DatabaseUrl = postgresql://ann:(hidden)@h/d\n    from OSTIARY_DATABASE_URL;" in out
    assert "Secret = (hidden)" in out
    assert all(variable(where) in out for where in FIELDS)
    assert HUSH not in out + err


@pytest.mark.parametrize("command", ["serve", "migrate", "settings"])
def test_wrong_settings_are_all_named_on_stderr(
    root: Root, monkeypatch: pytest.MonkeyPatch, output: Output, command: str
) -> None:
    monkeypatch.setenv("OSTIARY_SECRET", HUSH)
    monkeypatch.setenv("OSTIARY_DATABASE", HUSH)

    assert cli.main([command]) == 2

    out, err = output()
    assert [line[:24] for line in err.splitlines()] == ["ostiary: OSTIARY_DATABAS", "ostiary: OSTIARY_SECRET:"]
    assert ("OSTIARY_DATABASE_URL" in out) is (command == "settings")  # what there is stays readable
    assert HUSH not in out + err
    assert not root.seen


@pytest.mark.parametrize(
    "argv",
    [
        ["serve", "--port", "65536"],
        ["serve", "--port", "-1"],
        ["serve", "--port", "http"],
        ["serve", "--workers", "0"],
        ["serve", "--workers", "2", "--reload"],
        ["open"],
    ],
)
def test_wrong_arguments_are_refused(argv: list[str], output: Output) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(argv)

    assert caught.value.code == 2
    assert "usage: ostiary" in output()[1]


@pytest.mark.parametrize(
    ("argv", "command"), [(["keys", "rotate", "--revoked"], "keys rotate"), (["serve", "now"], "serve")]
)
def test_an_unknown_argument_is_refused_with_the_usage_of_its_command(
    argv: list[str], command: str, output: Output
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(argv)

    taught = output()[1]
    assert caught.value.code == 2
    assert taught.startswith(f"usage: ostiary {command} [-h]")
    assert f"unknown arguments: {argv[-1]}; see `ostiary {command} --help`" in taught


def test_no_command_teaches_what_there_is(output: Output) -> None:
    assert cli.main([]) == 2

    taught = output()[1]
    for word in ("serve", "migrate", "schema", "settings", "appsettings.json", "OSTIARY_DATABASE_URL", "examples:"):
        assert word in taught


def test_the_version_is_printed(output: Output) -> None:
    assert cli.main(["--version"]) == 0

    assert output()[0].startswith("ostiary ")


def test_an_interrupted_migration_is_no_success(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Settings, **__: bool) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(root, "prepare", interrupted)

    assert cli.main(["migrate"]) == 130


def clean() -> dict[str, str]:
    """The environment of a program that finds the package and no settings."""
    environment = {name: text for name, text in os.environ.items() if not name.upper().startswith("OSTIARY_")}
    return {**environment, "PYTHONPATH": str(Path(cli.__file__).parents[2])}


def test_help_and_version_load_nothing_heavy() -> None:
    code = (
        "import app.cli, sys; print(*{'pydantic', 'uvicorn', 'sqlalchemy', 'graphql', 'starlette'} & set(sys.modules))"
    )

    run = subprocess.run([sys.executable, "-c", code], env=clean(), capture_output=True, text=True, check=False)

    assert (run.stdout, run.stderr) == ("\n", "")


STUB_PROGRAM = """
import sys, types

async def answer(scope, receive, send):
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"open"})

main = types.ModuleType("app.main")
ready = types.SimpleNamespace(default_password_valid=True, demo_password_valid=False, migrated=[], first_password=None)
main.prepare = lambda settings, **_: ready
main.create = lambda: answer
sys.modules["app.main"] = sys.modules["app.administration"] = main

from app import cli
sys.exit(cli.main(["serve", "--port", "0"]))
"""


def test_it_serves_quietly_until_ctrl_c_and_ends_well(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(STUB_PROGRAM)],
        cwd=tmp_path,
        env=clean(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout
            address = [server.stdout.readline() for _ in range(6)][1].split("//")[1].strip()
            response = ask(address)
            server.send_signal(signal.SIGINT)
            rest = server.communicate(timeout=10)
        finally:
            server.kill()

    assert (response.status, response.getheader("server")) == (200, None)
    assert response.getheader("date")
    assert (server.returncode, rest) == (0, ("", ""))


def ask(address: str) -> http.client.HTTPResponse:
    """Ask once the port is open; it was announced a moment before."""
    for _ in range(100):
        connection = http.client.HTTPConnection(address, timeout=5)
        try:
            connection.request("GET", "/")
            response = connection.getresponse()
            response.read()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return response
        finally:
            connection.close()
    raise AssertionError("it never listened")
