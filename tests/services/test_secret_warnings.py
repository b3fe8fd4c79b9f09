"""Claims about a start with a new secret or a new database: a warning says what it means."""

import logging
from pathlib import Path

import pytest
from pydantic import SecretStr

from app import administration
from app.config import Settings


@pytest.fixture
def settings(url: str, backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return Settings(database_url=url)


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    texts = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return [text for text in texts if text.startswith("new ")]


def test_a_first_start_and_a_second_one_warn_of_nothing(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        administration.prepare(settings)

    assert settings.secret_path.exists()
    assert _warnings(caplog) == []


@pytest.mark.parametrize("migrates", [True, False])
def test_a_new_secret_beside_an_old_database_is_told(
    settings: Settings, caplog: pytest.LogCaptureFixture, migrates: bool
) -> None:
    administration.prepare(settings)
    settings.secret_path.unlink()

    administration.prepare(settings, migrates=migrates)

    (warning,) = _warnings(caplog)
    assert warning.startswith(f"new secret beside an old database path={settings.secret_path}: all sessions")
    assert "put it back" in warning
    caplog.clear()
    administration.prepare(settings)
    assert _warnings(caplog) == []


def test_a_command_that_generates_a_secret_warns_too(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    administration.prepare(settings)
    settings.secret_path.unlink()

    administration.end_sessions(settings, api_tokens=False)

    assert len(_warnings(caplog)) == 1


def test_a_configured_secret_is_never_new(url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("one", "two"):
        administration.prepare(
            Settings(database_url=url, secret=SecretStr(f"a secret of more than 32 bytes, number {name}"))
        )

    assert _warnings(caplog) == []
