"""Mutations of groups and their members."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from app.db import Transaction, tables
from app.domain import errors, refs
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.clearing import cleared
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import DescribedEnum, enum
from app.graphql.schema.fields import edge
from app.graphql.schema.list_limits import read_each
from app.graphql.schema.new_edges import Edge, new_edge
from app.graphql.schema.payloads import (
    ChangeInput,
    MutationError,
    Outcome,
    Payload,
    UpdateInput,
    action,
    mutation,
    results,
    to_error,
)
from app.graphql.schema.refs import GroupBy, UserBy, resolve_group, resolve_user
from app.graphql.schema.types.groups import Group, GroupMemberFacts, GroupMembersSeenBy
from app.graphql.schema.types.users import User
from app.services import groups, list_edges, read_graph


@input_type
class CreateGroupInput(ChangeInput):
    """A new group."""

    slug: str = strawberry.field(
        description="2 to 128 characters of `a-z0-9_-`, starting with a letter or digit, without `--`. "
        "Unique; it never changes. `general` is reserved: it means all signed-in users."
    )
    display_name: str = strawberry.field(description="1 to 200 printable characters. Spaces at both ends are removed.")
    description: str = strawberry.field(default="", description="Description for readers; at most 1,000 characters.")
    members_seen_by: GroupMembersSeenBy = strawberry.field(
        default=GroupMembersSeenBy.MEMBERS, description="Visibility of the members."
    )


@input_type
class UpdateGroupInput(UpdateInput):
    """Changes of a group. Absent and null fields stay as they are."""

    group: GroupBy = strawberry.field(description="The group.")
    display_name: str | None = strawberry.field(default=None, description="A new name; 1 to 200 printable characters.")
    description: str | None = strawberry.field(default=None, description="A new description; at most 1,000 characters.")
    members_seen_by: GroupMembersSeenBy | None = strawberry.field(
        default=None, description="Visibility of the members."
    )


@input_type
class DeleteGroupInput(ChangeInput):
    """The group to delete."""

    group: GroupBy = strawberry.field(description="The group.")


@input_type
class NewGroupMemberInput:
    """A new member of a group."""

    user: UserBy = strawberry.field(
        description="The user, by exact user name, or by id if the viewer can see the user."
    )
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When the membership ends. It must be in the future and no later than the end of the viewer's own "
        "right to grant it. Absent for no end.",
    )


@input_type
class AddGroupMembersInput(ChangeInput):
    """New members of a group. Either all are added or none."""

    group: GroupBy = strawberry.field(description="The group.")
    members: list[NewGroupMemberInput] = strawberry.field(description="From 1 to 1,000 new members.")


@input_type
class RemoveGroupMembersInput(ChangeInput):
    """Members to remove from a group. Either all are removed or none."""

    group: GroupBy = strawberry.field(description="The group.")
    members: list[UserBy] = strawberry.field(description="From 1 to 1,000 members.")


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
class UpdateGroupMemberInput(ChangeInput):
    """Changes of a member of a group. Absent and null fields stay as they are."""

    group: GroupBy = strawberry.field(description="The group.")
    user: UserBy = strawberry.field(description="The member.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description="When the membership ends. It must be in the future; a later end than now must not be later than "
        "the end of the viewer's own right to grant it.",
    )
    is_manager: bool | None = strawberry.field(
        default=None, description="Whether the member may add and remove members, no longer than the viewer may."
    )
    clear: list[ClearableGroupMemberField] | None = strawberry.field(
        default=None, description="Values to remove. A value in this list must not be sent as well."
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
class GroupMemberResult:
    """Result for one member."""

    index: int = strawberry.field(description="Index in `input.members`, starting at 0.")
    user: User | None = edge("The user. Null if nothing was written.", read_graph.user_shown)
    member_edge: Edge[User, GroupMemberFacts] | None = new_edge(
        "A new member as an item of `Group.members`. Null for a removed member.",
        list_edges.group_member,
        "group",
        "user",
    )
    errors: list[MutationError] = strawberry.field(description="Reasons why this item was rejected.")


RESULTS = "One result for each member, in the order of the input. Empty if the input has too many members."


@object_type
class AddGroupMembersPayload(Payload):
    """Payload of `addGroupMembers`."""

    group: Group | None = edge("The updated group.", read_graph.group)
    results: list[GroupMemberResult] = strawberry.field(description=RESULTS)


@object_type
class RemoveGroupMembersPayload(Payload):
    """Payload of `removeGroupMembers`."""

    group: Group | None = edge("The updated group.", read_graph.group)
    removed_user_ids: list[strawberry.ID] | None = strawberry.field(
        description="The ids of the former members, to remove their edges from `Group.members`."
    )
    results: list[GroupMemberResult] = strawberry.field(description=RESULTS)


@object_type
class UpdateGroupMemberPayload(Payload):
    """Payload of `updateGroupMember`."""

    group: Group | None = edge("The updated group.", read_graph.group)
    user: User | None = edge("The member.", read_graph.user_shown)


@object_type
class SetGroupManagerPayload(Payload):
    """Payload of `setGroupManager`."""

    group: Group | None = edge("The updated group.", read_graph.group)
    user: User | None = edge("The member.", read_graph.user_shown)
    member_edge: Edge[User, GroupMemberFacts] | None = new_edge(
        "The member as an item of `Group.members`.", list_edges.group_member, "group", "user"
    )


async def _create(tx: Transaction, viewer: Viewer, data: CreateGroupInput) -> Outcome:
    seen_by = tables.MembersSeenBy(data.members_seen_by.value)
    new = groups.GroupCreate(data.slug, data.display_name, data.description, seen_by)
    return {"group": await groups.create_group(tx, viewer, new)}


async def _update(tx: Transaction, viewer: Viewer, data: UpdateGroupInput) -> Outcome:
    seen_by = None if data.members_seen_by is None else tables.MembersSeenBy(data.members_seen_by.value)
    changes = groups.GroupUpdate(data.display_name, data.description, seen_by)
    return {"group": await groups.update_group(tx, viewer, resolve_group(data.group), changes)}


async def _delete(tx: Transaction, viewer: Viewer, data: DeleteGroupInput) -> Outcome:
    key, revoked = await groups.delete_group(tx, viewer, resolve_group(data.group))
    return {"deleted_group_id": refs.encode("Group", key), "revoked_from": revoked}


async def _add(context: GraphQLContext, data: AddGroupMembersInput) -> Outcome:
    new = read_each(_member_create, data.members, groups.MAX_AT_ONCE)
    try:
        async with context.change(dry_run=data.validate_only) as tx:
            return _accept(*await groups.add_group_members(tx, context.viewer, resolve_group(data.group), new))
    except (errors.Problem, errors.Problems) as refused:
        return _reject(len(new), refused)


def _member_create(data: NewGroupMemberInput) -> groups.MemberCreate:
    return groups.MemberCreate(resolve_user(data.user), data.expires_at)


async def _remove(context: GraphQLContext, data: RemoveGroupMembersInput) -> Outcome:
    members = read_each(resolve_user, data.members, groups.MAX_AT_ONCE)
    try:
        async with context.change(dry_run=data.validate_only) as tx:
            removed = await groups.remove_group_members(tx, context.viewer, resolve_group(data.group), members)
            return {**_accept(*removed), "removed_user_ids": [refs.encode("User", user) for user in removed[1]]}
    except (errors.Problem, errors.Problems) as refused:
        return _reject(len(members), refused)


def _accept(group: int, user_ids: Sequence[int]) -> Outcome:
    return {"group": group, "results": results(GroupMemberResult, "user", user_ids, shared={"group": group})}


def _reject(number: int, refused: errors.Problem | errors.Problems) -> Outcome:
    problems = refused.problems if isinstance(refused, errors.Problems) else (refused,)
    keys = [None] * number if number <= groups.MAX_AT_ONCE else []
    return {
        "results": results(GroupMemberResult, "user", keys, problems),
        "errors": [to_error(problem) for problem in problems],
    }


async def _set_manager(tx: Transaction, viewer: Viewer, data: SetGroupManagerInput) -> Outcome:
    member = resolve_group(data.group), resolve_user(data.user)
    group, user = await groups.set_group_manager(tx, viewer, *member, data.is_manager)
    return {"group": group, "user": user}


async def _update_member(tx: Transaction, viewer: Viewer, data: UpdateGroupMemberInput) -> Outcome:
    is_endless = "expiresAt" in cleared(data.clear, {"expiresAt": data.expires_at})
    changes = groups.MemberUpdate(data.expires_at, data.is_manager, is_endless)
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
    add_group_members: AddGroupMembersPayload | None = action(
        "Add up to 1,000 users to a group. If one is rejected, nothing is written and each rejected user has "
        "its errors.",
        AddGroupMembersInput,
        _add,
        **MANAGER,
    )
    remove_group_members: RemoveGroupMembersPayload | None = action(
        "Remove up to 1,000 members from a group. If one is rejected, nothing is written and each rejected "
        "member has its errors.",
        RemoveGroupMembersInput,
        _remove,
        **MANAGER,
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
