"""Access to resources over GraphQL: what the viewer may do, who is granted what, and changing it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from app import policy
from app.db import tables
from app.db.tables import Access, Grant
from app.domain import resource_roles
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import object_type
from app.graphql.schema.enums import DescribedEnum, enum
from app.graphql.schema.fields import EntityType, column, edge, part
from app.graphql.schema.role_enums import (
    LEVELS,
    OrgLevel,
    ResourceRole,
    SubjectKind,
    kind_named,
    role_list,
    subject_kind,
)
from app.graphql.schema.types.users import User
from app.query.index_scan import virtual_column
from app.services import read_graph

if TYPE_CHECKING:
    from app.graphql.schema.types.groups import Group


@object_type
class AccessSource(EntityType, row=Access):
    """One way in which somebody comes to roles on a resource."""

    kind: SubjectKind = column("As whom.", of=Access.subject, read=subject_kind)
    granted_roles: list[ResourceRole] = column(
        "The roles as they were given.", of=policy.path_granted_roles, read=role_list
    )
    effective_roles: list[ResourceRole] = column("With what they imply.", of=policy.path_roles, read=role_list)
    group: Annotated["Group", strawberry.lazy("app.graphql.schema.types.groups")] | None = edge(
        "The group, on the way through one.", read_graph.group, policy.path_group
    )
    org_level: OrgLevel | None = column(
        "Her level, on the way through the org; its owner counts as ADMIN.",
        of=policy.path_level,
        read=LEVELS.__getitem__,
    )
    expires_at: datetime | None = column("When this way ends: the grant or the membership.", of=policy.path_expiry)


@enum
class AccessDenialCause(DescribedEnum):
    """Why a user does not hold a role on a resource."""

    # The names of `services.denials.Cause`.

    DEACTIVATED = "DEACTIVATED", "The user is deactivated, and holds nothing."
    ENDED = "ENDED", "An entry, or a membership of a group or of the org, has ended."
    WITHOUT_ROLE = "WITHOUT_ROLE", "An entry or an org level gives other roles, or none."
    NOT_OF_TYPE = "NOT_OF_TYPE", "Resources of this type do not have the role."
    NO_ENTRY = "NO_ENTRY", "Nothing gives the user a role there."


@object_type
class AccessDenial:
    """One reason why a user does not hold a role on a resource."""

    cause: AccessDenialCause = strawberry.field(description="What stands between the user and the role.")
    kind: SubjectKind | None = strawberry.field(description="As whom the user has the entry or membership; else null.")
    group: Annotated["Group", strawberry.lazy("app.graphql.schema.types.groups")] | None = edge(
        "The group whose entry it is; null for others.", read_graph.group
    )
    granted_roles: list[ResourceRole] = strawberry.field(description="The roles as they were given, or by the level.")
    ended_at: datetime | None = strawberry.field(description="When the entry or the membership ended.")


@object_type
class ViewerAccess(EntityType, row=tables.Resource):
    """What the viewer may do with a resource, and why."""

    granted_roles: list[ResourceRole] = column("The roles as they were given.", of=policy.granted_mask, read=role_list)
    effective_roles: list[ResourceRole] = column("All in all.", of=policy.effective_mask, read=role_list)
    sources: list[AccessSource] = edge("Every way in which she comes to them.", read_graph.sources, tables.Resource.id)


def _effective(mask: int) -> list[ResourceRole]:
    return role_list(resource_roles.effective(mask, resource_roles.ALL))


@object_type
class WildcardGrant(EntityType, row=Grant):
    """What every signed-in user, or everybody, is granted."""

    roles: list[ResourceRole] = column("The roles as they were given.", of=Grant.mask, read=role_list)
    expires_at: datetime | None = column("When it ends.")


@object_type
class GroupGrant(EntityType, row=Grant):
    """What a group is granted; it may be nothing."""

    group: Annotated["Group", strawberry.lazy("app.graphql.schema.types.groups")] | None = part(
        "The group.", of=tables.Group, guard=policy.sees_group
    )
    roles: list[ResourceRole] = column("The roles as they were given.", of=Grant.mask, read=role_list)
    expires_at: datetime | None = column("When it ends.")


@object_type
class UserGrant(EntityType, row=Grant):
    """What a user is granted; it may be nothing."""

    user: User | None = part("The user.", of=tables.User)
    roles: list[ResourceRole] = column("The roles as they were given.", of=Grant.mask, read=role_list)
    expires_at: datetime | None = column("When it ends.")


@object_type
class AccessConfiguration(EntityType, row=tables.Resource):
    """The access configuration of a resource. Its owner is no part of it."""

    revision: int = column("Counts every change; `submitAccess` names the one that was read.")
    general: WildcardGrant | None = edge("Every signed-in user.", read_graph.general_grant, tables.Resource.id)
    anyone: WildcardGrant | None = edge(
        "Everybody, signed in or not; null when absent.", read_graph.anyone_grant, tables.Resource.id
    )
    groups: list[GroupGrant] = edge("Groups, by name.", read_graph.group_grants, tables.Resource.id)
    users: list[UserGrant] = edge("Users, by name.", read_graph.user_grants, tables.Resource.id)


@object_type
class AccessSubject(EntityType, row=tables.User):
    """A user who can reach a resource, or several whose names the viewer may not know in one entry."""

    kind: SubjectKind = column(
        "USER for one user. ANYONE and GENERAL for all of those; GROUP, ORG and PERMISSION for the members of a group, "
        "the people of the org and those who hold RESOURCES_MANAGE, where the viewer may not see who they are.",
        of=virtual_column("kind"),
        read=kind_named,
    )
    roles: list[ResourceRole] = column(
        "The roles of this entry. For a user those of their own, and of groups and orgs whose members the viewer sees; "
        "for ORG the most that a level gives.",
        of=virtual_column("mask"),
        read=role_list,
    )
    user: User | None = edge("The user; null for several in one.", read_graph.user_shown, virtual_column('"user"'))
    group: Annotated["Group", strawberry.lazy("app.graphql.schema.types.groups")] | None = edge(
        "The group whose members these are; null for others.", read_graph.group, policy.holding_group
    )
    member_count: int | None = column(
        "How many members the group has, or people the org; null for others, and for an org that the viewer does not "
        "see.",
        of=policy.count_subjects,
    )


AccessSubjectConnection = Connection[AccessSubject]
