"""Bulk mutations of users."""

from typing import Any

import strawberry

from app.db import Transaction
from app.domain import refs
from app.graphql.context import GraphQLContext
from app.graphql.schema.bulk import (
    RESULTS,
    BulkResult,
    Changed,
    RemoveInput,
    SaveInput,
    bulk_mutation,
    change_each,
    conflict_of,
)
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.fields import edge
from app.graphql.schema.mutations.users import MANAGE, Hashes, NewUserInput, hash_passwords
from app.graphql.schema.new_edges import Edge, new_edge
from app.graphql.schema.payloads import Payload
from app.graphql.schema.refs import UserBy, resolve_user
from app.graphql.schema.types.users import User
from app.services import list_edges, read_graph, validation
from app.services import users as user_rules
from app.services.bulk import OnConflict, user_deletion, users


@input_type
class CreateUsersInput(SaveInput):
    """New users. Either all are written or none."""

    users: list[NewUserInput] = strawberry.field(
        description="From 1 to 1,000 users. The user name identifies an existing one, whose rights must not exceed the "
        "viewer's for an update. An existing user keeps the password."
    )


@input_type
class DeleteUsersInput(RemoveInput):
    """Users to delete. Either all are deleted or none."""

    users: list[UserBy] = strawberry.field(description="From 1 to 1,000 users.")


@object_type
class CreateUsersResult(BulkResult):
    """Result for one user."""

    user: User | None = edge("The user. Null if nothing was written.", read_graph.user)
    user_edge: Edge[User] | None = new_edge("The user as an item of `users`.", list_edges.user, "user")


@object_type
class CreateUsersPayload(Payload):
    """Payload of `createUsers`."""

    results: list[CreateUsersResult] = strawberry.field(description=RESULTS)


@object_type
class DeleteUsersResult(BulkResult):
    """Result for one user."""

    deleted_user_id: strawberry.ID | None = strawberry.field(
        description="The id of the deleted user. Null if none was deleted."
    )


@object_type
class DeleteUsersPayload(Payload):
    """Payload of `deleteUsers`."""

    results: list[DeleteUsersResult] = strawberry.field(description=RESULTS)


async def _hash(context: GraphQLContext, data: CreateUsersInput) -> Hashes:
    """Return the hashes of the new users' passwords. Those of users that exist already are not hashed."""
    user_rules.require_create(context.viewer, len(data.users))
    existing = set[str]()
    if conflict_of(data) is not OnConflict.FAIL:
        names = [user.user_name for user in data.users]
        existing = await users.load_existing_names(context.database, context.viewer, names)
    new = {at: user for at, user in enumerate(data.users) if validation.normalize_key(user.user_name) not in existing}
    return await hash_passwords(context, {("users", at): user for at, user in new.items()}, dry_run=data.validate_only)


def _entry(data: NewUserInput, password_hash: str | None, *, is_hashed: bool) -> users.UserEntry:
    metadata: Any = data.metadata
    has_password = data.password is not None or data.password_hash is not None
    lacks_hash = is_hashed and has_password and password_hash is None
    return users.UserEntry(
        data.user_name, data.email, password_hash, data.roles, metadata, lacks_hash, data.display_name
    )


async def _create(context: GraphQLContext, tx: Transaction, data: CreateUsersInput, hashed: Hashes) -> Changed:
    is_hashed = not (hashed.problems or data.validate_only)
    entries = [
        _entry(user, hashed.hashes.get(("users", at)), is_hashed=is_hashed) for at, user in enumerate(data.users)
    ]
    mode, with_orgs = conflict_of(data), context.app.has_personal_orgs
    done = await users.create_users(tx, context.viewer, entries, mode, hashed.problems, with_orgs=with_orgs)
    return {}, done


@object_type
class BulkUserMutations:
    """Bulk mutations of users."""

    create_users: CreateUsersPayload | None = bulk_mutation(
        "Create up to 1,000 users, or update those that exist (`onConflict`), in one transaction. The passwords are "
        "hashed before it, which has a time limit of its own: `BulkHashingSeconds` of the settings, 600 by default, "
        "for all passwords of a request. A password takes about 35 ms of a processor core.",
        CreateUsersInput,
        _create,
        field="users",
        result=CreateUsersResult,
        shows="user",
        prepare=_hash,
        **MANAGE,
    )
    delete_users: DeleteUsersPayload | None = bulk_mutation(
        "Delete up to 1,000 users whose rights do not exceed the viewer's, in one transaction. All their tokens are "
        "revoked at once. What they own has no owner then: `deleteUser` can name a successor. Rejected while a "
        "resource of one of them, or one in an org of one of them, is locked.",
        DeleteUsersInput,
        change_each(user_deletion.delete_users, "users", resolve_user),
        field="users",
        result=DeleteUsersResult,
        shows="deleted_user_id",
        convert=refs.encoder("User"),
        **MANAGE,
    )
