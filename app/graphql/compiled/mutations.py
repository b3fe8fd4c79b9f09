"""A change is made as ever, and what it shows is read by a plan: a payload is an object whose edges hang on its keys.

The plan is there before the change is made, or else stock makes it. What was made is never made again: where the plan
cannot tell of it, stock is handed the outcome, and tells that. So errors are told in one way here too.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from graphql import FieldNode, GraphQLField
from graphql.execution.values import VariableValues

from app.db import Database, Freshness
from app.domain import errors
from app.domain.viewer import Viewer
from app.graphql.coercion.arguments import Arguments
from app.graphql.compiled.executor import execute
from app.graphql.compiled.fallback import NotPlannable
from app.graphql.compiled.plan_cache import Fallback, Plan, PlanCache, plan_for
from app.graphql.compiled.planner import PlanBuilder, Planner
from app.graphql.compiled.row_builder import BuilderSource, Columns, RowBuilder
from app.graphql.compiled.steps import PlanRun
from app.graphql.compiled.type_info import FieldLocation, declared_fields, entity_type_of, object_of
from app.graphql.documents.cache import ValidatedDocument
from app.http.deadlines import Deadlines

log = logging.getLogger(__name__)

PROBLEMS = "errors"
"""The field of every payload that tells why a change was refused: stock does, so that in a plan there is nothing."""


class MutationContext(Protocol):
    """Who asks, and of what. `outcome` is the payload of a change that was made, or what was raised instead."""

    outcome: Any
    times: Deadlines

    @property
    def viewer(self) -> Viewer:
        """Who asks; another one after she signed in."""

    @property
    def database(self) -> Database:
        """The door."""


Make = Callable[[Any, str, type, Mapping[str, Any]], Awaitable[Any]]
"""Makes a change: from the context, the name of its field, the class of its payload and the arguments to a payload."""


@dataclass(frozen=True, slots=True, eq=False)
class MutationPlan:
    """What a document with one change comes to: how it is made, and what is shown of the payload."""

    key: str
    name: str
    make: Make
    arguments: Arguments
    payload: type
    selected: Plan


class MutationExecutor:
    """Changes of one schema on one database, where a document asks for one."""

    def __init__(self, planner: Planner, *, at_once: bool = False) -> None:
        self._plans = PlanCache(partial(plan, planner), at_once=at_once)

    async def answer(
        self, known: ValidatedDocument, variables: VariableValues, context: MutationContext
    ) -> dict[str, Any] | Fallback:
        """The data of an answer, or why stock is to give it: of the outcome, once there is one."""
        viewer, change = context.viewer, self._plans.of(known, variables, context.viewer)
        if isinstance(change, Fallback):
            return change
        try:
            given = change.arguments.of(variables)
        except Exception:
            return Fallback("refusal")
        try:
            async with context.times.answering():
                return await _answer(change, given, variables, context, viewer)
        except Exception as error:
            context.outcome = error
            return Fallback("refusal")


async def _answer(
    change: MutationPlan, given: Mapping[str, Any], variables: VariableValues, context: MutationContext, viewer: Viewer
) -> dict[str, Any] | Fallback:
    """Make the change, and read what is shown of it. What takes too long is not read twice."""
    context.outcome = payload = await change.make(context, change.name, change.payload, given)
    if getattr(payload, PROBLEMS) or context.viewer is not viewer:
        return Fallback("problem" if context.viewer is viewer else "another viewer")
    try:
        database = context.database
        run = PlanRun(viewer, database, variables, {**viewer.bind_values, "now": database.clock()}, Freshness.PRIMARY)
        return {change.key: await execute(change.selected, run, [vars(payload)])}
    except (errors.TimedOut, errors.Unavailable):
        raise
    except Exception as error:
        log.debug("The stock executor tells of a change, since its plan met %r.", error)
        return Fallback("plan failed")


def plan(planner: Planner, known: ValidatedDocument, variables: VariableValues, viewer: Viewer) -> MutationPlan:
    """Plan a document with one change; raises Unplanned."""
    kind = planner.schema.mutation_type
    assert kind is not None
    planning, fields = planner.start(kind, known, variables, viewer)
    if len(fields) != 1:
        raise NotPlannable("several mutations")
    ((key, details),) = fields.items()
    node: FieldNode = details[0].node
    if node.name.value not in kind.fields:
        raise NotPlannable("introspection")
    field = kind.fields[node.name.value]
    make, face = declared_fields(field).metadata["change"], entity_type_of(object_of(field.type))
    arguments = Arguments(field, node, planner.convert)
    return MutationPlan(key, node.name.value, make, arguments, face, plan_for(_payload(planning, field, details)))


def _payload(planning: PlanBuilder, field: GraphQLField, details: Sequence[Any]) -> RowBuilder:
    """The shape of a payload: its `row` has what the change filled in, by Python names."""
    draft, kind = BuilderSource(Columns()), object_of(field.type)
    place = FieldLocation(kind, None, draft)
    fields = planning.below(kind, details)
    return draft.build(
        "{" + ", ".join(f"{key!r}: {_outcome_fields(planning, place, key, each)}" for key, each in fields.items()) + "}"
    )


def _outcome_fields(planning: PlanBuilder, place: FieldLocation, key: str, details: Sequence[Any]) -> str:
    """The text of one field of a payload."""
    name = details[0].node.name.value
    if name == "__typename":
        return repr(place.kind.name)
    if name == PROBLEMS:
        return "[]"
    field = place.kind.fields[name]
    told = declared_fields(field)
    cell = told.metadata.get("cell")
    if cell is None:
        return f"{place.draft.name(planning.typename(field.type, details))}(row[{told.python_name!r}])"
    if cell.part:
        return planning.part(place, key, field, cell, details)
    if cell.follow is None or cell.follow.by is None or cell.follow.kind == "page":
        raise NotPlannable(f"{place.kind.name}.{name}")
    place.draft.children.append((place.path, planning.related(key, field, cell.follow, details)))
    return f"row[{told.python_name!r}]"
