"""A statement that has failed is prepared once more, and not for each execution from then on."""

import importlib
import inspect
import pkgutil
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from app.db import sqlite
from app.db.sqlite import database
from app.db.sqlite.connection import RENAMES, STATEMENTS, Connection, connect

ENDLESS = (
    "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) SELECT n FROM numbers"
)
INSERT = "INSERT INTO things VALUES (?)"
DIVIDE = "SELECT 10 / id FROM things WHERE id > abs(?)"
LEAST = -(2**63)
"""SQLite cannot tell its absolute value."""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A connection to a file with a table."""
    path = tmp_path / "things.db"
    sqlite3.connect(path).close()
    with closing(connect(path)) as opened:
        opened.execute("CREATE TABLE things (id INTEGER PRIMARY KEY)")
        opened.execute("INSERT INTO things VALUES (0), (7)")
        yield opened


def prepared(connection: Connection, work: Callable[[], object]) -> int:
    """Return how many statements are prepared for this work: SQLite asks whether each is allowed, and only then."""
    asked: list[int] = []

    def allow(action: int, *_: object) -> int:
        asked.append(action)
        return sqlite3.SQLITE_OK

    connection.set_authorizer(allow)
    with suppress(sqlite3.Error):
        work()
    began = len(asked)  # to set an authorizer makes all statements be prepared again
    with suppress(sqlite3.Error):
        work()
    return sum(action in {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_INSERT} for action in asked[began:])


def interrupt(connection: Connection, text: str) -> None:
    """Let a statement fail as the deadline of slow reads does."""
    connection.set_progress_handler(lambda: True, 1_000)
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        connection.fetch_all(text, (10_000_000,))
    connection.set_progress_handler(None, 0)


def test_after_an_interrupted_read_the_next_ones_are_not_prepared_again(connection: Connection) -> None:
    interrupt(connection, ENDLESS)

    assert prepared(connection, lambda: connection.fetch_all(ENDLESS, (2,))) == 0


def test_nor_after_a_read_that_was_interrupted_between_two_rows(connection: Connection) -> None:
    cursor = connection.start(ENDLESS, (10_000_000,))
    cursor.fetchmany(3)
    connection.interrupt()
    with pytest.raises(sqlite3.OperationalError, match="interrupted"), connection.renaming(ENDLESS):
        cursor.fetchmany(3)

    assert prepared(connection, lambda: connection.start(ENDLESS, (2,)).fetchall()) == 0


@pytest.mark.parametrize(
    ("text", "wrong", "right"), [(INSERT, 7, 8), (DIVIDE, LEAST, 1)], ids=["a constraint", "an integer overflow"]
)
def test_nor_after_a_statement_that_failed_at_once(connection: Connection, text: str, wrong: int, right: int) -> None:
    with pytest.raises(sqlite3.Error):
        connection.fetch_all(text, (wrong,))

    assert prepared(connection, lambda: connection.fetch_all(text, (right,))) == 0


def test_the_texts_of_queries_that_fail_do_not_grow_without_end(connection: Connection) -> None:
    if not RENAMES:
        pytest.skip("this Python keeps failed queries prepared by itself")
    queries = [f"{ENDLESS} -- {number}" for number in range(2 * STATEMENTS)]
    for text in (*queries, *([ENDLESS] * 3 * STATEMENTS)):
        connection.rename(text)

    assert len(connection.texts) <= STATEMENTS
    assert len(connection.texts[ENDLESS]) <= len(ENDLESS) + 2 * STATEMENTS


def test_the_queries_that_failed_last_keep_their_other_texts(connection: Connection) -> None:
    if not RENAMES:
        pytest.skip("this Python keeps failed queries prepared by itself")
    queries = [f"{ENDLESS} -- {number}" for number in range(STATEMENTS)]
    for text in (*queries, queries[0], ENDLESS):
        connection.rename(text)

    assert set(connection.texts) == {ENDLESS, *queries} - {queries[1]}


def test_queries_of_the_server_are_fetched_where_a_failure_renames_them() -> None:
    source = inspect.getsource
    fetching = [
        name
        for module in pkgutil.iter_modules(sqlite.__path__)
        for name in re.findall(
            r"\.fetch(?:all|many|one)\(", source(importlib.import_module(f"{sqlite.__name__}.{module.name}"))
        )
    ]

    assert sorted(fetching) == [".fetchall(", ".fetchmany(", ".fetchone("]
    assert ".fetchall(" in source(Connection.fetch_all)
    assert "renaming(text):\n            return await _rows(" in source(database.SqliteTransaction)
    assert 'PRAGMA data_version").fetchone(' in source(database.SqliteDatabase._version)
