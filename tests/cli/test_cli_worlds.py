"""The commands that fill and repair a database, from the command line to the real one, and what they say."""

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app import administration, cli
from app.cli import help_texts
from app.config import Settings
from app.http import supervisor
from app.services.demo import names
from scripts.reference_tables import command_line

Output = Callable[[], tuple[str, str]]


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    def read() -> tuple[str, str]:
        out, err = capsys.readouterr()
        return out, err

    return read


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    monkeypatch.setattr(supervisor, "run", lambda app, sockets, **_: calls.append(app))
    return calls


def test_demo_fills_serves_and_refuses(settings: Settings, served: list[str], output: Output) -> None:
    assert cli.main(["demo"]) == 0
    out, err = output()
    assert "44 users, 8 orgs, 12 groups, 300 resources" in out
    assert f"All users of the sample registry have the password {names.PASSWORD}\n" in out
    assert err == ""

    assert cli.main(["demo"]) == 1
    out, err = output()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("ostiary: the demo needs an empty database, and this one is in use (users: ")

    assert cli.main(["serve", "--port", "0", "--demo"]) == 0
    out, _ = output()
    assert "  GraphiQL    http://127.0.0.1:" in out
    assert names.PASSWORD in out
    assert "Created the sample registry" not in out, "nothing is made where it was made"

    assert cli.main(["reindex"]) == 0
    out, err = output()
    assert " rows of the access index in " in out
    assert "it was correct" in out
    assert err == "ostiary: 300 of 300 resources\n"
    assert len(served) == 1


def test_a_demo_world_is_not_served_to_other_machines(
    monkeypatch: pytest.MonkeyPatch, served: list[str], output: Output, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    ready = SimpleNamespace(default_password_valid=False, demo_password_valid=True, migrated=[])
    monkeypatch.setattr(administration, "prepare", lambda _, **__: ready)

    assert cli.main(["serve", "--port", "0", "--host", "0.0.0.0"]) == 2  # noqa: S104 - the claim is that it refuses

    assert "the password of the demo users is public" in output()[1]
    assert not served


def test_demo_does_not_even_open_the_database_abroad(
    monkeypatch: pytest.MonkeyPatch, served: list[str], output: Output, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    calls: list[Any] = []
    monkeypatch.setattr(administration, "prepare", lambda *arguments, **_: calls.append(arguments))

    assert cli.main(["serve", "--port", "0", "--host", "0.0.0.0", "--demo"]) == 2  # noqa: S104 - it refuses

    assert output()[1].startswith("ostiary: --host 0.0.0.0: ")
    assert (calls, served) == ([], [])


def test_serve_with_demo_leaves_another_registry_alone(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, served: list[str], output: Output
) -> None:
    ours = names.PASSWORD
    monkeypatch.setattr(names, "PASSWORD", "Somebody-elses-words-1")
    assert cli.main(["demo"]) == 0
    monkeypatch.setattr(names, "PASSWORD", ours)

    assert cli.main(["serve", "--port", "0", "--demo"]) == 1
    assert "nothing was changed" in output()[1]
    assert not served


@pytest.mark.parametrize(
    ("done", "said"),
    [
        ((7, 0, 0), "rebuilt 7 rows of the access index in 0.0 s\nit was correct: no row differed\n"),
        ((1200, 2, 1), "it was incorrect: 2 missing or different rows, 1 surplus row\n"),
    ],
)
def test_reindex_says_whether_anything_differed(
    monkeypatch: pytest.MonkeyPatch, output: Output, tmp_path: Path, done: tuple[int, int, int], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    rows, missing, surplus = done
    answer = SimpleNamespace(rows=rows, missing=missing, surplus=surplus)
    monkeypatch.setattr(administration, "reindex", lambda _, tell: tell(5_000, 12_000) or answer)

    assert cli.main(["reindex"]) == 0

    out, err = output()
    assert said in out
    assert err == "ostiary: 5,000 of 12,000 resources\n"


@pytest.mark.parametrize("command", help_texts.COMMANDS)
def test_a_command_teaches(output: Output, command: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([*command.split(), "--help"])

    assert ended.value.code == 0
    out = output()[0]
    description, epilog = help_texts.COMMANDS[command]
    assert description in out
    assert epilog in out
    assert re.search(r"^examples?:\n  .*ostiary ", epilog)
    assert max(map(len, out.splitlines())) <= 88


def test_every_command_has_a_text() -> None:
    listed = {row[0].removeprefix("ostiary ") for row in command_line.leaf_commands()}

    assert listed <= set(help_texts.COMMANDS)
