"""API tokens and service accounts over GraphQL."""

from datetime import datetime

import strawberry

from app.db import Transaction, tables
from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.directives import Permission, permission_list, permission_mask
from app.graphql.schema.fields import column, edge
from app.graphql.schema.list_limits import read_each
from app.graphql.schema.node import Node
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, action, mutation
from app.graphql.schema.refs import OrgBy, ResourceBy, UserBy, resolve_org, resolve_resource, resolve_user
from app.graphql.schema.types.orgs import Org
from app.graphql.schema.types.resources import Resource
from app.graphql.schema.types.users import MANAGE, User
from app.services import api_tokens, read_graph, users


@object_type
class ApiToken(Node, row=tables.ApiToken):
    """A token for programs. It lets in as its owner, to what she may at that moment, of what it carries."""

    name: str = column("What it is for; 1 to 200 printable characters.")
    prefix: str = column("How the token itself begins, to know it again; the rest is kept nowhere.")
    user: User | None = edge("Whose it is.", read_graph.user, tables.ApiToken.user_id)
    permissions: list[Permission] = column(
        "What it carries, in the order of the enum; of these its owner must hold what is needed.", read=permission_list
    )
    is_limited: bool = column("Whether it is good for its `orgs` and `resources` alone, also once these are gone.")
    orgs: list[Org] | None = edge(
        "The orgs that it is limited to, with all that is in them; those that the viewer sees.",
        read_graph.api_token_orgs,
        tables.ApiToken.id,
    )
    resources: list[Resource] | None = edge(
        "The resources that it is limited to; those that the viewer sees.",
        read_graph.api_token_resources,
        tables.ApiToken.id,
    )
    created_at: datetime = column("When it was made.")
    expires_at: datetime | None = column("When it ends; null for never.")
    last_used_at: datetime | None = column("When it was last used, to the minute; null for never.")


ApiTokenConnection = Connection[ApiToken]


@input_type
class CreateApiTokenInput(ChangeInput):
    """A new API token.

    Without `orgs` and `resources` it is good for all that its owner may; with either, for these alone, and for nothing
    that is about the whole registry.
    """

    name: str = strawberry.field(description="What it is for; 1 to 200 printable characters; unique for its owner.")
    user: UserBy | None = strawberry.field(
        default=None,
        description=(
            "A service account that holds no more than the viewer, access included, with USERS_MANAGE; the viewer"
            " herself when absent."
        ),
    )
    permissions: list[Permission] | None = strawberry.field(
        default=None, description="What it carries, no more than the viewer holds; nothing when absent."
    )
    orgs: list[OrgBy] | None = strawberry.field(
        default=None, description="Limit it to these orgs, at most 100, with all that is in them."
    )
    resources: list[ResourceBy] | None = strawberry.field(
        default=None, description="Limit it to these resources, at most 100."
    )
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When it ends, in the future; when absent, as late as the setting ApiTokenExpirationInDays allows.",
    )


@input_type
class RevokeApiTokenInput(ChangeInput):
    """Which API token ends."""

    api_token: strawberry.ID = strawberry.field(description="Its global id.")


@input_type
class CreateServiceAccountInput(ChangeInput):
    """A new service account."""

    user_name: str = strawberry.field(description="Letters and digits, 1 to 127; unique without regard to letter case.")
    roles: list[str] | None = strawberry.field(
        default=None,
        description="Names of roles; none when absent. Only roles that carry no more than the viewer holds.",
    )


@object_type
class CreateApiTokenPayload(Payload):
    """The answer to `createApiToken`."""

    api_token: ApiToken | None = edge("The new token.", read_graph.api_token)
    token: str | None = strawberry.field(
        description="The token itself: `ost_` and 49 letters and digits, the last six a checksum. Shown this once; "
        "send it as `Authorization: Bearer …`. Null when the change was only tried."
    )


@object_type
class RevokeApiTokenPayload(Payload):
    """The answer to `revokeApiToken`."""

    revoked_api_token_id: strawberry.ID | None = strawberry.field(description="The id that it had.")


@object_type
class CreateServiceAccountPayload(Payload):
    """The answer to `createServiceAccount`."""

    user: User | None = edge("The new account.", read_graph.user)


async def _create(context: GraphQLContext, given: CreateApiTokenInput) -> Outcome:
    new = api_tokens.NewToken(
        given.name,
        permission_mask(given.permissions or []),
        None if given.user is None else resolve_user(given.user),
        None if given.orgs is None else read_each(resolve_org, given.orgs, api_tokens.MAX_TARGETS),
        None if given.resources is None else read_each(resolve_resource, given.resources, api_tokens.MAX_TARGETS),
        given.expires_at,
    )
    async with context.change(dry_run=given.validate_only) as tx:
        key, token = await api_tokens.create_api_token(tx, context.viewer, new, context.app.api_token_lifetime)
    return {} if given.validate_only else {"api_token": key, "token": token}


async def _revoke(tx: Transaction, viewer: Viewer, given: RevokeApiTokenInput) -> Outcome:
    key = await api_tokens.revoke_api_token(tx, viewer, refs.key_of("ApiToken", given.api_token) or 0)
    return {"revoked_api_token_id": refs.encode("ApiToken", key)}


async def _create_account(tx: Transaction, viewer: Viewer, given: CreateServiceAccountInput) -> Outcome:
    return {"user": await users.create_service_account(tx, viewer, given.user_name, given.roles or ())}


@object_type
class ApiTokenMutations:
    """The changes of API tokens and service accounts."""

    create_api_token: CreateApiTokenPayload | None = action(
        "Make an API token for the viewer, or for a service account. Who asks must have signed in: a token makes none.",
        CreateApiTokenInput,
        _create,
        requires=Permission.USERS_MANAGE,
        unless="it is for the viewer herself",
    )
    revoke_api_token: RevokeApiTokenPayload | None = mutation(
        "End an API token from the next request on: the viewer's own, or one of a user who holds no more than she. A "
        "token can end itself, and no other one of its owner's.",
        RevokeApiTokenInput,
        _revoke,
        requires=Permission.USERS_MANAGE,
        unless="it is the viewer's own",
    )
    create_service_account: CreateServiceAccountPayload | None = mutation(
        "Make a user for a program: it has no password, cannot sign in, and is let in by API tokens alone.",
        CreateServiceAccountInput,
        _create_account,
        **MANAGE,
    )
