"""Types of resources and resource types."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from app import policy
from app.db import tables
from app.domain import refs
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import object_type
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import ResourceRole
from app.graphql.schema.fields import column, edge, part
from app.graphql.schema.node import REVISION, Node
from app.graphql.schema.scalars import JSON, BigInt
from app.graphql.schema.types.capabilities import ABOUT, ResourceCapabilities, resource_capabilities
from app.graphql.schema.types.catalogue import (
    ResourceRoleInfo,
    roles_of_type,
    type_description,
    type_label,
)
from app.graphql.schema.types.users import User
from app.services import access_relations, read_graph

if TYPE_CHECKING:
    from app.graphql.schema.types.access import AccessConfiguration, AccessSubjectConnection, ViewerAccess
    from app.graphql.schema.types.audit import ResourceAuditEventConnection
    from app.graphql.schema.types.groups import GroupConnection
    from app.graphql.schema.types.locks import Lock, LockEventConnection
    from app.graphql.schema.types.orgs import Org


@object_type
class ResourceType(Node, row=tables.ResourceType):
    """Type of a resource."""

    name: str = column("Unique; capital letters, digits and `_`.")
    label: str = column(
        "Name for display, such as `Model Run`; the words of `name` if the type is not built in.",
        sql=tables.ResourceType.name,
        read=type_label,
    )
    description: str | None = column(
        "What resources of this type are. Null if the type is not built in.",
        sql=tables.ResourceType.name,
        read=type_description,
    )
    has_data: bool = column("Whether resources of this type have files, and thus the two data roles.")
    is_built_in: bool = column("Whether the type is part of every registry.")
    roles: list[ResourceRoleInfo] = column(
        "The roles that resources of this type have, in the order of `ResourceRole`.",
        sql=tables.ResourceType.has_data,
        read=roles_of_type,
    )


ResourceTypeConnection = Connection[ResourceType]


@object_type
class Resource(Node, row=tables.Resource):
    """A registered resource, such as a dataset.

    Viewers without a role on it and without RESOURCES_VIEW cannot see it.
    """

    slug: str = column("2 to 128 characters of `a-z0-9_-`. Unique in the org; `renameResource` changes it.")
    name: str = column("1 to 200 characters.")
    description: str = column("Description for readers; at most 1,000 characters.")
    type: ResourceType = part(
        "Its resource type, which never changes.",
        table=tables.ResourceType,
        via=read_graph.type_of_resource,
        reference=tables.Resource.type_id,
    )
    metadata: JSON = column("A JSON object of at most 64 KiB, as it was submitted.", sql=tables.Resource.details)
    size_bytes: BigInt = column("Total size of its files.")
    created_at: datetime = column("When it was created.")
    updated_at: datetime = column("When its metadata, owner or org last changed.")
    revision: int = column(
        f"{REVISION} Access, locks and files do not count: `access.revision` is the one of the access configuration.",
        sql=tables.Resource.edit_revision,
    )
    org: Annotated["Org", strawberry.lazy("app.graphql.schema.types.orgs")] | None = edge(
        "The org. Null if the viewer cannot see the org.", read_graph.org, tables.Resource.org_id
    )
    owner: User | None = edge("The owner. Null if there is none.", read_graph.user_shown, tables.Resource.owner_id)
    lock: Annotated["Lock", strawberry.lazy("app.graphql.schema.types.locks")] | None = edge(
        "The current lock. Null if the resource is not locked.", read_graph.lock, tables.Resource.id
    )
    lock_history: Annotated["LockEventConnection", strawberry.lazy("app.graphql.schema.types.locks")] | None = edge(
        "History of its locks, oldest first.", read_graph.lock_events, tables.Resource.id
    )
    viewer_access: Annotated["ViewerAccess", strawberry.lazy("app.graphql.schema.types.access")] = part(
        "Roles of the viewer, with their sources."
    )
    viewer_can: ResourceCapabilities = column(ABOUT, sql=policy.resource_facts, read=resource_capabilities)
    access_subjects: Annotated["AccessSubjectConnection", strawberry.lazy("app.graphql.schema.types.access")] | None = (
        edge(
            "Subjects with a role on it, for viewers with ADMIN. Everyone, all signed-in users, and each "
            "group whose members the viewer may not see are one entry each. Sets of users come first, then "
            "groups by slug, then users by name.",
            read_graph.accessors,
            tables.Resource.id,
            guard=policy.sees_accessors,
            requires=Permission.ACCESS_VIEW,
            unless="the viewer holds ADMIN on the resource",
            narrow=(("role", ResourceRole | None, "Only subjects with this role."),),
        )
    )
    access_groups: Annotated["GroupConnection", strawberry.lazy("app.graphql.schema.types.groups")] | None = edge(
        "Groups with a role on it, for viewers with ADMIN.",
        access_relations.access_groups,
        tables.Resource.id,
        guard=policy.sees_accessors,
        requires=Permission.ACCESS_VIEW,
        unless="the viewer holds ADMIN on the resource",
        narrow=(("role", ResourceRole | None, "Only groups with this role."),),
    )
    access: Annotated["AccessConfiguration", strawberry.lazy("app.graphql.schema.types.access")] | None = part(
        "The access configuration, for viewers with ADMIN.",
        guard=policy.sees_configuration,
        requires=Permission.RESOURCES_VIEW,
        unless="the viewer holds ADMIN on the resource",
    )
    audit_events: (
        Annotated["ResourceAuditEventConnection", strawberry.lazy("app.graphql.schema.types.audit")] | None
    ) = edge(
        "Audit events of the resource, newest first, for viewers with ADMIN.",
        read_graph.resource_events,
        tables.Resource.id,
        guard=policy.sees_audit_of_resource,
        requires=Permission.AUDIT_VIEW,
        unless="the viewer holds ADMIN on the resource",
        read=refs.encoder("Resource"),
    )


ResourceConnection = Connection[Resource]
