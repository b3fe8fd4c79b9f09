"""Runs plans: level by level, one read a level; and knows for which documents there are plans."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from graphql import DirectiveNode, OperationType, VariableNode, Visitor, visit
from graphql.execution.values import VariableValues

from app import errors
from app.auth import Viewer
from app.db import Database, Read
from app.executor.causes import Unplanned
from app.executor.documents import CHARACTERS_PER_ENTRY, LONGEST_REMEMBERED, Known
from app.executor.plan import Plan, Planner
from app.executor.recent import Recent
from app.executor.steps import Answered, Run, Wave

log = logging.getLogger(__name__)

SIGHTINGS = 2
"""A text is planned when it comes for so many times: most of those that come once never come again."""


@dataclass(frozen=True, slots=True)
class Stock:
    """That the stock executor is to answer, and why."""

    cause: str


async def execute(plan: Plan, run: Run) -> dict[str, Any]:
    """The data of an answer. Raises whatever is in the way: the stock executor tells it better."""
    objects = plan.root.make([()], None, run.viewer)
    wave: Wave = plan.root.below(objects)
    for step, holders in wave:
        if isinstance(step, Answered):
            await step.answer(run, holders)
    wave = [each for each in wave if not isinstance(each[0], Answered)]
    if not any(step.goes_on for step, _ in wave):
        await _level(wave, run, run.database.read)
        return objects[0]
    async with run.database.snapshot() as read:
        while wave:
            wave = await _level(wave, run, read)
    return objects[0]


async def _level(wave: Wave, run: Run, read: Read) -> Wave:
    opened = [each for step, holders in wave if (each := step.open(run, holders)) is not None]
    questions = [question for asked, _ in opened for question in asked]
    answers = await read(questions) if questions else []
    below, at = Wave(), 0
    for asked, place in opened:
        below += place(answers[at : at + len(asked)])
        at += len(asked)
    return below


@dataclass(slots=True)
class _Sighted:
    """A document that has no plan yet, or never will."""

    times: int = 0
    cause: str = ""


_Key = tuple[Known, int, bool, tuple[tuple[str, Any], ...]]


class Compiled:
    """The compiled executor of one schema on one database: the plans of the most recent documents."""

    def __init__(self, planner: Planner, size: int = 1000, sightings: int = SIGHTINGS) -> None:
        room = size * CHARACTERS_PER_ENTRY
        self._planner = planner
        self._sightings = sightings
        self._plans: Recent[_Key, Plan | _Sighted] = Recent(size, room, LONGEST_REMEMBERED, _length)
        self._shaping: WeakKeyDictionary[Known, tuple[str, ...]] = WeakKeyDictionary()

    async def answer(
        self, known: Known, variables: VariableValues, viewer: Viewer, database: Database, now: datetime
    ) -> dict[str, Any] | Stock:
        """The data of an answer, or why the stock executor is to give it: reading twice harms nobody."""
        if known.operation.operation is not OperationType.QUERY:
            return Stock("mutation")
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
        key = known, viewer.permissions.value, viewer.is_limited, self._shape(known, variables)
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

    def _shape(self, known: Known, variables: VariableValues) -> tuple[tuple[str, Any], ...]:
        """The values of the variables that decide what is selected."""
        names = self._shaping.get(known)
        if names is None:
            names = self._shaping[known] = _shaping(known)
        return tuple((name, variables.coerced.get(name)) for name in names)


def _length(key: _Key, _: object) -> int:
    return len(key[0].text)


class _Conditions(Visitor):
    """Finds the variables in `@skip` and `@include`."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        """Take note of the variables of a directive."""
        self.names |= {each.value.name.value for each in node.arguments or () if isinstance(each.value, VariableNode)}


def _shaping(known: Known) -> tuple[str, ...]:
    found = _Conditions()
    visit(known.document, found)
    return tuple(sorted(found.names))
