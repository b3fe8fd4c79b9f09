"""Mutations of API tokens and service accounts."""

from datetime import datetime

import strawberry

from app.db import Transaction
from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.decorators import input_type, object_type, optional
from app.graphql.schema.directives import Permission, permission_mask
from app.graphql.schema.fields import edge
from app.graphql.schema.list_limits import read_each
from app.graphql.schema.mutations.users import MANAGE
from app.graphql.schema.new_edges import Edge, new_edge
from app.graphql.schema.outcomes import SECRET
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, action, mutation
from app.graphql.schema.refs import OrgBy, ResourceBy, UserBy, resolve_org, resolve_resource, resolve_user
from app.graphql.schema.types.api_tokens import ApiToken
from app.graphql.schema.types.users import User
from app.services import api_tokens, list_edges, read_graph, users


@input_type
class CreateApiTokenInput(ChangeInput):
    """A new API token.

    Without `orgs` and `resources` it has all roles of its owner. With either, it has only those on the named orgs and
    resources, and nothing that concerns the whole registry.
    """

    name: str = strawberry.field(
        description="Name of its purpose; 1 to 200 printable characters; unique for its owner. Spaces at both ends are "
        "removed."
    )
    user: UserBy | None = optional(
        "The owner; the viewer if absent. Otherwise a service account whose permissions and access do not "
        "exceed the viewer's; this requires USERS_MANAGE."
    )
    permissions: list[Permission] | None = optional(
        "Permissions of the token, no more than the viewer has. None if absent."
    )
    orgs: list[OrgBy] | None = optional("Limit the token to these orgs with all their resources. At most 100.")
    resources: list[ResourceBy] | None = optional("Limit the token to these resources. At most 100.")
    expires_at: datetime | None = optional(
        "When it ends, in the future. If absent, the latest time that the setting ApiTokenExpirationInDays allows."
    )


@input_type
class RevokeApiTokenInput(ChangeInput):
    """The API token to revoke."""

    api_token: strawberry.ID = strawberry.field(description="The global id.")


@input_type
class CreateServiceAccountInput(ChangeInput):
    """A new service account."""

    user_name: str = strawberry.field(description="1 to 127 letters and digits; unique without regard to letter case.")
    display_name: str | None = optional(
        "The name to show; 1 to 200 printable characters. Spaces at both ends are removed. An empty text means none."
    )
    roles: list[str] | None = optional("Names of roles, with no more permissions than the viewer has. None if absent.")


@object_type
class CreateApiTokenPayload(Payload):
    """Payload of `createApiToken`."""

    api_token: ApiToken | None = edge("The new token.", read_graph.api_token)
    api_token_edge: Edge[ApiToken] | None = new_edge(
        "The new token as an item of `apiTokens`.", list_edges.api_token, "api_token"
    )
    token: str | None = strawberry.field(
        description="The token: `ost_` and 49 letters and digits, the last six a checksum. It is returned "
        "only once; send it as `Authorization: Bearer …`. Null with `validateOnly`, and when a `clientMutationKey` "
        "is sent again.",
        metadata=SECRET,
    )


@object_type
class RevokeApiTokenPayload(Payload):
    """Payload of `revokeApiToken`."""

    revoked_api_token_id: strawberry.ID | None = strawberry.field(description="The id of the deleted object.")


@object_type
class CreateServiceAccountPayload(Payload):
    """Payload of `createServiceAccount`."""

    user: User | None = edge("The new account.", read_graph.user)
    user_edge: Edge[User] | None = new_edge("The new account as an item of `users`.", list_edges.user, "user")


async def _create(context: GraphQLContext, data: CreateApiTokenInput) -> Outcome:
    new = api_tokens.NewToken(
        data.name,
        permission_mask(data.permissions or []),
        None if data.user is None else resolve_user(data.user),
        None if data.orgs is None else read_each(resolve_org, data.orgs, api_tokens.MAX_TARGETS),
        None if data.resources is None else read_each(resolve_resource, data.resources, api_tokens.MAX_TARGETS),
        data.expires_at,
    )
    async with context.change(dry_run=data.validate_only) as tx:
        key, token = await api_tokens.create_api_token(tx, context.viewer, new, context.app.api_token_lifetime)
    return {} if data.validate_only else {"api_token": key, "token": token}


async def _revoke(tx: Transaction, viewer: Viewer, data: RevokeApiTokenInput) -> Outcome:
    key = await api_tokens.revoke_api_token(tx, viewer, refs.key_of("ApiToken", data.api_token) or 0)
    return {"revoked_api_token_id": refs.encode("ApiToken", key)}


async def _create_account(tx: Transaction, viewer: Viewer, data: CreateServiceAccountInput) -> Outcome:
    return {"user": await users.create_service_account(tx, viewer, data.user_name, data.roles or (), data.display_name)}


@object_type
class ApiTokenMutations:
    """Mutations of API tokens and service accounts."""

    create_api_token: CreateApiTokenPayload | None = action(
        "Create an API token for the viewer or for a service account. Requires a session: an API token cannot "
        "create tokens.",
        CreateApiTokenInput,
        _create,
        requires=Permission.USERS_MANAGE,
        unless="the token is for the viewer",
    )
    revoke_api_token: RevokeApiTokenPayload | None = mutation(
        "Revoke an API token, from the next request on: the viewer's own, or one of a user whose rights do "
        "not exceed the viewer's. A request with an API token can revoke that token, and no other of its "
        "owner.",
        RevokeApiTokenInput,
        _revoke,
        requires=Permission.USERS_MANAGE,
        unless="the token is the viewer's",
    )
    create_service_account: CreateServiceAccountPayload | None = mutation(
        "Create a user for a program. It has no password, cannot sign in and authenticates by API tokens only.",
        CreateServiceAccountInput,
        _create_account,
        **MANAGE,
    )
