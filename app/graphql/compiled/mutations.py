"""Planned mutations: the resolver runs as usual, and a plan reads the selected fields of its payload.

A document without a plan runs by the reference executor. A mutation never runs twice: if its plan fails, or if it has
errors to report, the reference executor gets the outcome and only reports it.
"""

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
from app.graphql.compiled.plan_cache import Fallback, Plan, PlanCache, handle_plan_failure, plan_for
from app.graphql.compiled.plan_run import PlanRun
from app.graphql.compiled.planner import PlanBuilder, Planner
from app.graphql.compiled.row_builder import BuilderSource, Columns, RowBuilder
from app.graphql.compiled.type_info import FieldLocation, declaration, entity_type_of, object_of
from app.graphql.documents.cache import ValidatedDocument
from app.http.deadlines import Deadlines

PROBLEMS = "errors"
"""The field of every payload with the reasons of a rejection. It is empty in a plan: a rejection is a fallback."""


class MutationContext(Protocol):
    """The context of a mutation. `outcome` is the payload of a mutation that ran, or the exception that it raised."""

    outcome: Any
    times: Deadlines

    @property
    def viewer(self) -> Viewer:
        """The viewer, which a mutation that signs in or out replaces."""

    @property
    def database(self) -> Database:
        """The database of the app context."""


RunMutation = Callable[[Any, str, type, Mapping[str, Any]], Awaitable[Any]]
"""A function of the context, the name of the field, the class of the payload and the arguments; returns the payload."""


@dataclass(frozen=True, slots=True, eq=False)
class MutationPlan:
    """The plan of a document with one mutation: how to run it, and the plan of its payload."""

    key: str
    name: str
    run: RunMutation
    arguments: Arguments
    payload: type
    payload_plan: Plan


class MutationExecutor:
    """The executor of planned mutations, for one schema and one database."""

    def __init__(self, planner: Planner, *, at_once: bool = False) -> None:
        self._plans = PlanCache(partial(plan, planner), at_once=at_once)

    async def answer(
        self, document: ValidatedDocument, variables: VariableValues, context: MutationContext
    ) -> dict[str, Any] | Fallback:
        """Return the data of a mutation, or the reason why the reference executor runs it or reports its outcome."""
        viewer, mutation = context.viewer, self._plans.plan_for(document, variables, context.viewer)
        if isinstance(mutation, Fallback):
            return mutation
        try:
            arguments = mutation.arguments.values(variables)
        except Exception:
            return Fallback("refusal")
        try:
            async with context.times.answering():
                return await _answer(mutation, arguments, variables, context, viewer)
        except Exception as error:
            context.outcome = error
            return Fallback("refusal")


async def _answer(
    mutation: MutationPlan,
    arguments: Mapping[str, Any],
    variables: VariableValues,
    context: MutationContext,
    viewer: Viewer,
) -> dict[str, Any] | Fallback:
    """Run the mutation, and read the selected fields of its payload. Raises TimedOut and Unavailable."""
    context.outcome = payload = await mutation.run(context, mutation.name, mutation.payload, arguments)
    if getattr(payload, PROBLEMS) or context.viewer is not viewer:
        return Fallback("problem" if context.viewer is viewer else "another viewer")
    try:
        database = context.database
        run = PlanRun(viewer, database, variables, {**viewer.bind_values, "now": database.clock()}, Freshness.PRIMARY)
        return {mutation.key: await execute(mutation.payload_plan, run, [vars(payload)])}
    except (errors.TimedOut, errors.Unavailable):
        raise
    except Exception as error:
        return handle_plan_failure(error)


def plan(planner: Planner, document: ValidatedDocument, variables: VariableValues, viewer: Viewer) -> MutationPlan:
    """Return the plan of a document with one mutation; raises NotPlannable."""
    kind = planner.schema.mutation_type
    assert kind is not None
    builder, fields = planner.start(kind, document, variables, viewer)
    if len(fields) != 1:
        raise NotPlannable("several mutations")
    ((key, details),) = fields.items()
    node: FieldNode = details[0].node
    if node.name.value not in kind.fields:
        raise NotPlannable("introspection")
    field = kind.fields[node.name.value]
    run, payload = declaration(field).metadata["change"], entity_type_of(object_of(field.type))
    arguments = Arguments(field, node, planner.convert)
    return MutationPlan(key, node.name.value, run, arguments, payload, plan_for(_payload(builder, field, details)))


def _payload(builder: PlanBuilder, field: GraphQLField, details: Sequence[Any]) -> RowBuilder:
    """Return the row builder of a payload. Its row is a mapping of the attributes of the payload."""
    source, kind = BuilderSource(Columns()), object_of(field.type)
    location = FieldLocation(kind, None, source)
    fields = builder.subfields(kind, details)
    texts = (f"{key!r}: {_payload_field(builder, location, key, each)}" for key, each in fields.items())
    return source.build("{" + ", ".join(texts) + "}")


def _payload_field(builder: PlanBuilder, location: FieldLocation, key: str, details: Sequence[Any]) -> str:
    """Return the text of one field of a payload; raises NotPlannable."""
    name = details[0].node.name.value
    if name == "__typename":
        return repr(location.kind.name)
    if name == PROBLEMS:
        return "[]"
    field = location.kind.fields[name]
    declared = declaration(field)
    spec = declared.metadata.get("spec")
    if spec is None:
        serializer = builder.value_serializer(field.type, details)
        return f"{location.source.bind(serializer)}(row[{declared.python_name!r}])"
    if spec.part:
        return builder.part(location, key, field, spec, details)
    if spec.edge is not None:
        location.source.children.append((location.path, builder.new_edge(key, field, spec.edge, details)))
        return f"row[{declared.python_name!r}]"
    if spec.follow is None or spec.follow.by is None or spec.follow.kind == "page":
        raise NotPlannable(f"{location.kind.name}.{name}")
    location.source.children.append((location.path, builder.related(key, field, spec.follow, details)))
    return f"row[{declared.python_name!r}]"
