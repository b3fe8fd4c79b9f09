"""Execution of query plans: level by level, one database read a level."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import Any

from graphql.execution.values import VariableValues

from app.db import (
    BoundStatement,
    CacheCheckingDatabase,
    CachedTables,
    ConditionFailed,
    Database,
    Freshness,
    ListsMissing,
    LoopYield,
    RowsChanged,
    SnapshotLost,
)
from app.db.cached_rows import MAX_BACKOFF_SECONDS
from app.db.interface import count_statements
from app.db.statements import Row
from app.domain import errors
from app.domain.viewer import Viewer
from app.graphql.compiled.connection_step import TooManyRows
from app.graphql.compiled.fallback import NotPlannable
from app.graphql.compiled.plan_cache import CachedRowsPlan, Fallback, Plan, PlanCache, handle_plan_failure
from app.graphql.compiled.plan_run import PlanRun
from app.graphql.compiled.planner import Planner
from app.graphql.compiled.row_builder import (
    NO_KEYS,
    JoinableStep,
    KeyColumns,
    PlanLevel,
    ResultTarget,
    Step,
    next_level,
)
from app.graphql.documents.cache import ValidatedDocument
from app.query.reader import QUERY_FRESHNESS

ROOT_ROWS: Sequence[Sequence[Any]] = ((),)
"""The one, empty row from which the root of a query is made."""


async def execute(plan: Plan, run: PlanRun, rows: Sequence[Any] = ROOT_ROWS) -> dict[str, Any]:
    """Return the root object, made of one row. Any exception means that the reference executor has to report it."""
    objects = plan.build(rows, None, run)
    for step, parents in next_level(plan.services, objects):
        await step.answer(run, parents)
    level = next_level(plan.steps, objects)
    if plan.joined_steps is not None and level and run.database.joins_levels:
        if run.lists is None:
            await _read_both(plan.joined_steps, level, run)
        elif run.lists.expects_all:
            await _read_first(level, run)
        else:
            run.lists.all_cached = await _read_both(plan.joined_steps, level, run) and not run.lists.has_missed
    elif plan.is_deep:
        await _read_levels(level, run)
    elif level:
        read_once = run.database.read
        statements, targets = await _open(level, run)
        _fill(targets, await read_once(statements, freshness=run.freshness) if statements else [])
        if run.lists is not None:
            run.lists.all_cached = not run.lists.has_missed
    return objects[0]


async def _read_levels(level: PlanLevel, run: PlanRun) -> None:
    """Read one level after the other, at one moment."""
    async with run.database.snapshot(freshness=run.freshness) as read:
        while level:
            statements, targets = await _open(level, run)
            level = _fill(targets, await read(statements) if statements else [])


async def _read_first(level: PlanLevel, run: PlanRun) -> None:
    """Read one level, and complete its rows with cached lists; raises ListsMissing."""
    statements, targets = await _open(level, run)
    read_once = run.database.read
    for step, parents in _fill(targets, await read_once(statements, freshness=run.freshness) if statements else []):
        own, target = step.open(run, parents)
        if own:
            raise ListsMissing
        target([])


async def _read_both(joined_steps: Mapping[JoinableStep, KeyColumns | None], level: PlanLevel, run: PlanRun) -> bool:
    """Read the first level and the last one by one statement, and fill them in.

    Return whether the first level would have been enough, since the last one was cached.
    """
    try:
        unkeyed = {
            step: [(bound, columns) for bound in step.open_unkeyed(run)]
            for step, columns in joined_steps.items()
            if columns is not NO_KEYS
        }
    except errors.Refusal:  # an argument of the last level counts only if the first one has a row
        await _read_levels(level, run)
        return False
    statements, targets = await _open(level, run)
    if not statements:
        return False
    joined: list[tuple[BoundStatement, KeyColumns]] = []
    places: dict[Step, slice[int, int, None]] = {}
    for joined_step, bounds in unkeyed.items():
        start = len(statements) + len(joined)
        joined += bounds
        places[joined_step] = slice(start, len(statements) + len(joined))
    results = await run.database.read_joined(statements, joined, freshness=run.freshness)
    numbers = []
    for step, parents in _fill(targets, results[: len(statements)]):
        own, target = step.open(run, parents)
        count_statements(len(own))
        numbers.append(len(own))
        target(results[places[step]] if own else [])
    return bool(numbers) and not any(numbers)


async def _open(level: PlanLevel, run: PlanRun) -> tuple[list[BoundStatement], list[tuple[int, ResultTarget]]]:
    """Return the statements of a level, and the target of each step with the number of its results.

    A list with many comparisons takes milliseconds to open: between steps the event loop may run other tasks.
    """
    pause = LoopYield() if len(level) > 1 else None
    statements: list[BoundStatement] = []
    targets: list[tuple[int, ResultTarget]] = []
    for step, parents in level:
        own, target = step.open(run, parents)
        targets.append((len(own), target))
        statements += own
        if pause is not None:
            await pause()
    return statements, targets


def _fill(targets: Sequence[tuple[int, ResultTarget]], results: Sequence[Sequence[Row]]) -> PlanLevel:
    """Pass the results of a level to their targets; returns the next level."""
    level: PlanLevel = []
    start = 0
    for number, target in targets:
        level += target(results[start : start + number])
        start += number
    return level


RUNS_WITHOUT_EXPECTATION = 8
"""Runs of a plan that expect no cached lists, after one that expected them in vain."""

USES_BEFORE_CACHED_FORM = 10
"""After this many uses of a plan, its form with cached rows is made. That takes as long as the plan took."""


class CompiledExecutor:
    """The executor of query plans, for one schema and one database."""

    def __init__(self, planner: Planner, *, at_once: bool = False) -> None:
        self._plans = PlanCache(planner.plan, at_once=at_once)
        self._used_often = 1 if at_once else USES_BEFORE_CACHED_FORM
        self.cached_tables = CachedTables()

    async def answer(
        self, document: ValidatedDocument, variables: VariableValues, viewer: Viewer, database: Database, now: datetime
    ) -> dict[str, Any] | Fallback:
        """Return the data of a query, or the reason to run it by the reference executor.

        Raises TimedOut and Unavailable: a query that takes too long does not run twice. Raises ConditionFailed.
        """
        plan = self._plans.plan_for(document, variables, viewer)
        if isinstance(plan, Fallback):
            return plan
        try:
            run = PlanRun(viewer, database, variables, {**viewer.bind_values, "now": now}, QUERY_FRESHNESS)
            try:
                return await self._execute(plan, run)
            except SnapshotLost:
                return await execute(plan, replace(run, freshness=Freshness.PRIMARY))
        except NotPlannable as error:
            return Fallback(error.reason)
        except (errors.TimedOut, errors.Unavailable, ConditionFailed):
            raise
        except errors.Refusal:
            return Fallback("refusal")
        except Exception as error:
            return handle_plan_failure(error)

    async def _execute(self, plan: Plan, run: PlanRun) -> dict[str, Any]:
        """Execute a plan with cached rows if it refers to some and they are there, else without."""
        cached_plan = None if plan.cached_form is None else plan.cached_form.get(self._used_often)
        if cached_plan is None or cached_plan.retry_at > monotonic():
            return await execute(plan, run)
        try:
            visible_ids = [(statement, run.bind_values) for statement in cached_plan.visible_ids]
            database = await self.cached_tables.database_for(run.database, cached_plan.selections, visible_ids)
            if database is not None:
                return await self._complete(cached_plan, database, run)
        except RowsChanged:
            pass
        except ListsMissing:
            cached_plan.complete_runs = -RUNS_WITHOUT_EXPECTATION
            return await self._execute(plan, run)
        except TooManyRows:
            cached_plan.retry_at = monotonic() + MAX_BACKOFF_SECONDS
        return await execute(plan, run)

    async def _complete(
        self, cached_plan: CachedRowsPlan, database: CacheCheckingDatabase, run: PlanRun
    ) -> dict[str, Any]:
        """Execute a plan with cached rows. Raises RowsChanged, ListsMissing and TooManyRows."""
        lists = database.lists
        lists.expects_all = cached_plan.complete_runs > 0
        changed = replace(run, database=database, cached=database.opened, lists=lists)
        answer = await execute(cached_plan.plan, changed)
        if not lists.expects_all:
            cached_plan.complete_runs = min(cached_plan.complete_runs + 1, 1 if lists.all_cached else 0)
        lists.end()
        return answer
