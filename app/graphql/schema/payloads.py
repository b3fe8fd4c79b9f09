"""How a change is asked and answered: one input, one transaction, one payload with the thing, `errors` and `query`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import strawberry

from app.db import ForeignKeyViolation, Transaction
from app.domain import errors
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.decorators import input_type, interface_type, object_type
from app.graphql.schema.directives import Permission, RequiresPermission
from app.graphql.schema.enums import DescribedEnum, enum
from app.graphql.schema.fields import Argument, declared, origin, output, own_part
from app.observability import counters, request_stats

if TYPE_CHECKING:
    from app.graphql.schema.query import Query

T = TypeVar("T")


@input_type
class ChangeInput:
    """The base of the inputs of mutations."""

    validate_only: bool = strawberry.field(
        default=False,
        description="Try the change with all its checks and undo it: the answer tells what would be refused.",
    )


@enum
class ErrorCode(DescribedEnum):
    """Why a change was refused."""

    # The codes of `errors.Problem`.

    INVALID_INPUT = ("INVALID_INPUT", "A value is not of the form or size that is wanted.")
    NOT_FOUND = ("NOT_FOUND", "No such thing, or none that the viewer may know of.")
    CONFLICT = ("CONFLICT", "What is stored now stands against the change.")
    LOCKED = ("LOCKED", "Known and permitted, but locked: unlock it first.")
    QUOTA_EXCEEDED = ("QUOTA_EXCEEDED", "The bytes pass what the owner of the org may store.")
    PROTECTED = (
        "PROTECTED",
        "A built-in thing, the last of its kind, or an account where an external provider keeps them.",
    )


@interface_type
class MutationError:
    """One reason why a change was refused. Nothing was written."""

    code: ErrorCode = strawberry.field(description="For programs.")
    message: str = strawberry.field(description="For people.")
    path: list[str] = strawberry.field(
        description="The way to what offends, from `input` on; list places are numbers from 0."
    )


@object_type
class InvalidInput(MutationError):
    """A value is not of the form or size that is wanted."""


@object_type
class NotFound(MutationError):
    """No such thing, or none that the viewer may know of: the answer is the same."""


@object_type
class Conflict(MutationError):
    """What is stored now stands against the change: a name that is taken, a role that is in use."""


@object_type
class Locked(MutationError):
    """Known and permitted, but locked: unlock it first."""


@object_type
class QuotaExceeded(MutationError):
    """The bytes pass what the owner of the org may store."""


@object_type
class Protected(MutationError):
    """A built-in thing, or the last of its kind: nobody may change it so."""


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
    """The answer to a change."""

    errors: list[MutationError] = strawberry.field(description="Why the change was refused; empty when it was made.")
    query: Annotated["Query", strawberry.lazy("app.graphql.schema.query")] = own_part("To read on in the same request.")


Outcome = Mapping[str, Any]
"""What a payload is filled with: the key of the thing by the name of its field, other fields as they are."""


def mutation(
    description: str,
    given: type[ChangeInput],
    work: Callable[[Transaction, Viewer, Any], Awaitable[Outcome]],
    *,
    requires: Permission | None = None,
    unless: str | None = None,
) -> Any:
    """A field of `Mutation` that does its work in one transaction, undone with `validateOnly`.

    `requires` is what the SDL says; it is the service that asks the policy.
    """

    async def act(context: GraphQLContext, asked: ChangeInput) -> Outcome:
        async with context.change(dry_run=asked.validate_only) as tx:
            return await work(tx, context.viewer, asked)

    return action(description, given, act, requires=requires, unless=unless)


def action(
    description: str,
    given: type | None,
    act: Callable[[GraphQLContext, Any], Awaitable[Outcome]],
    *,
    requires: Permission | None = None,
    unless: str | None = None,
) -> Any:
    """A field of `Mutation` that opens its own transaction, since slow work comes before it."""

    async def change(context: GraphQLContext, name: str, payload: Any, kwargs: Mapping[str, Any]) -> Any:
        context.action = name
        async with context.times.changing():
            return await _run_change(context, payload, act, kwargs.get("input"))

    async def resolve(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
        context, kept = info.context, info.context.outcome
        if isinstance(kept, Exception):
            raise kept
        if kept is not None:
            context.times.begin_to_read()
        return kept or await change(context, info.raw.field_name, origin(output(info)), kwargs)

    directives = () if requires is None else (RequiresPermission(permission=requires, unless=unless),)
    return declared(description, None, resolve, _input(given), directives, change)


def _input(given: Any) -> Sequence[Argument]:
    return () if given is None else (("input", given, given.__strawberry_definition__.description),)


async def _run_change(
    context: GraphQLContext, payload: Any, act: Callable[[GraphQLContext, Any], Awaitable[Outcome]], asked: Any
) -> Any:
    """Answer the outcome, or what was wrong with the input. Refusals go on to the top of the answer."""
    outcome: Outcome = {}
    problems: Sequence[errors.Problem] = ()
    try:
        outcome = await act(context, asked)
    except errors.Problem as problem:
        problems = (problem,)
    except errors.Problems as several:
        problems = several.problems
    except ForeignKeyViolation:
        problems = (errors.Conflict("Something that this change needs was deleted at this moment. Try again."),)
    context.refresh()
    return limit_errors(fill_payload(payload, outcome, problems), context.most_errors)


def fill_payload(payload: type[T], outcome: Mapping[str, Any], problems: Sequence[errors.Problem] = ()) -> T:
    """A payload: what the outcome gives, null for the rest."""
    made, kind = object.__new__(payload), cast("Any", payload)
    made.__dict__.update(_blank(kind), errors=[to_error(problem) for problem in problems])
    made.__dict__.update(outcome)
    return made


def limit_errors(payload: T, most: int) -> T:
    """A payload that tells so many errors at most, and then how many it leaves out; its results tell the same ones."""
    told: list[MutationError] = payload.__dict__["errors"]
    if len(told) <= most:
        return payload
    counters.increment("ostiary_limits_exceeded_total", limit="errors")
    text = f"{len(told) - most:,} further errors are left out."
    payload.__dict__["errors"] = [
        *told[:most],
        InvalidInput(code=ErrorCode.INVALID_INPUT, message=text, path=["input"]),
    ]
    left = most
    for result in payload.__dict__.get("results") or ():
        result.errors = result.errors[:left]
        left -= len(result.errors)
    return payload


@cache
def _blank(payload: Any) -> Mapping[str, None]:
    return {field.python_name: None for field in payload.__strawberry_definition__.fields}


def results(kind: type[T], field: str, keys: Sequence[int | None], problems: Sequence[errors.Problem] = ()) -> list[T]:
    """What became of each item of a bulk change: its key, or the problems whose path leads to it."""
    found: dict[str, list[MutationError]] = {}
    for problem in problems:
        found.setdefault("".join(problem.path[1:2]), []).append(to_error(problem))
    return [
        fill_payload(kind, {"index": at, field: key, "errors": found.get(str(at), [])}) for at, key in enumerate(keys)
    ]


def to_error(problem: errors.Problem) -> MutationError:
    """A problem as the payload shows it."""
    request_stats.current_request().codes.append(problem.code)
    kind = next(PROBLEM_TYPES[each] for each in type(problem).__mro__ if each in PROBLEM_TYPES)
    return kind(code=ErrorCode[problem.code], message=problem.message, path=["input", *problem.path])
