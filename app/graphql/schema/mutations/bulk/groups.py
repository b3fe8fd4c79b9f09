"""Bulk mutations of groups and their members."""

from datetime import datetime
from typing import Any

import strawberry

from app.domain import refs
from app.graphql.schema.bulk import (
    RESULTS,
    BulkResult,
    RemoveInput,
    SaveInput,
    bulk_mutation,
    change_each,
    change_members,
)
from app.graphql.schema.decorators import input_type, object_type, optional
from app.graphql.schema.fields import edge
from app.graphql.schema.mutations.groups import MANAGE, MANAGER, NewGroupInput, members_seen_by
from app.graphql.schema.new_edges import Edge, new_edge
from app.graphql.schema.payloads import Payload
from app.graphql.schema.refs import GroupBy, UserBy, resolve_group, resolve_user
from app.graphql.schema.types.groups import Group, GroupMemberFacts
from app.graphql.schema.types.users import User
from app.services import list_edges, read_graph
from app.services.bulk import groups
from app.services.bulk import members as bulk_members


@input_type
class CreateGroupsInput(SaveInput):
    """New groups. Either all are written or none."""

    groups: list[NewGroupInput] = strawberry.field(
        description="From 1 to 1,000 groups. The slug identifies an existing one."
    )


@input_type
class DeleteGroupsInput(RemoveInput):
    """Groups to delete. Either all are deleted or none."""

    groups: list[GroupBy] = strawberry.field(description="From 1 to 1,000 groups.")


@input_type
class NewGroupMemberInput:
    """A new member of a group."""

    user: UserBy = strawberry.field(
        description="The user, by exact user name, or by id if the viewer can see the user."
    )
    expires_at: datetime | None = optional(
        "When the membership ends. It must be in the future and no later than the end of the viewer's own "
        "right to grant it. Absent for no end, or to keep the end of an existing membership."
    )


@input_type
class AddGroupMembersInput(SaveInput):
    """New members of a group. Either all are written or none."""

    group: GroupBy = strawberry.field(description="The group.")
    members: list[NewGroupMemberInput] = strawberry.field(description="From 1 to 1,000 members.")


@input_type
class RemoveGroupMembersInput(RemoveInput):
    """Members to remove from a group. Either all are removed or none."""

    group: GroupBy = strawberry.field(description="The group.")
    members: list[UserBy] = strawberry.field(description="From 1 to 1,000 members.")


@object_type
class CreateGroupsResult(BulkResult):
    """Result for one group."""

    group: Group | None = edge("The group. Null if nothing was written.", read_graph.group)
    group_edge: Edge[Group] | None = new_edge("The group as an item of `groups`.", list_edges.group, "group")


@object_type
class CreateGroupsPayload(Payload):
    """Payload of `createGroups`."""

    results: list[CreateGroupsResult] = strawberry.field(description=RESULTS)


@object_type
class DeleteGroupsResult(BulkResult):
    """Result for one group."""

    deleted_group_id: strawberry.ID | None = strawberry.field(
        description="The id of the deleted group. Null if none was deleted."
    )


@object_type
class DeleteGroupsPayload(Payload):
    """Payload of `deleteGroups`."""

    results: list[DeleteGroupsResult] = strawberry.field(description=RESULTS)


@object_type
class GroupMemberResult(BulkResult):
    """Result for one member."""

    user: User | None = edge("The user. Null if nothing was written.", read_graph.user_shown)
    member_edge: Edge[User, GroupMemberFacts] | None = new_edge(
        "A member as an item of `Group.members`. Null for a removed member.",
        list_edges.group_member,
        "group",
        "user",
    )


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


def _group_entry(data: NewGroupInput) -> groups.GroupEntry:
    return groups.GroupEntry(data.slug, data.display_name, data.description, members_seen_by(data))


def _member_entry(data: NewGroupMemberInput) -> bulk_members.MemberEntry:
    return bulk_members.MemberEntry(resolve_user(data.user), data.expires_at)


MEMBERS: Any = {"field": "members", "result": GroupMemberResult, "shows": "user", **MANAGER}


@object_type
class BulkGroupMutations:
    """Bulk mutations of groups."""

    create_groups: CreateGroupsPayload | None = bulk_mutation(
        "Create up to 1,000 groups, or update those that exist (`onConflict`), in one transaction.",
        CreateGroupsInput,
        change_each(groups.create_groups, "groups", _group_entry),
        field="groups",
        result=CreateGroupsResult,
        shows="group",
        **MANAGE,
    )
    delete_groups: DeleteGroupsPayload | None = bulk_mutation(
        "Delete up to 1,000 groups and all their grants in one transaction.",
        DeleteGroupsInput,
        change_each(groups.delete_groups, "groups", resolve_group),
        field="groups",
        result=DeleteGroupsResult,
        shows="deleted_group_id",
        convert=refs.encoder("Group"),
        **MANAGE,
    )
    add_group_members: AddGroupMembersPayload | None = bulk_mutation(
        "Add up to 1,000 users to a group, or update their memberships (`onConflict`), in one transaction.",
        AddGroupMembersInput,
        change_members(bulk_members.add_group_members, "group", resolve_group, _member_entry),
        **MEMBERS,
    )
    remove_group_members: RemoveGroupMembersPayload | None = bulk_mutation(
        "Remove up to 1,000 members from a group in one transaction.",
        RemoveGroupMembersInput,
        change_members(bulk_members.remove_group_members, "group", resolve_group, resolve_user),
        **MEMBERS,
    )
