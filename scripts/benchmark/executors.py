"""Measure the reference and the compiled executor: the same queries in this process, and one small query over HTTP."""

import gc
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from inspect import isawaitable
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import cast

from graphql import ExecutionResult, execute
from graphql.execution.values import get_variable_values

from app import db
from app.config import Limits
from app.domain.viewer import ALL_PERMISSIONS, Permission, Viewer
from app.graphql import schema
from app.graphql.compiled.executor import CompiledExecutor
from app.graphql.compiled.plan_cache import Fallback
from app.graphql.compiled.planner import Planner
from app.graphql.context import GraphQLContext
from app.graphql.documents.cache import DocumentCache
from app.http import encode_json
from app.query.sql import SelectBuilder
from app.services.app_context import AppContext
from scripts.benchmark import world
from scripts.benchmark.baseline import TOKEN
from scripts.benchmark.cases import NESTED_RESOURCES, NESTED_USERS, RESOURCES_PAGE, login
from scripts.benchmark.load import Measured as Load
from scripts.benchmark.load import Refused, answer, graphql, measure, opened
from scripts.benchmark.server import BASELINE, Server
from scripts.benchmark.world import NAMES

SMALL = "{ viewer { user { userName } } }"
LEVELS = """{ orgs(first: 10) { nodes { slug members(first: 10) { edges { level node { userName
  groups(first: 5) { nodes { slug } } } } } resources(first: 10) { nodes { name owner { userName } } } } } }"""
QUERIES = {
    "one user": SMALL,
    "a page of resources": RESOURCES_PAGE,
    "50 users with roles, orgs, groups": NESTED_USERS,
    "100 resources with access and grants": NESTED_RESOURCES,
    "three levels of connections": LEVELS,
}
VIEWERS = {
    "administrator": Viewer(world.ADMIN, ALL_PERMISSIONS),
    "in 20 groups": Viewer(world.TWENTY, Permission.ORGS_CREATE),
    "stranger": Viewer(world.STRANGER, Permission.ORGS_CREATE),
}
TURNS, TIMES = 10, 5
"""Turns of each executor, alternating so that a busy moment affects both; and executions in each turn."""

ROUNDS = 10
"""Turns over HTTP."""


@dataclass(slots=True)
class Measured:
    """Seconds of both executors, by query and viewer."""

    reference: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    compiled: dict[tuple[str, str], list[float]] = field(default_factory=dict)


class Executors:
    """Both executors on one database, without the protocol and without authentication."""

    def __init__(self, database: db.Database) -> None:
        self._database = database
        self._statements = SelectBuilder(database)
        self._documents = DocumentCache(schema.core(), Limits())
        self._app = cast("AppContext", SimpleNamespace(database=database))
        planner = Planner(schema.core(), self._statements, schema.converted, self._app)
        self._compiled = CompiledExecutor(planner, at_once=True)

    async def reference(self, text: str, viewer: Viewer) -> bytes:
        """Return the bytes of an answer; raises Refused for errors."""
        document = self._documents.operation(text, None, {}, introspection=True)
        execution = execute(
            schema.core(), document.document, context_value=GraphQLContext(self._app, self._statements, viewer)
        )
        result = await execution if isawaitable(execution) else execution
        assert isinstance(result, ExecutionResult)
        if result.errors:
            raise Refused(str(result.errors[0]))
        return encode_json({"data": result.data})

    async def compiled(self, text: str, viewer: Viewer) -> bytes:
        """Return the bytes of an answer; raises Refused if the query needs the reference executor."""
        document = self._documents.operation(text, None, {}, introspection=True)
        variables = get_variable_values(schema.core(), document.operation.variable_definitions or (), {})
        assert not isinstance(variables, list)
        data = await self._compiled.answer(document, variables, viewer, self._database, self._database.clock())
        if isinstance(data, Fallback):
            raise Refused(f"no plan: {data.reason}")
        return encode_json({"data": data})


async def measured(url: str) -> Measured:
    """Measure every query for every viewer; raises Refused where the two differ by a byte."""
    database = await db.open_database(url)
    try:
        executors, results = Executors(database), Measured()
        for query, text in QUERIES.items():
            for name, viewer in VIEWERS.items():
                first = await executors.reference(text, viewer), await executors.compiled(text, viewer)
                if first[0] != first[1]:
                    raise Refused(f"{query}, {name}: the answers differ")
                await _turns(executors, text, viewer, results, (query, name))
        return results
    finally:
        await database.close()


async def _turns(executors: Executors, text: str, viewer: Viewer, into: Measured, key: tuple[str, str]) -> None:
    gc.collect()
    gc.freeze()
    reference, compiled = into.reference.setdefault(key, []), into.compiled.setdefault(key, [])
    for _ in range(TURNS):
        reference += [await _timed(executors.reference, text, viewer) for _ in range(TIMES)]
        compiled += [await _timed(executors.compiled, text, viewer) for _ in range(TIMES)]


async def _timed(ask: Callable[[str, Viewer], Awaitable[bytes]], text: str, viewer: Viewer) -> float:
    began = time.perf_counter()
    await ask(text, viewer)
    return time.perf_counter() - began


def table(runs: Mapping[tuple[str, int], Measured], said: str) -> str:
    """Return everything as Markdown."""
    lines = [
        "| query | viewer | database | resources | reference ms | compiled ms | times as fast |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for query in QUERIES:
        for viewer in VIEWERS:
            lines += [_line(query, viewer, *run, results) for run, results in runs.items()]
    return "\n".join(
        [f"{said} In process, the answers of both equal byte by byte; medians of {TURNS * TIMES}.", "", *lines]
    )


def _line(query: str, viewer: str, database: str, resources: int, results: Measured) -> str:
    reference, compiled = median(results.reference[query, viewer]), median(results.compiled[query, viewer])
    times = f"{reference * 1000:.2f} | {compiled * 1000:.2f} | {reference / compiled:.1f}"
    return f"| {query} | {viewer} | {database} | {resources:,} | {times} |"


async def over_http(url: str, folder: Path, seconds: float) -> tuple[Load, Load]:
    """Measure the small query at a complete server and at the baseline, in turns; return both."""
    with Server(url, folder) as server, Server(url, folder, command=BASELINE) as least:
        async with opened(server.port, 1) as (connection,):
            token = (await answer(connection, login(NAMES[world.ADMIN])))["login"]["session"]["token"]
        ours, baseline = Load(), Load()
        for _ in range(ROUNDS):
            await measure(least.port, [graphql(SMALL, None, TOKEN)], seconds / ROUNDS, baseline)
            await measure(server.port, [graphql(SMALL, None, token)], seconds / ROUNDS, ours)
    return ours, baseline


def compared(database: str, ours: Load, baseline: Load) -> str:
    """Return the results over HTTP, in a sentence."""
    return (
        f"- {database}: `{SMALL}` over HTTP, signed in: {ours.rate:,.0f} requests/s, baseline {baseline.rate:,.0f}, "
        f"{ours.rate / baseline.rate:.2f} of it; medians {ours.median * 1000:.2f} and {baseline.median * 1000:.2f} ms."
    )
