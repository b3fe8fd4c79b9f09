"""Tests of when small tables are read and dropped, and of the bounds of what is cached."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from app import db
from app.db import cached_rows
from app.db.cached_rows import CachedTable
from app.db.tables import Group, Org, Resource, ResourceType, col
from app.domain import errors
from app.graphql.compiled import connection_step
from app.graphql.compiled.executor import USES_BEFORE_CACHED_FORM
from tests.oracle.worlds import Question
from tests.support.cached_rows import ADMIN, LIST, QUESTIONS
from tests.support.client import Api
from tests.support.differential import Both
from tests.support.factories import Make
from tests.support.other_worker import change_rows


async def test_rows_that_a_commit_has_changed_rest_before_they_are_read_again(
    both: Both, database: db.Database, registry: dict[str, Any], statements: list[str]
) -> None:
    await both.ask(QUESTIONS[0], ADMIN, "admin")
    await change_rows(database, update(Org).values(name="New", name_key="new"))
    await both.ask(QUESTIONS[0], ADMIN, "admin")
    statements.clear()

    await both.ask(QUESTIONS[0], ADMIN, "admin")

    assert not statements


async def test_a_change_of_other_rows_keeps_them(
    both: Both, database: db.Database, registry: dict[str, Any], statements: list[str]
) -> None:
    for at in range(5):
        statements.clear()
        await both.ask(QUESTIONS[0], ADMIN, "admin")
        assert statements
        await change_rows(database, update(Org).values(size_bytes=at), update(Resource).values(description=f"{at}"))


async def test_large_tables_and_long_lists_are_read_as_before(
    both: Both, registry: dict[str, Any], statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_step, "MAX_REFERRING", 1)
    await both.ask(QUESTIONS[1], ADMIN, "admin")
    assert statements
    statements.clear()

    await both.ask(QUESTIONS[1], ADMIN, "admin")
    assert not statements

    monkeypatch.setattr(cached_rows, "MAX_ROWS", 1)
    for _ in range(2):
        await both.ask(QUESTIONS[0], ADMIN, "admin")
        assert not statements


async def test_the_objects_of_all_selections_are_bounded(
    both: Both, registry: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cached_rows, "MAX_OBJECTS", 30)
    largest = 0
    for at in range(12):
        await both.ask(Question(LIST.replace("displayName", f"named{at}: displayName"), {}), ADMIN, "admin")
        largest = max(largest, both.cached_tables.objects)
    assert 20 < largest <= 30 + 10


def test_a_table_that_changes_more_often_than_it_is_used_rests_longer_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cached_rows, "ROWS_PER_USE", 2)
    table, rows, rests = CachedTable(Group), [(at, *"abcdefghij") for at in range(9)], []
    for uses in (0, 0, 0, 4, 5, 0):
        table.fill(rows)
        table.uses = uses
        table.drop()
        rests.append(table.backoff_seconds)
    assert rests == [1.0, 2.0, 4.0, 8.0, 1.0, 2.0], "four uses save eight of nine rows"
    for _ in range(20):
        table.fill(rows)
        table.drop()
    assert table.backoff_seconds == cached_rows.MAX_BACKOFF_SECONDS


def _slow_down(database: db.Database, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let small tables arrive later than they were read; returns the event that is set when they have been read."""
    reading, read = asyncio.Event(), database.read_with_changes

    async def slowly(*arguments: Any) -> Any:
        result = await read(*arguments)
        reading.set()
        await asyncio.sleep(0.05)
        return result

    monkeypatch.setattr(database, "read_with_changes", slowly)
    return reading


async def test_rows_are_read_while_other_reads_note_other_changes(
    both: Both, database: db.Database, registry: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await both.ask(QUESTIONS[1], ADMIN, "admin")
    state, reading = both.cached_tables.state, _slow_down(database, monkeypatch)
    first = asyncio.create_task(both.plan(QUESTIONS[0], ADMIN))
    await reading.wait()
    await change_rows(database, update(Resource).values(description="new"))
    await both.plan(QUESTIONS[1], ADMIN)
    assert both.cached_tables.state is not state
    await first
    assert all(both.cached_tables.is_cached(table) for table in (Org, Group, ResourceType))


async def test_rows_that_another_read_knows_to_be_changed_are_not_kept(
    both: Both, database: db.Database, registry: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await both.ask(QUESTIONS[1], ADMIN, "admin")
    reading = _slow_down(database, monkeypatch)
    first = asyncio.create_task(both.plan(QUESTIONS[0], ADMIN))
    await reading.wait()
    await change_rows(database, update(ResourceType).values(name=col(ResourceType.name) + "x"))
    await both.plan(QUESTIONS[1], ADMIN)
    await first
    assert not both.cached_tables.is_cached(ResourceType)
    await both.ask(QUESTIONS[0], ADMIN, "admin")


@pytest.mark.parametrize("error", [errors.Unavailable("Busy."), errors.TimedOut("Slow.")])
async def test_the_query_is_answered_though_small_tables_cannot_be_read(
    both: Both, database: db.Database, registry: dict[str, Any], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(database, "read_with_changes", fail)
    assert await both.ask(QUESTIONS[0], ADMIN, "admin") is not None


async def test_where_the_database_cannot_tell_changes_nothing_is_cached(
    both: Both, database: db.Database, registry: dict[str, Any], statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "logs_changes", False)
    await both.ask(QUESTIONS[0], ADMIN, "admin")
    assert not statements


async def test_with_cached_rows_a_query_takes_at_most_two_statements_more(
    api: Api, make: Make, registry: dict[str, Any], statements: list[str]
) -> None:
    root = registry["people"][0]
    for question in QUESTIONS:
        first = await api.statements(question.text, as_=root, **question.variables)
        for _ in range(USES_BEFORE_CACHED_FORM + 1):
            await api.statements(question.text, as_=root, **question.variables)
        statements.clear()
        assert await api.statements(question.text, as_=root, **question.variables) <= first + 1
        assert statements
        await make.resource(registry["orgs"][0])
        await make.user()
        assert await api.statements(question.text, as_=root, **question.variables) <= first + 2
