"""Changing who is granted what, over GraphQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app.db import Transaction
from app.domain import errors
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.decorators import input_type, object_type, one_of_input
from app.graphql.schema.fields import computed, edge
from app.graphql.schema.list_limits import read_each
from app.graphql.schema.payloads import (
    ChangeInput,
    MutationError,
    Outcome,
    Payload,
    action,
    fill_payload,
    limit_errors,
    mutation,
    results,
    to_error,
)
from app.graphql.schema.refs import GroupBy, ResourceBy, UserBy, resolve_group, resolve_resource, resolve_user
from app.graphql.schema.role_enums import ResourceRole, SubjectKind, kind_named, role_list, role_mask
from app.graphql.schema.types.resources import Resource
from app.graphql.schema.types.users import User
from app.services import access, read_graph
from app.services.roles import RowRef

if TYPE_CHECKING:
    from app.graphql.schema.types.groups import Group


@input_type
class WildcardGrantInput:
    """Roles for every signed-in user, or for everybody."""

    roles: list[ResourceRole] = strawberry.field(description="The roles; it may be none.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When they end: in the future, and no later than the viewer's own right to give it ends.",
    )


@input_type
class GroupGrantInput:
    """Roles for a group."""

    group: GroupBy = strawberry.field(description="Which group.")
    roles: list[ResourceRole] = strawberry.field(description="The roles; it may be none.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When they end: in the future, and no later than the viewer's own right to give it ends.",
    )


@input_type
class UserGrantInput:
    """Roles for a user."""

    user: UserBy = strawberry.field(description="Which user.")
    roles: list[ResourceRole] = strawberry.field(description="The roles; it may be none.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When they end: in the future, and no later than the viewer's own right to give it ends.",
    )


@input_type
class SubmitAccessInput(ChangeInput):
    """A whole access configuration, in the place of the one that was read."""

    resource: ResourceBy = strawberry.field(description="Which resource.")
    revision: int = strawberry.field(description="The revision that was read; a stale one is a CONFLICT.")
    general: WildcardGrantInput | None = strawberry.field(
        default=None, description="Every signed-in user; must be given, and may have no roles."
    )
    groups: list[GroupGrantInput] = strawberry.field(
        default_factory=list, description="Groups, at most 1,000 entries in all."
    )
    users: list[UserGrantInput] = strawberry.field(
        default_factory=list, description="Users, at most 1,000 entries in all."
    )
    anyone: WildcardGrantInput | None = strawberry.field(
        default=None, description="Everybody, signed in or not: read roles only; absent for none."
    )


@one_of_input
class SubjectInput:
    """Who is granted roles: one of these."""

    group: strawberry.Maybe[GroupBy] = strawberry.field(description="A group.")
    user: strawberry.Maybe[UserBy] = strawberry.field(description="A user.")
    general: strawberry.Maybe[bool] = strawberry.field(description="Every signed-in user; say true.")
    anyone: strawberry.Maybe[bool] = strawberry.field(description="Everybody, signed in or not; say true.")


@input_type
class GrantInput:
    """One entry of a configuration, in the place of the subject's old one."""

    resource: ResourceBy = strawberry.field(description="Which resource.")
    subject: SubjectInput = strawberry.field(description="Who.")
    roles: list[ResourceRole] = strawberry.field(description="The roles; it may be none.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When they end: in the future, and no later than the viewer's own right to give it ends.",
    )


@input_type
class GrantAccessInput(GrantInput, ChangeInput):
    """One entry of a configuration, in the place of the subject's old one."""


@input_type
class GrantAccessBatchInput(ChangeInput):
    """Entries of many configurations, all or none."""

    grants: list[GrantInput] = strawberry.field(description="From 1 to 1,000 entries.")


@input_type
class RevokeAccessInput(ChangeInput):
    """Whose entry to take away."""

    resource: ResourceBy = strawberry.field(description="Which resource.")
    subject: SubjectInput = strawberry.field(description="Who. The entry of every signed-in user is emptied and stays.")


@object_type
class SubmitAccessPayload(Payload):
    """The answer to `submitAccess`."""

    resource: Resource | None = edge(
        "The resource with its configuration as it now is; on a CONFLICT too.", read_graph.resource
    )


@object_type
class GrantAccessPayload(Payload):
    """The answer to `grantAccess`."""

    resource: Resource | None = edge("The resource as it now is.", read_graph.resource)


@object_type
class RevokeAccessPayload(Payload):
    """The answer to `revokeAccess`."""

    resource: Resource | None = edge("The resource as it now is.", read_graph.resource)


@object_type
class GrantAccessBatchResult:
    """What became of one entry."""

    index: int = strawberry.field(description="Its place in `input.grants`, from 0.")
    resource: Resource | None = edge("The resource as it now is; null when nothing was written.", read_graph.resource)
    errors: list[MutationError] = strawberry.field(description="What is wrong with this one.")


@object_type
class GrantAccessBatchPayload(Payload):
    """The answer to `grantAccessBatch`."""

    results: list[GrantAccessBatchResult] = strawberry.field(
        description="One for each entry, in the order of the input."
    )


@object_type
class AccessChange:
    """What one subject's entry would gain and lose; people may keep a role by another way."""

    kind: SubjectKind = strawberry.field(description="Whose entry it is.")
    group: Annotated["Group", strawberry.lazy("app.graphql.schema.types.groups")] | None = edge(
        "The group, if it is one.", read_graph.group
    )
    user: User | None = edge("The user, if it is one.", read_graph.user_shown)
    gained: list[ResourceRole] = strawberry.field(description="Roles that it would hold and does not.")
    lost: list[ResourceRole] = strawberry.field(description="Roles that it holds and would not.")
    expires_at: datetime | None = strawberry.field(description="When its entry would end.")
    user_count: int | None = strawberry.field(
        description="How many members the group has, 1 for a user; null for all of a kind."
    )


@object_type
class AccessPreview:
    """What a configuration would change."""

    changes: list[AccessChange] = strawberry.field(description="The subjects whose entry would change.")
    errors: list[MutationError] = strawberry.field(description="Why the configuration would be refused.")


Configuration = Annotated[
    SubmitAccessInput, strawberry.argument(description="A whole configuration; its revision is not looked at.")
]


@object_type
class AccessQuestions:
    """What would be, if."""

    @computed("What `submitAccess` would change, with the same input. Needs ADMIN on the resource; writes nothing.")
    async def preview_access(self, info: strawberry.Info[Any, Any], input: Configuration) -> AccessPreview | None:  # noqa: A002 - as of `submitAccess`
        context: GraphQLContext = info.context
        try:
            async with context.change(dry_run=True) as tx:
                effects = await access.preview_access(
                    tx, context.viewer, resolve_resource(input.resource), entries(input)
                )
        except errors.Problem as problem:
            return AccessPreview(changes=[], errors=[to_error(problem)])
        except errors.Problems as several:
            preview = AccessPreview(changes=[], errors=[to_error(problem) for problem in several.problems])
            return limit_errors(preview, context.most_errors)
        return AccessPreview(changes=[_change(effect) for effect in effects], errors=[])


def _change(effect: access.PreviewResult) -> AccessChange:
    shown = {
        "kind": kind_named(int(effect.kind)),
        "group": effect.key if effect.kind is SubjectType.GROUP else None,
        "user": effect.key if effect.kind is SubjectType.USER else None,
        "gained": role_list(effect.gained),
        "lost": role_list(effect.lost),
        "expires_at": effect.expires_at,
        "user_count": effect.user_count,
    }
    return fill_payload(AccessChange, shown)


def entries(given: SubmitAccessInput) -> list[access.GrantEntry]:
    """The entries of a configuration, each with its path in the input."""
    found: list[access.GrantEntry] = []
    for kind, open_, name in (
        (SubjectType.GENERAL, given.general, "general"),
        (SubjectType.ANYONE, given.anyone, "anyone"),
    ):
        if open_ is not None:
            found.append(access.GrantEntry(kind, role_mask(open_.roles), open_.expires_at, path=(name,)))
    if max(len(given.groups), len(given.users)) > access.MAX_ENTRIES:
        # Refused by their number: their items are not even converted.
        return [access.GrantEntry(SubjectType.USER, 0)] * (len(given.groups) + len(given.users))
    for at, group in enumerate(given.groups):
        way = resolve_group(group.group)
        found.append(
            access.GrantEntry(SubjectType.GROUP, role_mask(group.roles), group.expires_at, way, ("groups", at))
        )
    for at, user in enumerate(given.users):
        way = resolve_user(user.user)
        found.append(access.GrantEntry(SubjectType.USER, role_mask(user.roles), user.expires_at, way, ("users", at)))
    return found


def _entry(given: GrantInput) -> access.GrantEntry:
    return _entry_of(given.subject, role_mask(given.roles), given.expires_at)


def _entry_of(subject: SubjectInput, mask: int = 0, ends: datetime | None = None) -> access.GrantEntry:
    path = ("subject",)
    if subject.group is not None:
        return access.GrantEntry(SubjectType.GROUP, mask, ends, resolve_group(subject.group.value), path)
    if subject.user is not None:
        return access.GrantEntry(SubjectType.USER, mask, ends, resolve_user(subject.user.value), path)
    kind, said = (
        (SubjectType.GENERAL, subject.general) if subject.general is not None else (SubjectType.ANYONE, subject.anyone)
    )
    return access.GrantEntry(kind, mask, ends, path=path, has_no_subject=said is None or not said.value)


async def _submit(context: GraphQLContext, given: SubmitAccessInput) -> Outcome:
    way = resolve_resource(given.resource)
    try:
        async with context.change(dry_run=given.validate_only) as tx:
            key, _ = await access.submit_access(tx, context.viewer, way, given.revision, entries(given))
    except access.StaleRevision as stale:
        return {"resource": stale.resource, "errors": [to_error(stale.problem)]}
    return {"resource": key}


async def _grant(tx: Transaction, viewer: Viewer, given: GrantAccessInput) -> Outcome:
    return {"resource": await access.grant_access(tx, viewer, resolve_resource(given.resource), _entry(given))}


async def _revoke(tx: Transaction, viewer: Viewer, given: RevokeAccessInput) -> Outcome:
    return {
        "resource": await access.revoke_access(tx, viewer, resolve_resource(given.resource), _entry_of(given.subject))
    }


def _grant_of(given: GrantInput) -> tuple[RowRef, access.GrantEntry]:
    return resolve_resource(given.resource), _entry(given)


async def _grant_many(context: GraphQLContext, given: GrantAccessBatchInput) -> Outcome:
    try:
        async with context.change(dry_run=given.validate_only) as tx:
            grants = read_each(_grant_of, given.grants, access.MAX_BATCH)
            keys = await access.grant_access_batch(tx, context.viewer, grants)
    except errors.Problem as problem:
        return {"results": [], "errors": [to_error(problem)]}
    except errors.Problems as refused:
        problems = [to_error(problem) for problem in refused.problems]
        nothing: Sequence[int | None] = [None] * len(given.grants)
        kept = results(GrantAccessBatchResult, "resource", nothing, refused.problems)
        return {"results": kept, "errors": problems}
    return {"results": results(GrantAccessBatchResult, "resource", keys)}


@object_type
class AccessMutations:
    """The changes of access."""

    submit_access: SubmitAccessPayload | None = action(
        "Replace the whole access configuration of a resource. Needs ADMIN on it; a lock does not stop it.",
        SubmitAccessInput,
        _submit,
    )
    grant_access: GrantAccessPayload | None = mutation(
        "Set the entry of one subject and leave the others. Needs ADMIN on the resource.", GrantAccessInput, _grant
    )
    revoke_access: RevokeAccessPayload | None = mutation(
        "Take the entry of one subject away. Needs ADMIN on the resource.", RevokeAccessInput, _revoke
    )
    grant_access_batch: GrantAccessBatchPayload | None = action(
        "Set up to 1,000 entries in one transaction: all of them, or none and a reason at each that is in the way.",
        GrantAccessBatchInput,
        _grant_many,
    )
