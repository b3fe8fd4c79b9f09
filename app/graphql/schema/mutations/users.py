"""Mutations of users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import strawberry

from app.db import Transaction
from app.domain import errors, refs
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.clearing import cleared
from app.graphql.schema.decorators import input_type, object_type, optional
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import DescribedEnum, enum
from app.graphql.schema.fields import edge
from app.graphql.schema.new_edges import Edge, new_edge
from app.graphql.schema.payloads import (
    ChangeInput,
    Outcome,
    Payload,
    UpdateInput,
    action,
    mutation,
)
from app.graphql.schema.refs import UserBy, resolve_user
from app.graphql.schema.scalars import JSON
from app.graphql.schema.types.users import User
from app.security import imported_hashes
from app.services import list_edges, new_passwords, provisioning, read_graph, user_deletion, users
from app.services.new_passwords import NewPassword


@input_type
class NewUserInput:
    """A new user."""

    user_name: str = strawberry.field(description="1 to 127 letters and digits; unique without regard to letter case.")
    display_name: str | None = optional(
        "The name to show; 1 to 200 printable characters. Spaces at both ends are removed. An empty text means none."
    )
    email: str | None = optional("Unique without regard to letter case. An empty text means none.")
    password: str | None = optional(
        "A password that meets the password policy. Without one, the user cannot sign in until one is set. "
        "An existing user keeps the password."
    )
    password_hash: str | None = optional(
        "The hash of a password from another system, instead of `password`: argon2 (PHC format), bcrypt "
        "(`$2a$`, `$2b$`, `$2y$`), ASP.NET Identity version 3, or Django's `pbkdf2_sha256$`, `argon2$` and "
        f"`bcrypt_sha256$`. Bounds: {imported_hashes.BOUNDS}. The first sign-in replaces it with one of this server."
    )
    roles: list[str] | None = optional(
        "Names of roles, with no more permissions than the viewer has. `user` if absent."
    )
    metadata: JSON | None = optional(
        "A JSON object of at most 64 KiB. `{}` if absent. A list `roles` in it takes precedence "
        "over the field `roles`, and creates missing roles without permissions."
    )


@input_type
class CreateUserInput(NewUserInput, ChangeInput):
    """A new user."""


@enum
class ClearableUserField(DescribedEnum):
    """Value of a user that an update can remove."""

    EMAIL = "email", "The e-mail address."
    DISPLAY_NAME = "displayName", "The display name."


@input_type
class UpdateUserInput(UpdateInput):
    """Changes of a user. Absent fields stay as they are."""

    user: UserBy = strawberry.field(description="The user.")
    email: str | None = optional("A new e-mail address. An empty text removes it, as `clear` does.")
    display_name: str | None = optional(
        "A new name to show; 1 to 200 printable characters. Spaces at both ends are removed. An empty "
        "text removes it, as `clear` does."
    )
    roles: list[str] | None = optional(
        "Names of the new roles, which replace all current ones. An empty list removes all."
    )
    clear: list[ClearableUserField] | None = optional(
        "Values to remove. A value that is removed cannot be set as well."
    )


@input_type
class DeleteUserInput(ChangeInput):
    """The user to delete."""

    user: UserBy = strawberry.field(description="The user.")
    successor: UserBy | None = optional("The user who receives what the deleted user owns. Absent for none.")


@input_type
class SetUserMetadataInput(UpdateInput):
    """New metadata of a user."""

    user: UserBy = strawberry.field(description="The user.")
    metadata: JSON = strawberry.field(
        description="A JSON object of at most 64 KiB, which replaces the current one. `maxStorageMB` is a "
        "number of megabytes. A list `roles` replaces the user's roles, and creates missing roles "
        "without permissions."
    )


@input_type
class AssignRolesInput(UpdateInput):
    """New roles of a user."""

    user: UserBy = strawberry.field(description="The user.")
    roles: list[str] = strawberry.field(description="Names of the new roles, which replace all current ones.")


@object_type
class CreateUserPayload(Payload):
    """Payload of `createUser`."""

    user: User | None = edge("The new user.", read_graph.user)
    user_edge: Edge[User] | None = new_edge("The new user as an item of `users`.", list_edges.user, "user")


@object_type
class UpdateUserPayload(Payload):
    """Payload of `updateUser`."""

    user: User | None = edge("The updated user.", read_graph.user)


@object_type
class AssignRolesPayload(Payload):
    """Payload of `assignRoles`."""

    user: User | None = edge("The updated user.", read_graph.user)


@object_type
class SetUserMetadataPayload(Payload):
    """Payload of `setUserMetadata`."""

    user: User | None = edge("The updated user.", read_graph.user)


@object_type
class DeleteUserPayload(Payload):
    """Payload of `deleteUser`."""

    deleted_user_id: strawberry.ID | None = strawberry.field(description="The id of the deleted user.")
    orgs_transferred: int | None = strawberry.field(description="Number of orgs transferred to the successor.")
    resources_transferred: int | None = strawberry.field(
        description="Number of resources transferred to the successor."
    )


@dataclass(frozen=True, slots=True)
class Hashes:
    """Hashes of new users' passwords by the path of the user, or the problems of the passwords."""

    hashes: Mapping[tuple[str | int, ...], str | None]
    problems: Sequence[errors.Problem] = ()


def _user_create(data: NewUserInput, password_hash: str | None) -> users.UserCreate:
    roles = users.DEFAULT_ROLES if data.roles is None else data.roles
    metadata: Any = {} if data.metadata is None else data.metadata
    display_name = data.display_name
    return users.UserCreate(data.user_name, data.email, password_hash, roles, metadata, display_name=display_name)


async def hash_passwords(
    context: GraphQLContext, new: Mapping[tuple[str | int, ...], NewUserInput], *, dry_run: bool
) -> Hashes:
    """Return the hashes of the passwords of new users, by the path of each user in the input.

    Problems of the passwords are returned, to be reported with all others. The time does not count towards that of the
    change.
    """
    new_values = [NewPassword(path, user.password, user.password_hash) for path, user in new.items()]
    try:
        async with context.times.hashing():
            hashes = await new_passwords.hash_new_passwords(context.app, context.viewer, new_values, dry_run=dry_run)
    except errors.Problems as refused:
        return Hashes({}, refused.problems)
    return Hashes(dict(zip(new, hashes, strict=True)))


async def _create(context: GraphQLContext, data: CreateUserInput) -> Outcome:
    hashed = await hash_passwords(context, {(): data}, dry_run=data.validate_only)
    async with context.change(dry_run=data.validate_only) as tx:
        new, with_orgs = _user_create(data, hashed.hashes.get(())), context.app.has_personal_orgs
        user = await provisioning.provision_one(tx, context.viewer, new, hashed.problems, with_orgs=with_orgs)
        return {"user": user}


async def _update(tx: Transaction, viewer: Viewer, data: UpdateUserInput) -> Outcome:
    clear = cleared(data.clear, {"email": data.email, "displayName": data.display_name})
    changes = users.UserUpdate(
        email="" if "email" in clear else data.email,
        display_name="" if "displayName" in clear else data.display_name,
        roles=data.roles,
    )
    return {"user": await users.update_user(tx, viewer, resolve_user(data.user), changes)}


async def _delete(tx: Transaction, viewer: Viewer, data: DeleteUserInput) -> Outcome:
    successor = None if data.successor is None else resolve_user(data.successor)
    deleted = await user_deletion.delete_user(tx, viewer, resolve_user(data.user), successor)
    return {
        "deleted_user_id": refs.encode("User", deleted.id),
        "orgs_transferred": deleted.orgs,
        "resources_transferred": deleted.resources,
    }


async def _set_metadata(tx: Transaction, viewer: Viewer, data: SetUserMetadataInput) -> Outcome:
    return {"user": await users.set_user_metadata(tx, viewer, resolve_user(data.user), data.metadata)}


async def _assign(tx: Transaction, viewer: Viewer, data: AssignRolesInput) -> Outcome:
    return {"user": await users.assign_roles(tx, viewer, resolve_user(data.user), data.roles)}


MANAGE: Any = {"requires": Permission.USERS_MANAGE}


@object_type
class UserMutations:
    """Mutations of users."""

    create_user: CreateUserPayload | None = action("Create a user.", CreateUserInput, _create, **MANAGE)
    update_user: UpdateUserPayload | None = mutation(
        "Update the e-mail address, the display name or the roles of a user whose rights do not exceed the viewer's.",
        UpdateUserInput,
        _update,
        **MANAGE,
    )
    delete_user: DeleteUserPayload | None = mutation(
        "Delete a user whose rights do not exceed the viewer's. All tokens of the user are revoked at once. "
        "The successor, if named, receives what the user owns; then the user's access must not exceed the "
        "viewer's either. Rejected while a resource of the user, or one in an org of the user, is locked.",
        DeleteUserInput,
        _delete,
        **MANAGE,
    )
    set_user_metadata: SetUserMetadataPayload | None = mutation(
        "Replace the metadata of a user.", SetUserMetadataInput, _set_metadata, **MANAGE
    )
    assign_roles: AssignRolesPayload | None = mutation(
        "Set the roles of a user. The viewer can add and remove only roles with no more permissions than "
        "their own. One active administrator must remain.",
        AssignRolesInput,
        _assign,
        **MANAGE,
    )
