"""Mutations of resources and resource types."""

from typing import Any

import strawberry

from app.db import Transaction
from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.decorators import input_type, object_type, optional
from app.graphql.schema.directives import Permission
from app.graphql.schema.fields import edge
from app.graphql.schema.new_edges import Edge, new_edge
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, UpdateInput, action, mutation
from app.graphql.schema.refs import OrgBy, ResourceBy, UserBy, resolve_org, resolve_resource, resolve_user
from app.graphql.schema.scalars import JSON
from app.graphql.schema.types.resources import Resource, ResourceType
from app.services import list_edges, read_graph, resource_renaming, resource_types, resources


@input_type
class NewResourceInput:
    """A new resource."""

    org: OrgBy = strawberry.field(description="The org. The viewer needs READ_WRITE there.")
    type: str = strawberry.field(description="The name of its resource type. It never changes.")
    slug: str = strawberry.field(
        description="2 to 128 characters of `a-z0-9_-`, without `--`. Unique in the org; `renameResource` changes it."
    )
    name: str = strawberry.field(description="1 to 200 printable characters. Spaces at both ends are removed.")
    description: str | None = optional("At most 1,000 characters. Empty if absent.")
    metadata: JSON | None = optional("A JSON object of at most 64 KiB. `{}` if absent.")


@input_type
class CreateResourceInput(NewResourceInput, ChangeInput):
    """A new resource."""


@input_type
class UpdateResourceInput(UpdateInput):
    """Changes of a resource. Absent fields stay as they are."""

    resource: ResourceBy = strawberry.field(description="The resource.")
    name: str | None = optional("1 to 200 printable characters. Spaces at both ends are removed.")
    description: str | None = optional("At most 1,000 characters.")
    metadata: JSON | None = optional("A JSON object of at most 64 KiB, which replaces the current one.")


@input_type
class RenameResourceInput(UpdateInput):
    """A new slug of a resource."""

    resource: ResourceBy = strawberry.field(description="The resource.")
    slug: str = strawberry.field(
        description="2 to 128 characters of `a-z0-9_-`, starting with a letter or digit, without `--`. Unique in the "
        "org. The current slug changes nothing."
    )


@input_type
class TransferResourceInput(UpdateInput):
    """A new owner or a new org of a resource."""

    resource: ResourceBy = strawberry.field(description="The resource.")
    owner: UserBy | None = optional("The new owner. Absent to keep the owner.")
    org: OrgBy | None = optional("The new org, where the viewer needs READ_WRITE. Absent to keep the org.")


@input_type
class DeleteResourceInput(ChangeInput):
    """The resource to delete."""

    resource: ResourceBy = strawberry.field(description="The resource.")


@input_type
class CreateResourceTypeInput(ChangeInput):
    """A new resource type."""

    name: str = strawberry.field(description="1 to 64 capital letters, digits and `_`, starting with a letter. Unique.")
    has_data: bool = strawberry.field(description="Whether resources of this type have files.")


@object_type
class CreateResourcePayload(Payload):
    """Payload of `createResource`."""

    resource: Resource | None = edge("The new resource.", read_graph.resource)
    resource_edge: Edge[Resource] | None = new_edge(
        "The new resource as an item of `resources`.", list_edges.resource, "resource"
    )


@object_type
class UpdateResourcePayload(Payload):
    """Payload of `updateResource`."""

    resource: Resource | None = edge("The updated resource.", read_graph.resource)


@object_type
class RenameResourcePayload(Payload):
    """Payload of `renameResource`."""

    resource: Resource | None = edge("The updated resource, with its new path.", read_graph.resource)


@object_type
class TransferResourcePayload(Payload):
    """Payload of `transferResource`."""

    resource: Resource | None = edge(
        "The updated resource. Null if the viewer can no longer see it.", read_graph.resource
    )


@object_type
class DeleteResourcePayload(Payload):
    """Payload of `deleteResource`."""

    deleted_resource_id: strawberry.ID | None = strawberry.field(description="The id of the deleted object.")


@object_type
class CreateResourceTypePayload(Payload):
    """Payload of `createResourceType`."""

    resource_type: ResourceType | None = edge("The new resource type.", read_graph.resource_type)
    resource_type_edge: Edge[ResourceType] | None = new_edge(
        "The new resource type as an item of `resourceTypes`.", list_edges.resource_type, "resource_type"
    )


async def _create(tx: Transaction, viewer: Viewer, data: CreateResourceInput) -> Outcome:
    metadata: Any = {} if data.metadata is None else data.metadata
    org = resolve_org(data.org)
    new = resources.ResourceCreate(org, data.type, data.slug, data.name, data.description or "", metadata)
    return {"resource": await resources.create_resource(tx, viewer, new)}


async def _update(tx: Transaction, viewer: Viewer, data: UpdateResourceInput) -> Outcome:
    metadata: Any = data.metadata
    changes = resources.ResourceUpdate(data.name, data.description, metadata)
    return {"resource": await resources.update_resource(tx, viewer, resolve_resource(data.resource), changes)}


async def _rename(tx: Transaction, viewer: Viewer, data: RenameResourceInput) -> Outcome:
    ref = resolve_resource(data.resource)
    return {"resource": await resource_renaming.rename_resource(tx, viewer, ref, data.slug)}


async def _transfer(context: GraphQLContext, data: TransferResourceInput) -> Outcome:
    owner = None if data.owner is None else resolve_user(data.owner)
    transfer = resources.Transfer(owner, None if data.org is None else resolve_org(data.org))
    ref, storage_policy = resolve_resource(data.resource), context.app.storage_policy
    async with context.change(dry_run=data.validate_only, if_revision=data.if_revision) as tx:
        return {"resource": await resources.transfer_resource(tx, context.viewer, ref, transfer, storage_policy)}


async def _delete(tx: Transaction, viewer: Viewer, data: DeleteResourceInput) -> Outcome:
    key = await resources.delete_resource(tx, viewer, resolve_resource(data.resource))
    return {"deleted_resource_id": refs.encode("Resource", key)}


async def _create_type(tx: Transaction, viewer: Viewer, data: CreateResourceTypeInput) -> Outcome:
    return {"resource_type": await resource_types.create_resource_type(tx, viewer, data.name, data.has_data)}


@object_type
class ResourceMutations:
    """Mutations of resources and resource types."""

    create_resource: CreateResourcePayload | None = mutation(
        "Create a resource; the viewer becomes its owner. All signed-in users get METADATA_READ on it, and "
        "DATASET_DATA_READ if its type has data. Requires READ_WRITE in the org.",
        CreateResourceInput,
        _create,
    )
    update_resource: UpdateResourcePayload | None = mutation(
        "Update the metadata of a resource. Requires METADATA_WRITE on the resource, which must not be locked.",
        UpdateResourceInput,
        _update,
    )
    rename_resource: RenameResourcePayload | None = mutation(
        "Change the slug of a resource, and with it its path: the old path is free at once, and does not lead to the "
        "resource. Requires METADATA_WRITE on the resource, which must not be locked, and READ_WRITE in its org, or "
        "RESOURCES_MANAGE.",
        RenameResourceInput,
        _rename,
    )
    transfer_resource: TransferResourcePayload | None = action(
        "Transfer a resource to another owner, who must not be deactivated, or to another org. Requires "
        "ownership, ADMIN without an end in its org, or RESOURCES_MANAGE; a grant is not enough. The resource "
        "must not be locked. If quotas are enforced, its size must fit into the quotas of the "
        "receiving org and of its owner.",
        TransferResourceInput,
        _transfer,
    )
    delete_resource: DeleteResourcePayload | None = mutation(
        "Delete a resource with its grants and history. Requires ADMIN on it, or READ_WRITE_DELETE in its "
        "org. The resource must not be locked.",
        DeleteResourceInput,
        _delete,
    )
    create_resource_type: CreateResourceTypePayload | None = mutation(
        "Create a resource type.", CreateResourceTypeInput, _create_type, requires=Permission.RESOURCES_MANAGE
    )
