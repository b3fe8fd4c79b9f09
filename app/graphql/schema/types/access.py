"""Types of the access to a resource: the viewer's roles, the access configuration and its subjects."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from app import policy
from app.db import tables
from app.db.tables import Access, Grant
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import object_type
from app.graphql.schema.enums import (
    LEVELS,
    DescribedEnum,
    OrgLevel,
    ResourceRole,
    SubjectKind,
    enum,
    kind_named,
    role_list,
    subject_kind,
)
from app.graphql.schema.fields import EntityType, column, edge, part
from app.graphql.schema.types.resources import Resource
from app.graphql.schema.types.users import User
from app.query.relations import flag
from app.query.virtual_rows import virtual_column
from app.services import read_graph

if TYPE_CHECKING:
    from app.graphql.schema.types.groups import Group


@object_type
class AccessSource(EntityType, row=Access):
    """One reason why a user has roles on a resource."""

    kind: SubjectKind = column("The kind of subject.", sql=Access.subject, read=subject_kind)
    granted_roles: list[ResourceRole] = column(
        "Roles as granted, without implied roles.", sql=policy.path_granted_roles, read=role_list
    )
    effective_roles: list[ResourceRole] = column(
        "Roles with the ones they imply.", sql=policy.path_roles, read=role_list
    )
    group: Annotated["Group", strawberry.lazy("app.graphql.schema.types.groups")] | None = edge(
        "The group, if the roles come from a group.", read_graph.group, policy.path_group
    )
    org_level: OrgLevel | None = column(
        "The user's level, if the roles come from the org. The owner counts as ADMIN.",
        sql=policy.path_level,
        read=LEVELS.__getitem__,
    )
    expires_at: datetime | None = column(
        "When the grant or the membership ends. Null if it does not end.", sql=policy.path_expiry
    )


@enum
class AccessDenialCause(DescribedEnum):
    """Reason why a user does not have a role on a resource."""

    # The names of `services.denials.Cause`.

    DEACTIVATED = "DEACTIVATED", "The user is deactivated and has no roles."
    ENDED = "ENDED", "A grant or a membership of a group or of the org has ended."
    WITHOUT_ROLE = "WITHOUT_ROLE", "A grant or an org level gives other roles, or none."
    NOT_OF_TYPE = "NOT_OF_TYPE", "The resource type does not have the role."
    NO_ENTRY = "NO_ENTRY", "No grant or membership gives the user a role on the resource."


@object_type
class AccessDenial:
    """One reason why a user does not have a role on a resource."""

    cause: AccessDenialCause = strawberry.field(description="The reason.")
    kind: SubjectKind | None = strawberry.field(
        description="The kind of subject with the grant or membership. Null for causes without one."
    )
    group: Annotated["Group", strawberry.lazy("app.graphql.schema.types.groups")] | None = edge(
        "The group with the grant. Null for other kinds of subjects.", read_graph.group
    )
    granted_roles: list[ResourceRole] = strawberry.field(
        description="Roles as granted, or those of the level, without implied roles."
    )
    ended_at: datetime | None = strawberry.field(description="When the grant or the membership ended.")


@object_type
class ViewerAccess(EntityType, row=tables.Resource):
    """Roles of the viewer on a resource, with their sources."""

    granted_roles: list[ResourceRole] = column(
        "Roles as granted, without implied roles.", sql=policy.granted_mask, read=role_list
    )
    effective_roles: list[ResourceRole] = column(
        "All roles of the viewer, with implied ones.", sql=policy.effective_mask, read=role_list
    )
    sources: list[AccessSource] = edge("All sources of these roles.", read_graph.sources, tables.Resource.id)


_GRANTED_AT = "When the entry was granted or last changed. Null for entries from before this was recorded."
_GRANTED_BY_NAME = (
    "The user name of the user who did this, also after the account is deleted. Null for the system, and for entries "
    "from before this was recorded."
)
_END = "When the roles end. Null if they do not end. An entry that has ended may be submitted again unchanged."


def _is_expired() -> Any:
    return column(
        "Whether the roles have ended, so that the entry gives none.", sql=flag(policy.grant_has_ended).sql, read=bool
    )


def _granted_by() -> Any:
    return edge(
        "The user who did this. Null if deleted, or if the viewer may not see that user.",
        read_graph.user,
        Grant.granted_by,
    )


@object_type
class WildcardGrant(EntityType, row=Grant):
    """Roles of all signed-in users, or of everyone, on a resource."""

    roles: list[ResourceRole] = column("Roles as granted, without implied roles.", sql=Grant.mask, read=role_list)
    expires_at: datetime | None = column(_END)
    is_expired: bool = _is_expired()
    granted_at: datetime | None = column(_GRANTED_AT)
    granted_by: User | None = _granted_by()
    granted_by_name: str | None = column(_GRANTED_BY_NAME)


@object_type
class GroupGrant(EntityType, row=Grant):
    """Roles of a group on a resource. The list may be empty."""

    group: Annotated["Group", strawberry.lazy("app.graphql.schema.types.groups")] | None = part(
        "The group.", table=tables.Group, guard=policy.sees_group
    )
    roles: list[ResourceRole] = column("Roles as granted, without implied roles.", sql=Grant.mask, read=role_list)
    expires_at: datetime | None = column(_END)
    is_expired: bool = _is_expired()
    granted_at: datetime | None = column(_GRANTED_AT)
    granted_by: User | None = _granted_by()
    granted_by_name: str | None = column(_GRANTED_BY_NAME)


@object_type
class UserGrant(EntityType, row=Grant):
    """Roles of a user on a resource. The list may be empty."""

    user: User | None = part("The user.", table=tables.User)
    roles: list[ResourceRole] = column("Roles as granted, without implied roles.", sql=Grant.mask, read=role_list)
    expires_at: datetime | None = column(_END)
    is_expired: bool = _is_expired()
    granted_at: datetime | None = column(_GRANTED_AT)
    granted_by: User | None = _granted_by()
    granted_by_name: str | None = column(_GRANTED_BY_NAME)


@object_type
class UserResourceFacts(EntityType, row=Grant):
    """Grant to a user, as an edge from the user to the resource. The roles may be empty."""

    roles: list[ResourceRole] = column("Roles as granted, without implied roles.", sql=Grant.mask, read=role_list)
    expires_at: datetime | None = column("When the roles end. Null if they do not end.")
    is_expired: bool = _is_expired()
    granted_at: datetime | None = column(_GRANTED_AT)


UserResourceConnection = Connection[Resource, UserResourceFacts]


@object_type
class AccessConfiguration(EntityType, row=tables.Resource):
    """Access configuration of a resource. The owner's roles are not part of it."""

    revision: int = column("Number of changes so far. `submitAccess` names the revision that the client has read.")
    general: WildcardGrant | None = edge("Roles of all signed-in users.", read_graph.general_grant, tables.Resource.id)
    anyone: WildcardGrant | None = edge(
        "Roles of everyone, signed in or not. Null if there is no such grant.",
        read_graph.anyone_grant,
        tables.Resource.id,
    )
    groups: list[GroupGrant] = edge("Grants to groups, by display name.", read_graph.group_grants, tables.Resource.id)
    users: list[UserGrant] = edge("Grants to users, by user name.", read_graph.user_grants, tables.Resource.id)


@object_type
class AccessSubject(EntityType, row=tables.User):
    """A subject with roles on a resource: a user, or a set of users whose names the viewer may not see."""

    kind: SubjectKind = column(
        "USER for one user. ANYONE and GENERAL for all of their users. GROUP, ORG and PERMISSION if the "
        "viewer may not see the members of the group, the members of the org, or the users with "
        "RESOURCES_MANAGE.",
        sql=virtual_column("kind"),
        read=kind_named,
    )
    roles: list[ResourceRole] = column(
        "Roles of this entry. For a user: roles of their own, and of groups and orgs whose members the viewer "
        "can see. For ORG: the most that a level gives.",
        sql=virtual_column("mask"),
        read=role_list,
    )
    user: User | None = edge(
        "The user. Null if the entry is a set of users.", read_graph.user_shown, virtual_column('"user"')
    )
    group: Annotated["Group", strawberry.lazy("app.graphql.schema.types.groups")] | None = edge(
        "The group, if the entry is the members of a group.", read_graph.group, policy.holding_group
    )
    member_count: int | None = column(
        "Number of users in the group, or in the org with its owner. Null for other entries, and for an org "
        "that the viewer cannot see.",
        sql=policy.count_subjects,
    )


AccessSubjectConnection = Connection[AccessSubject]
