"""Claims about `ostiary copy`: what it prints, its exit codes, and that an unfinished copy is served by nothing."""

import json
import os
from pathlib import Path

import pytest

from app import cli
from app.db.copying import work
from app.db.migrations import HEAD, UNFINISHED
from tests.support.copying import execute


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith("OSTIARY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.db").write_bytes(sqlite_template.read_bytes())
    (tmp_path / "old.db.secret").write_text("s" * 40)


def test_the_result_is_printed_for_people_and_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["copy", "sqlite:///old.db", "sqlite:///new.db"]) == 0
    said = capsys.readouterr().out
    assert "and compared each" in said
    assert "set DatabaseUrl to it" in said
    assert Path("new.db.secret").read_text() == "s" * 40

    assert cli.main(["copy", "sqlite:///new.db", "sqlite:///newer.db", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["source"], result["target"]) == ("sqlite:///new.db", "sqlite:///newer.db")
    assert result["rows"]["roles"] == 3
    assert result["resumedAt"] == 0
    assert result["secret"] == str(Path("newer.db.secret").absolute())


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["sqlite:///missing.db", "sqlite:///new.db"], "there is no database at missing.db"),
        (["sqlite:///old.db", "sqlite:///old.db"], "the same database"),
        (["sqlite:///old.db", "postgresql://u:sesame@127.0.0.1:1/x"], "cannot be used"),
    ],
)
def test_a_database_that_cannot_be_used_is_named(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["copy", *arguments]) == 1
    said = capsys.readouterr().err
    assert text in said
    assert "sesame" not in said
    assert not Path("new.db").exists()


def test_a_url_in_another_form_is_a_wrong_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["copy", "old.db", "sqlite:///new.db"])
    assert ended.value.code == 2
    assert "must begin with sqlite:///" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"), [("DATABASE_URL", "nonsense"), ("DATABASE_REPLICAS", '["postgresql://h/d"]')]
)
def test_settings_of_the_database_do_not_count(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"OSTIARY_{name}", value)
    assert cli.main(["copy", "sqlite:///old.db", "sqlite:///new.db"]) == 0


@pytest.mark.parametrize("command", ["serve --port 0 --no-migrate", "migrate", "export", "reindex", "doctor", "backup"])
def test_every_command_refuses_an_unfinished_copy(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(work, "_compare", killed)
        assert cli.main(["copy", "sqlite:///old.db", "sqlite:///new.db"]) == 130
    assert execute("sqlite:///new.db", "SELECT version_num FROM alembic_version") == [(UNFINISHED,)]
    monkeypatch.setenv("OSTIARY_DATABASE_URL", "sqlite:///new.db")

    assert cli.main(command.split()) == 1
    said = capsys.readouterr()
    assert "unfinished copy" in said.err + said.out

    assert cli.main(["copy", "sqlite:///old.db", "sqlite:///new.db"]) == 0
    assert "went on after" in capsys.readouterr().out
    assert execute("sqlite:///new.db", "SELECT version_num FROM alembic_version") == [(HEAD,)]
