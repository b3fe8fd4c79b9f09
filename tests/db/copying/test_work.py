"""Claims about copies: all rows with their ids, between both kinds of databases, whole after any interruption."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import db
from app.db import migrations
from app.db.copying import CopyFailed, shapes
from app.domain.errors import Interrupted
from tests.conftest import BACKENDS, open_db
from tests.support.copying import Databases, contents, copied, databases, execute, fill, upgraded
from tests.support.factories import stale
from tests.support.postgres import Postgres
from tests.support.server import clean_environment

LISTED = {
    "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
    "postgresql": "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
}


@pytest.fixture
def other(backend: str) -> str:
    """The kind of TARGET: the other one."""
    return next(kind for kind in BACKENDS if kind != backend)


@pytest.fixture
def spare(tmp_path: Path, postgres: Postgres) -> Iterator[Databases]:
    with databases(tmp_path, postgres) as made:
        yield made


@pytest.fixture
async def source(own_db: db.Database, url: str) -> str:
    await fill(own_db)
    return url


class Killed(Exception):
    """The process ends here."""


class Until:
    """A report that ends the copy when it is called the `calls`-th time, or in a stage."""

    def __init__(self, calls: int = 0, stage: str = "") -> None:
        self._left, self._stage = calls, stage

    def __call__(self, stage: str, done: int, total: int) -> None:
        self._left -= 1
        if self._left == 0 or (self._stage and stage.startswith(self._stage)):
            raise Killed


@pytest.mark.parametrize("target", BACKENDS)
async def test_a_copy_and_a_copy_back_have_the_same_rows(
    source: str, backend: str, target: str, spare: Databases
) -> None:
    there = spare.empty(target)

    counts = (await copied(source, there)).rows
    back = there if target == backend else spare.empty(backend)
    if back != there:
        await copied(there, back)

    tables = {row[0] for row in execute(source, LISTED[backend])}
    assert set(counts) == tables - {"alembic_version", "access_changes"}
    assert min(counts.values()) > 0, "each table is tried"
    assert {row[0] for row in execute(there, LISTED[target])} == tables
    assert await contents(source) == await contents(there) == await contents(back)
    async with open_db(there, size=2) as opened:
        assert await stale(opened) == set()
    assert upgraded(there) == []


async def test_numbers_go_on_where_they_were(source: str, backend: str, other: str, spare: Databases) -> None:
    """The id of a deleted row belongs to nobody else, in the copy as in the original."""
    columns = "slug, display_name, name_key, description, created_at"
    row = "'later', 'L', 'l', '', '2026-01-01T00:00:00.000000+00:00'"
    if backend == "postgresql":  # the world has numbers of its own
        execute(source, "SELECT setval('groups_id_seq', (SELECT max(id) FROM groups))")
    (deleted,) = execute(source, f"INSERT INTO groups ({columns}) VALUES ({row}) RETURNING id")[0]
    execute(source, "DELETE FROM groups WHERE slug = 'later'")

    target = spare.empty(other)
    await copied(source, target)

    assert execute(target, f"INSERT INTO groups ({columns}) VALUES ({row}) RETURNING id") == [(deleted + 1,)]


async def test_a_killed_copy_is_refused_and_goes_on(
    source: str, other: str, spare: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "PAGE", 25)
    target = spare.empty(other)
    for calls in (1, 9, 30):
        with pytest.raises(Killed):
            await copied(source, target, Until(calls))

    with pytest.raises(Interrupted, match="ostiary copy SOURCE TARGET"):
        upgraded(target)
    async with open_db(target, size=2) as opened:
        assert await migrations.failing(opened) == "migrations"
    with pytest.raises(CopyFailed, match="unfinished copy itself"):
        await copied(target, spare.empty("sqlite"))

    assert (await copied(source, target)).resumed_at > 0
    assert await contents(target) == await contents(source)


KILLED = """
import asyncio, os, signal, sys
from app.db.copying import shapes
from app.db.copying.postgresql import PostgresEndpoint
from app.db.copying.sqlite import SqliteEndpoint
from app.db.copying.work import copy
shapes.PAGE = 40
left = 12
def report(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(copy(SqliteEndpoint(sys.argv[1], ""), PostgresEndpoint(sys.argv[2], ""), report, print))
"""


async def test_a_copy_survives_a_real_kill(source: str, backend: str, other: str, spare: Databases) -> None:
    if backend == "postgresql":
        pytest.skip("the process is the same; the last test ends copies to both kinds")
    target = spare.empty(other)
    command = [sys.executable, "-c", KILLED, source, target]
    done = await asyncio.to_thread(
        subprocess.run, command, env=clean_environment(), check=False, capture_output=True, timeout=120
    )
    assert done.returncode == -9, done.stderr.decode()

    assert (await copied(source, target)).resumed_at > 0
    assert await contents(target) == await contents(source)


async def test_the_first_row_that_differs_is_named(source: str, other: str, spare: Databases) -> None:
    ((group, name), *_) = execute(source, "SELECT id, display_name FROM groups ORDER BY id")
    ((grant,), *_) = execute(source, "SELECT id FROM grants ORDER BY id")
    target = spare.empty(other)
    with pytest.raises(Killed):
        await copied(source, target, Until(stage="compared"))
    flags = "SELECT 999, 'x', has_data, has_data FROM resource_types WHERE id = 1"
    insert = f"INSERT INTO resource_types (id, name, has_data, is_built_in) {flags}"
    changes = [
        (insert, "resource_types: .* 999 is not in SOURCE"),
        ("DELETE FROM resource_types WHERE id = 999", ""),
        (f"UPDATE groups SET display_name = 'x' WHERE id = {group}", f"groups: .* {group} differs in display_name"),
        (f"UPDATE groups SET display_name = '{name}' WHERE id = {group}", ""),
        (f"DELETE FROM grants WHERE id = {grant}", f"grants: .* {grant} is missing in TARGET"),
    ]

    for change, text in changes:
        execute(target, change)
        if text:
            with pytest.raises(CopyFailed, match=text):
                await copied(source, target)
    with pytest.raises(Interrupted):
        upgraded(target)


async def test_a_target_with_anything_else_is_refused_and_left(source: str, other: str, spare: Databases) -> None:
    before = await contents(source)
    with pytest.raises(CopyFailed, match="has a registry: name an empty database"):
        await copied(source, source)
    assert await contents(source) == before

    foreign = spare.empty(other)
    if other == "sqlite":
        Path(foreign.removeprefix("sqlite:///")).parent.mkdir()
    execute(foreign, "CREATE TABLE shop (id integer)")
    with pytest.raises(CopyFailed, match="not of Ostiary"):
        await copied(source, foreign)
    assert execute(foreign, LISTED[other]) == [("shop",)]


async def test_an_unfinished_copy_of_something_else_is_refused(source: str, other: str, spare: Databases) -> None:
    target, stranger = spare.empty(other), spare.empty("sqlite")
    with pytest.raises(Killed):
        await copied(source, target, Until(3))
    upgraded(stranger)
    with pytest.raises(CopyFailed, match="of another registry"):
        await copied(stranger, target)

    execute(source, "INSERT INTO audit_events (at, face, action) VALUES ('2026-01-01T00:00:00.000000+00:00', 'x', 'y')")
    with pytest.raises(CopyFailed, match="SOURCE has changed"):
        await copied(source, target)
    with pytest.raises(Interrupted):
        upgraded(target)


async def test_of_two_copies_at_once_the_later_one_goes_on(source: str, other: str, spare: Databases) -> None:
    target = spare.empty(other)
    calls = 0

    def overtake(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            execute(target, "UPDATE unfinished_copy SET run = 'another'")

    with pytest.raises(CopyFailed, match="another `ostiary copy` has taken over"):
        await copied(source, target, overtake)


@pytest.mark.parametrize(("revision", "text"), [("0001", "run `ostiary migrate`"), ("9999", "newer than this version")])
async def test_a_source_of_another_version_is_refused(
    url: str, revision: str, text: str, spare: Databases, tmp_path: Path
) -> None:
    target = spare.empty("sqlite")
    execute(url, f"UPDATE alembic_version SET version_num = '{revision}'")
    try:
        with pytest.raises(CopyFailed, match=text):
            await copied(url, target)
    finally:
        execute(url, f"UPDATE alembic_version SET version_num = '{migrations.HEAD}'")
    assert not Path(target.removeprefix("sqlite:///")).exists()  # noqa: ASYNC240 - nothing else runs


async def test_changes_during_a_copy_are_not_in_it(source: str, backend: str, spare: Databases) -> None:
    """SOURCE is read at one moment, also while its servers run."""
    target = spare.empty("postgresql" if backend == "sqlite" else "sqlite")
    before = await contents(source)
    calls = 0

    def change(*_: object) -> None:
        nonlocal calls
        calls += 1
        execute(source, f"UPDATE groups SET display_name = 'change {calls}'")

    await copied(source, target, change)
    assert calls > 20
    assert await contents(target) == before
