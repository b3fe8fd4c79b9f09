"""Claims about a restored backup: it is what was backed up, and the present database is lost in no case."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from app.db import migrations
from app.db.backups import sqlite as sqlite_backups
from app.services.backups import folder as folders
from tests.support.postgres import Postgres, programs
from tests.support.programs import run
from tests.support.server import Server, clean_environment, graphql

PASSWORD = "a password for the root"
CREATE = """mutation ($name: String!) {
  createOrg(input: {slug: $name, name: "Org"}) { org { id } errors { message } }
}"""


class Registry:
    """A folder with a database, and the commands that an operator runs there."""

    def __init__(self, folder: Path, postgres: Postgres | None) -> None:
        self.folder, self.postgres = folder, postgres
        self.starts = False
        self.name = f"backups_{abs(hash(str(folder)))}"
        self.environment = {
            "OSTIARY_DEFAULT_ADMIN__PASSWORD": PASSWORD,
            "OSTIARY_THROTTLE__ENABLED": "false",
            "PATH": f"{programs()}{os.pathsep}{os.environ['PATH']}",
        }
        if postgres is not None:
            postgres.create(self.name)
            self.environment["OSTIARY_DATABASE_URL"] = postgres.url(self.name)

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command; return its output and its errors."""
        environment = clean_environment() | self.environment
        done = run(*arguments, folder=self.folder, environment=environment, starts=self.starts)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def newest(self) -> Path:
        """Return the file of the newest backup."""
        return folders.list_backups(self.folder / "data" / "backups")[-1].file

    def execute(self, statement: str) -> list[Any]:
        """Execute a statement on the stopped database and return its rows."""
        if self.postgres is not None:
            with ThreadPoolExecutor(1) as pool:  # a test may have a loop in this thread
                return pool.submit(lambda: asyncio.run(self._on_postgres(statement))).result()
        with contextlib.closing(sqlite3.connect(self.folder / "data" / "ostiary.db", isolation_level=None)) as opened:
            return opened.execute(statement).fetchall()

    async def _on_postgres(self, statement: str) -> list[Any]:
        connection = await asyncpg.connect(self.environment["OSTIARY_DATABASE_URL"])
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()


@pytest.fixture
def registry(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Registry]:
    instance = Registry(tmp_path, request.getfixturevalue("postgres") if backend == "postgresql" else None)
    instance.run("migrate")
    yield instance
    if instance.postgres is not None:
        instance.postgres.drop(instance.name)


async def test_a_backup_under_load_is_whole(registry: Registry) -> None:
    """Six writers make orgs during two backups: each backup has all that was answered before it, and no half."""
    answered: list[str] = []
    before: list[int] = []
    with Server(registry.folder, "--workers", "2", **registry.environment) as server:
        server.ready()
        token = await server.token("admin", PASSWORD)
        ends = asyncio.Event()
        async with server.client(token) as client:
            writers = [asyncio.create_task(_write(client, f"w{number}", answered, ends)) for number in range(6)]
            for _ in range(2):
                await asyncio.sleep(0.5)
                before.append(len(answered))
                await asyncio.to_thread(registry.run, "backup")
            during = len(answered) - before[-1]
            ends.set()
            await asyncio.gather(*writers)
        await server.stopped()
    backups = folders.list_backups(registry.folder / "data" / "backups")

    assert len(backups) == 2
    assert during > 0, "changes were made during the last backup"
    for backup, count in zip(backups, before, strict=True):
        said = registry.run("restore", str(backup.file), "--replace")
        assert "the access index is correct" in said
        slugs = {row[0] for row in registry.execute("SELECT slug FROM orgs")}
        assert set(answered[:count]) <= slugs
        (events,) = registry.execute("SELECT count(*) FROM audit_events WHERE action = 'createOrg'")
        assert events == (len(slugs - {"admin"}),), "each org has its event"


async def _write(client: httpx.AsyncClient, name: str, answered: list[str], ends: asyncio.Event) -> None:
    number = 0
    while not ends.is_set():
        number += 1
        reply = await graphql(client, CREATE, name=f"{name}-{number}")
        assert reply["data"]["createOrg"]["errors"] == [], reply
        answered.append(f"{name}-{number}")


async def test_a_restore_ends_sessions_and_keeps_what_it_replaces(registry: Registry) -> None:
    with Server(registry.folder, **registry.environment) as server:
        server.ready()
        token = await server.token("admin", PASSWORD)
        registry.run("backup")
        async with server.client(token) as client:
            await graphql(client, CREATE, name="later")
        refused = registry.run("restore", str(registry.newest()), "--replace", code=1)
        assert "stop" in refused
        await server.stopped()
    assert "--replace" in registry.run("restore", str(registry.newest()), code=1)
    assert registry.execute("SELECT slug FROM orgs") == [("later",)]

    said = registry.run("restore", str(registry.newest()), "--replace")

    assert "ended all sessions (1 user) and all tickets (0)" in said
    assert registry.execute("SELECT slug FROM orgs") == []
    assert registry.execute("SELECT action FROM audit_events ORDER BY id DESC LIMIT 1") == [("endSessions",)]
    with Server(registry.folder, **registry.environment) as server:
        server.ready()
        async with server.client(token) as client:
            assert (await client.get("/users")).status_code == 401
        assert await server.token("admin", PASSWORD)
        await server.stopped()
    assert _kept_orgs(registry) == [("later",)]
    registry.run("backup")  # without the kept tables
    registry.run("restore", str(registry.newest()), "--replace")


def _kept_orgs(registry: Registry) -> list[Any]:
    if registry.postgres is None:
        (kept,) = (registry.folder / "data").glob("ostiary.db.before-*Z")
        with contextlib.closing(sqlite3.connect(kept)) as opened:
            return opened.execute("SELECT slug FROM orgs").fetchall()
    ((schema,),) = registry.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before_restore_%'")
    return registry.execute(f"SELECT slug FROM {schema}.orgs")


def test_a_backup_into_an_empty_place_brings_its_secret(registry: Registry, tmp_path: Path) -> None:
    registry.starts = registry.postgres is None  # these commands import on their own here, and are forked elsewhere
    registry.run("keys", "list")
    (registry.folder / "elsewhere").mkdir()
    registry.run("backup", "elsewhere")
    (backup,) = folders.list_backups(registry.folder / "elsewhere")
    old = (registry.folder / "data").rename(registry.folder / "old")
    if registry.postgres is not None:
        registry.postgres.drop(registry.name)
        registry.postgres.create(registry.name)

    registry.run("restore", str(backup.file))

    (secret,) = (registry.folder / "data").glob("*.secret")
    assert secret.read_text() == (old / secret.name).read_text()
    assert secret.stat().st_mode & 0o777 == 0o600
    assert registry.run("reindex").count("it was correct") == 1


def test_a_wrong_index_is_rebuilt_and_keys_of_another_secret_are_named(registry: Registry) -> None:
    registry.run("demo")
    registry.environment["OSTIARY_TOKEN_ALGORITHM"] = "EdDSA"
    registry.run("keys", "rotate")
    registry.execute("DELETE FROM access WHERE resource_id IN (SELECT min(resource_id) FROM access)")
    registry.run("backup")
    registry.environment["OSTIARY_SECRET"] = "another secret that is long enough for a key"

    said = registry.run("restore", str(registry.newest()), "--replace")

    assert "rebuilt the access index: " in said
    assert "the setting Secret differs from the secret of the backup" in said
    assert "the secret cannot decrypt the signing key " in said
    assert "it was correct" in registry.run("reindex")


def test_what_is_no_backup_of_this_version_changes_nothing(registry: Registry) -> None:
    registry.run("backup")
    good = registry.newest()
    (registry.folder / "cut.db").write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    (registry.folder / "text.db").write_text("a text")
    other = b"PGDMP" if registry.postgres is None else b"SQLite format 3\0"
    (registry.folder / "other.db").write_bytes(other + bytes(5_000))
    registry.execute("UPDATE alembic_version SET version_num = '9999'")
    registry.run("backup")
    newer = registry.newest()
    registry.execute(f"UPDATE alembic_version SET version_num = '{migrations.HEAD}'")
    data = registry.execute("SELECT id FROM audit_events")
    files = sorted(each.name for each in (registry.folder / "data").iterdir() if "-" not in each.name)

    for file, reason in [
        ("cut.db", "damaged|malformed|could not read|unexpected end|error"),
        ("text.db", "is no backup of Ostiary"),
        ("other.db", "other kind of database"),
        ("missing.db", "there is no backup missing.db"),
        (str(newer), "the database is at migration 9999, and this version knows steps up to"),
    ]:
        said = registry.run("restore", file, "--replace", code=1)
        assert said.count("\n") == 1, said
        assert any(each in said for each in reason.split("|")), said
        assert registry.execute("SELECT id FROM audit_events") == data
    assert sorted(each.name for each in (registry.folder / "data").iterdir() if "-" not in each.name) == files
    registry.run("restore", str(good), "--replace")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_database_is_always_in_its_place(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between the two steps of the replacement leaves the old database under both names."""
    path = registry.folder / "data" / "ostiary.db"
    old, new = path.read_bytes(), registry.folder / "data" / "new"
    new.write_bytes(b"new")
    monkeypatch.setattr(Path, "replace", _killed)

    with pytest.raises(KeyboardInterrupt):
        sqlite_backups.replace(path, new, path.with_name("kept"))

    assert path.read_bytes() == path.with_name("kept").read_bytes() == old


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


POINTS = {
    "before the dump is loaded": "app.db.backups.postgresql.load",
    "before the sessions end": "app.services.session_revocation.end_all",
    "before the end": "app.db.backups.postgresql.finish",
}
COMMANDS = ("serve --port 0", "serve --port 0 --no-migrate", "migrate", "user list", "backup", "doctor")
KILLED = """
import os, signal, sys
from app import cli
{module}
{place} = lambda *_, **__: os.kill(os.getpid(), signal.{signal})
sys.exit(cli.main(sys.argv[1:]))
"""


def _end_at(registry: Registry, place: str, name: str, *arguments: str) -> int:
    """Run a command that gets a signal in the place of a function; return its exit code."""
    program = KILLED.format(module=f"import {place.rpartition('.')[0]}", place=place, signal=name)
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=registry.folder,
        env=clean_environment() | registry.environment,
        capture_output=True,
        check=False,
    )
    return ended.returncode


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize("point", POINTS)
def test_a_killed_restore_leaves_a_database_that_nothing_uses_until_it_is_repeated(
    registry: Registry, point: str
) -> None:
    """The tables that were there come back first, so what was changed since the backup is in the kept ones."""
    registry.run("user", "create", "ann")
    registry.run("backup")
    registry.run("user", "create", "bob")
    restore = "restore", str(registry.newest()), "--replace"

    assert _end_at(registry, POINTS[point], "SIGKILL", *restore) == -signal.SIGKILL

    copied = f"copy {registry.environment['OSTIARY_DATABASE_URL']} sqlite:///copy.db"
    for command in [*COMMANDS, copied] if point == "before the dump is loaded" else COMMANDS[:1]:
        assert "an interrupted restore has left the database unfinished" in registry.run(*command.split(), code=1)
    assert "an interrupted restore was undone first" in registry.run(*restore)
    assert _names(registry, "public") == ["ann"]
    ((schema,),) = registry.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before_restore_%'")
    assert _names(registry, schema) == ["ann", "bob"]
    assert "it was correct" in registry.run("reindex")


@pytest.mark.parametrize("point", list(POINTS)[1:2])
def test_a_stopped_restore_leaves_the_database_as_it_was(registry: Registry, point: str) -> None:
    """A supervisor, `timeout` and a closed container send SIGTERM, which ends a command as Ctrl-C does."""
    registry.run("user", "create", "ann")
    registry.run("backup")
    registry.run("user", "create", "bob")
    files = _data_files(registry)

    assert _end_at(registry, POINTS[point], "SIGTERM", "restore", str(registry.newest()), "--replace") == 130

    assert {"ann", "bob"} <= {row[0] for row in registry.execute("SELECT user_name FROM users")}
    assert _data_files(registry) == files
    assert "ann" in registry.run("user", "list")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_files_behind_links_are_replaced(registry: Registry) -> None:
    registry.run("user", "create", "ann")
    registry.run("backup")
    registry.run("user", "create", "bob")
    backup, data, volume = registry.newest(), registry.folder / "data", registry.folder / "volume"
    folders.secret_beside(backup).write_text("another secret of the backup, which is long enough for this")
    volume.mkdir()
    for name in ("ostiary.db", "ostiary.db.secret"):
        (data / name).rename(volume / name)
        (data / name).symlink_to(volume / name)

    registry.run("restore", str(backup), "--replace")

    assert all((data / name).is_symlink() for name in ("ostiary.db", "ostiary.db.secret"))
    assert "bob" not in registry.run("user", "list")
    assert len([*volume.glob("*.before-*")]) == 2
    assert (volume / "ostiary.db.secret").read_text().startswith("another secret")


LAST_STEPS = {"sqlite": "app.db.backups.sqlite.replace", "postgresql": "app.db.backups.postgresql.finish"}


def test_a_restore_that_fails_at_its_last_step_leaves_the_secret_as_it_was(registry: Registry, backend: str) -> None:
    registry.run("user", "create", "ann")
    registry.run("backup")
    backup = registry.newest()
    secret = folders.secret_beside(backup)
    if not secret.exists():
        pytest.skip("the secret is a setting here")
    secret.write_text("another secret of the backup, which is long enough for this")
    files = _data_files(registry)
    contents = {path: path.read_bytes() for path in (registry.folder / "data").glob("*secret*")}

    assert _end_at(registry, LAST_STEPS[backend], "SIGTERM", "restore", str(backup), "--replace") == 130

    assert _data_files(registry) == files
    assert {path: path.read_bytes() for path in contents} == contents


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_what_a_killed_restore_leaves_beside_the_database_is_deleted_by_the_next_one(registry: Registry) -> None:
    registry.run("backup")
    files = _data_files(registry)
    restore = "restore", str(registry.newest()), "--replace"

    for _ in range(2):
        assert _end_at(registry, "app.services.session_revocation.end_all", "SIGKILL", *restore) == -signal.SIGKILL
        left = {*_data_files(registry)} - {*files}
        assert len(left) == 1, "of the second one alone"
    assert "admin" in registry.run("user", "list")
    registry.run(*restore)

    new = {*_data_files(registry)} - {*files}
    assert len(new) == 1
    assert new.pop().startswith("ostiary.db.before-")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_two_restores_at_once_do_not_delete_each_others_files(registry: Registry) -> None:
    registry.run("backup")
    with folders.lock(registry.folder / "data", waits=False) as is_locked:
        assert is_locked
        said = registry.run("restore", str(registry.newest()), "--replace", code=1)

    assert "another process restores" in said


def _data_files(registry: Registry) -> list[str]:
    names = (each.name for each in (registry.folder / "data").iterdir())
    return sorted(name for name in names if not name.endswith(("-wal", "-shm", ".lock")))


def _names(registry: Registry, schema: str) -> list[str]:
    query = f"SELECT user_name FROM {schema}.users WHERE user_name <> 'admin' ORDER BY 1"
    return [row[0] for row in registry.execute(query)]
