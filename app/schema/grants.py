"""Changing who is granted what, over GraphQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app import errors, ids, loaders
from app.auth import Viewer
from app.db import Transaction
from app.masks import Kind
from app.schema.context import Context
from app.schema.declare import computed, edge
from app.schema.lists import read_each
from app.schema.masks import ResourceRole, SubjectKind, kind_named, role_list, role_mask
from app.schema.mutations import (
    VALIDATE_ONLY,
    MutationError,
    Outcome,
    Payload,
    action,
    bounded,
    error,
    filled,
    mutation,
    results,
)
from app.schema.resources import Resource, ResourceBy, chosen
from app.schema.users import User, UserBy
from app.schema.users import chosen as chosen_user
from app.services import access
from app.services.roles import Way

if TYPE_CHECKING:
    from app.schema.groups import Group, GroupBy


@strawberry.input(description="Roles for every signed-in user, or for everybody.")
class WildcardGrantInput:
    """Roles for every signed-in user, or for everybody."""

    roles: list[ResourceRole] = strawberry.field(description="The roles; it may be none.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When they end: in the future, and no later than the viewer's own right to give it ends.",
    )


@strawberry.input(description="Roles for a group.")
class GroupGrantInput:
    """Roles for a group."""

    group: Annotated["GroupBy", strawberry.lazy("app.schema.groups")] = strawberry.field(description="Which group.")
    roles: list[ResourceRole] = strawberry.field(description="The roles; it may be none.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When they end: in the future, and no later than the viewer's own right to give it ends.",
    )


@strawberry.input(description="Roles for a user.")
class UserGrantInput:
    """Roles for a user."""

    user: UserBy = strawberry.field(description="Which user.")
    roles: list[ResourceRole] = strawberry.field(description="The roles; it may be none.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When they end: in the future, and no later than the viewer's own right to give it ends.",
    )


@strawberry.input(description="A whole access configuration, in the place of the one that was read.")
class SubmitAccessInput:
    """A whole access configuration."""

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
    validate_only: bool = strawberry.field(default=False, description=VALIDATE_ONLY)


@strawberry.input(one_of=True, description="Who is granted roles: one of these.")
class SubjectInput:
    """Who is granted roles."""

    group: strawberry.Maybe[Annotated["GroupBy", strawberry.lazy("app.schema.groups")]] = strawberry.field(
        description="A group."
    )
    user: strawberry.Maybe[UserBy] = strawberry.field(description="A user.")
    general: strawberry.Maybe[bool] = strawberry.field(description="Every signed-in user; say true.")
    anyone: strawberry.Maybe[bool] = strawberry.field(description="Everybody, signed in or not; say true.")


@strawberry.input(description="One entry of a configuration, in the place of the subject's old one.")
class GrantInput:
    """One entry of a configuration."""

    resource: ResourceBy = strawberry.field(description="Which resource.")
    subject: SubjectInput = strawberry.field(description="Who.")
    roles: list[ResourceRole] = strawberry.field(description="The roles; it may be none.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When they end: in the future, and no later than the viewer's own right to give it ends.",
    )


@strawberry.input(description="One entry of a configuration, in the place of the subject's old one.")
class GrantAccessInput(GrantInput):
    """One entry of a configuration."""

    validate_only: bool = strawberry.field(default=False, description=VALIDATE_ONLY)


@strawberry.input(description="Entries of many configurations, all or none.")
class GrantAccessBatchInput:
    """Entries of many configurations."""

    grants: list[GrantInput] = strawberry.field(description="From 1 to 1,000 entries.")
    validate_only: bool = strawberry.field(default=False, description=VALIDATE_ONLY)


@strawberry.input(description="Whose entry to take away.")
class RevokeAccessInput:
    """Whose entry to take away."""

    resource: ResourceBy = strawberry.field(description="Which resource.")
    subject: SubjectInput = strawberry.field(description="Who. The entry of every signed-in user is emptied and stays.")
    validate_only: bool = strawberry.field(default=False, description=VALIDATE_ONLY)


@strawberry.type(description="The answer to `submitAccess`.")
class SubmitAccessPayload(Payload):
    """The answer to `submitAccess`."""

    resource: Resource | None = edge(
        "The resource with its configuration as it now is; on a CONFLICT too.", loaders.resource
    )


@strawberry.type(description="The answer to `grantAccess`.")
class GrantAccessPayload(Payload):
    """The answer to `grantAccess`."""

    resource: Resource | None = edge("The resource as it now is.", loaders.resource)


@strawberry.type(description="The answer to `revokeAccess`.")
class RevokeAccessPayload(Payload):
    """The answer to `revokeAccess`."""

    resource: Resource | None = edge("The resource as it now is.", loaders.resource)


@strawberry.type(description="What became of one entry.")
class GrantAccessBatchResult:
    """What became of one entry."""

    index: int = strawberry.field(description="Its place in `input.grants`, from 0.")
    resource: Resource | None = edge("The resource as it now is; null when nothing was written.", loaders.resource)
    errors: list[MutationError] = strawberry.field(description="What is wrong with this one.")


@strawberry.type(description="The answer to `grantAccessBatch`.")
class GrantAccessBatchPayload(Payload):
    """The answer to `grantAccessBatch`."""

    results: list[GrantAccessBatchResult] = strawberry.field(
        description="One for each entry, in the order of the input."
    )


@strawberry.type(description="What one subject's entry would gain and lose; people may keep a role by another way.")
class AccessChange:
    """What one subject would gain and lose."""

    kind: SubjectKind = strawberry.field(description="Whose entry it is.")
    group: Annotated["Group", strawberry.lazy("app.schema.groups")] | None = edge(
        "The group, if it is one.", loaders.group
    )
    user: User | None = edge("The user, if it is one.", loaders.user_shown)
    gained: list[ResourceRole] = strawberry.field(description="Roles that it would hold and does not.")
    lost: list[ResourceRole] = strawberry.field(description="Roles that it holds and would not.")
    expires_at: datetime | None = strawberry.field(description="When its entry would end.")
    user_count: int | None = strawberry.field(
        description="How many members the group has, 1 for a user; null for all of a kind."
    )


@strawberry.type(description="What a configuration would change.")
class AccessPreview:
    """What a configuration would change."""

    changes: list[AccessChange] = strawberry.field(description="The subjects whose entry would change.")
    errors: list[MutationError] = strawberry.field(description="Why the configuration would be refused.")


Configuration = Annotated[
    SubmitAccessInput, strawberry.argument(description="A whole configuration; its revision is not looked at.")
]


@strawberry.type
class AccessQuestions:
    """What would be, if."""

    @computed("What `submitAccess` would change, with the same input. Needs ADMIN on the resource; writes nothing.")
    async def preview_access(self, info: strawberry.Info[Any, Any], input: Configuration) -> AccessPreview | None:  # noqa: A002 - as of `submitAccess`
        context: Context = info.context
        try:
            async with context.change(dry=True) as tx:
                effects = await access.preview_access(tx, context.viewer, chosen(input.resource), entries(input))
        except errors.Problem as problem:
            return AccessPreview(changes=[], errors=[error(problem)])
        except errors.Problems as several:
            preview = AccessPreview(changes=[], errors=[error(problem) for problem in several.problems])
            return bounded(preview, context.most_errors)
        return AccessPreview(changes=[_change(effect) for effect in effects], errors=[])


def _change(effect: access.Effect) -> AccessChange:
    shown = {
        "kind": kind_named(int(effect.kind)),
        "group": effect.key if effect.kind is Kind.GROUP else None,
        "user": effect.key if effect.kind is Kind.USER else None,
        "gained": role_list(effect.gained),
        "lost": role_list(effect.lost),
        "expires_at": effect.expires_at,
        "user_count": effect.people,
    }
    return filled(AccessChange, shown)


def entries(given: SubmitAccessInput) -> list[access.Entry]:
    """The entries of a configuration, each with its path in the input."""
    found: list[access.Entry] = []
    for kind, open_, name in ((Kind.GENERAL, given.general, "general"), (Kind.ANYONE, given.anyone, "anyone")):
        if open_ is not None:
            found.append(access.Entry(kind, role_mask(open_.roles), open_.expires_at, path=(name,)))
    if max(len(given.groups), len(given.users)) > access.MAX_ENTRIES:
        # Refused by their number: their items are not even converted.
        return [access.Entry(Kind.USER, 0)] * (len(given.groups) + len(given.users))
    for at, group in enumerate(given.groups):
        way = chosen_group(group.group)
        found.append(access.Entry(Kind.GROUP, role_mask(group.roles), group.expires_at, way, ("groups", at)))
    for at, user in enumerate(given.users):
        way = chosen_user(user.user)
        found.append(access.Entry(Kind.USER, role_mask(user.roles), user.expires_at, way, ("users", at)))
    return found


def chosen_group(by: Any) -> tuple[str, Any]:
    """Which way a group is named."""
    if by.id is not None:
        return "id", ids.key_of("Group", by.id.value) or 0
    return "slug", by.slug.value


def _entry(given: GrantInput) -> access.Entry:
    return _entry_of(given.subject, role_mask(given.roles), given.expires_at)


def _entry_of(subject: SubjectInput, mask: int = 0, ends: datetime | None = None) -> access.Entry:
    path = ("subject",)
    if subject.group is not None:
        return access.Entry(Kind.GROUP, mask, ends, chosen_group(subject.group.value), path)
    if subject.user is not None:
        return access.Entry(Kind.USER, mask, ends, chosen_user(subject.user.value), path)
    kind, said = (Kind.GENERAL, subject.general) if subject.general is not None else (Kind.ANYONE, subject.anyone)
    return access.Entry(kind, mask, ends, path=path, names_nobody=said is None or not said.value)


async def _submit(context: Context, given: SubmitAccessInput) -> Outcome:
    way = chosen(given.resource)
    try:
        async with context.change(dry=given.validate_only) as tx:
            key, _ = await access.submit_access(tx, context.viewer, way, given.revision, entries(given))
    except access.Stale as stale:
        return {"resource": stale.resource, "errors": [error(stale.problem)]}
    return {"resource": key}


async def _grant(tx: Transaction, viewer: Viewer, given: GrantAccessInput) -> Outcome:
    return {"resource": await access.grant_access(tx, viewer, chosen(given.resource), _entry(given))}


async def _revoke(tx: Transaction, viewer: Viewer, given: RevokeAccessInput) -> Outcome:
    return {"resource": await access.revoke_access(tx, viewer, chosen(given.resource), _entry_of(given.subject))}


def _grant_of(given: GrantInput) -> tuple[Way, access.Entry]:
    return chosen(given.resource), _entry(given)


async def _grant_many(context: Context, given: GrantAccessBatchInput) -> Outcome:
    try:
        async with context.change(dry=given.validate_only) as tx:
            grants = read_each(_grant_of, given.grants, access.MAX_BATCH)
            keys = await access.grant_access_batch(tx, context.viewer, grants)
    except errors.Problem as problem:
        return {"results": [], "errors": [error(problem)]}
    except errors.Problems as refused:
        problems = [error(problem) for problem in refused.problems]
        nothing: Sequence[int | None] = [None] * len(given.grants)
        kept = results(GrantAccessBatchResult, "resource", nothing, refused.problems)
        return {"results": kept, "errors": problems}
    return {"results": results(GrantAccessBatchResult, "resource", keys)}


@strawberry.type
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
