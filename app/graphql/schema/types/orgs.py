"""Types of organizations and their members."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from app import policy
from app.db import tables
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import object_type
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import LEVELS, OrgLevel
from app.graphql.schema.fields import EntityType, column, edge
from app.graphql.schema.filters import ResourceFilter, ResourceOrder
from app.graphql.schema.member_filters import OrgMemberFilter, OrgMemberOrder
from app.graphql.schema.node import REVISION, Node
from app.graphql.schema.types.capabilities import ABOUT, OrgCapabilities, org_capabilities
from app.graphql.schema.types.resources import ResourceConnection
from app.graphql.schema.types.users import User
from app.query.relations import flag
from app.services import read_graph

if TYPE_CHECKING:
    from app.graphql.schema.types.storage import OrgStorage


@object_type
class Org(Node, row=tables.Org):
    """An organization: users, and the resources that they manage together."""

    slug: str = column("Unique. It never changes.")
    name: str = column("Name for display; 1 to 200 printable characters.")
    description: str = column("Description for readers; at most 1,000 characters.")
    is_public: bool = column(
        "Whether every viewer can see it. A private org is visible to its owner and members, and with "
        "ORGS_MANAGE or RESOURCES_VIEW."
    )
    created_at: datetime = column("When it was created.")
    revision: int = column(f"{REVISION} The owner counts; memberships and resources do not.")
    owner: User | None = edge("The owner. Null if there is none.", read_graph.user_shown, tables.Org.owner_id)
    viewer_level: OrgLevel | None = column(
        "Level of the viewer; the owner counts as ADMIN. Null if the viewer is neither owner nor member.",
        sql=policy.org_level,
        read=LEVELS.__getitem__,
    )
    viewer_is_owner: bool = column("Whether the viewer owns the org.", sql=flag(policy.is_org_owner).sql, read=bool)
    viewer_can: OrgCapabilities = column(ABOUT, sql=policy.org_facts, read=org_capabilities)
    member_count: int | None = column(
        "Number of members, without the owner. Null if the viewer may not see the members.",
        sql=policy.number_of_members_of_org,
        guard=policy.sees_org_members,
        requires=Permission.RESOURCES_VIEW,
        unless="the viewer is the owner or a member of the org",
    )
    members: "OrgMemberConnection | None" = edge(
        "Members, without the owner. Null if the viewer may not see them. ORGS_MANAGE sees them too.",
        read_graph.org_members,
        tables.Org.id,
        guard=policy.sees_org_members,
        requires=Permission.RESOURCES_VIEW,
        unless="the viewer is the owner or a member of the org",
        filter=OrgMemberFilter,
        order=OrgMemberOrder,
    )
    storage: Annotated["OrgStorage", strawberry.lazy("app.graphql.schema.types.storage")] | None = edge(
        "Used storage and storage quota of the org. Null if the viewer may not manage the org.",
        read_graph.org_storage,
        tables.Org.id,
        guard=policy.manages_org,
        requires=Permission.ORGS_MANAGE,
        unless="the viewer's level in the org is ADMIN",
    )
    resources: ResourceConnection | None = edge(
        "Resources of the org that the viewer can see.",
        read_graph.org_resources,
        tables.Org.id,
        filter=ResourceFilter,
        order=ResourceOrder,
    )


@object_type
class OrgMemberFacts(EntityType, row=tables.OrgMember):
    """Membership of an org, as an edge from the org."""

    level: OrgLevel = column("The level of the member.", read=LEVELS.__getitem__)
    added_at: datetime = column("When the membership was granted or last changed.", sql=tables.OrgMember.granted_at)
    added_by: User | None = edge(
        "The user who did this. Null if deleted, or if the viewer may not see that user.",
        read_graph.user,
        tables.OrgMember.granted_by,
    )
    added_by_name: str | None = column(
        "The user name of the user who did this, also after the account is deleted. Null for the system.",
        sql=tables.OrgMember.granted_by_name,
    )
    expires_at: datetime | None = column("When it ends. Null if it does not end.")


OrgMemberConnection = Connection[User, OrgMemberFacts]


@object_type
class UserOrgFacts(OrgMemberFacts):
    """Membership, as an edge from the user."""


UserOrgConnection = Connection[Org, UserOrgFacts]


OrgConnection = Connection[Org]
