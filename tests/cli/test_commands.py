"""Claims about commands that work on a database: they need one, and only those that begin a registry create it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import cli
from app.db.migrations import HEAD
from app.http import supervisor
from scripts.reference_tables.command_line import leaf_commands
from tests.support.copying import Databases, execute
from tests.support.dronedb_source import DroneDB
from tests.support.postgres import Postgres

Capture = pytest.CaptureFixture[str]

DOCUMENT, EXPORTS, REGISTRY = "state.yaml", "provena.json", "App_Data"

REFUSING = {
    "serve": "--no-migrate --port 0",
    "reindex": "",
    "keys list": "",
    "keys rotate": "",
    "sessions end": "--api-tokens",
    "admin reset-password": "admin",
    "user list": "",
    "user show": "ann",
    "user create": "ann",
    "user deactivate": "ann",
    "user activate": "ann",
    "user delete": "ann",
    "user roles add": "ann admin",
    "user roles remove": "ann admin",
    "export": "-",
    "plan": DOCUMENT,
    "apply": DOCUMENT,
    "import dronedb": REGISTRY,
    "import provena": EXPORTS,
    "backup": "backups",
    "copy": "URL sqlite:///new.db",
    "doctor": "",
    "explain": "ann reef/corals",
    "audit list": "",
    "audit export": "events.jsonl",
    "audit verify": "",
    "audit prune": "--before 2020-01-01",
    "audit forget": "ann",
}
"""The arguments with which a command needs a database that exists."""

CREATING = {
    "serve": "--port 0",
    "demo": "",
    "migrate": "",
}
"""The arguments with which a command creates the tables that it lacks."""

CREATING_ELSEWHERE = {"copy", "restore"}
"""Commands that create those of their target, as tests of their own show."""

WITHOUT_DATABASE = {"schema", "settings", "completion"}


REFUSALS = (
    "there is no database at",
    "there are no tables of Ostiary",
    "the database has no tables of Ostiary",
    "is no database of Ostiary",
    "the database lacks the migrations 0001 to",
)


@pytest.fixture(params=["no file", "file without tables", "postgresql"])
def empty(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres
) -> Iterator[str]:
    """The URL of a database without tables, which the settings name; the working directory is empty."""
    for name in [each for each in os.environ if each.startswith("OSTIARY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)
    monkeypatch.setattr(supervisor, "run", lambda *_, **__: None)
    folder = tmp_path / "server"
    folder.mkdir()
    monkeypatch.chdir(folder)
    databases = Databases(folder, postgres)
    url = databases.empty("postgresql") if request.param == "postgresql" else f"sqlite:///{tmp_path}/ostiary.db"
    if request.param == "file without tables":
        (tmp_path / "ostiary.db").touch()
    monkeypatch.setenv("OSTIARY_DATABASE_URL", url)
    monkeypatch.setenv("OSTIARY_TOKEN_ALGORITHM", "EdDSA")
    yield url
    databases.close()


def counted(url: str) -> int:
    """Return the number of tables of a database; -1 if its file does not exist."""
    if not url.startswith("sqlite:///"):
        return len(execute(url, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'"))
    exists = Path(url.removeprefix("sqlite:///")).exists()
    return len(execute(url, "SELECT 1 FROM sqlite_schema")) if exists else -1


def argv(command: str, arguments: str, folder: Path, url: str) -> list[str]:
    """Return the words of a command, and write the document or the source that it reads."""
    (folder / DOCUMENT).write_text("version: 1\n")
    (folder / EXPORTS).write_text("[]")
    DroneDB().write(folder / REGISTRY)
    words = [str(folder / word) if (folder / word).exists() else word for word in arguments.split()]
    return [*command.split(), *(url if word == "URL" else word for word in words)]


def test_every_command_says_what_it_does_without_a_database() -> None:
    listed = {name.removeprefix("ostiary ") for name, _, _ in leaf_commands()}
    assert listed == REFUSING.keys() | CREATING.keys() | CREATING_ELSEWHERE | WITHOUT_DATABASE


@pytest.mark.parametrize("command", REFUSING)
def test_a_command_with_the_wrong_settings_creates_nothing(
    command: str, empty: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = counted(empty)
    assert cli.main(argv(command, REFUSING[command], tmp_path, empty)) == 1
    said = "".join(capsys.readouterr())
    assert any(text in said for text in REFUSALS)
    assert counted(empty) == before
    assert list(Path().rglob("*")) == []
    assert not [*tmp_path.glob("*.secret")]


@pytest.mark.parametrize("command", CREATING)
def test_a_command_that_begins_a_registry_creates_its_tables(command: str, empty: str, tmp_path: Path) -> None:
    assert cli.main(argv(command, CREATING[command], tmp_path, empty)) == 0
    assert execute(empty, "SELECT version_num FROM alembic_version") == [(HEAD,)]


@pytest.mark.parametrize("command", REFUSING | CREATING)
def test_a_missing_database_of_a_server_is_named_without_classes(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    postgres: Postgres,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = postgres.url("nowhere")
    monkeypatch.setenv("OSTIARY_TOKEN_ALGORITHM", "EdDSA")
    monkeypatch.setenv("OSTIARY_DATABASE_URL", url)
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)
    monkeypatch.chdir(tmp_path)
    arguments = (CREATING | REFUSING)[command]
    assert cli.main(argv(command, arguments, tmp_path, url)) == 1
    said = "".join(capsys.readouterr())
    advice = "the URL" if command == "copy" else "DatabaseUrl"
    assert f'database "nowhere" does not exist: create it, or correct {advice}' in said
    assert not re.search(r"asyncpg|sqlalchemy|\w+Error", said)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("mirgate", "there is no command `ostiary mirgate`: did you mean `ostiary migrate`?"),
        ("User", "did you mean `ostiary user`?"),
        ("user lst", "there is no command `ostiary user lst`: did you mean `ostiary user list`?"),
        ("user roles ad ann admin", "did you mean `ostiary user roles add`?"),
        ("nosuch", "there is no command `ostiary nosuch`: `ostiary --help` lists all"),
        ("audit nosuch", "`ostiary audit --help` lists all"),
    ],
)
def test_an_unknown_command_names_the_nearest_one(words: str, hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words.split())
    assert ended.value.code == 2
    assert hint in capsys.readouterr().err
