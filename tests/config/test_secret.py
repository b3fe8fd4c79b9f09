"""Claims about the secret that signs the tokens: generated once, shared by processes, readable by its owner alone."""

import logging
import os
import stat
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.config import Settings, secret
from app.domain.errors import SettingsError


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_generated_secret_stays_beside_the_database_for_its_owner_alone() -> None:
    settings = Settings(database_url="sqlite:///data/deep/o.db")

    generated = secret(settings)

    file = Path("data/deep/o.db.secret")
    assert settings.secret_path == file.absolute()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(generated) >= 32
    assert secret(Settings(database_url="sqlite:///data/deep/o.db")) == generated == file.read_bytes()
    assert os.listdir("data/deep") == ["o.db.secret"]


def test_processes_that_start_at_once_agree_on_one_secret() -> None:
    start, seen = threading.Barrier(8), []

    def first_start() -> None:
        start.wait()
        seen.append(secret(Settings()))

    threads = [threading.Thread(target=first_start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert os.listdir("data") == ["ostiary.db.secret"]


def test_for_postgresql_the_secret_is_stored_here_and_the_log_says_once_what_several_hosts_need(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = Settings(database_url="postgresql://host/d")

    with caplog.at_level(logging.WARNING):
        generated = secret(settings)
        assert secret(settings) == generated == Path("data/ostiary.secret").read_bytes()

    (record,) = caplog.records
    assert "set Secret on all" in record.getMessage()
    assert generated.decode() not in caplog.text


@pytest.mark.parametrize(
    ("content", "mode", "what"),
    [
        ("x" * 64, 0o640, "chmod 600"),
        ("x" * 64, 0o604, "chmod 600"),
        ("short", 0o600, "shorter than 32"),
        ("", 0o600, "shorter than 32"),
    ],
)
def test_a_secret_file_that_others_read_or_that_is_short_stops_the_start(content: str, mode: int, what: str) -> None:
    Path("data").mkdir()
    file = Path("data/ostiary.db.secret")
    file.write_text(content)
    file.chmod(mode)

    with pytest.raises(SettingsError, match=what) as caught:
        secret(Settings())

    assert str(file.absolute()) in str(caught.value)
    assert file.read_text() == content


def test_a_secret_that_cannot_be_stored_stops_the_start() -> None:
    Path("data").write_text("a file where a directory should be")

    with pytest.raises(SettingsError, match=r"set OSTIARY_SECRET"):
        secret(Settings())


def test_a_blank_secret_is_none_and_a_long_one_is_used_as_it_is() -> None:
    assert Settings(secret=SecretStr("  ")).secret is None
    assert secret(Settings(secret=SecretStr("ä" * 16))) == ("ä" * 16).encode()
    assert "ä" not in repr(Settings(secret=SecretStr("ä" * 16)))
