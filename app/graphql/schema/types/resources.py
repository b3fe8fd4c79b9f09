"""Resources over GraphQL."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app import policy
from app.db import Transaction, tables
from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.directives import Permission
from app.graphql.schema.fields import column, edge, part
from app.graphql.schema.node import Node
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, action, mutation
from app.graphql.schema.refs import OrgBy, ResourceBy, UserBy, resolve_org, resolve_resource, resolve_user
from app.graphql.schema.role_enums import ResourceRole
from app.graphql.schema.scalars import JSON, BigInt
from app.graphql.schema.types.users import User
from app.services import read_graph, resources

if TYPE_CHECKING:
    from app.graphql.schema.types.access import AccessConfiguration, AccessSubjectConnection, ViewerAccess
    from app.graphql.schema.types.audit import ResourceAuditEventConnection
    from app.graphql.schema.types.locks import Lock, LockEventConnection
    from app.graphql.schema.types.orgs import Org


@object_type
class ResourceType(Node, row=tables.ResourceType):
    """A kind of resource."""

    name: str = column("Capital letters, digits and `_`; unique.")
    has_data: bool = column("Whether resources of this type have files, and so the two data roles.")
    is_built_in: bool = column("It came with the registry.")


ResourceTypeConnection = Connection[ResourceType]


@object_type
class Resource(Node, row=tables.Resource):
    """A thing that is kept in the registry.

    Without a role on it, or RESOURCES_VIEW, it does not exist for the viewer.
    """

    slug: str = column("Unique in its org; 2 to 128 of `a-z0-9_-`; fixed for life.")
    name: str = column("1 to 200 characters.")
    description: str = column("For people; at most 1,000 characters.")
    type: str = column("The name of its type, which never changes.", of=read_graph.type_name)
    metadata: JSON = column("A JSON object of at most 64 KiB, as it was written.", of=tables.Resource.details)
    size_bytes: BigInt = column("How much its files take.")
    created_at: datetime = column("When it was made.")
    updated_at: datetime = column("When its metadata, its owner or its org last changed.")
    org: Annotated["Org", strawberry.lazy("app.graphql.schema.types.orgs")] | None = edge(
        "Where it is kept; null for those who do not see the org.", read_graph.org, tables.Resource.org_id
    )
    owner: User | None = edge("Whose it is; null when nobody's.", read_graph.user_shown, tables.Resource.owner_id)
    lock: Annotated["Lock", strawberry.lazy("app.graphql.schema.types.locks")] | None = edge(
        "The lock that stands, or null.", read_graph.lock, tables.Resource.id
    )
    lock_history: Annotated["LockEventConnection", strawberry.lazy("app.graphql.schema.types.locks")] | None = edge(
        "Who locked and unlocked it, when and why; oldest first.", read_graph.lock_events, tables.Resource.id
    )
    viewer_access: Annotated["ViewerAccess", strawberry.lazy("app.graphql.schema.types.access")] = part(
        "What the viewer may do here, and why."
    )
    access_subjects: Annotated["AccessSubjectConnection", strawberry.lazy("app.graphql.schema.types.access")] | None = (
        edge(
            "Who can reach it; for those who hold ADMIN on it. Everybody, every signed-in user, and each group whose "
            "members the viewer may not see are one entry each. All of a kind come first, then groups by slug, then users "
            "by name.",
            read_graph.accessors,
            tables.Resource.id,
            guard=policy.sees_accessors,
            requires=Permission.ACCESS_VIEW,
            unless="the viewer holds ADMIN on the resource",
            narrow=(("role", ResourceRole | None, "Only who holds this role."),),
        )
    )
    access: Annotated["AccessConfiguration", strawberry.lazy("app.graphql.schema.types.access")] | None = part(
        "Who is granted what; for those who hold ADMIN on it.",
        guard=policy.sees_configuration,
        requires=Permission.RESOURCES_VIEW,
        unless="the viewer holds ADMIN on the resource",
    )
    audit_events: (
        Annotated["ResourceAuditEventConnection", strawberry.lazy("app.graphql.schema.types.audit")] | None
    ) = edge(
        "What was done to it, newest first; for those who hold ADMIN on it.",
        read_graph.resource_events,
        tables.Resource.id,
        guard=policy.sees_audit_of_resource,
        requires=Permission.AUDIT_VIEW,
        unless="she holds ADMIN on the resource",
        read=refs.encoder("Resource"),
    )


ResourceConnection = Connection[Resource]


@input_type
class CreateResourceInput(ChangeInput):
    """A new resource."""

    org: OrgBy = strawberry.field(description="Where it is kept; the viewer needs READ_WRITE there.")
    type: str = strawberry.field(description="The name of its type, which never changes.")
    slug: str = strawberry.field(description="2 to 128 of `a-z0-9_-`, no `--`; unique in the org and fixed for life.")
    name: str = strawberry.field(description="1 to 200 characters.")
    description: str = strawberry.field(default="", description="At most 1,000 characters.")
    metadata: JSON | None = strawberry.field(
        default=None, description="A JSON object of at most 64 KiB; `{}` when absent."
    )


@input_type
class UpdateResourceInput(ChangeInput):
    """What to change of a resource; what is absent stays."""

    resource: ResourceBy = strawberry.field(description="Which resource.")
    name: str | None = strawberry.field(default=None, description="1 to 200 characters.")
    description: str | None = strawberry.field(default=None, description="At most 1,000 characters.")
    metadata: JSON | None = strawberry.field(
        default=None, description="A JSON object that replaces the old one; at most 64 KiB."
    )


@input_type
class TransferResourceInput(ChangeInput):
    """Who or what a resource goes to."""

    resource: ResourceBy = strawberry.field(description="Which resource.")
    owner: UserBy | None = strawberry.field(default=None, description="Whose it is from now on; stays when absent.")
    org: OrgBy | None = strawberry.field(
        default=None, description="Where it is kept from now on; the viewer needs READ_WRITE there. Stays when absent."
    )


@input_type
class DeleteResourceInput(ChangeInput):
    """Which resource to delete."""

    resource: ResourceBy = strawberry.field(description="Which resource.")


@input_type
class CreateResourceTypeInput(ChangeInput):
    """A new type of resource."""

    name: str = strawberry.field(description="1 to 64 capital letters, digits and `_`, a letter first; unique.")
    has_data: bool = strawberry.field(description="Whether its resources have files.")


@object_type
class CreateResourcePayload(Payload):
    """The answer to `createResource`."""

    resource: Resource | None = edge("The new resource.", read_graph.resource)


@object_type
class UpdateResourcePayload(Payload):
    """The answer to `updateResource`."""

    resource: Resource | None = edge("The resource as it now is.", read_graph.resource)


@object_type
class TransferResourcePayload(Payload):
    """The answer to `transferResource`."""

    resource: Resource | None = edge("The resource as it now is, if the viewer still sees it.", read_graph.resource)


@object_type
class DeleteResourcePayload(Payload):
    """The answer to `deleteResource`."""

    deleted_resource_id: strawberry.ID | None = strawberry.field(description="The id that it had.")


@object_type
class CreateResourceTypePayload(Payload):
    """The answer to `createResourceType`."""

    resource_type: ResourceType | None = edge("The new type.", read_graph.resource_type)


async def _create(tx: Transaction, viewer: Viewer, given: CreateResourceInput) -> Outcome:
    metadata: Any = {} if given.metadata is None else given.metadata
    org = resolve_org(given.org)
    new = resources.ResourceCreate(org, given.type, given.slug, given.name, given.description, metadata)
    return {"resource": await resources.create_resource(tx, viewer, new)}


async def _update(tx: Transaction, viewer: Viewer, given: UpdateResourceInput) -> Outcome:
    metadata: Any = given.metadata
    changes = resources.ResourceUpdate(given.name, given.description, metadata)
    return {"resource": await resources.update_resource(tx, viewer, resolve_resource(given.resource), changes)}


async def _transfer(context: GraphQLContext, given: TransferResourceInput) -> Outcome:
    owner = None if given.owner is None else resolve_user(given.owner)
    transfer = resources.Transfer(owner, None if given.org is None else resolve_org(given.org))
    way, terms = resolve_resource(given.resource), context.app.storage_policy
    async with context.change(dry_run=given.validate_only) as tx:
        return {"resource": await resources.transfer_resource(tx, context.viewer, way, transfer, terms)}


async def _delete(tx: Transaction, viewer: Viewer, given: DeleteResourceInput) -> Outcome:
    key = await resources.delete_resource(tx, viewer, resolve_resource(given.resource))
    return {"deleted_resource_id": refs.encode("Resource", key)}


async def _create_type(tx: Transaction, viewer: Viewer, given: CreateResourceTypeInput) -> Outcome:
    return {"resource_type": await resources.create_resource_type(tx, viewer, given.name, given.has_data)}


@object_type
class ResourceMutations:
    """The changes of resources."""

    create_resource: CreateResourcePayload | None = mutation(
        "Make a resource that the viewer owns. Every signed-in user gets METADATA_READ on it, and DATASET_DATA_READ "
        "where the type has data. Needs READ_WRITE on the org.",
        CreateResourceInput,
        _create,
    )
    update_resource: UpdateResourcePayload | None = mutation(
        "Change the metadata of a resource. Needs METADATA_WRITE on it, and no lock.", UpdateResourceInput, _update
    )
    transfer_resource: TransferResourcePayload | None = action(
        "Give a resource to another owner, who is not deactivated, or to another org. Needs to own it, ADMIN "
        "without an end in its org or RESOURCES_MANAGE: a grant is not enough. Needs no lock; where quotas "
        "are kept to, its bytes must fit in with the owner of the org that receives it.",
        TransferResourceInput,
        _transfer,
    )
    delete_resource: DeleteResourcePayload | None = mutation(
        "Delete a resource with its grants and history. Needs ADMIN on it or READ_WRITE_DELETE on its org; no lock.",
        DeleteResourceInput,
        _delete,
    )
    create_resource_type: CreateResourceTypePayload | None = mutation(
        "Add a type of resource.", CreateResourceTypeInput, _create_type, requires=Permission.RESOURCES_MANAGE
    )
