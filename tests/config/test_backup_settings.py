"""Claims about the settings of backups: durations are exact, and the folder is beside the database."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.config import Settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", timedelta(minutes=90)),
        (" 24H ", timedelta(hours=24)),
        ("366d", timedelta(days=366)),
        ("", None),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, expected: timedelta | None) -> None:
    assert Settings(backup_every=text).backup_interval == expected


@pytest.mark.parametrize("text", ["24", "0h", "367d", "1.5h", "-1h", "1w", "h", "1 day", "9999999h"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="must be"):
        Settings(backup_every=text)


def test_the_folder_is_beside_the_database_unless_it_is_set(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ostiary.db"

    assert Settings(database_url=url).backup_path == tmp_path / "backups"
    assert Settings(database_url=url, backup_folder="elsewhere").backup_path == Path("elsewhere").absolute()
    assert Settings(database_url="postgresql://h/d").backup_path == Path("data/backups").absolute()
