"""Bulk mutations in general: a list of entries, one transaction, and a result for each entry."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import strawberry

from app.db import ForeignKeyViolation, Transaction
from app.domain import errors, refs
from app.domain.refs import RowRef
from app.graphql.context import GraphQLContext
from app.graphql.schema.decorators import input_type, interface_type
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import DescribedEnum, enum
from app.graphql.schema.list_limits import read_each
from app.graphql.schema.payloads import ChangeInput, MutationError, Outcome, action, fill_payload, to_error
from app.services import bulk


@enum
class OnConflict(DescribedEnum):
    """Treatment of an entry of a bulk change whose object exists."""

    FAIL = "FAIL", "The entry is a CONFLICT, and nothing is written."
    SKIP = "SKIP", "The entry is skipped: the object stays as it is."
    UPDATE = (
        "UPDATE",
        (
            "The given values are written where they differ; absent ones stay. An object that the viewer may not see "
            "or change is a CONFLICT."
        ),
    )


@enum
class OnMissing(DescribedEnum):
    """Treatment of an entry of a bulk removal whose object does not exist, or is hidden from the viewer."""

    FAIL = "FAIL", "The entry is NOT_FOUND, and nothing is removed."
    SKIP = "SKIP", "The entry is skipped."


@enum
class BulkStatus(DescribedEnum):
    """Outcome of an entry of a bulk change."""

    # The values of `bulk.Status`.

    CREATED = "CREATED", "The object or the entry was created, or the member was added."
    UPDATED = "UPDATED", "Values of an existing object were changed."
    UNCHANGED = "UNCHANGED", "The object exists with these values. Nothing was written."
    SKIPPED = "SKIPPED", "The object exists (`onConflict: SKIP`), or does not exist (`onMissing: SKIP`)."
    REMOVED = "REMOVED", "The object was deleted, or the member or the entry was removed."


@input_type
class SaveInput(ChangeInput):
    """Base of the inputs of bulk changes that create or add."""

    on_conflict: OnConflict = strawberry.field(
        default=OnConflict.FAIL,
        description="What happens to an entry whose object exists. Two entries for one object are a CONFLICT in any "
        "case.",
    )


@input_type
class RemoveInput(ChangeInput):
    """Base of the inputs of bulk changes that delete or remove."""

    on_missing: OnMissing = strawberry.field(
        default=OnMissing.FAIL,
        description="What happens to an entry whose object does not exist. Two entries for one object are a CONFLICT "
        "in any case.",
    )


@interface_type
class BulkResult:
    """Result for one entry of a bulk change."""

    index: int = strawberry.field(description="Index of the entry in the list of the input, starting at 0.")
    status: BulkStatus | None = strawberry.field(
        description="What was done with the entry. Null if nothing was written because of an error or `validateOnly`."
    )
    errors: list[MutationError] = strawberry.field(description="Reasons why this entry was rejected.")


RESULTS = (
    "One result for each entry, in the order of the input. Empty if the input has too many entries or an invalid "
    "`clientMutationKey`."
)

STATUSES = {status: BulkStatus[status.name] for status in bulk.Status}

Changed = tuple[Mapping[str, Any], Sequence[bulk.Result]]
"""Values of the payload besides the results, and the results."""

Service = Callable[..., Awaitable[Any]]

Work = Callable[[GraphQLContext, Transaction, Any, Any], Awaitable[Changed]]
"""A function of the context, the transaction, the input and the result of the preparation."""


def conflict_of(data: SaveInput) -> bulk.OnConflict:
    """Return what the input says about existing objects."""
    return bulk.OnConflict[data.on_conflict.name]


def _mode_of(data: SaveInput | RemoveInput) -> bulk.OnConflict | bulk.OnMissing:
    return bulk.OnMissing[data.on_missing.name] if isinstance(data, RemoveInput) else conflict_of(data)


def change_each(service: Service, field: str, entry: Callable[[Any], Any]) -> Work:
    """Return the work that passes the entries of the list `field`, each converted by `entry`, to a service."""

    async def work(context: GraphQLContext, tx: Transaction, data: Any, _: Any) -> Changed:
        entries = read_each(entry, getattr(data, field), bulk.MAX_ENTRIES)
        return {}, await service(tx, context.viewer, entries, _mode_of(data))

    return work


def change_members(service: Service, name: str, resolve: Callable[[Any], RowRef], entry: Callable[[Any], Any]) -> Work:
    """Return the work that passes the members of an org or a group, the field `name` of the input, to a service."""

    async def work(context: GraphQLContext, tx: Transaction, data: Any, _: Any) -> Changed:
        ref, entries = resolve(getattr(data, name)), read_each(entry, data.members, bulk.MAX_ENTRIES)
        key, done = await service(tx, context.viewer, ref, entries, _mode_of(data))
        if not isinstance(data, RemoveInput):
            return {name: key}, done
        removed = [refs.encode("User", user) for user, status in done if status is bulk.Status.REMOVED]
        return {name: key, "removed_user_ids": removed}, done

    return work


async def _prepare_nothing(context: GraphQLContext, data: Any) -> None:
    """Do nothing before the transaction."""


def bulk_mutation(  # noqa: PLR0913 - a declaration, all by name
    description: str,
    input_class: type[ChangeInput],
    work: Work,
    *,
    field: str,
    result: type,
    shows: str,
    prepare: Callable[[GraphQLContext, Any], Awaitable[Any]] = _prepare_nothing,
    convert: Callable[[int], Any] | None = None,
    requires: Permission | None = None,
    unless: str | None = None,
) -> Any:
    """Declare a bulk mutation over the list `field` of its input.

    Each result is of the class `result`, and its field `shows` has the id of the object, converted by `convert`.
    `prepare` runs before the transaction.
    """

    async def act(context: GraphQLContext, data: Any) -> Outcome:
        number = len(getattr(data, field))
        number = number if number <= bulk.MAX_ENTRIES else 0
        try:
            values, done = await _run(context, data, prepare, work)
        except errors.Problem as problem:
            return reject(result, number, [problem])
        except errors.Problems as several:
            return reject(result, number, several.problems)
        if data.validate_only:
            done = [None] * number
        shared = {name: value for name, value in values.items() if isinstance(value, int)}
        items = [_result(result, each, {**shared, "index": at}, shows, convert) for at, each in enumerate(done)]
        return {**values, "results": items}

    suffix = " If one entry is rejected, nothing is written, and each rejected entry has its errors."
    return action(description + suffix, input_class, act, requires=requires, unless=unless)


async def _run(
    context: GraphQLContext, data: Any, prepare: Callable[[GraphQLContext, Any], Awaitable[Any]], work: Work
) -> tuple[Mapping[str, Any], Sequence[bulk.Result | None]]:
    prepared = await prepare(context, data)
    try:
        async with context.change(dry_run=data.validate_only) as tx:
            return await work(context, tx, data, prepared)
    except ForeignKeyViolation:
        raise errors.Conflict("An object this change refers to was just deleted. Reload and retry.") from None


def _result(
    kind: type, result: bulk.Result | None, values: Mapping[str, Any], shows: str, convert: Callable[[int], Any] | None
) -> Any:
    """Return the result of an entry that was not rejected; None for one that was only tried.

    `values` are those of the payload, such as the group of new members, with which the result identifies edges.
    """
    key, status = (None, None) if result is None else (result.key, STATUSES[result.status])
    value = key if key is None or convert is None else convert(key)
    return fill_payload(kind, {**values, "status": status, shows: value})


def reject(kind: type, number: int, problems: Sequence[errors.Problem]) -> Outcome:
    """Return the outcome of a rejected change: each result has the problems whose path leads to it."""
    by_index: dict[str, list[MutationError]] = {}
    for problem in problems:
        by_index.setdefault("".join(problem.path[1:2]), []).append(to_error(problem))
    rejected: list[Any] = [fill_payload(kind, {"index": at}) for at in range(number)]
    for result in rejected:
        result.errors = by_index.get(str(result.index), [])
    return {"results": rejected, "errors": [to_error(problem) for problem in problems]}
