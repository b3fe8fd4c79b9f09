"""Mutations that change some members of metadata."""

import strawberry

from app.db import Transaction
from app.domain.viewer import Viewer
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.fields import edge
from app.graphql.schema.mutations.users import MANAGE
from app.graphql.schema.payloads import Outcome, Payload, UpdateInput, mutation
from app.graphql.schema.refs import ResourceBy, UserBy, resolve_resource, resolve_user
from app.graphql.schema.scalars import JSON
from app.graphql.schema.types.resources import Resource
from app.graphql.schema.types.users import User
from app.services import metadata, read_graph

PATCH = (
    "A JSON merge patch (RFC 7396): null removes a member, an object is merged into the current one, and any other "
    "value replaces it, lists as a whole. The result is at most 64 KiB."
)


@input_type
class PatchUserMetadataInput(UpdateInput):
    """Changes of some members of a user's metadata."""

    user: UserBy = strawberry.field(description="The user.")
    patch: JSON = strawberry.field(
        description=f"{PATCH} `maxStorageMB` is a number of megabytes. A list `roles` in the patch replaces the "
        "user's roles, and creates missing roles without permissions; without it the user's roles stay."
    )


@input_type
class PatchResourceMetadataInput(UpdateInput):
    """Changes of some members of a resource's metadata."""

    resource: ResourceBy = strawberry.field(description="The resource.")
    patch: JSON = strawberry.field(description=PATCH)


@object_type
class PatchUserMetadataPayload(Payload):
    """Payload of `patchUserMetadata`."""

    user: User | None = edge("The updated user.", read_graph.user)


@object_type
class PatchResourceMetadataPayload(Payload):
    """Payload of `patchResourceMetadata`."""

    resource: Resource | None = edge("The updated resource.", read_graph.resource)


async def _patch_user(tx: Transaction, viewer: Viewer, data: PatchUserMetadataInput) -> Outcome:
    return {"user": await metadata.patch_user_metadata(tx, viewer, resolve_user(data.user), data.patch)}


async def _patch_resource(tx: Transaction, viewer: Viewer, data: PatchResourceMetadataInput) -> Outcome:
    ref = resolve_resource(data.resource)
    return {"resource": await metadata.patch_resource_metadata(tx, viewer, ref, data.patch)}


@object_type
class MetadataMutations:
    """Mutations of metadata."""

    patch_user_metadata: PatchUserMetadataPayload | None = mutation(
        "Change some members of the metadata of a user; the others stay, also those that another client changes at "
        "the same time.",
        PatchUserMetadataInput,
        _patch_user,
        **MANAGE,
    )
    patch_resource_metadata: PatchResourceMetadataPayload | None = mutation(
        "Change some members of the metadata of a resource; the others stay, also those that another client changes "
        "at the same time. Requires METADATA_WRITE on the resource, which must not be locked.",
        PatchResourceMetadataInput,
        _patch_resource,
    )
