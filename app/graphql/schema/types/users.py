"""The type of users."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app import policy
from app.db import tables
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import object_type
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import ResourceRole
from app.graphql.schema.fields import column, edge
from app.graphql.schema.filters import GroupFilter, GroupOrder, OrgFilter, OrgOrder, ResourceFilter, ResourceOrder
from app.graphql.schema.node import REVISION, Node
from app.graphql.schema.scalars import JSON
from app.graphql.schema.types.capabilities import ABOUT, UserCapabilities, user_capabilities
from app.services import read_graph

if TYPE_CHECKING:
    from app.graphql.schema.types.access import UserResourceConnection
    from app.graphql.schema.types.api_tokens import ApiTokenConnection
    from app.graphql.schema.types.groups import UserGroupConnection
    from app.graphql.schema.types.orgs import OrgConnection, UserOrgConnection
    from app.graphql.schema.types.resources import ResourceConnection
    from app.graphql.schema.types.roles import Role
    from app.graphql.schema.types.storage import Storage

OWN_DETAILS = "the user is the viewer"
"""Condition under which a detail of a user needs no permission."""

PRIVATE: Any = {"guard": policy.sees_user_details, "requires": Permission.USERS_VIEW, "unless": OWN_DETAILS}


@object_type
class User(Node, row=tables.User):
    """A user or a service account."""

    user_name: str = column(
        "1 to 127 letters and digits, and `-._@+` in names from an identity provider. Unique without regard "
        "to letter case. It changes only by `renameUser`; the id never changes."
    )
    display_name: str | None = column(
        "The name to show: 1 to 200 printable characters, not unique. Null if there is none; then show the user name."
    )
    created_at: datetime = column("When the account was created.")
    revision: int = column(f"{REVISION} Roles and metadata count; memberships, passwords and sign-ins do not.")
    is_service_account: bool = column(
        "Whether the account is for a program. A service account has no password and authenticates by API tokens."
    )
    email: str | None = column(
        "Unique without regard to letter case. Null if there is none, or if the viewer may not see it.", **PRIVATE
    )
    metadata: JSON | None = column(
        "A JSON object, as it was submitted. Null if the viewer may not see it.", sql=tables.User.details, **PRIVATE
    )
    last_login_at: datetime | None = column(
        "When the user last signed in. Null if never, or if the viewer may not see it.", **PRIVATE
    )
    viewer_can: UserCapabilities = column(ABOUT, sql=policy.user_facts, read=user_capabilities)
    roles: list[Annotated["Role", strawberry.lazy("app.graphql.schema.types.roles")]] | None = edge(
        "Roles of the user, by name. Null if the viewer may not see them.",
        read_graph.user_roles,
        tables.User.id,
        **PRIVATE,
    )
    orgs: Annotated["UserOrgConnection", strawberry.lazy("app.graphql.schema.types.orgs")] | None = edge(
        "Orgs in which the user is a member and whose members the viewer can see. Null if the viewer may not "
        "see the user's details.",
        read_graph.member_orgs,
        tables.User.id,
        **PRIVATE,
        filter=OrgFilter,
        order=OrgOrder,
    )
    owned_orgs: Annotated["OrgConnection", strawberry.lazy("app.graphql.schema.types.orgs")] | None = edge(
        "Orgs that the user owns and the viewer can see. Null if the viewer may not see the user's details.",
        read_graph.owned_orgs,
        tables.User.id,
        **PRIVATE,
        filter=OrgFilter,
        order=OrgOrder,
    )
    owned_resources: Annotated["ResourceConnection", strawberry.lazy("app.graphql.schema.types.resources")] | None = (
        edge(
            "Resources that the user owns and the viewer can see. Null if the viewer may not see the user's details.",
            read_graph.owned_resources,
            tables.User.id,
            **PRIVATE,
            filter=ResourceFilter,
            order=ResourceOrder,
        )
    )
    groups: Annotated["UserGroupConnection", strawberry.lazy("app.graphql.schema.types.groups")] | None = edge(
        "Groups in which the user is a member and whose members the viewer can see. Null if the viewer may "
        "not see the user's details.",
        read_graph.member_groups,
        tables.User.id,
        **PRIVATE,
        filter=GroupFilter,
        order=GroupOrder,
    )
    storage: Annotated["Storage", strawberry.lazy("app.graphql.schema.types.storage")] | None = edge(
        "Storage quota of the user and its use. Null if the viewer may not see it.",
        read_graph.storage,
        tables.User.id,
        **PRIVATE,
    )
    api_tokens: Annotated["ApiTokenConnection", strawberry.lazy("app.graphql.schema.types.api_tokens")] | None = edge(
        "API tokens of the user, by name. Null if the viewer may not see them.",
        read_graph.user_api_tokens,
        tables.User.id,
        **PRIVATE,
    )
    grants: Annotated["UserResourceConnection", strawberry.lazy("app.graphql.schema.types.access")] | None = edge(
        "Resources on which the user has an entry of their own in the access configuration; entries of groups, "
        "memberships and ownership are not in it. For another user, only the resources whose access configuration the "
        "viewer can see; with ACCESS_VIEW, all that the viewer can see. Null if the viewer may not see the user's "
        "details.",
        read_graph.granted_resources,
        tables.User.id,
        **PRIVATE,
        filter=ResourceFilter,
        order=ResourceOrder,
    )
    accessible_resources: (
        Annotated["ResourceConnection", strawberry.lazy("app.graphql.schema.types.resources")] | None
    ) = edge(
        "Resources on which the user has a role. For another user, only those that the viewer can see; with "
        "RESOURCES_VIEW, that is all of them.",
        read_graph.accessible,
        tables.User.id,
        guard=policy.may_ask_of_user,
        requires=Permission.ACCESS_VIEW,
        unless="the user is the viewer",
        order=ResourceOrder,
        narrow=(
            ("role", ResourceRole | None, "Only resources on which the user has this role."),
            ("type", str | None, "Only resources of this type, by its name."),
        ),
    )


UserConnection = Connection[User]
