"""Mutations in general: one input, one transaction, and one payload with the object, `errors` and `query`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import strawberry

from app.db import Transaction
from app.domain import errors
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema import outcomes
from app.graphql.schema.decorators import input_type, interface_type, object_type, optional
from app.graphql.schema.directives import Permission, RequiresPermission
from app.graphql.schema.enums import DescribedEnum, enum
from app.graphql.schema.fields import Argument, declare_field, origin, output, own_part
from app.graphql.schema.new_edges import edge_keys
from app.observability import counters, request_stats
from app.services import mutation_keys, retries
from app.services.mutation_keys import StoredOutcome

if TYPE_CHECKING:
    from app.graphql.schema.query import Query

T = TypeVar("T")


@input_type
class ChangeInput:
    """Base of all mutation inputs."""

    validate_only: bool = strawberry.field(
        default=False,
        description="Run every check, then roll back. `errors` lists what would fail. As nothing was changed, all "
        "other fields of the payload are null, except `query`, the numbers of what a deletion would take along, and, "
        "in bulk forms, `results { index errors }`.",
    )
    client_mutation_key: str | None = optional(
        "Idempotency key of a signed-in user: 1 to 128 printable ASCII characters, such as a UUID. A "
        "successful change is stored with it for 24 hours. The same key and input then change nothing and answer the "
        "same, on every worker; secrets such as tokens are null. Another mutation or input with the key is a CONFLICT. "
        "A rejected change can be sent again with its key. Ignored with `validateOnly`."
    )


@input_type
class UpdateInput(ChangeInput):
    """Base of the inputs that update a user, a role, an org, a group or a resource."""

    if_revision: int | None = optional(
        "The `revision` of the object that the client has read. If the object has changed since then, the "
        "change is a CONFLICT. Absent to change it in any case."
    )


@enum
class ErrorCode(DescribedEnum):
    """Reason why a change was rejected."""

    # The codes of `errors.Problem`.

    INVALID_INPUT = ("INVALID_INPUT", "A value is invalid.")
    NOT_FOUND = ("NOT_FOUND", "The object does not exist, or the viewer may not see it.")
    CONFLICT = ("CONFLICT", "The change conflicts with the current state.")
    LOCKED = ("LOCKED", "The resource is locked. Unlock it first.")
    QUOTA_EXCEEDED = ("QUOTA_EXCEEDED", "The size exceeds the storage quota of the org or of its owner.")
    PROTECTED = (
        "PROTECTED",
        (
            "The object is built in, the change would leave no active administrator, or an identity provider "
            "manages the accounts."
        ),
    )


@interface_type
class MutationError:
    """One reason why a change was rejected. Nothing was written."""

    code: ErrorCode = strawberry.field(description="Code for programs.")
    message: str = strawberry.field(description="Text for users.")
    path: list[str] = strawberry.field(
        description="Path of the invalid value in the input of the mutation: `input`, then names of fields and list "
        "indexes from 0, all as text, such as `input`, `users`, `37`, `email`."
    )


@object_type
class InvalidInput(MutationError):
    """A value is invalid."""


@object_type
class NotFound(MutationError):
    """The object does not exist, or the viewer may not see it."""


@object_type
class Conflict(MutationError):
    """The change conflicts with the current state: for example, a name is taken or a role is in use."""


@object_type
class Locked(MutationError):
    """The resource is locked. Unlock it first."""


@object_type
class QuotaExceeded(MutationError):
    """The size exceeds the storage quota of the org or of its owner."""


@object_type
class Protected(MutationError):
    """The object is protected.

    It is built in, the change would leave no active administrator, or an identity provider manages the accounts.
    """


PROBLEM_TYPES: dict[type[errors.Problem], type[MutationError]] = {
    errors.InvalidInput: InvalidInput,
    errors.NotFound: NotFound,
    errors.Conflict: Conflict,
    errors.Locked: Locked,
    errors.QuotaExceeded: QuotaExceeded,
    errors.Protected: Protected,
}


@interface_type
class Payload:
    """Result of a change."""

    errors: list[MutationError] = strawberry.field(description="Reasons why the change was rejected. Empty on success.")
    query: Annotated["Query", strawberry.lazy("app.graphql.schema.query")] = own_part(
        "The query root, to read more in the same request."
    )


KEY_FIELDS = ("client_mutation_key", "validate_only")
"""Fields of `ChangeInput`, which are no part of the change that belongs to an idempotency key."""

Outcome = Mapping[str, Any]
"""Values of a payload by field name: the key for an edge, the value itself for other fields."""


EMPTY: Outcome = MappingProxyType({})


def mutation(
    description: str,
    input_class: type[ChangeInput],
    work: Callable[[Transaction, Viewer, Any], Awaitable[Outcome]],
    *,
    requires: Permission | None = None,
    unless: str | None = None,
) -> Any:
    """Declare a mutation that runs in one transaction, which `validateOnly` rolls back.

    `requires` is documentation in the SDL; the service checks the policy.
    """

    async def act(context: GraphQLContext, data: ChangeInput) -> Outcome:
        async with context.change(dry_run=data.validate_only, if_revision=_if_revision(data)) as tx:
            return await work(tx, context.viewer, data)

    return action(description, input_class, act, requires=requires, unless=unless)


def _if_revision(data: ChangeInput) -> int | None:
    return data.if_revision if isinstance(data, UpdateInput) else None


def action(
    description: str,
    input_class: type | None,
    act: Callable[[GraphQLContext, Any], Awaitable[Outcome]],
    *,
    requires: Permission | None = None,
    unless: str | None = None,
) -> Any:
    """Declare a mutation that opens its own transaction, since slow work comes first."""

    async def change(context: GraphQLContext, name: str, payload: Any, kwargs: Mapping[str, Any]) -> Any:
        context.action = name
        async with context.times.changing():
            return await _run_change(context, payload, act, kwargs.get("input"))

    async def resolve(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
        context, outcome = info.context, info.context.outcome
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is not None:
            context.times.begin_to_read()
        return outcome or await change(context, info.raw.field_name, origin(output(info)), kwargs)

    directives = () if requires is None else (RequiresPermission(permission=requires, unless=unless),)
    return declare_field(description, None, resolve, _input_argument(input_class), directives, change)


def _input_argument(input_class: Any) -> Sequence[Argument]:
    if input_class is None:
        return ()
    return (("input", input_class, input_class.__strawberry_definition__.description),)


async def _run_change(
    context: GraphQLContext, payload: Any, act: Callable[[GraphQLContext, Any], Awaitable[Outcome]], data: Any
) -> Any:
    """Run a mutation and return its payload, with the problems of the input as `errors`. A `Refusal` is raised."""
    outcome: Outcome = {}
    problems: Sequence[errors.Problem] = ()
    try:
        outcome = await _outcome(context, payload, act, data)
    except errors.Problem as problem:
        problems = (problem,)
    except errors.Problems as several:
        problems = several.problems
    context.refresh()
    if getattr(data, "validate_only", False):
        outcome = outcomes.without_changes(outcome)
    return limit_errors(fill_payload(payload, outcome, problems), context.max_errors)


async def _outcome(
    context: GraphQLContext, payload: Any, act: Callable[[GraphQLContext, Any], Awaitable[Outcome]], data: Any
) -> Outcome:
    """Run a mutation, or return the stored outcome of its idempotency key."""
    key: str | None = getattr(data, "client_mutation_key", None)
    work = partial(act, context, data)
    if key is None:
        return await retries.run(work)
    change = mutation_keys.keyed_change(
        context.database,
        context.app.input_digest,
        context.viewer,
        key,
        context.action,
        outcomes.pack_input(data, KEY_FIELDS),
    )
    if data.validate_only:
        return await retries.run(work)
    with context.restored_after_errors():
        outcome = await change.answer(work, partial(outcomes.pack, payload))
    return outcomes.unpack(payload, outcome.outcome) if isinstance(outcome, StoredOutcome) else outcome


def fill_payload(payload: type[T], outcome: Mapping[str, Any], problems: Sequence[errors.Problem] = ()) -> T:
    """Return a payload with the values of the outcome, and null in all other fields."""
    filled = outcomes.blank(payload)
    filled.__dict__.update(errors=[to_error(problem) for problem in problems])
    filled.__dict__.update(outcome)
    filled.__dict__.update(edge_keys(payload, outcome))
    return filled


def limit_errors(payload: T, maximum: int) -> T:
    """Limit the errors of a payload to `maximum`, and add one with the number of omitted ones.

    Its results keep the same errors.
    """
    problems: list[MutationError] = payload.__dict__["errors"]
    if len(problems) <= maximum:
        return payload
    counters.increment("ostiary_limits_exceeded_total", limit="errors")
    text = f"{len(problems) - maximum:,} further errors are left out."
    payload.__dict__["errors"] = [
        *problems[:maximum],
        InvalidInput(code=ErrorCode.INVALID_INPUT, message=text, path=["input"]),
    ]
    remaining = maximum
    for result in payload.__dict__.get("results") or ():
        result.errors = result.errors[:remaining]
        remaining -= len(result.errors)
    return payload


def to_error(problem: errors.Problem) -> MutationError:
    """Return a problem as the GraphQL type of its class."""
    request_stats.current_request().codes.append(problem.code)
    kind = next(PROBLEM_TYPES[each] for each in type(problem).__mro__ if each in PROBLEM_TYPES)
    return kind(code=ErrorCode[problem.code], message=problem.message, path=["input", *problem.path])
