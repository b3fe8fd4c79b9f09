"""Claims about one backup: it is whole while others write, private, and complete or not there."""

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from app import db
from app.config import Settings
from app.db.backups import BackupFailed, postgresql
from app.db.migrations import HEAD, UNFINISHED
from app.services.backups import folder as folders
from app.services.backups.making import make, make_locked
from tests.support.postgres import programs
from tests.support.server import clean_environment

pytestmark = pytest.mark.direct  # a pooler is refused

NOW = datetime(2026, 11, 28, 8, 48, 3, tzinfo=UTC)
KILLED = """
import os, pathlib, signal
from app.config import Settings
from app.services.backups.making import make
make(Settings.read(), pathlib.Path("backups"), lambda *_: os.kill(os.getpid(), signal.SIGKILL))
"""
FULL = """
import pathlib, resource
from app.config import Settings
from app.services.backups.making import make
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
try:
    make(Settings.read(), pathlib.Path("backups"), lambda *_: None)
except Exception as error:
    print(type(error).__name__, error)
"""


def ignore(*_: object) -> None:
    """Report nothing."""


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{programs()}{os.pathsep}{os.environ['PATH']}")


def test_a_backup_and_its_secret_have_their_moment_as_a_name_and_one_reader(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OSTIARY_SECRET")
    own = Settings.read()
    own.secret_path.parent.mkdir(exist_ok=True)
    own.secret_path.write_text("a secret that is long enough, beside the database")
    own.secret_path.chmod(0o600)
    before = os.umask(0)
    try:
        with folders.lock(Path("backups"), waits=True):
            first = make_locked(own, Path("backups"), ignore, NOW)
            second = make_locked(own, Path("backups"), ignore, NOW)
    finally:
        os.umask(before)

    kind = "db" if own.is_sqlite else "dump"
    assert first.backup.file.name == f"ostiary-20261128T084803Z.{kind}"
    assert second.backup.file.name == f"ostiary-20261128T084803Z-2.{kind}"
    assert first.size == first.backup.file.stat().st_size > 10_000
    assert first.backup.secret is not None
    assert first.backup.secret.read_text() == own.secret_path.read_text()
    assert {stat.S_IMODE(each.stat().st_mode) for each in Path("backups").iterdir()} == {0o600}
    assert stat.S_IMODE(Path("backups").stat().st_mode) == 0o700
    assert folders.list_backups(Path("backups")) == [first.backup, second.backup]


def test_a_secret_that_is_a_setting_is_not_written_to_a_file(settings: Settings) -> None:
    made = make(settings, Path("backups"), ignore)

    assert made.backup.secret is None
    assert [each.name for each in Path("backups").iterdir() if "secret" in each.name] == []


@pytest.mark.parametrize("kind", ["killed", "full"])
def test_nothing_half_written_has_the_name_of_a_backup(settings: Settings, kind: str) -> None:
    code = KILLED if kind == "killed" else FULL
    environment = clean_environment() | {name: text for name, text in os.environ.items() if name.startswith("OSTIARY_")}

    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, timeout=60
    )

    assert folders.list_backups(Path("backups")) == [], ended.stderr
    if kind == "killed":
        assert ended.returncode == -signal.SIGKILL
    else:
        assert ended.stdout.startswith("BackupFailed no backup was made in backups: ")
        assert [each.name for each in Path("backups").iterdir()] == [".ostiary-backups.lock"]
    made = make(settings, Path("backups"), ignore)
    assert {each.name for each in Path("backups").iterdir()} == {".ostiary-backups.lock", made.backup.file.name}


async def _set_revision(settings: Settings, revision: str) -> None:
    database = await db.open_database(settings.database_url)
    async with database.write() as tx:
        await tx.rows(text("UPDATE alembic_version SET version_num = :revision").bindparams(revision=revision))
    await database.close()


def test_an_unfinished_copy_gives_no_backup(settings: Settings) -> None:
    asyncio.run(_set_revision(settings, UNFINISHED))
    try:
        with pytest.raises(BackupFailed, match=r"no backup was made in .*: the database is an unfinished copy: run"):
            make(settings, Path("backups"), ignore)
    finally:
        asyncio.run(_set_revision(settings, HEAD))

    assert folders.list_backups(Path("backups")) == []
    assert make(settings, Path("backups"), ignore).size


def test_a_damaged_database_gives_no_backup(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytearray(sqlite_template.read_bytes())
    data[4096 * 3 : 4096 * 3 + 200] = bytes(200)
    (tmp_path / "damaged.db").write_bytes(data)
    settings = Settings(database_url=f"sqlite:///{tmp_path}/damaged.db")

    with pytest.raises(BackupFailed, match=r"no backup was made in .*: .*(damaged|malformed)"):
        make(settings, tmp_path / "backups", ignore)

    assert folders.list_backups(tmp_path / "backups") == []


def test_without_space_nothing_is_written(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1_000})
    monkeypatch.setattr("app.db.backups.sqlite.disk_usage", lambda _: usage)

    with pytest.raises(BackupFailed, match=r"has 1,000 bytes free, and the database has .*: make room there"):
        make(Settings(database_url=f"sqlite:///{sqlite_template}"), tmp_path, ignore)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_missing_program_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BackupFailed, match="pg_dump is not on the PATH: install the client programs"):
        make(settings, Path("backups"), ignore)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_an_error_of_pg_dump_is_one_line_without_the_password(settings: Settings) -> None:
    wrong = settings.model_copy(update={"database_url": settings.database_url.rpartition("/")[0] + "/nowhere"})

    with pytest.raises(BackupFailed, match='database "nowhere" does not exist') as caught:
        make(wrong, Path("backups"), ignore)

    password = postgresql.without_password(settings.database_url)[1]
    assert password is not None
    assert password not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ann:a%40b@h/d", ("postgresql://ann@h/d", "a@b")),
        ("postgresql://ann@h:1,i:2/d?sslmode=require", ("postgresql://ann@h:1,i:2/d?sslmode=require", None)),
        ("postgresql://h/d?password=p%20q&user=ann", ("postgresql://h/d?user=ann", "p q")),
    ],
)
def test_passwords_are_apart_from_the_command_line(url: str, expected: tuple[str, str | None]) -> None:
    assert postgresql.without_password(url) == expected


def test_the_copy_of_a_moment_has_no_part_of_a_change(sqlite_template: Path, tmp_path: Path) -> None:
    """Writers change two rows at a time during the copy, page by page; the copy has both or neither."""
    path = tmp_path / "busy.db"
    path.write_bytes(sqlite_template.read_bytes())
    with sqlite3.connect(path) as filler:
        filler.execute("PRAGMA journal_mode=WAL")
        filler.execute("CREATE TABLE filling (a)")
        filler.executemany("INSERT INTO filling VALUES (?)", [(os.urandom(3_000),) for _ in range(9_000)])
        filler.execute("CREATE TABLE pair (a, b)")
        filler.execute("INSERT INTO pair VALUES (0, 0)")
    filler.close()
    writer = db.connect(path)
    steps = 0

    def change(*_: object) -> None:
        nonlocal steps
        steps += 1
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE pair SET a = a + 1")
        writer.execute("UPDATE pair SET b = b + 1")
        writer.execute("INSERT INTO filling VALUES (randomblob(100000))")
        writer.execute("COMMIT")

    made = make(Settings(database_url=f"sqlite:///{path}"), tmp_path / "backups", change)

    writer.close()
    assert steps >= 4, "several steps"
    copied = sqlite3.connect(made.backup.file)
    assert copied.execute("SELECT a, b FROM pair").fetchall() == [(0, 0)]
    assert copied.execute("SELECT count(*) FROM filling").fetchone() == (9_000,)
    assert copied.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    copied.close()
