"""Mutations of groups and their members."""

from datetime import datetime
from typing import Any

import strawberry

from app.db import Transaction, tables
from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.schema.clearing import cleared
from app.graphql.schema.decorators import input_type, object_type, optional
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import DescribedEnum, enum
from app.graphql.schema.fields import edge
from app.graphql.schema.new_edges import Edge, new_edge
from app.graphql.schema.payloads import (
    ChangeInput,
    Outcome,
    Payload,
    UpdateInput,
    mutation,
)
from app.graphql.schema.refs import GroupBy, UserBy, resolve_group, resolve_user
from app.graphql.schema.types.groups import Group, GroupMemberFacts, GroupMembersSeenBy
from app.graphql.schema.types.users import User
from app.services import groups, list_edges, members, read_graph


@input_type
class NewGroupInput:
    """A new group."""

    slug: str = strawberry.field(
        description="2 to 128 characters of `a-z0-9_-`, starting with a letter or digit, without `--`. "
        "Unique; it never changes. `general` is reserved: it means all signed-in users."
    )
    display_name: str = strawberry.field(description="1 to 200 printable characters. Spaces at both ends are removed.")
    description: str | None = optional("Description for readers; at most 1,000 characters. Empty if absent.")
    members_seen_by: GroupMembersSeenBy | None = optional("Visibility of the members. `MEMBERS` if absent.")


@input_type
class CreateGroupInput(NewGroupInput, ChangeInput):
    """A new group."""


@input_type
class UpdateGroupInput(UpdateInput):
    """Changes of a group. Absent and null fields stay as they are."""

    group: GroupBy = strawberry.field(description="The group.")
    display_name: str | None = optional("A new name; 1 to 200 printable characters. Spaces at both ends are removed.")
    description: str | None = optional("A new description; at most 1,000 characters.")
    members_seen_by: GroupMembersSeenBy | None = optional("Visibility of the members.")


@input_type
class DeleteGroupInput(ChangeInput):
    """The group to delete."""

    group: GroupBy = strawberry.field(description="The group.")


@input_type
class SetGroupManagerInput(ChangeInput):
    """A member of a group, with or without the right to manage it."""

    group: GroupBy = strawberry.field(description="The group.")
    user: UserBy = strawberry.field(description="The member.")
    is_manager: bool = strawberry.field(description="Whether the member may add and remove members.")


@enum
class ClearableGroupMemberField(DescribedEnum):
    """Value of a membership that an update can remove."""

    EXPIRES_AT = ("expiresAt", "The end: the membership lasts until it is removed.")


@input_type
class CurrentGroupMemberInput:
    """A membership in a group as it was read."""

    is_manager: bool = strawberry.field(description="Whether the member could add and remove members.")
    expires_at: datetime | None = optional("The end that was read. Absent if the membership does not end.")


@input_type
class UpdateGroupMemberInput(ChangeInput):
    """Changes of a member of a group. Absent and null fields stay as they are."""

    group: GroupBy = strawberry.field(description="The group.")
    user: UserBy = strawberry.field(description="The member.")
    expires_at: datetime | None = optional(
        "When the membership ends. It must be in the future; a later end than now must not be later than "
        "the end of the viewer's own right to grant it."
    )
    is_manager: bool | None = optional("Whether the member may add and remove members, no longer than the viewer may.")
    clear: list[ClearableGroupMemberField] | None = optional(
        "Values to remove. A value in this list must not be sent as well."
    )
    if_current: CurrentGroupMemberInput | None = optional(
        "The membership as it was read. If somebody else has changed it since then, this change is a CONFLICT."
    )


@object_type
class CreateGroupPayload(Payload):
    """Payload of `createGroup`."""

    group: Group | None = edge("The new group.", read_graph.group)
    group_edge: Edge[Group] | None = new_edge("The new group as an item of `groups`.", list_edges.group, "group")


@object_type
class UpdateGroupPayload(Payload):
    """Payload of `updateGroup`."""

    group: Group | None = edge("The updated group.", read_graph.group)


@object_type
class DeleteGroupPayload(Payload):
    """Payload of `deleteGroup`."""

    deleted_group_id: strawberry.ID | None = strawberry.field(description="The id of the deleted group.")
    revoked_from: int | None = strawberry.field(description="Number of resources on which the group had a grant.")


@object_type
class UpdateGroupMemberPayload(Payload):
    """Payload of `updateGroupMember`."""

    group: Group | None = edge("The updated group.", read_graph.group)
    user: User | None = edge("The member.", read_graph.user_shown)
    member_edge: Edge[User, GroupMemberFacts] | None = new_edge(
        "The member as an item of `Group.members`.", list_edges.group_member, "group", "user"
    )


@object_type
class SetGroupManagerPayload(Payload):
    """Payload of `setGroupManager`."""

    group: Group | None = edge("The updated group.", read_graph.group)
    user: User | None = edge("The member.", read_graph.user_shown)
    member_edge: Edge[User, GroupMemberFacts] | None = new_edge(
        "The member as an item of `Group.members`.", list_edges.group_member, "group", "user"
    )


def members_seen_by(data: NewGroupInput | UpdateGroupInput) -> tables.MembersSeenBy | None:
    """Return the given visibility of the members, None if it is absent."""
    return None if data.members_seen_by is None else tables.MembersSeenBy(data.members_seen_by.value)


async def _create(tx: Transaction, viewer: Viewer, data: CreateGroupInput) -> Outcome:
    seen_by = members_seen_by(data) or tables.MembersSeenBy.MEMBERS
    new = groups.GroupCreate(data.slug, data.display_name, data.description or "", seen_by)
    return {"group": await groups.create_group(tx, viewer, new)}


async def _update(tx: Transaction, viewer: Viewer, data: UpdateGroupInput) -> Outcome:
    changes = groups.GroupUpdate(data.display_name, data.description, members_seen_by(data))
    return {"group": await groups.update_group(tx, viewer, resolve_group(data.group), changes)}


async def _delete(tx: Transaction, viewer: Viewer, data: DeleteGroupInput) -> Outcome:
    key, revoked = await groups.delete_group(tx, viewer, resolve_group(data.group))
    return {"deleted_group_id": refs.encode("Group", key), "revoked_from": revoked}


async def _set_manager(tx: Transaction, viewer: Viewer, data: SetGroupManagerInput) -> Outcome:
    member = resolve_group(data.group), resolve_user(data.user)
    group, user = await groups.update_group_member(tx, viewer, *member, groups.MemberUpdate(is_manager=data.is_manager))
    return {"group": group, "user": user}


async def _update_member(tx: Transaction, viewer: Viewer, data: UpdateGroupMemberInput) -> Outcome:
    is_endless = "expiresAt" in cleared(data.clear, {"expiresAt": data.expires_at})
    current = data.if_current
    read = None if current is None else members.MemberState(int(current.is_manager), current.expires_at)
    changes = groups.MemberUpdate(data.expires_at, data.is_manager, is_endless, read)
    member = resolve_group(data.group), resolve_user(data.user)
    group, user = await groups.update_group_member(tx, viewer, *member, changes)
    return {"group": group, "user": user}


MANAGE: Any = {"requires": Permission.GROUPS_MANAGE}
MANAGER: Any = {"requires": Permission.GROUPS_MANAGE, "unless": "the viewer is a manager of the group"}


@object_type
class GroupMutations:
    """Mutations of groups."""

    create_group: CreateGroupPayload | None = mutation("Create a group.", CreateGroupInput, _create, **MANAGE)
    update_group: UpdateGroupPayload | None = mutation("Update a group.", UpdateGroupInput, _update, **MANAGE)
    delete_group: DeleteGroupPayload | None = mutation(
        "Delete a group and all its grants.", DeleteGroupInput, _delete, **MANAGE
    )
    update_group_member: UpdateGroupMemberPayload | None = mutation(
        "Change when a membership ends, and whether the member may add and remove members.",
        UpdateGroupMemberInput,
        _update_member,
        **MANAGER,
    )
    set_group_manager: SetGroupManagerPayload | None = mutation(
        "Allow a member to add and remove members, or end this right.", SetGroupManagerInput, _set_manager, **MANAGER
    )
