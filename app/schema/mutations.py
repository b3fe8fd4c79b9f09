"""How a change is asked and answered: one input, one transaction, one payload with the thing, `errors` and `query`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

import strawberry

from app import errors
from app.auth import Viewer
from app.db import Dangling, Transaction
from app.schema.context import Context
from app.schema.declare import Argument, declared, origin, output, own_part
from app.schema.directives import Permission, RequiresPermission
from app.schema.enums import Described, enum
from app.telemetry import counters, facts

if TYPE_CHECKING:
    from app.schema.query import Query

T = TypeVar("T")

VALIDATE_ONLY = "Try the change with all its checks and undo it: the answer tells what would be refused."


@enum("Why a change was refused.")
class ErrorCode(Described):
    """The codes of `errors.Problem`."""

    INVALID_INPUT = ("INVALID_INPUT", "A value is not of the form or size that is wanted.")
    NOT_FOUND = ("NOT_FOUND", "No such thing, or none that the viewer may know of.")
    CONFLICT = ("CONFLICT", "What is stored now stands against the change.")
    LOCKED = ("LOCKED", "Known and permitted, but locked: unlock it first.")
    QUOTA_EXCEEDED = ("QUOTA_EXCEEDED", "The bytes pass what the owner of the org may store.")
    PROTECTED = (
        "PROTECTED",
        "A built-in thing, the last of its kind, or an account where an external provider keeps them.",
    )


@strawberry.interface(description="One reason why a change was refused. Nothing was written.")
class MutationError:
    """One reason why a change was refused."""

    code: ErrorCode = strawberry.field(description="For programs.")
    message: str = strawberry.field(description="For people.")
    path: list[str] = strawberry.field(
        description="The way to what offends, from `input` on; list places are numbers from 0."
    )


@strawberry.type(description="A value is not of the form or size that is wanted.")
class InvalidInput(MutationError):
    """See `errors.InvalidInput`."""


@strawberry.type(description="No such thing, or none that the viewer may know of: the answer is the same.")
class NotFound(MutationError):
    """See `errors.NotFound`."""


@strawberry.type(
    description="What is stored now stands against the change: a name that is taken, a role that is in use."
)
class Conflict(MutationError):
    """See `errors.Conflict`."""


@strawberry.type(description="Known and permitted, but locked: unlock it first.")
class Locked(MutationError):
    """See `errors.Locked`."""


@strawberry.type(description="The bytes pass what the owner of the org may store.")
class QuotaExceeded(MutationError):
    """See `errors.QuotaExceeded`."""


@strawberry.type(description="A built-in thing, or the last of its kind: nobody may change it so.")
class Protected(MutationError):
    """See `errors.Protected`."""


KINDS: dict[type[errors.Problem], type[MutationError]] = {
    errors.InvalidInput: InvalidInput,
    errors.NotFound: NotFound,
    errors.Conflict: Conflict,
    errors.Locked: Locked,
    errors.QuotaExceeded: QuotaExceeded,
    errors.Protected: Protected,
}


@strawberry.interface(description="The answer to a change.")
class Payload:
    """The answer to a change."""

    errors: list[MutationError] = strawberry.field(description="Why the change was refused; empty when it was made.")
    query: Annotated["Query", strawberry.lazy("app.schema.query")] = own_part("To read on in the same request.")


Outcome = Mapping[str, Any]
"""What a payload is filled with: the key of the thing by the name of its field, other fields as they are."""


def mutation(
    description: str,
    given: type,
    work: Callable[[Transaction, Viewer, Any], Awaitable[Outcome]],
    *,
    requires: Permission | None = None,
    unless: str | None = None,
) -> Any:
    """A field of `Mutation` that does its work in one transaction, undone with `validateOnly`.

    `requires` is what the SDL says; it is the service that asks the policy.
    """

    async def act(context: Context, asked: Any) -> Outcome:
        async with context.change(dry=asked.validate_only) as tx:
            return await work(tx, context.viewer, asked)

    return action(description, given, act, requires=requires, unless=unless)


def action(
    description: str,
    given: type | None,
    act: Callable[[Context, Any], Awaitable[Outcome]],
    *,
    requires: Permission | None = None,
    unless: str | None = None,
) -> Any:
    """A field of `Mutation` that opens its own transaction, since slow work comes before it."""

    async def change(context: Context, name: str, payload: Any, kwargs: Mapping[str, Any]) -> Any:
        context.action = name
        async with context.times.making():
            return await _answered(context, payload, act, kwargs.get("input"))

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


async def _answered(
    context: Context, payload: Any, act: Callable[[Context, Any], Awaitable[Outcome]], asked: Any
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
    except Dangling:
        problems = (errors.Conflict("Something that this change needs was deleted at this moment. Try again."),)
    context.refresh()
    return bounded(filled(payload, outcome, problems), context.most_errors)


def filled(payload: type[T], outcome: Mapping[str, Any], problems: Sequence[errors.Problem] = ()) -> T:
    """A payload: what the outcome gives, null for the rest."""
    made, kind = object.__new__(payload), cast("Any", payload)
    made.__dict__.update(_blank(kind), errors=[error(problem) for problem in problems])
    made.__dict__.update(outcome)
    return made


def bounded(payload: T, most: int) -> T:
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
        found.setdefault("".join(problem.path[1:2]), []).append(error(problem))
    return [filled(kind, {"index": at, field: key, "errors": found.get(str(at), [])}) for at, key in enumerate(keys)]


def error(problem: errors.Problem) -> MutationError:
    """A problem as the payload shows it."""
    facts.current().codes.append(problem.code)
    kind = next(KINDS[each] for each in type(problem).__mro__ if each in KINDS)
    return kind(code=ErrorCode[problem.code], message=problem.message, path=["input", *problem.path])
