"""Runs the plans of queries: level by level, one read a level."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from graphql.execution.values import VariableValues

from app import errors
from app.auth import Viewer
from app.db import Database, Question
from app.executor.causes import Unplanned
from app.executor.documents import Known
from app.executor.plan import Planner
from app.executor.plans import Plan, Plans, Stock
from app.executor.shape import Wave, below
from app.executor.steps import Place, Run
from app.prepared import Row

log = logging.getLogger(__name__)

NOTHING: Sequence[Sequence[Any]] = ((),)
"""The one row of what hangs on nothing."""


async def execute(plan: Plan, run: Run, rows: Sequence[Any] = NOTHING) -> dict[str, Any]:
    """The root of an answer, made of one row. Raises whatever is in the way: the stock executor tells it better."""
    objects = plan.make(rows, None, run.viewer)
    for step, holders in below(plan.asked, objects):
        await step.answer(run, holders)
    wave = below(plan.steps, objects)
    if plan.is_deep:
        async with run.database.snapshot(freshness=run.freshness) as read:
            while wave:
                questions, places = _opened(wave, run)
                wave = _placed(places, await read(questions) if questions else [])
    elif wave:
        read_once = run.database.read
        questions, places = _opened(wave, run)
        _placed(places, await read_once(questions, freshness=run.freshness) if questions else [])
    return objects[0]


def _opened(wave: Wave, run: Run) -> tuple[list[Question], list[tuple[int, Place]]]:
    """What the steps of a level ask, and where each of them puts how many answers."""
    questions: list[Question] = []
    places: list[tuple[int, Place]] = []
    for step, holders in wave:
        asked, place = step.open(run, holders)
        places.append((len(asked), place))
        questions += asked
    return questions, places


def _placed(places: Sequence[tuple[int, Place]], answers: Sequence[Sequence[Row]]) -> Wave:
    found: Wave = []
    at = 0
    for number, place in places:
        found += place(answers[at : at + number])
        at += number
    return found


class Compiled:
    """The compiled executor of one schema on one database."""

    def __init__(self, planner: Planner, *, at_once: bool = False) -> None:
        self._plans = Plans(planner.plan, at_once=at_once)

    async def answer(
        self, known: Known, variables: VariableValues, viewer: Viewer, database: Database, now: datetime
    ) -> dict[str, Any] | Stock:
        """The data of the answer to a query, or why the stock executor is to give it: reading twice harms nobody.

        But what takes too long is not tried twice: raises TimedOut and Unavailable.
        """
        plan = self._plans.of(known, variables, viewer)
        if isinstance(plan, Stock):
            return plan
        try:
            run = Run(viewer, database, variables, {**viewer.binds, "now": now}, viewer.query_freshness)
            return await execute(plan, run)
        except Unplanned as unplanned:
            return Stock(unplanned.cause)
        except (errors.TimedOut, errors.Unavailable):
            raise
        except errors.Refusal:
            return Stock("refusal")
        except Exception as error:
            log.debug("The stock executor answers, since a plan met %r.", error)
            return Stock("surprise")
