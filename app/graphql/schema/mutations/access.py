"""Mutations of access configurations, and the preview of a change."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app.db import Transaction
from app.domain import errors
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.decorators import input_type, object_type, one_of_input, optional
from app.graphql.schema.enums import ResourceRole, SubjectKind, kind_named, role_list, role_mask
from app.graphql.schema.fields import computed_field, edge
from app.graphql.schema.payloads import (
    ChangeInput,
    MutationError,
    Outcome,
    Payload,
    action,
    fill_payload,
    limit_errors,
    mutation,
    to_error,
)
from app.graphql.schema.refs import GroupBy, ResourceBy, UserBy, resolve_group, resolve_resource, resolve_user
from app.graphql.schema.types.resources import Resource
from app.graphql.schema.types.users import User
from app.services import access, read_graph
from app.services.grants import MAX_ENTRIES

if TYPE_CHECKING:
    from app.graphql.schema.types.groups import Group


_ROLES_END = (
    "When the roles end. It must be in the future and no later than the end of the viewer's own right to grant them."
)


@input_type
class WildcardGrantInput:
    """Roles for all signed-in users, or for everyone."""

    roles: list[ResourceRole] = strawberry.field(description="The roles. The list may be empty.")
    expires_at: datetime | None = optional(_ROLES_END)


@input_type
class GroupGrantInput:
    """Roles for a group."""

    group: GroupBy = strawberry.field(description="The group.")
    roles: list[ResourceRole] = strawberry.field(description="The roles. The list may be empty.")
    expires_at: datetime | None = optional(_ROLES_END)


@input_type
class UserGrantInput:
    """Roles for a user."""

    user: UserBy = strawberry.field(description="The user.")
    roles: list[ResourceRole] = strawberry.field(description="The roles. The list may be empty.")
    expires_at: datetime | None = optional(_ROLES_END)


@input_type
class SubmitAccessInput(ChangeInput):
    """A complete access configuration, which replaces the current one."""

    resource: ResourceBy = strawberry.field(description="The resource.")
    revision: int = strawberry.field(
        description="The revision that the client has read. An outdated revision is a CONFLICT."
    )
    general: WildcardGrantInput | None = optional(
        "Roles for all signed-in users. Required; the list of roles may be empty."
    )
    groups: list[GroupGrantInput] = strawberry.field(
        default_factory=list, description="Grants to groups. Groups and users together have at most 1,000 grants."
    )
    users: list[UserGrantInput] = strawberry.field(
        default_factory=list, description="Grants to users. Groups and users together have at most 1,000 grants."
    )
    anyone: WildcardGrantInput | None = optional(
        "Roles for everyone, signed in or not: read roles only. Absent for none."
    )


@one_of_input
class SubjectInput:
    """The subject that receives roles. Exactly one field must be set."""

    group: GroupBy | None = optional("A group.")
    user: UserBy | None = optional("A user.")
    general: bool | None = optional("All signed-in users. The value must be true.")
    anyone: bool | None = optional("Everyone, signed in or not. The value must be true.")


@input_type
class GrantInput:
    """One grant of an access configuration. It replaces the subject's current grant."""

    resource: ResourceBy = strawberry.field(description="The resource.")
    subject: SubjectInput = strawberry.field(description="The subject.")
    roles: list[ResourceRole] = strawberry.field(description="The roles. The list may be empty.")
    expires_at: datetime | None = optional(_ROLES_END)


@input_type
class GrantAccessInput(GrantInput, ChangeInput):
    """One grant of an access configuration. It replaces the subject's current grant."""


@input_type
class RevokedGrantInput:
    """The grant to remove from an access configuration."""

    resource: ResourceBy = strawberry.field(description="The resource.")
    subject: SubjectInput = strawberry.field(
        description="The subject. The grant to all signed-in users stays, with no roles."
    )


@input_type
class RevokeAccessInput(RevokedGrantInput, ChangeInput):
    """The entry to remove from an access configuration."""


@object_type
class SubmitAccessPayload(Payload):
    """Payload of `submitAccess`."""

    resource: Resource | None = edge(
        "The resource with its current access configuration. Present on a CONFLICT too.", read_graph.resource
    )


@object_type
class GrantAccessPayload(Payload):
    """Payload of `grantAccess`."""

    resource: Resource | None = edge("The updated resource.", read_graph.resource)


@object_type
class RevokeAccessPayload(Payload):
    """Payload of `revokeAccess`."""

    resource: Resource | None = edge("The updated resource.", read_graph.resource)


@object_type
class AccessChange:
    """Roles that the grant to one subject would gain and lose. Users may keep a role through another grant."""

    kind: SubjectKind = strawberry.field(description="The kind of subject.")
    group: Annotated["Group", strawberry.lazy("app.graphql.schema.types.groups")] | None = edge(
        "The group, if the subject is one.", read_graph.group
    )
    user: User | None = edge("The user, if the subject is one.", read_graph.user_shown)
    gained: list[ResourceRole] = strawberry.field(description="Roles that the grant would gain.")
    lost: list[ResourceRole] = strawberry.field(description="Roles that the grant would lose.")
    expires_at: datetime | None = strawberry.field(description="When the new grant would end.")
    user_count: int | None = strawberry.field(
        description="The number of members of a group, 1 for a user. Null for all other kinds of subjects."
    )


@object_type
class AccessPreview:
    """Changes that an access configuration would make."""

    changes: list[AccessChange] = strawberry.field(description="The subjects whose grants would change.")
    errors: list[MutationError] = strawberry.field(description="Reasons why the configuration would be rejected.")


Configuration = Annotated[
    SubmitAccessInput, strawberry.argument(description="A complete access configuration. Its revision is ignored.")
]


@object_type
class AccessQuestions:
    """Queries about changes that are not made."""

    @computed_field(
        "Return the changes that `submitAccess` would make with the same input. Requires ADMIN on the "
        "resource. Writes nothing."
    )
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
            return limit_errors(preview, context.max_errors)
        return AccessPreview(changes=[_change(effect) for effect in effects], errors=[])


def _change(effect: access.PreviewResult) -> AccessChange:
    values = {
        "kind": kind_named(int(effect.kind)),
        "group": effect.key if effect.kind is SubjectType.GROUP else None,
        "user": effect.key if effect.kind is SubjectType.USER else None,
        "gained": role_list(effect.gained),
        "lost": role_list(effect.lost),
        "expires_at": effect.expires_at,
        "user_count": effect.user_count,
    }
    return fill_payload(AccessChange, values)


def entries(data: SubmitAccessInput) -> list[access.GrantEntry]:
    """Return the entries of a configuration, each with its path in the input."""
    grants: list[access.GrantEntry] = []
    # Null is as absent, also in `previewAccess`, whose input Strawberry converts.
    groups, users = data.groups or [], data.users or []
    for kind, wildcard, name in (
        (SubjectType.GENERAL, data.general, "general"),
        (SubjectType.ANYONE, data.anyone, "anyone"),
    ):
        if wildcard is not None:
            grants.append(access.GrantEntry(kind, role_mask(wildcard.roles), wildcard.expires_at, path=(name,)))
    if max(len(groups), len(users)) > MAX_ENTRIES:
        # The service rejects the number of entries, so they are not converted.
        kinds = [SubjectType.GROUP] * len(groups) + [SubjectType.USER] * len(users)
        return [access.GrantEntry(kind, 0) for kind in kinds]
    for index, group in enumerate(groups):
        ref = resolve_group(group.group)
        grants.append(
            access.GrantEntry(SubjectType.GROUP, role_mask(group.roles), group.expires_at, ref, ("groups", index))
        )
    for index, user in enumerate(users):
        ref = resolve_user(user.user)
        grants.append(
            access.GrantEntry(SubjectType.USER, role_mask(user.roles), user.expires_at, ref, ("users", index))
        )
    return grants


def grant_entry(data: GrantInput) -> access.GrantEntry:
    """Return the entry of an input, with the path of its subject."""
    return subject_entry(data.subject, role_mask(data.roles), data.expires_at)


def subject_entry(subject: SubjectInput, mask: int = 0, expires_at: datetime | None = None) -> access.GrantEntry:
    """Return the entry of a subject, with the path of the subject."""
    path = ("subject",)
    if subject.group is not None:
        return access.GrantEntry(SubjectType.GROUP, mask, expires_at, resolve_group(subject.group), path)
    if subject.user is not None:
        return access.GrantEntry(SubjectType.USER, mask, expires_at, resolve_user(subject.user), path)
    kind, flag = (
        (SubjectType.GENERAL, subject.general) if subject.general is not None else (SubjectType.ANYONE, subject.anyone)
    )
    return access.GrantEntry(kind, mask, expires_at, path=path, has_no_subject=not flag)


async def _submit(context: GraphQLContext, data: SubmitAccessInput) -> Outcome:
    ref = resolve_resource(data.resource)
    try:
        async with context.change(dry_run=data.validate_only) as tx:
            key, _ = await access.submit_access(tx, context.viewer, ref, data.revision, entries(data))
    except access.StaleRevision as stale:
        return {"resource": stale.resource, "errors": [to_error(stale.problem)]}
    return {"resource": key}


async def _grant(tx: Transaction, viewer: Viewer, data: GrantAccessInput) -> Outcome:
    return {"resource": await access.grant_access(tx, viewer, resolve_resource(data.resource), grant_entry(data))}


async def _revoke(tx: Transaction, viewer: Viewer, data: RevokeAccessInput) -> Outcome:
    return {
        "resource": await access.revoke_access(tx, viewer, resolve_resource(data.resource), subject_entry(data.subject))
    }


@object_type
class AccessMutations:
    """Mutations of access configurations."""

    submit_access: SubmitAccessPayload | None = action(
        "Replace the access configuration of a resource. Requires ADMIN on the resource. A locked resource "
        "can be changed.",
        SubmitAccessInput,
        _submit,
    )
    grant_access: GrantAccessPayload | None = mutation(
        "Set the grant to one subject and keep all others. Requires ADMIN on the resource.", GrantAccessInput, _grant
    )
    revoke_access: RevokeAccessPayload | None = mutation(
        "Remove the grant to one subject. Requires ADMIN on the resource.", RevokeAccessInput, _revoke
    )
