"""A change is made as ever, and what it shows is read by a plan: a payload is an object whose edges hang on its keys.

The plan is there before the change is made, or else stock makes it. What was made is never made again: where the plan
cannot tell of it, stock is handed the outcome, and tells that. So errors are told in one way here too.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from graphql import FieldNode, GraphQLField
from graphql.execution.collect_fields import FragmentDetails, collect_fields
from graphql.execution.values import VariableValues

from app.auth import Viewer
from app.db import Database
from app.executor.arguments import Arguments
from app.executor.causes import Unplanned
from app.executor.documents import CHARACTERS_PER_ENTRY, LONGEST_REMEMBERED, Known
from app.executor.kinds import Place, declared, face_of, object_of
from app.executor.plan import Plan, Planner, Planning
from app.executor.recent import Recent
from app.executor.run import SIGHTINGS, Stock, execute
from app.executor.shape import Columns, Draft, Shape
from app.executor.steps import Run

log = logging.getLogger(__name__)

PROBLEMS = "errors"
"""The field of every payload that tells why a change was refused: stock does, so that in a plan there is nothing."""


class Context(Protocol):
    """Who asks, and of what. `outcome` is the payload of a change that was made, or what was raised instead."""

    outcome: Any

    @property
    def viewer(self) -> Viewer:
        """Who asks; another one after she signed in."""

    @property
    def database(self) -> Database:
        """The door."""


Make = Callable[[Any, str, type, Mapping[str, Any]], Awaitable[Any]]
"""Makes a change: from the context, the name of its field, the class of its payload and the arguments to a payload."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What a document with one change comes to: how it is made, and what is shown of the payload."""

    key: str
    name: str
    make: Make
    arguments: Arguments
    payload: type
    shape: Shape


_FIRST = Stock("first sight")

_Key = tuple[Known, int, bool, tuple[tuple[str, bool], ...]]


class Changes:
    """Changes of one schema on one database: the plans of the most recent documents."""

    def __init__(self, planner: Planner, size: int = 1000, sightings: int = SIGHTINGS) -> None:
        room = size * CHARACTERS_PER_ENTRY
        self._planner = planner
        self._sightings = sightings
        self._plans: Recent[_Key, Change | Stock] = Recent(size, room, LONGEST_REMEMBERED, _length)

    async def answer(self, known: Known, variables: VariableValues, context: Context) -> dict[str, Any] | Stock:
        """The data of an answer, or why stock is to give it: of the outcome, once there is one."""
        viewer, plan = context.viewer, self._plan(known, variables, context.viewer)
        if isinstance(plan, Stock):
            return plan
        try:
            given = plan.arguments.of(variables)
        except Exception:
            return Stock("refusal")
        try:
            payload = await plan.make(context, plan.name, plan.payload, given)
        except Exception as error:
            context.outcome = error
            return Stock("refusal")
        context.outcome = payload
        if getattr(payload, PROBLEMS) or context.viewer is not viewer:
            return Stock("problem" if context.viewer is viewer else "another viewer")
        try:
            return {plan.key: await _shown(plan.shape, payload, variables, context)}
        except Exception as error:
            log.debug("The stock executor tells of a change, since its plan met %r.", error)
            return Stock("surprise")

    def _plan(self, known: Known, variables: VariableValues, viewer: Viewer) -> Change | Stock:
        # `@skip` and `@include` are decided by variables that are true or false.
        flags = tuple((name, value) for name, value in variables.coerced.items() if value is True or value is False)
        key = known, viewer.permissions.value, viewer.is_limited, flags
        found = self._plans.get(key)
        if found is None or found is _FIRST:
            is_due = found is _FIRST or self._sightings == 1
            found = self._planned(known, variables, viewer) if is_due else _FIRST
            self._plans.put(key, found)
        return found

    def _planned(self, known: Known, variables: VariableValues, viewer: Viewer) -> Change | Stock:
        try:
            return plan(self._planner, known, variables, viewer)
        except Unplanned as unplanned:
            return Stock(unplanned.cause)


async def _shown(shape: Shape, payload: Any, variables: VariableValues, context: Context) -> dict[str, Any]:
    database, viewer = context.database, context.viewer
    objects = shape.make([vars(payload)], None, viewer)
    if shape.children:
        run = Run(viewer, database, variables, {**viewer.binds, "now": database.clock()})
        await execute(Plan(Shape(lambda *_: objects, shape.children)), run)
    return objects[0]


def plan(planner: Planner, known: Known, variables: VariableValues, viewer: Viewer) -> Change:
    """Plan a document with one change; raises Unplanned."""
    fragments = {name: FragmentDetails(node) for name, node in known.fragments.items()}
    planning = Planning(planner, known, fragments, variables, viewer.alike)
    kind = planner.schema.mutation_type
    assert kind is not None
    fields = collect_fields(planner.schema, fragments, variables, kind, known.operation).grouped_field_set
    if len(fields) != 1:
        raise Unplanned("several changes")
    ((key, details),) = fields.items()
    node: FieldNode = details[0].node
    if node.name.value not in kind.fields:
        raise Unplanned("introspection")
    field = kind.fields[node.name.value]
    make, face = declared(field).metadata["change"], face_of(object_of(field.type))
    arguments = Arguments(field, node, planner.convert)
    return Change(key, node.name.value, make, arguments, face, _payload(planning, field, details))


def _payload(planning: Planning, field: GraphQLField, details: Sequence[Any]) -> Shape:
    """The shape of a payload: its `row` has what the change filled in, by Python names."""
    draft, kind = Draft(Columns()), object_of(field.type)
    place = Place(kind, None, draft)
    fields = planning.below(kind, details)
    return draft.shape(
        "{" + ", ".join(f"{key!r}: {_filled(planning, place, key, each)}" for key, each in fields.items()) + "}"
    )


def _filled(planning: Planning, place: Place, key: str, details: Sequence[Any]) -> str:
    """The text of one field of a payload."""
    name = details[0].node.name.value
    if name == "__typename":
        return repr(place.kind.name)
    if name == PROBLEMS:
        return "[]"
    field = place.kind.fields[name]
    told = declared(field)
    cell = told.metadata.get("cell")
    if cell is None:
        return f"{place.draft.name(planning.told(field.type, details))}(row[{told.python_name!r}])"
    if cell.part:
        return planning.part(place, key, field, cell, details)
    if cell.follow is None or cell.follow.by is None or cell.follow.kind == "page":
        raise Unplanned(f"{place.kind.name}.{name}")
    place.draft.children.append((place.path, planning.related(key, field, cell.follow, details)))
    return f"row[{told.python_name!r}]"


def _length(key: _Key, _: object) -> int:
    return len(key[0].text)
