"""Runs the plans of queries: level by level, one read a level."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from graphql.execution.values import VariableValues

from app.db import BoundStatement, Database
from app.db.statements import Row
from app.domain import errors
from app.domain.viewer import Viewer
from app.graphql.compiled.fallback import NotPlannable
from app.graphql.compiled.plan_cache import Fallback, Plan, PlanCache
from app.graphql.compiled.planner import Planner
from app.graphql.compiled.row_builder import PlanLevel, below
from app.graphql.compiled.steps import PlanRun, ResultTarget
from app.graphql.documents.cache import ValidatedDocument
from app.query.reader import query_freshness

log = logging.getLogger(__name__)

NOTHING: Sequence[Sequence[Any]] = ((),)
"""The one row of what hangs on nothing."""


async def execute(plan: Plan, run: PlanRun, rows: Sequence[Any] = NOTHING) -> dict[str, Any]:
    """The root of an answer, made of one row. Raises whatever is in the way: the stock executor tells it better."""
    objects = plan.build(rows, None, run.viewer)
    for step, holders in below(plan.queries, objects):
        await step.answer(run, holders)
    wave = below(plan.steps, objects)
    if plan.is_deep:
        async with run.database.snapshot(freshness=run.freshness) as read:
            while wave:
                questions, places = _open(wave, run)
                wave = _place(places, await read(questions) if questions else [])
    elif wave:
        read_once = run.database.read
        questions, places = _open(wave, run)
        _place(places, await read_once(questions, freshness=run.freshness) if questions else [])
    return objects[0]


def _open(wave: PlanLevel, run: PlanRun) -> tuple[list[BoundStatement], list[tuple[int, ResultTarget]]]:
    """What the steps of a level ask, and where each of them puts how many answers."""
    questions: list[BoundStatement] = []
    places: list[tuple[int, ResultTarget]] = []
    for step, holders in wave:
        asked, place = step.open(run, holders)
        places.append((len(asked), place))
        questions += asked
    return questions, places


def _place(places: Sequence[tuple[int, ResultTarget]], answers: Sequence[Sequence[Row]]) -> PlanLevel:
    found: PlanLevel = []
    at = 0
    for number, place in places:
        found += place(answers[at : at + number])
        at += number
    return found


class CompiledExecutor:
    """The compiled executor of one schema on one database."""

    def __init__(self, planner: Planner, *, at_once: bool = False) -> None:
        self._plans = PlanCache(planner.plan, at_once=at_once)

    async def answer(
        self, known: ValidatedDocument, variables: VariableValues, viewer: Viewer, database: Database, now: datetime
    ) -> dict[str, Any] | Fallback:
        """The data of the answer to a query, or why the stock executor is to give it: reading twice harms nobody.

        But what takes too long is not tried twice: raises TimedOut and Unavailable.
        """
        plan = self._plans.of(known, variables, viewer)
        if isinstance(plan, Fallback):
            return plan
        try:
            run = PlanRun(viewer, database, variables, {**viewer.bind_values, "now": now}, query_freshness(viewer))
            return await execute(plan, run)
        except NotPlannable as error:
            return Fallback(error.reason)
        except (errors.TimedOut, errors.Unavailable):
            raise
        except errors.Refusal:
            return Fallback("refusal")
        except Exception as error:
            log.debug("The stock executor answers, since a plan met %r.", error)
            return Fallback("plan failed")
