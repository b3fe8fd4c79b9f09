"""Mutations of accounts: single roles, deactivation, names, and the viewer's own details."""

import strawberry

from app.db import Transaction
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.clearing import cleared
from app.graphql.schema.decorators import input_type, object_type, optional
from app.graphql.schema.fields import edge
from app.graphql.schema.mutations.users import MANAGE, ClearableUserField
from app.graphql.schema.payloads import Outcome, Payload, UpdateInput, action, mutation
from app.graphql.schema.refs import UserBy, resolve_user
from app.graphql.schema.types.users import User
from app.services import accounts, read_graph, user_roles
from app.services.users import UserUpdate


@input_type
class AddRolesInput(UpdateInput):
    """Roles to add to those of a user."""

    user: UserBy = strawberry.field(description="The user.")
    roles: list[str] = strawberry.field(
        description="Names of roles, with no more permissions than the viewer has. Roles that the user has already "
        "make no difference."
    )


@input_type
class RemoveRolesInput(UpdateInput):
    """Roles to remove from those of a user."""

    user: UserBy = strawberry.field(description="The user.")
    roles: list[str] = strawberry.field(
        description="Names of roles. Roles that the user does not have make no difference."
    )


@input_type
class DeactivateUserInput(UpdateInput):
    """The user to deactivate."""

    user: UserBy = strawberry.field(description="The user.")


@input_type
class ReactivateUserInput(UpdateInput):
    """The user to reactivate."""

    user: UserBy = strawberry.field(description="The user.")


@input_type
class RenameUserInput(UpdateInput):
    """A new user name of a user."""

    user: UserBy = strawberry.field(description="The user.")
    user_name: str = strawberry.field(
        description="The new name: 1 to 127 letters and digits; unique without regard to letter case."
    )


@input_type
class UpdateViewerInput(UpdateInput):
    """New details of the viewer. Absent and null fields stay as they are."""

    display_name: str | None = optional(
        "A new name to show; 1 to 200 printable characters. Spaces at both ends are removed. An empty "
        "text removes it, as `clear` does."
    )
    email: str | None = optional(
        "A new e-mail address, unique without regard to letter case. An empty text removes it, as `clear` does."
    )
    password: str | None = optional(
        "The current password, at most 1,024 characters. Required for another e-mail address, else "
        "ignored. A wrong one counts as a failed sign-in attempt."
    )
    clear: list[ClearableUserField] | None = optional(
        "Values to remove. A value that is removed cannot be set as well."
    )


@object_type
class AddRolesPayload(Payload):
    """Payload of `addRoles`."""

    user: User | None = edge("The updated user.", read_graph.user)


@object_type
class RemoveRolesPayload(Payload):
    """Payload of `removeRoles`."""

    user: User | None = edge("The updated user.", read_graph.user)


@object_type
class DeactivateUserPayload(Payload):
    """Payload of `deactivateUser`."""

    user: User | None = edge("The deactivated user.", read_graph.user)


@object_type
class ReactivateUserPayload(Payload):
    """Payload of `reactivateUser`."""

    user: User | None = edge("The reactivated user.", read_graph.user)


@object_type
class RenameUserPayload(Payload):
    """Payload of `renameUser`."""

    user: User | None = edge("The renamed user.", read_graph.user)


@object_type
class UpdateViewerPayload(Payload):
    """Payload of `updateViewer`."""

    user: User | None = edge("The updated user.", read_graph.user)


async def _add_roles(tx: Transaction, viewer: Viewer, data: AddRolesInput) -> Outcome:
    return {"user": await user_roles.add_roles(tx, viewer, resolve_user(data.user), data.roles)}


async def _remove_roles(tx: Transaction, viewer: Viewer, data: RemoveRolesInput) -> Outcome:
    return {"user": await user_roles.remove_roles(tx, viewer, resolve_user(data.user), data.roles)}


async def _deactivate(tx: Transaction, viewer: Viewer, data: DeactivateUserInput) -> Outcome:
    return {"user": await user_roles.deactivate_user(tx, viewer, resolve_user(data.user))}


async def _reactivate(tx: Transaction, viewer: Viewer, data: ReactivateUserInput) -> Outcome:
    return {"user": await user_roles.reactivate_user(tx, viewer, resolve_user(data.user))}


async def _rename(tx: Transaction, viewer: Viewer, data: RenameUserInput) -> Outcome:
    return {"user": await accounts.rename_user(tx, viewer, resolve_user(data.user), data.user_name)}


async def _update_viewer(context: GraphQLContext, data: UpdateViewerInput) -> Outcome:
    clear = cleared(data.clear, {"email": data.email, "displayName": data.display_name})
    changes = UserUpdate(
        email="" if "email" in clear else data.email,
        display_name="" if "displayName" in clear else data.display_name,
    )
    update = accounts.OwnUpdate(changes, data.password, data.if_revision)
    return {"user": await accounts.update_viewer(context.app, context.viewer, update, dry_run=data.validate_only)}


@object_type
class AccountMutations:
    """Mutations of accounts."""

    add_roles: AddRolesPayload | None = mutation(
        "Add roles to a user, who keeps all others. An unknown role is `NOT_FOUND`. Adding `deactivated` is rejected "
        "for the last active administrator.",
        AddRolesInput,
        _add_roles,
        **MANAGE,
    )
    remove_roles: RemoveRolesPayload | None = mutation(
        "Remove roles of a user whose rights do not exceed the viewer's. The user keeps all others. An unknown role "
        "is `NOT_FOUND`. One active administrator must remain.",
        RemoveRolesInput,
        _remove_roles,
        **MANAGE,
    )
    deactivate_user: DeactivateUserPayload | None = mutation(
        "Deactivate a user whose rights do not exceed the viewer's: add the role `deactivated`. The user keeps all "
        "other roles, but no token of theirs is accepted from the next request on. One active administrator must "
        "remain.",
        DeactivateUserInput,
        _deactivate,
        **MANAGE,
    )
    reactivate_user: ReactivateUserPayload | None = mutation(
        "Reactivate a user whose rights do not exceed the viewer's: remove the role `deactivated`. All other roles "
        "of the user are valid again, and tokens that have not ended are accepted again.",
        ReactivateUserInput,
        _reactivate,
        **MANAGE,
    )
    rename_user: RenameUserPayload | None = mutation(
        "Change the user name of a user whose rights do not exceed the viewer's. Session tokens and API tokens of "
        "the user stay valid. The old name becomes free; the audit log and records of who did something keep it.",
        RenameUserInput,
        _rename,
        **MANAGE,
    )
    update_viewer: UpdateViewerPayload | None = action(
        "Change the viewer's own display name or e-mail address. Another e-mail address requires the current "
        "password. Requires a session: not for API tokens.",
        UpdateViewerInput,
        _update_viewer,
    )
