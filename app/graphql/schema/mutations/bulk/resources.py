"""Bulk mutations of resources."""

from typing import Any

import strawberry

from app.domain import refs
from app.graphql.schema.bulk import (
    RESULTS,
    BulkResult,
    RemoveInput,
    SaveInput,
    bulk_mutation,
    change_each,
)
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.fields import edge
from app.graphql.schema.mutations.resources import NewResourceInput
from app.graphql.schema.new_edges import Edge, new_edge
from app.graphql.schema.payloads import Payload
from app.graphql.schema.refs import ResourceBy, resolve_org, resolve_resource
from app.graphql.schema.types.resources import Resource
from app.services import list_edges, read_graph
from app.services.bulk import resources


@input_type
class CreateResourcesInput(SaveInput):
    """New resources. Either all are written or none."""

    resources: list[NewResourceInput] = strawberry.field(
        description="From 1 to 1,000 resources. Org and slug identify an existing one; an update requires "
        "METADATA_WRITE on it, and it must not be locked."
    )


@input_type
class DeleteResourcesInput(RemoveInput):
    """Resources to delete. Either all are deleted or none."""

    resources: list[ResourceBy] = strawberry.field(description="From 1 to 1,000 resources.")


@object_type
class CreateResourcesResult(BulkResult):
    """Result for one resource."""

    resource: Resource | None = edge(
        "The resource. Null if nothing was written, or if the viewer may not see it.", read_graph.resource
    )
    resource_edge: Edge[Resource] | None = new_edge(
        "The resource as an item of `resources`.", list_edges.resource, "resource"
    )


@object_type
class CreateResourcesPayload(Payload):
    """Payload of `createResources`."""

    results: list[CreateResourcesResult] = strawberry.field(description=RESULTS)


@object_type
class DeleteResourcesResult(BulkResult):
    """Result for one resource."""

    deleted_resource_id: strawberry.ID | None = strawberry.field(
        description="The id of the deleted resource. Null if none was deleted."
    )


@object_type
class DeleteResourcesPayload(Payload):
    """Payload of `deleteResources`."""

    results: list[DeleteResourcesResult] = strawberry.field(description=RESULTS)


def _entry(data: NewResourceInput) -> resources.ResourceEntry:
    metadata: Any = data.metadata
    org = resolve_org(data.org)
    return resources.ResourceEntry(org, data.type, data.slug, data.name, data.description, metadata)


@object_type
class BulkResourceMutations:
    """Bulk mutations of resources."""

    create_resources: CreateResourcesPayload | None = bulk_mutation(
        "Create up to 1,000 resources, or update those that exist (`onConflict`), in one transaction. The viewer "
        "becomes the owner of the new ones. Requires READ_WRITE in the orgs.",
        CreateResourcesInput,
        change_each(resources.create_resources, "resources", _entry),
        field="resources",
        result=CreateResourcesResult,
        shows="resource",
    )
    delete_resources: DeleteResourcesPayload | None = bulk_mutation(
        "Delete up to 1,000 resources with their grants and history in one transaction. Requires ADMIN on each, or "
        "READ_WRITE_DELETE in its org. None may be locked.",
        DeleteResourcesInput,
        change_each(resources.delete_resources, "resources", resolve_resource),
        field="resources",
        result=DeleteResourcesResult,
        shows="deleted_resource_id",
        convert=refs.encoder("Resource"),
    )
