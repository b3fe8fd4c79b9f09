"""Claims about commands that work on a database: they need one, and create none."""

import os
from pathlib import Path

import pytest

from app import cli


@pytest.mark.parametrize(
    "command", ["keys list", "sessions end", "admin reset-password admin", "reindex", "user list", "user create ann"]
)
def test_a_command_in_the_wrong_folder_creates_no_database(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [each for each in os.environ if each.startswith("OSTIARY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)
    monkeypatch.chdir(tmp_path)

    assert cli.main(command.split()) == 1
    assert "there is no database at data/ostiary.db" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
