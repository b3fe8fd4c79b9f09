"""Claims about freshness: which reads only the primary answers, and which a replica may answer."""

import ast
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from app import db
from app.db import Freshness
from tests.support.changes import answered, change
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.sources import trees

PAGE = "{ orgs(first: 2) { nodes { slug } } }"
DEEP = "{ orgs(first: 2) { nodes { slug resources(first: 1) { nodes { slug } } } } }"
UPDATE = change("updateOrg", "org { slug resources(first: 1) { nodes { slug } } }")
READS = frozenset({"ask", "read", "snapshot"})


@pytest.fixture
def seen(database: db.Database, monkeypatch: pytest.MonkeyPatch) -> list[Freshness]:
    """The freshness of every read of lists; authentication reads through `ask`, and the code declares its freshness."""
    kind, seen = type(database), list[Freshness]()
    read, joined, snapshot, ask = kind.read, kind.read_joined, kind.snapshot, kind.ask

    async def noted_read(self: Any, questions: Sequence[db.BoundStatement], *, freshness: Freshness) -> Any:
        seen.append(freshness)
        return await read(self, questions, freshness=freshness)

    async def noted_joined(self: Any, above: Any, below: Any, *, freshness: Freshness) -> Any:
        if below:
            seen.append(freshness)
        return await joined(self, above, below, freshness=freshness)

    def noted_snapshot(self: Any, *, freshness: Freshness) -> AbstractAsyncContextManager[db.Read]:
        seen.append(freshness)
        return snapshot(self, freshness=freshness)

    async def quiet_ask(self: Any, statement: Any, *, freshness: Freshness, **values: Any) -> Any:
        return (await read(self, [(self.prepare(statement), values)], freshness=freshness))[0]

    assert ask is db.Database.ask
    methods = {"read": noted_read, "read_joined": noted_joined, "snapshot": noted_snapshot, "ask": quiet_ask}
    for name, method in methods.items():
        monkeypatch.setattr(kind, name, method)
    return seen


@pytest.mark.parametrize("query", [PAGE, DEEP])
async def test_a_replica_may_answer_the_lists_of_a_query(
    api: Api, make: Make, seen: list[Freshness], query: str
) -> None:
    ann = await make.user("ann")
    await make.org("sea", ann, is_public=True)
    await make.org("land", ann, is_public=True)

    for viewer in (ann, None):
        for _ in range(3):  # the reference executor answers first, then a plan
            seen.clear()
            await api(query, as_=viewer)
            assert set(seen) == {Freshness.REPLICA_OK}


async def test_the_payload_of_a_change_sees_the_latest(api: Api, make: Make, seen: list[Freshness]) -> None:
    ann = await make.user("ann")
    org = await make.org("sea", ann)

    for at in range(3):
        seen.clear()
        answered(await api(UPDATE, as_=ann, input={"org": {"id": org.node}, "name": f"Sea {at}"}), "updateOrg")
        assert set(seen) == {Freshness.PRIMARY}


def test_a_replica_may_answer_only_where_the_rule_says_so() -> None:
    """Authentication, checks and services name `PRIMARY` at each call, and no other module decides."""
    allowing = {path for path, tree in _app() if any(name == "REPLICA_OK" for name in _attributes(tree))}
    assert allowing == {"app/query/reader.py"}

    choices = {
        (path, ast.unparse(keyword.value).removeprefix("db."))
        for path, tree in _app()
        if path.startswith(("app/security/authentication.py", "app/services/", "app/db/migrations/"))
        for keyword in _freshness_of_reads(tree)
    }
    assert {path for path, _ in choices} >= {
        "app/security/authentication.py",
        "app/services/session.py",
        "app/services/checks.py",
    }
    assert {freshness for _, freshness in choices} == {"Freshness.PRIMARY"}


def _app() -> Iterator[tuple[str, ast.Module]]:
    return ((path, tree) for path, tree in trees().items() if path.startswith("app/"))


def _attributes(tree: ast.AST) -> Iterator[str]:
    return (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))


def _freshness_of_reads(tree: ast.AST) -> Iterator[ast.keyword]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READS:
            yield from (keyword for keyword in node.keywords if keyword.arg == "freshness")
