"""The trial of copies runs to its end with a small registry, and tells what is wrong."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from scripts.benchmark.world import Spec
from scripts.copying import trials
from scripts.copying.questions import questions
from tests.support.postgres import Postgres

SMALL = Spec(users=250, orgs=20, groups=250, resources=2_500)


def test_a_small_registry_is_copied_there_and_back(postgres: Postgres, tmp_path: Path) -> None:
    postgres.create("copies")
    try:
        tried = trials.run(SMALL, 140, tmp_path, postgres.url("copies"))
    finally:
        postgres.drop("copies")

    assert len(tried) == 10
    # A small copy may end before the kill; then it has nothing to go on with.
    of_the_kill = (": killed in", ": unfinished, a", ": the same again")
    assert [each for each in tried if not each.is_right and not any(part in each.what for part in of_the_kill)] == []


def test_the_questions_are_the_same_each_time_and_of_every_kind() -> None:
    asked = questions(SMALL, 200, 11)

    assert asked == questions(SMALL, 200, 11)
    assert {each.token for each in asked} == set(range(11))
    assert len({each.query for each in asked}) == 7


@pytest.mark.parametrize("statement", ["DELETE FROM t WHERE id = 2", "UPDATE t SET id = 9 WHERE id = 2", ""])
def test_a_row_that_differs_is_counted_in_both_directions(statement: str, tmp_path: Path) -> None:
    first, last = (f"sqlite:///{tmp_path}/{name}" for name in ("first", "last"))
    for name in ("first", "last"):
        with closing(sqlite3.connect(tmp_path / name, isolation_level=None)) as connection:
            connection.executescript("CREATE TABLE t (id integer); INSERT INTO t VALUES (1), (2)")
            connection.execute(statement if name == "last" and statement else "SELECT 1")

    assert trials.differing(first, last, ["t"])[1] is (statement == "")
