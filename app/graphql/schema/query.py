"""The query root."""

from typing import Any

import strawberry

from app.domain.viewer import Viewer as ViewerValue
from app.graphql.schema.decorators import object_type
from app.graphql.schema.directives import Permission, permission_list
from app.graphql.schema.fields import EntityType, app_value, edge, lookup, lookups, own_part, viewer_value
from app.graphql.schema.filters import (
    GroupFilter,
    GroupOrder,
    OrgFilter,
    OrgOrder,
    ResourceFilter,
    ResourceOrder,
    UserFilter,
    UserOrder,
)
from app.graphql.schema.member_filters import RoleFilter, RoleOrder
from app.graphql.schema.mutations.access import AccessQuestions
from app.graphql.schema.node import Node, lookup_of
from app.graphql.schema.refs import (
    GroupBy,
    OrgBy,
    ResourceBy,
    RoleBy,
    UserBy,
    group_lookup,
    org_lookup,
    resource_lookup,
    role_lookup,
    user_lookup,
)
from app.graphql.schema.types import catalogue
from app.graphql.schema.types.api_tokens import ApiToken, ApiTokenConnection
from app.graphql.schema.types.audit import AuditEventConnection, AuditEventFilter, AuditEventOrder, log_key
from app.graphql.schema.types.capabilities import ViewerCapabilities, viewer_capabilities
from app.graphql.schema.types.catalogue import OrgLevelInfo, PermissionInfo
from app.graphql.schema.types.checks import Checks
from app.graphql.schema.types.decisions import Decisions
from app.graphql.schema.types.groups import Group, GroupConnection
from app.graphql.schema.types.orgs import Org, OrgConnection
from app.graphql.schema.types.registry import Registry, describe
from app.graphql.schema.types.resources import Resource, ResourceConnection, ResourceTypeConnection
from app.graphql.schema.types.roles import Role, RoleConnection
from app.graphql.schema.types.storage import Ticket
from app.graphql.schema.types.storage import lookup as find_ticket
from app.graphql.schema.types.users import User, UserConnection
from app.services import read_graph
from app.services.entities import RELATIONS

_find_node = lookup_of(RELATIONS)


def _permissions(viewer: ViewerValue) -> Any:
    return permission_list(viewer.permissions.value)


@object_type
class Viewer(EntityType):
    """The user or program that sent the request."""

    user: User | None = edge(
        "The signed-in user. Null if the request is anonymous.", read_graph.user_shown, lambda viewer: viewer.user_id
    )
    permissions: list[Permission] = viewer_value(
        "Permissions of the viewer's roles, in the order of the enum. An API token reduces them to its own "
        "permissions.",
        _permissions,
    )
    can: ViewerCapabilities = viewer_value(
        "What the viewer can do in the registry as a whole. The fields `viewerCan` tell what they can do with one "
        "object.",
        viewer_capabilities,
    )
    has_default_password: bool = viewer_value(
        "Whether the viewer is an administrator who signed in with the default password of the first administrator "
        "and still has it. False for everybody else, with an API token, and if an identity provider manages the "
        "accounts.",
        lambda viewer: viewer.has_default_password and not viewer.externally_managed,
    )
    api_token: ApiToken | None = edge(
        "The API token of the request. Null for a session.", read_graph.api_token, lambda viewer: viewer.token_id
    )


@object_type
class Query(Checks, Decisions, AccessQuestions, EntityType):
    """The query root."""

    node: Node | None = lookup("An object by its global id.", _find_node, ("id", strawberry.ID, "The global id."))
    nodes: list[Node | None] = lookups(
        "Several objects by their global ids.", _find_node, ("ids", list[strawberry.ID], "Global ids, at most 100.")
    )
    viewer: Viewer = own_part("The user or program that sent the request.")
    registry: Registry = app_value(
        "What this registry is and requires, for sign-in pages and forms. Everybody may read it.", describe
    )
    user: User | None = lookup("A user.", user_lookup, ("by", UserBy, "The user."))
    users: UserConnection = edge(
        "Users whom the viewer can see. With USERS_VIEW or USERS_MANAGE, all users. Otherwise the viewer, the "
        "members of the viewer's orgs and groups, and the owners of visible orgs and resources.",
        read_graph.users,
        filter=UserFilter,
        order=UserOrder,
    )
    role: Role | None = lookup("A role.", role_lookup, ("by", RoleBy, "The role."))
    roles: RoleConnection = edge(
        "All roles. Empty if the request is anonymous.", read_graph.roles, filter=RoleFilter, order=RoleOrder
    )
    org: Org | None = lookup("An org.", org_lookup, ("by", OrgBy, "The org."))
    orgs: OrgConnection = edge(
        "Orgs that the viewer can see: public orgs and those that the viewer owns or is a member of. With "
        "ORGS_MANAGE or RESOURCES_VIEW, all orgs.",
        read_graph.orgs,
        filter=OrgFilter,
        order=OrgOrder,
    )
    group: Group | None = lookup("A group.", group_lookup, ("by", GroupBy, "The group."))
    groups: GroupConnection = edge(
        "All groups. Empty if the request is anonymous.", read_graph.groups, filter=GroupFilter, order=GroupOrder
    )
    resource: Resource | None = lookup("A resource.", resource_lookup, ("by", ResourceBy, "The resource."))
    resources: ResourceConnection = edge(
        "Resources on which the viewer has a role. With RESOURCES_VIEW, all resources.",
        read_graph.resources,
        filter=ResourceFilter,
        order=ResourceOrder,
    )
    resource_types: ResourceTypeConnection = edge("All resource types.", read_graph.resource_types)
    api_tokens: ApiTokenConnection = edge(
        "API tokens of the viewer. With USERS_VIEW or USERS_MANAGE, those of all users.", read_graph.api_tokens
    )
    ticket: Ticket | None = lookup(
        "A ticket. Every client that knows the id may read it; a storage service checks here whether the "
        "ticket is still valid.",
        find_ticket,
        ("id", strawberry.ID, "The id of the ticket, which is the claim `jti` of its token."),
    )
    audit_events: AuditEventConnection | None = edge(
        "Audit events, newest first by default.",
        read_graph.audit_events,
        log_key,
        requires=Permission.AUDIT_VIEW,
        filter=AuditEventFilter,
        order=AuditEventOrder,
    )
    permissions: list[PermissionInfo] = viewer_value("Every permission that a role can include.", catalogue.permissions)
    org_levels: list[OrgLevelInfo] = viewer_value(
        "Every level that a member of an org can have, each with the ones before it.", catalogue.org_levels
    )
