"""Claims about `ostiary doctor`: each state is made on purpose, and found, and nothing is changed."""

import asyncio
import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from app import administration, cli
from app.config import Settings
from app.db import migrations
from app.db.postgresql.database import SETTINGS
from app.services import doctor
from app.services.backups.making import make
from app.services.doctor import State

Execute = Callable[[str], None]


def ignore(*_: object) -> None:
    """Report nothing."""


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)


@pytest.fixture
def execute(settings: Settings) -> Execute:
    """Execute statements as another program would."""

    async def on_server(statement: str) -> None:
        connection = await asyncpg.connect(settings.database_url)
        await connection.execute(statement)
        await connection.close()

    def run(statement: str) -> None:
        if not settings.is_sqlite:
            asyncio.run(on_server(statement))
            return
        with contextlib.closing(sqlite3.connect(settings.sqlite_path, isolation_level=None)) as connection:
            connection.execute(statement)

    return run


@pytest.fixture
def revision(execute: Execute) -> Iterator[Callable[[str], None]]:
    """Set the number of the last migration, until the end of the test."""
    yield lambda number: execute(f"UPDATE alembic_version SET version_num = '{number}'")
    execute(f"UPDATE alembic_version SET version_num = '{migrations.HEAD}'")


def inspect(settings: Settings, **changes: Any) -> dict[str, doctor.Check]:
    """Return the worst check of each name."""
    checks = administration.inspect(settings.model_copy(update=changes), 1, ignore)
    order = [State.OK, State.WARNING, State.PROBLEM]
    return {each.name: each for each in sorted(checks, key=lambda check: order.index(check.state))}


@pytest.mark.direct  # a pooler is a check of its own
def test_a_sound_installation_has_no_problem_and_stays_as_it_is(settings: Settings) -> None:
    administration.prepare(settings)
    make_backup(settings)
    if settings.is_sqlite:
        settings.sqlite_path.chmod(0o600)
    before = _files()

    checks = inspect(settings)

    assert {name for name, each in checks.items() if each.state is not State.OK} == {"passwords"}
    own = {"space", "files"} if settings.is_sqlite else {"sequences", "connections"}
    expected = {"secret", "settings", "versions", "schema", "writable", "integrity", "backups", "access index", "clock"}
    assert set(checks) == expected | own | {"passwords"}
    assert _files() == before


@pytest.mark.direct  # a pooler is a check of its own
def test_without_an_administrator_none_is_to_be_reset(settings: Settings) -> None:
    actions = []
    for prepare in (administration.fill, administration.prepare):
        prepare(settings)
        checks = administration.inspect(settings, 1, ignore)
        actions.append([each.action for each in checks if each.name == "passwords" and "default" in each.text])

    reset = f"ostiary admin reset-password {settings.default_admin.user_name}"
    assert actions == [["set OSTIARY_DEFAULT_ADMIN__PASSWORD before it"], [reset]]


def make_backup(settings: Settings) -> None:
    if settings.is_sqlite:
        make(settings, settings.backup_path, ignore)
    else:
        settings.backup_path.mkdir(parents=True, exist_ok=True)
        (settings.backup_path / f"ostiary-{datetime.now(UTC):%Y%m%dT%H%M%S}Z.dump").touch()


def _files() -> dict[str, bytes]:
    """Return every file below the working directory, without those that SQLite shares between processes."""
    paths = (each for each in Path().rglob("*") if each.is_file() and not each.name.endswith(("-shm", "-wal")))
    return {str(each): each.read_bytes() for each in paths}


def test_the_schema_of_another_version_is_found(settings: Settings, revision: Callable[[str], None]) -> None:
    revision("0014")
    older = inspect(settings)["schema"]
    revision("0099")
    newer = inspect(settings)

    assert (older.state, older.action) == (State.WARNING, "ostiary backup, then ostiary migrate")
    assert (newer["schema"].state, newer["schema"].text) == (
        State.PROBLEM,
        f"migration 0099 is newer than this version, which knows {migrations.HEAD}",
    )
    assert "access index" not in newer, "its data are not read"


def test_a_wrong_index_is_found(settings: Settings, execute: Execute) -> None:
    administration.prepare(settings)
    administration.fill(settings)
    execute("DELETE FROM access WHERE resource_id IN (SELECT min(resource_id) FROM access)")

    checks = inspect(settings)

    assert checks["access index"].state is State.PROBLEM
    assert checks["access index"].action.startswith("ostiary reindex")
    assert checks["passwords"].text == "demo users have a public password"
    assert checks["passwords"].action == "do not let other users reach this database; use an empty one for them"


def test_a_database_that_is_away_is_found(settings: Settings) -> None:
    Path("folder.db").mkdir()
    url = "sqlite:///folder.db" if settings.is_sqlite else "postgresql://postgres@127.0.0.1:1/none"

    checks = inspect(settings, database_url=url)

    assert checks["database"].state is State.PROBLEM
    assert checks["database"].text.startswith("it cannot be used: ")
    assert "secret" in checks


def test_a_folder_without_the_database_is_said_and_nothing_else_is_advised(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/nowhere/at.db")

    checks = administration.inspect(settings, 1, ignore)

    assert [(each.name, each.state) for each in checks] == [("settings", State.OK), ("database", State.PROBLEM)]
    assert checks[1].text == f"there is no database at {tmp_path}/nowhere/at.db"
    assert checks[1].action == "run this in the folder of the server, or set DatabaseUrl as it does"
    assert not (tmp_path / "nowhere").exists()


def test_an_event_from_the_future_is_found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    administration.prepare(settings)
    monkeypatch.setattr(doctor, "_now", lambda: datetime.now(UTC) - timedelta(days=2))

    clock = inspect(settings)["clock"]

    assert clock.state is State.PROBLEM
    assert "the newest audit event is from the future: " in clock.text


def test_backups_that_stopped_are_found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert inspect(settings)["backups"].state is State.WARNING
    make_backup(settings)
    assert inspect(settings, backup_every="24h")["backups"].state is State.OK
    monkeypatch.setattr(doctor, "_now", lambda: datetime.now(UTC) + timedelta(days=3))
    assert inspect(settings, backup_every="24h")["backups"].state is State.PROBLEM


def test_a_backup_from_the_future_does_not_hide_that_backups_stopped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_backup(settings)
    monkeypatch.setattr(doctor, "_now", lambda: datetime.now(UTC) - timedelta(days=3))

    check = inspect(settings, backup_every="24h")["backups"]

    assert check.state is State.WARNING
    assert check.text.endswith(", which is from the future")


def test_keys_of_another_secret_are_found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_TOKEN_ALGORITHM", "EdDSA")
    administration.prepare(Settings.read())
    monkeypatch.setenv("OSTIARY_SECRET", "another secret that is long enough for a key")

    assert "the secret cannot decrypt the signing key" in inspect(Settings.read())["keys"].text
    assert len(administration.signing_keys(settings)[0]) == 1, "the check made no key"


def test_each_state_of_the_secret_is_found(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/ostiary.db")
    path = settings.secret_path
    settings.sqlite_path.touch()

    def state() -> tuple[str, str]:
        check = next(iter(doctor.check_settings(settings)))
        return check.state.value, check.text.replace(str(path), "FILE")

    assert state() == ("problem", "FILE is missing")
    path.write_text("x" * 64)
    path.chmod(0o644)
    assert state() == ("problem", "other users can read FILE (mode 644)")
    path.chmod(0o600)
    assert state() == ("ok", "FILE, mode 600")
    path.write_text("short")
    assert state() == ("problem", "FILE is shorter than 32 bytes")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"metrics_address": "0.0.0.0:9100"}, "MetricsAddress 0.0.0.0:9100 serves metrics without a token"),
        ({"allowed_origins": ("http://app.example.org",)}, "AllowedOrigins has http://app.example.org without https"),
        ({"trusted_proxies": ("0.0.0.0/0",)}, "TrustedProxies 0.0.0.0/0 believes every client"),
        ({"throttle": {"enabled": False}}, "Throttle.Enabled is false: passwords can be guessed fast"),
        ({"password_policy": None}, "PasswordPolicy is null: any password is accepted"),
    ],
)
def test_a_setting_that_opens_the_server_is_found(values: dict[str, Any], text: str) -> None:
    checks = [*doctor.check_settings(Settings(**values))]

    assert [(each.state, each.text) for each in checks if each.name == "settings"] == [(State.WARNING, text)]
    assert all(each.action for each in checks if each.state is not State.OK)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_damaged_file_a_full_disk_and_open_files_are_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.sqlite_path.chmod(0o644)
    usage = SimpleNamespace(free=1_000_000)
    with monkeypatch.context() as patch:
        patch.setattr(doctor, "disk_usage", lambda _: usage)
        checks = inspect(settings)
    assert (checks["files"].state, checks["space"].state) == (State.WARNING, State.PROBLEM)
    usage.free = settings.sqlite_path.stat().st_size + 1
    monkeypatch.setattr(doctor, "disk_usage", lambda _: usage)
    monkeypatch.setattr(doctor, "LITTLE_SPACE", 0)
    assert inspect(settings)["space"].state is State.WARNING

    data = bytearray(settings.sqlite_path.read_bytes())
    data[4096 * 3 : 4096 * 3 + 200] = bytes(200)
    settings.sqlite_path.write_bytes(data)
    damaged = inspect(settings)
    assert damaged["integrity"].state is State.PROBLEM


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_write_ahead_log_counts_as_space_of_the_database(settings: Settings) -> None:
    path = settings.sqlite_path
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE padding AS SELECT zeroblob(1000000) AS bytes")
        space = inspect(settings)["space"].text
        sizes = [path.stat().st_size, path.with_name(f"{path.name}-wal").stat().st_size]

    assert sizes[1] > 1_000_000
    assert space.endswith(f"; the database and its write-ahead log have {sum(sizes):,}")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_file_that_may_not_be_written_is_found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    denied = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and denied(path, mode))

    assert inspect(settings)["writable"].state is State.PROBLEM


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_late_sequence_is_found(settings: Settings, execute: Execute) -> None:
    administration.prepare(settings)
    execute("SELECT setval('users_id_seq', 1, false)")

    check = inspect(settings)["sequences"]

    assert (check.state, check.text) == (State.PROBLEM, "behind the largest id: users_id_seq")


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("version", "state"),
    [("14.11 (Debian 14.11-1)", State.WARNING), ("9.6", State.WARNING), ("15.0", State.OK), ("18.1 (x)", State.OK)],
)
def test_an_old_version_of_postgresql_is_found(settings: Settings, version: str, state: State) -> None:
    facts = replace(doctor.read_facts(settings), version=f"PostgreSQL {version}")
    checks = {each.name: each for each in doctor.check_database(settings, facts, 1, ignore)}

    assert checks["versions"].state is state
    assert version in checks["versions"].text


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.direct  # a pooler is a check of its own
def test_too_few_connections_an_invalid_index_and_another_clock_are_found(settings: Settings) -> None:
    many = administration.inspect(settings, 100, ignore)
    facts = replace(doctor.read_facts(settings), ahead=-60.0, invalid_indexes=("ix_users",))
    checks = {each.name: each for each in doctor.check_database(settings, facts, 1, ignore)}

    assert next(each for each in many if each.name == "connections").state is State.PROBLEM
    assert (checks["clock"].state, checks["clock"].text) == (
        State.PROBLEM,
        "the database is 60 s behind this machine",
    )
    assert checks["integrity"].text == "invalid indexes: ix_users"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_pooler_is_found_and_the_settings_of_its_role(settings: Settings) -> None:
    facts = replace(doctor.read_facts(settings), has_pooler=True)
    assert facts.session_settings["plan_cache_mode"] == "auto"
    wide = SETTINGS | {"work_mem": "1GB"}
    pools = [
        {each.name: each for each in doctor.check_database(settings, some, 100, ignore)}
        for some in (
            facts,
            replace(facts, session_settings=SETTINGS),
            replace(facts, session_settings=wide),
            replace(facts, session_settings=SETTINGS | {"jit": "on"}),
            replace(facts, session_settings=SETTINGS | {"enable_memoize": "on"}),
        )
    ]

    states = [State.WARNING, State.OK, State.OK, State.WARNING, State.PROBLEM]
    assert [each["pooler"].state for each in pools] == states
    assert "ALTER ROLE … SET plan_cache_mode = 'force_generic_plan'" in pools[0]["pooler"].action
    assert "lacks jit" in pools[3]["pooler"].text
    assert "wrong rows" in pools[4]["pooler"].text
    assert "ALTER ROLE … SET enable_memoize = 'off'" in pools[4]["pooler"].action
    assert all("connections" not in each for each in pools), "the pooler limits them"


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.direct  # a pooler is a check of its own
def test_a_role_that_is_read_only_is_found(settings: Settings) -> None:
    url = f"{settings.database_url}?options=-c%20default_transaction_read_only%3Don"

    check = inspect(settings, database_url=url)["writable"]

    assert (check.state, check.text) == (State.PROBLEM, "the database or the role is read-only")


def test_the_command_prints_lines_or_json_and_has_a_code(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    administration.prepare(settings)
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert f"ok       schema: migration {migrations.HEAD}\n" in out
    assert "warning  passwords: an administrator has the default password" in out
    monkeypatch.setenv("OSTIARY_DATABASE_URL", "sqlite:///nowhere.db")
    assert cli.main(["doctor", "--json"]) == 1
    captured = capsys.readouterr()
    checks = json.loads(captured.out)
    assert {"name", "state", "text", "action"} == set(checks[0])
    assert captured.err == f"ostiary: 1 of {len(checks)} checks found a problem\n"
