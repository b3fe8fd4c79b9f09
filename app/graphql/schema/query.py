"""Where reading begins."""

from typing import Any

import strawberry

from app.domain.viewer import Viewer as ViewerValue
from app.graphql.schema.decorators import object_type
from app.graphql.schema.directives import Permission, permission_list
from app.graphql.schema.fields import EntityType, edge, lookup, lookups, own_part, viewer_value
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
from app.graphql.schema.types.api_tokens import ApiToken, ApiTokenConnection
from app.graphql.schema.types.audit import AuditEventConnection, AuditEventFilter, AuditEventOrder, whole_log
from app.graphql.schema.types.checks import Checks
from app.graphql.schema.types.groups import Group, GroupConnection
from app.graphql.schema.types.orgs import Org, OrgConnection
from app.graphql.schema.types.resources import Resource, ResourceConnection, ResourceTypeConnection
from app.graphql.schema.types.roles import Role, RoleConnection, RoleOrder
from app.graphql.schema.types.storage import Ticket
from app.graphql.schema.types.storage import lookup as find_ticket
from app.graphql.schema.types.users import User, UserConnection
from app.services import read_graph
from app.services.entities import RELATIONS

_find_node = lookup_of(RELATIONS)


def _permissions(viewer: ViewerValue) -> Any:
    return permission_list(viewer.permissions.value)


def _every_permission(viewer: ViewerValue) -> Any:
    return list(PERMISSIONS)


@object_type
class Viewer(EntityType):
    """Who is asking."""

    user: User | None = edge(
        "The user who is signed in; null when nobody is.", read_graph.user_shown, lambda viewer: viewer.user_id
    )
    permissions: list[Permission] = viewer_value(
        "What her roles allow, of what the API token carries by which she asks; in the order of the enum.", _permissions
    )
    api_token: ApiToken | None = edge(
        "The API token by which she asks; null for who signed in.", read_graph.api_token, lambda viewer: viewer.token_id
    )


@object_type
class PermissionInfo:
    """One thing that a role can allow."""

    permission: Permission = strawberry.field(description="Its name.")
    description: str = strawberry.field(description="What it allows.")


@object_type
class Query(Checks, AccessQuestions, EntityType):
    """Where reading begins."""

    node: Node | None = lookup("Anything by its global id.", _find_node, ("id", strawberry.ID, "A global id."))
    nodes: list[Node | None] = lookups(
        "Several things by their global ids.",
        _find_node,
        ("ids", list[strawberry.ID], "Global ids, at most 100."),
    )
    viewer: Viewer = own_part("Who is asking.")
    user: User | None = lookup("One user.", user_lookup, ("by", UserBy, "Which user."))
    users: UserConnection = edge(
        "The users whom the viewer knows: all with USERS_VIEW or USERS_MANAGE; else herself, "
        "people of her orgs and groups, and owners of what she sees.",
        read_graph.users,
        filter=UserFilter,
        order=UserOrder,
    )
    role: Role | None = lookup("One role.", role_lookup, ("by", RoleBy, "Which role."))
    roles: RoleConnection = edge("All roles; none for nobody.", read_graph.roles, order=RoleOrder)
    org: Org | None = lookup("One org.", org_lookup, ("by", OrgBy, "Which org."))
    orgs: OrgConnection = edge(
        "The orgs that the viewer sees: the public ones and those that they belong to; all with ORGS_MANAGE or "
        "RESOURCES_VIEW.",
        read_graph.orgs,
        filter=OrgFilter,
        order=OrgOrder,
    )
    group: Group | None = lookup("One group.", group_lookup, ("by", GroupBy, "Which group."))
    groups: GroupConnection = edge(
        "All groups; none for nobody.", read_graph.groups, filter=GroupFilter, order=GroupOrder
    )
    resource: Resource | None = lookup("One resource.", resource_lookup, ("by", ResourceBy, "Which resource."))
    resources: ResourceConnection = edge(
        "The resources on which the viewer holds a role; all with RESOURCES_VIEW.",
        read_graph.resources,
        filter=ResourceFilter,
        order=ResourceOrder,
    )
    resource_types: ResourceTypeConnection = edge("All types of resources.", read_graph.resource_types)
    api_tokens: ApiTokenConnection = edge(
        "The viewer's API tokens; those of everybody with USERS_VIEW or USERS_MANAGE.", read_graph.api_tokens
    )
    ticket: Ticket | None = lookup(
        "A ticket, for whoever knows its id; null for none. A storage service can ask so whether it is still good.",
        find_ticket,
        ("id", strawberry.ID, "The id of a ticket, or the claim `jti` of its token."),
    )
    audit_events: AuditEventConnection | None = edge(
        "Every change that was made, the newest first unless told otherwise.",
        read_graph.audit_events,
        whole_log,
        requires=Permission.AUDIT_VIEW,
        filter=AuditEventFilter,
        order=AuditEventOrder,
    )
    permissions: list[PermissionInfo] = viewer_value("Every permission that a role can carry.", _every_permission)


def _described() -> list[PermissionInfo]:
    values: Any = Permission.__strawberry_definition__.values  # type: ignore[attr-defined]
    return [PermissionInfo(permission=Permission[value.name], description=value.description) for value in values]


PERMISSIONS = tuple(_described())
