"""Runs plans: level by level, one read a level; and knows for which documents there are plans."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graphql.execution.values import VariableValues

from app import errors
from app.auth import Viewer
from app.db import Database, Question, Read
from app.executor.causes import Unplanned
from app.executor.documents import CHARACTERS_PER_ENTRY, LONGEST_REMEMBERED, Known
from app.executor.plan import Plan, Planner
from app.executor.recent import Recent
from app.executor.shape import Wave, below
from app.executor.steps import Place, Run

log = logging.getLogger(__name__)

SIGHTINGS = 2
"""A text is planned when it comes for so many times: most of those that come once never come again."""


NOTHING: Sequence[Sequence[Any]] = ((),)
"""The one row of what hangs on nothing."""


@dataclass(frozen=True, slots=True)
class Stock:
    """That the stock executor is to answer, and why."""

    cause: str


async def execute(plan: Plan, run: Run) -> dict[str, Any]:
    """The data of an answer. Raises whatever is in the way: the stock executor tells it better."""
    objects = plan.make(NOTHING, None, run.viewer)
    for step, holders in below(plan.asked, objects):
        await step.answer(run, holders)
    wave = below(plan.steps, objects)
    if not plan.is_deep:
        await _level(wave, run, run.database.read)
        return objects[0]
    async with run.database.snapshot() as read:
        while wave:
            wave = await _level(wave, run, read)
    return objects[0]


async def _level(wave: Wave, run: Run, read: Read) -> Wave:
    questions: list[Question] = []
    places: list[tuple[int, Place]] = []
    for step, holders in wave:
        asked, place = step.open(run, holders)
        places.append((len(asked), place))
        questions += asked
    answers = await read(questions) if questions else []
    found, at = Wave(), 0
    for number, place in places:
        found += place(answers[at : at + number])
        at += number
    return found


@dataclass(slots=True)
class _Sighted:
    """A document that has no plan yet, or never will."""

    times: int = 0
    cause: str = ""


_Key = tuple[Any, ...]
"""The document, what its viewers hold alike, and the values of the variables that decide what is selected."""


class Compiled:
    """The compiled executor of one schema on one database: the plans of the most recent documents."""

    def __init__(self, planner: Planner, size: int = 1000, sightings: int = SIGHTINGS) -> None:
        room = size * CHARACTERS_PER_ENTRY
        self._planner = planner
        self._sightings = sightings
        self._plans: Recent[_Key, Plan | _Sighted] = Recent(size, room, LONGEST_REMEMBERED, _length)

    async def answer(
        self, known: Known, variables: VariableValues, viewer: Viewer, database: Database, now: datetime
    ) -> dict[str, Any] | Stock:
        """The data of the answer to a query, or why the stock executor is to give it: reading twice harms nobody."""
        try:
            plan = self._plan(known, variables, viewer)
            if isinstance(plan, _Sighted):
                return Stock(plan.cause or "first sight")
            return await execute(plan, Run(viewer, database, variables, {**viewer.binds, "now": now}))
        except Unplanned as unplanned:
            return Stock(unplanned.cause)
        except errors.Refusal:
            return Stock("refusal")
        except Exception as error:
            log.debug("The stock executor answers, since a plan met %r.", error)
            return Stock("surprise")

    def _plan(self, known: Known, variables: VariableValues, viewer: Viewer) -> Plan | _Sighted:
        shape = [variables.coerced.get(name) for name in known.shaping]
        key = known, viewer.permissions.value, viewer.is_limited, *shape
        found = self._plans.get(key)
        if isinstance(found, Plan) or (found is not None and found.cause):
            return found
        sighted = found or _Sighted()
        sighted.times += 1
        plan: Plan | _Sighted = sighted
        if sighted.times >= self._sightings:
            try:
                plan = self._planner.plan(known, variables, viewer)
            except Unplanned as unplanned:
                sighted.cause = unplanned.cause
        self._plans.put(key, plan)
        return plan


def _length(key: _Key, _: object) -> int:
    return len(key[0].text)
