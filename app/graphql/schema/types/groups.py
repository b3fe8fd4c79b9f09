"""Types of groups and their members."""

from datetime import datetime
from typing import Any

from app import policy
from app.db import tables
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import object_type
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import DescribedEnum, enum, of_value
from app.graphql.schema.fields import EntityType, column, edge
from app.graphql.schema.member_filters import GroupMemberFilter, GroupMemberOrder
from app.graphql.schema.node import REVISION, Node
from app.graphql.schema.types.capabilities import ABOUT, GroupCapabilities, group_capabilities
from app.graphql.schema.types.users import User
from app.query.relations import flag
from app.services import read_graph


@enum
class GroupMembersSeenBy(DescribedEnum):
    """Visibility of the members of a group. Always visible with GROUPS_VIEW or GROUPS_MANAGE.

    A limited API token never sees them.
    """

    # The names of `tables.MembersSeenBy`.

    MEMBERS = tables.MembersSeenBy.MEMBERS.value, "The members see each other."
    SIGNED_IN = tables.MembersSeenBy.SIGNED_IN.value, "All signed-in users see the members."


def _members_seen_by(value: str) -> GroupMembersSeenBy:
    return of_value(GroupMembersSeenBy, value)


@object_type
class Group(Node, row=tables.Group):
    """A set of users who receive roles together."""

    slug: str = column("Unique. It never changes.")
    display_name: str = column("Name for display; 1 to 200 printable characters.")
    description: str = column("Description for readers; at most 1,000 characters.")
    created_at: datetime = column("When it was created.")
    revision: int = column(f"{REVISION} Memberships do not count.")
    members_seen_by: GroupMembersSeenBy = column("Visibility of the members.", read=_members_seen_by)
    member_count: int = column("Number of members. All signed-in users may see it.", sql=policy.number_of_group_members)
    viewer_is_member: bool = column("Whether the viewer is a member.", sql=flag(policy.is_my_group).sql, read=bool)
    viewer_can: GroupCapabilities = column(ABOUT, sql=policy.group_facts, read=group_capabilities)
    members: "GroupMemberConnection | None" = edge(
        "Members. Null if the viewer may not see them, see `membersSeenBy`. GROUPS_MANAGE sees them too.",
        read_graph.group_members,
        tables.Group.id,
        guard=policy.sees_group_members,
        requires=Permission.GROUPS_VIEW,
        unless="the viewer is a member of the group, or all signed-in users may see its members",
        filter=GroupMemberFilter,
        order=GroupMemberOrder,
    )


ADDED_BY = "The user who did this. Null if deleted, or if the viewer may not see that user."
ADDED_BY_NAME = (
    "The user name of the user who did this, also after the account is deleted. Null for the system, and if the viewer "
    "is not a member."
)
BY_MEMBERS: Any = {
    "guard": policy.sees_who_added,
    "requires": Permission.GROUPS_VIEW,
    "unless": "the viewer is a member of the group",
}


@object_type
class GroupMemberFacts(EntityType, row=tables.GroupMember):
    """Membership of a group, as an edge from the group."""

    is_manager: bool = column("Whether the member may add and remove members.")
    added_at: datetime = column("When the member was added.")
    added_by: User | None = edge(ADDED_BY, read_graph.user, tables.GroupMember.added_by)
    added_by_name: str | None = column(ADDED_BY_NAME, **BY_MEMBERS)
    expires_at: datetime | None = column("When it ends. Null if it does not end.")


GroupMemberConnection = Connection[User, GroupMemberFacts]


@object_type
class UserGroupFacts(GroupMemberFacts):
    """Membership, as an edge from the user."""


UserGroupConnection = Connection[Group, UserGroupFacts]


GroupConnection = Connection[Group]
