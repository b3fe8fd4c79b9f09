"""Fixtures of the tests of cached rows."""

from typing import Any

import pytest
from starlette.applications import Starlette

from app.db import cached_rows
from app.graphql.handler import GraphQLHandler
from tests.support.differential import Both
from tests.support.factories import Make


@pytest.fixture
def both(app: Starlette) -> Both:
    """Return both executors for the database of the test."""
    answering: GraphQLHandler = app.state.answering
    return Both(answering.app, answering.statements)


@pytest.fixture
def rested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let dropped rows be read again at once."""
    monkeypatch.setattr(cached_rows, "BACKOFF_SECONDS", -1.0)


@pytest.fixture
async def registry(make: Make) -> dict[str, Any]:
    """Create a few objects of every kind."""
    people = [await make.user(None, *names) for names in (["admin"], [], [], [])]
    orgs = [await make.org(owner=people[0]) for _ in range(3)]
    groups = [await make.group(None, *people[at:]) for at in range(3)]
    for org in orgs:
        await make.member(org, people[1])
    things = [await make.resource(org, general=1) for org in orgs]
    for thing in things:
        for group in groups:
            await make.grant(thing, group, 1)
    return {"people": people, "orgs": orgs, "groups": groups, "things": things}


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the growing list of the statements of all reads that cached rows complete."""
    texts: list[str] = []
    split = cached_rows.CacheCheckingDatabase._split

    def noting(self: Any, rows: Any, statements: Any, last: Any) -> Any:
        texts.extend(compiled.text for compiled, _ in statements)
        return split(self, rows, statements, last)

    async def noting_below(self: Any, statements: Any, below: Any, **options: Any) -> Any:
        texts.extend(compiled.text for (compiled, _), _ in below)
        return await read_joined(self, statements, below, **options)

    read_joined = cached_rows.CacheCheckingDatabase.read_joined
    monkeypatch.setattr(cached_rows.CacheCheckingDatabase, "_split", noting)
    monkeypatch.setattr(cached_rows.CacheCheckingDatabase, "read_joined", noting_below)
    return texts
