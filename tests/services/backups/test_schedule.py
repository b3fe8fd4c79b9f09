"""Claims about backups that the server makes by itself: when, by which worker, and which ones stay."""

import logging
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.config import Settings
from app.observability import counters
from app.observability.metrics import format_metrics
from app.services.backups import folder as folders
from app.services.backups.schedule import RETRY, BackupSchedule
from tests.support.postgres import programs
from tests.support.server import METRICS, Server

pytestmark = pytest.mark.direct  # a pooler is refused

HOUR = timedelta(hours=1)


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, 2, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def overrides() -> dict[str, str]:
    return {"OSTIARY_BACKUP_EVERY": "24h", "OSTIARY_BACKUP_KEEP": "3", "OSTIARY_BACKUP_FOLDER": "backups"}


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{programs()}{os.pathsep}{os.environ['PATH']}")


def names() -> list[str]:
    return [each.file.name.partition(".")[0] for each in folders.list_backups(Path("backups"))]


def test_seven_nights_make_seven_backups_of_which_three_stay(settings: Settings) -> None:
    clock = Clock()
    schedule = BackupSchedule(settings, clock)
    others = ["ostiary-by-hand.db", "ostiary-20261101T000000Z.db.old", "notes"]
    Path("backups").mkdir()
    for name in others:
        Path("backups", name).write_text("of somebody else")
    made = []
    for _ in range(7 * 24):
        if (each := schedule.run_if_due()) is not None:
            made.append(each.backup.moment)
        clock.now += HOUR

    assert [each.isoformat() for each in made] == [f"{day}T02:00:00+00:00" for day in _days(7)]
    assert names() == [f"ostiary-202612{day}T020000Z" for day in ("02", "03", "04")]
    assert all(Path("backups", name).exists() for name in others)
    assert schedule.last_good == made[-1].timestamp()


def _days(number: int) -> list[str]:
    return [f"{datetime(2026, 11, 28, tzinfo=UTC) + timedelta(days=day):%Y-%m-%d}" for day in range(number)]


def test_backups_of_another_database_do_not_count_and_stay(settings: Settings) -> None:
    """A registry that has moved to the other kind of database leaves them behind."""
    clock = Clock()
    schedule = BackupSchedule(settings, clock)
    other = {"db": "dump", "dump": "db"}[folders.kind_of(settings)]
    Path("backups").mkdir()
    left = [Path("backups", f"ostiary-2026112{day}T000000Z.{other}") for day in range(9)]
    for path in left:
        path.write_text("of the database before")
    made = 0
    for _ in range(5 * 24):
        made += schedule.run_if_due() is not None
        clock.now += HOUR
    assert made == 5
    assert all(path.exists() for path in left)
    own = folders.list_backups(Path("backups"), folders.kind_of(settings))
    assert len(own) == 3
    assert schedule.last_good == own[-1].moment.timestamp()


def test_a_restart_makes_no_backup_before_its_time(settings: Settings) -> None:
    clock = Clock()
    assert BackupSchedule(settings, clock).run_if_due() is not None
    clock.now += 23 * HOUR
    restarted = BackupSchedule(settings, clock)

    assert restarted.run_if_due() is None
    assert restarted.last_good is not None
    clock.now += HOUR
    assert restarted.run_if_due() is not None


def test_of_workers_at_the_same_time_one_makes_the_backup(settings: Settings) -> None:
    clock = Clock()
    workers = [BackupSchedule(settings, clock) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        made = [*pool.map(BackupSchedule.run_if_due, workers)]

    assert sum(each is not None for each in made) == 1
    assert len(names()) == 1


def test_a_backup_of_a_wrong_future_clock_neither_stops_nor_outlives_the_others(settings: Settings) -> None:
    clock = Clock()
    clock.now += timedelta(days=9_000)
    assert BackupSchedule(settings, clock).run_if_due() is not None
    future = names()
    clock.now -= timedelta(days=9_000)
    schedule = BackupSchedule(settings, clock)
    for _ in range(3):
        assert schedule.run_if_due() is not None
        assert schedule.run_if_due() is None
        clock.now += 24 * HOUR

    assert len(names()) == 3
    assert not set(future) & set(names())


def test_a_failure_is_a_warning_a_count_and_another_attempt_later(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    broken = settings.model_copy(
        update={
            "database_url": "sqlite:///nowhere.db" if settings.is_sqlite else "postgresql://postgres@127.0.0.1:1/none"
        }
    )
    clock, before = Clock(), counters.samples()["ostiary_backup_failures_total"]
    first, second = BackupSchedule(broken, clock), BackupSchedule(broken, clock)
    with caplog.at_level(logging.WARNING):
        for schedule in (first, second, first):
            assert schedule.run_if_due() is None

    warnings = [each.getMessage() for each in caplog.records]
    assert len(warnings) == 1
    assert re.match(r"backup failed folder=\S+/backups: no backup was made in ", warnings[0])
    assert counters.samples()["ostiary_backup_failures_total"] == before + 1
    assert names() == []
    clock.now += RETRY
    assert BackupSchedule(settings, clock).run_if_due() is not None


def test_a_folder_that_cannot_be_made_is_a_warning(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    Path("backups").write_text("a file")

    assert BackupSchedule(settings, Clock()).run_if_due() is None
    assert "backup failed" in caplog.text


def test_the_newest_moment_of_any_worker_is_the_metric() -> None:
    name = "ostiary_backup_timestamp_seconds"

    assert f"\n{name} 7\n" in format_metrics([{name: 5}, {name: 7}, {name: 6}])


def test_two_workers_of_a_server_make_one_backup(settings: Settings, tmp_path: Path) -> None:
    environment = {name: text for name, text in os.environ.items() if name.startswith("OSTIARY_")}
    with Server(tmp_path, "--workers", "2", **environment) as server:
        server.ready()
        deadline = time.monotonic() + 30
        text = ""
        while time.monotonic() < deadline and "ostiary_backup_timestamp_seconds " not in text:
            time.sleep(0.2)
            headers = {"authorization": f"Bearer {METRICS}"}
            text = httpx.get(f"{server.address}/metrics", headers=headers, trust_env=False).text

        assert len(names()) == 1
        (backup,) = folders.list_backups(Path("backups"))
        assert f"ostiary_backup_timestamp_seconds {backup.moment.timestamp()}\n" in text
        assert "ostiary_backup_failures_total 0\n" in text
