"""Users over GraphQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app import policy
from app.db import Transaction, tables
from app.domain import errors, refs
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.directives import Permission
from app.graphql.schema.fields import column, edge
from app.graphql.schema.filters import GroupFilter, GroupOrder, OrgFilter, OrgOrder, ResourceOrder
from app.graphql.schema.node import Node
from app.graphql.schema.payloads import (
    ChangeInput,
    MutationError,
    Outcome,
    Payload,
    action,
    mutation,
    results,
    to_error,
)
from app.graphql.schema.refs import UserBy, resolve_user
from app.graphql.schema.role_enums import ResourceRole
from app.graphql.schema.scalars import JSON
from app.services import provisioning, read_graph, session, user_deletion, users

if TYPE_CHECKING:
    from app.graphql.schema.types.api_tokens import ApiTokenConnection
    from app.graphql.schema.types.groups import UserGroupConnection
    from app.graphql.schema.types.orgs import OrgConnection, UserOrgConnection
    from app.graphql.schema.types.resources import ResourceConnection
    from app.graphql.schema.types.roles import Role
    from app.graphql.schema.types.storage import Storage

HERSELF = "it is her own"
"""When a detail of a user needs no permission."""

PRIVATE: Any = {"guard": policy.sees_user_details, "requires": Permission.USERS_VIEW, "unless": HERSELF}


@object_type
class User(Node, row=tables.User):
    """Somebody who signs in."""

    user_name: str = column(
        "1 to 127 letters and digits, also `-._@+` where an external provider gave it; unique without regard to letter "
        "case; fixed for life."
    )
    created_at: datetime = column("When the account was made.")
    is_service_account: bool = column("Whether it is a program, which has no password and comes with API tokens.")
    email: str | None = column(
        "Unique without regard to letter case; null when there is none, or for others.", **PRIVATE
    )
    metadata: JSON | None = column(
        "A JSON object, as it was written; null for others.", of=tables.User.details, **PRIVATE
    )
    last_login_at: datetime | None = column(
        "When she last signed in with a password; null for never, or for others.", **PRIVATE
    )
    roles: list[Annotated["Role", strawberry.lazy("app.graphql.schema.types.roles")]] | None = edge(
        "What she holds, by name; null for others.", read_graph.user_roles, tables.User.id, **PRIVATE
    )
    orgs: Annotated["UserOrgConnection", strawberry.lazy("app.graphql.schema.types.orgs")] | None = edge(
        "The orgs that the user is a member of, if the viewer sees the members of those; null for others.",
        read_graph.member_orgs,
        tables.User.id,
        **PRIVATE,
        filter=OrgFilter,
        order=OrgOrder,
    )
    owned_orgs: Annotated["OrgConnection", strawberry.lazy("app.graphql.schema.types.orgs")] | None = edge(
        "The orgs that she owns and the viewer sees; null for others.",
        read_graph.owned_orgs,
        tables.User.id,
        **PRIVATE,
        filter=OrgFilter,
        order=OrgOrder,
    )
    groups: Annotated["UserGroupConnection", strawberry.lazy("app.graphql.schema.types.groups")] | None = edge(
        "The groups that the user is a member of, if the viewer sees the members of those; null for others.",
        read_graph.member_groups,
        tables.User.id,
        **PRIVATE,
        filter=GroupFilter,
        order=GroupOrder,
    )
    storage: Annotated["Storage", strawberry.lazy("app.graphql.schema.types.storage")] | None = edge(
        "What she may store, and what she does; null for others.", read_graph.storage, tables.User.id, **PRIVATE
    )
    api_tokens: Annotated["ApiTokenConnection", strawberry.lazy("app.graphql.schema.types.api_tokens")] | None = edge(
        "Her API tokens, by name; null for others.", read_graph.user_api_tokens, tables.User.id, **PRIVATE
    )
    accessible_resources: (
        Annotated["ResourceConnection", strawberry.lazy("app.graphql.schema.types.resources")] | None
    ) = edge(
        "The resources that the user can reach. Asked about another user, it lists those that the viewer sees, which "
        "are all with RESOURCES_VIEW.",
        read_graph.accessible,
        tables.User.id,
        guard=policy.may_ask_of_user,
        requires=Permission.ACCESS_VIEW,
        unless="it is the viewer herself",
        order=ResourceOrder,
        narrow=(
            ("role", ResourceRole | None, "Only what she holds this role on."),
            ("type", str | None, "Only resources of this type, by its name."),
        ),
    )


UserConnection = Connection[User]


@input_type
class NewUserInput:
    """A new user."""

    user_name: str = strawberry.field(description="Letters and digits, 1 to 127; unique without regard to letter case.")
    email: str | None = strawberry.field(
        default=None, description="Unique without regard to letter case; empty means none."
    )
    password: str | None = strawberry.field(
        default=None, description="Keeps the password policy. Without one she cannot sign in until one is set."
    )
    roles: list[str] | None = strawberry.field(
        default=None,
        description="Names of roles; `user` when absent. Only roles that carry no more than the viewer holds.",
    )
    metadata: JSON | None = strawberry.field(
        default=None,
        description="A JSON object of at most 64 KiB; `{}` when absent. A list `roles` in it goes before `roles` here, "
        "and makes those that are none yet, without permissions.",
    )


@input_type
class CreateUserInput(NewUserInput, ChangeInput):
    """A new user."""


@input_type
class CreateUsersInput(ChangeInput):
    """New users, all or none."""

    users: list[NewUserInput] = strawberry.field(description="From 1 to 1,000 new users.")


@input_type
class UpdateUserInput(ChangeInput):
    """What to change of a user; what is absent stays."""

    user: UserBy = strawberry.field(description="Which user.")
    email: strawberry.Maybe[str | None] = strawberry.field(
        description="A new e-mail address; null or empty takes it away."
    )
    roles: strawberry.Maybe[list[str] | None] = strawberry.field(
        description="Names of the roles that she holds from now on; not null."
    )


@input_type
class DeleteUserInput(ChangeInput):
    """Which user to delete."""

    user: UserBy = strawberry.field(description="Which user.")
    successor: UserBy | None = strawberry.field(
        default=None, description="Who takes over what she owns; nobody when absent."
    )


@input_type
class SetUserMetadataInput(ChangeInput):
    """The metadata of a user."""

    user: UserBy = strawberry.field(description="Which user.")
    metadata: JSON = strawberry.field(
        description="A JSON object of at most 64 KiB, which replaces the old one. `maxStorageMB` is a number of "
        "megabytes; a list `roles` replaces her roles and makes those that are none yet, without permissions."
    )


@input_type
class AssignRolesInput(ChangeInput):
    """The roles of a user."""

    user: UserBy = strawberry.field(description="Which user.")
    roles: list[str] = strawberry.field(description="Names of the roles that she holds from now on, and no others.")


@object_type
class CreateUserPayload(Payload):
    """The answer to `createUser`."""

    user: User | None = edge("The new user.", read_graph.user)


@object_type
class CreateUsersResult:
    """What became of one new user."""

    index: int = strawberry.field(description="Her place in `input.users`, from 0.")
    user: User | None = edge("The new user; null when nothing was written.", read_graph.user)
    errors: list[MutationError] = strawberry.field(description="What is wrong with this one.")


@object_type
class CreateUsersPayload(Payload):
    """The answer to `createUsers`."""

    results: list[CreateUsersResult] = strawberry.field(
        description="One for each new user, in the order of the input; none for too many at once."
    )


@object_type
class UpdateUserPayload(Payload):
    """The answer to `updateUser`."""

    user: User | None = edge("The user as she now is.", read_graph.user)


@object_type
class AssignRolesPayload(Payload):
    """The answer to `assignRoles`."""

    user: User | None = edge("The user as she now is.", read_graph.user)


@object_type
class SetUserMetadataPayload(Payload):
    """The answer to `setUserMetadata`."""

    user: User | None = edge("The user as she now is.", read_graph.user)


@object_type
class DeleteUserPayload(Payload):
    """The answer to `deleteUser`."""

    deleted_user_id: strawberry.ID | None = strawberry.field(description="The id that she had.")
    orgs_transferred: int | None = strawberry.field(description="How many orgs went to the successor.")
    resources_transferred: int | None = strawberry.field(description="How many resources went to the successor.")


Passwords = Sequence[tuple[str | None, Sequence[str | int]]]
"""Passwords, each with its path."""


def _new(given: NewUserInput, password_hash: str | None) -> users.UserCreate:
    wanted = users.DEFAULT_ROLES if given.roles is None else given.roles
    metadata: Any = {} if given.metadata is None else given.metadata
    return users.UserCreate(given.user_name, given.email, password_hash, wanted, metadata)


async def _hashes(context: GraphQLContext, given: Passwords) -> tuple[Sequence[str | None], Sequence[errors.Problem]]:
    """The hashes, or what is wrong with the passwords: that is told together with the rest."""
    try:
        return await session.hash_managed_passwords(context.app, context.viewer, given), ()
    except errors.Problems as refused:
        return [None] * len(given), refused.problems


async def _create(context: GraphQLContext, given: CreateUserInput) -> Outcome:
    hashes, wrong = await _hashes(context, [(given.password, ("password",))])
    async with context.change(dry_run=given.validate_only) as tx:
        new, with_orgs = _new(given, hashes[0]), context.app.has_personal_orgs
        return {"user": await provisioning.provision_one(tx, context.viewer, new, wrong, with_orgs=with_orgs)}


async def _create_many(context: GraphQLContext, given: CreateUsersInput) -> Outcome:
    try:
        users.check_number(context.viewer, len(given.users))
        passwords = [(each.password, ("users", at, "password")) for at, each in enumerate(given.users)]
        hashes, wrong = await _hashes(context, passwords)
        async with context.change(dry_run=given.validate_only) as tx:
            new = [_new(*each) for each in zip(given.users, hashes, strict=True)]
            made = await provisioning.provision(tx, context.viewer, new, wrong, with_orgs=context.app.has_personal_orgs)
            return {"results": results(CreateUsersResult, "user", made)}
    except errors.Problem as problem:
        return _refused(len(given.users), [problem])
    except errors.Problems as several:
        return _refused(len(given.users), several.problems)


def _refused(number: int, problems: Sequence[errors.Problem]) -> Outcome:
    keys = [None] * number if number <= users.MAX_AT_ONCE else []
    return {
        "results": results(CreateUsersResult, "user", keys, problems),
        "errors": [to_error(problem) for problem in problems],
    }


async def _update(tx: Transaction, viewer: Viewer, given: UpdateUserInput) -> Outcome:
    if given.roles is not None and given.roles.value is None:
        raise errors.BadInput("`roles` is a list: an empty one takes every role away, an absent one leaves them.")
    changes = users.UserUpdate(
        email=None if given.email is None else given.email.value or "",
        roles=None if given.roles is None else given.roles.value,
    )
    return {"user": await users.update_user(tx, viewer, resolve_user(given.user), changes)}


async def _delete(tx: Transaction, viewer: Viewer, given: DeleteUserInput) -> Outcome:
    successor = None if given.successor is None else resolve_user(given.successor)
    deleted = await user_deletion.delete_user(tx, viewer, resolve_user(given.user), successor)
    return {
        "deleted_user_id": refs.encode("User", deleted.id),
        "orgs_transferred": deleted.orgs,
        "resources_transferred": deleted.resources,
    }


async def _set_metadata(tx: Transaction, viewer: Viewer, given: SetUserMetadataInput) -> Outcome:
    return {"user": await users.set_user_metadata(tx, viewer, resolve_user(given.user), given.metadata)}


async def _assign(tx: Transaction, viewer: Viewer, given: AssignRolesInput) -> Outcome:
    return {"user": await users.assign_roles(tx, viewer, resolve_user(given.user), given.roles)}


MANAGE: Any = {"requires": Permission.USERS_MANAGE}


@object_type
class UserMutations:
    """The changes of users."""

    create_user: CreateUserPayload | None = action("Make a user.", CreateUserInput, _create, **MANAGE)
    create_users: CreateUsersPayload | None = action(
        "Make up to 1,000 users in one transaction: all of them, or none and a reason at each that is in the way.",
        CreateUsersInput,
        _create_many,
        **MANAGE,
    )
    update_user: UpdateUserPayload | None = mutation(
        "Change the e-mail address or the roles of a user who holds no more than the viewer.",
        UpdateUserInput,
        _update,
        **MANAGE,
    )
    delete_user: DeleteUserPayload | None = mutation(
        "Delete a user who holds no more than the viewer. Their tokens are worthless at once. With a "
        "successor, who gets what they own, they may hold no access either that the viewer lacks. Refused "
        "while a resource of theirs, or one in an org of theirs, is locked.",
        DeleteUserInput,
        _delete,
        **MANAGE,
    )
    set_user_metadata: SetUserMetadataPayload | None = mutation(
        "Replace the metadata of a user.", SetUserMetadataInput, _set_metadata, **MANAGE
    )
    assign_roles: AssignRolesPayload | None = mutation(
        "Set the roles of a user. The viewer gives and takes only what she holds; one active administrator stays.",
        AssignRolesInput,
        _assign,
        **MANAGE,
    )
