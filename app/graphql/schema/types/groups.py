"""Groups over GraphQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from app import policy
from app.db import Transaction, tables
from app.domain import errors, refs
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import DescribedEnum, enum, of_value
from app.graphql.schema.fields import EntityType, column, edge
from app.graphql.schema.filters import UserFilter, UserOrder
from app.graphql.schema.list_limits import read_each
from app.graphql.schema.node import Node
from app.graphql.schema.payloads import (
    ChangeInput,
    MutationError,
    Outcome,
    Payload,
    action,
    mutation,
    results,
    to_error,
)
from app.graphql.schema.refs import GroupBy, UserBy, resolve_group, resolve_user
from app.graphql.schema.types.users import User
from app.query.relations import flag
from app.services import groups, read_graph


@enum
class GroupMembersSeenBy(DescribedEnum):
    """Who sees the members of a group, besides GROUPS_VIEW and GROUPS_MANAGE. A limited API token sees none."""

    # The names of `tables.MembersSeenBy`.

    MEMBERS = tables.MembersSeenBy.MEMBERS.value, "The members."
    SIGNED_IN = tables.MembersSeenBy.SIGNED_IN.value, "Everybody who is signed in."


def _seen_by(value: str) -> GroupMembersSeenBy:
    return of_value(GroupMembersSeenBy, value)


@object_type
class Group(Node, row=tables.Group):
    """Users who receive grants together."""

    slug: str = column("Unique; fixed for life.")
    display_name: str = column("The name people see; 1 to 200 printable characters.")
    description: str = column("For people; at most 1,000 characters.")
    created_at: datetime = column("When it was made.")
    members_seen_by: GroupMembersSeenBy = column("Who sees its members.", read=_seen_by)
    member_count: int = column(
        "How many members it has, for everybody who is signed in.", of=policy.number_of_group_members
    )
    viewer_is_member: bool = column("Whether the viewer belongs to it.", of=flag(policy.is_my_group).of, read=bool)
    members: "GroupMemberConnection | None" = edge(
        "Who belongs to it; null for who may not see that, see `membersSeenBy`. GROUPS_MANAGE sees it too.",
        read_graph.group_members,
        tables.Group.id,
        guard=policy.sees_group_members,
        requires=Permission.GROUPS_VIEW,
        unless="the viewer belongs to the group, or everybody sees its members",
        filter=UserFilter,
        order=UserOrder,
    )


@object_type
class GroupMemberFacts(EntityType, row=tables.GroupMember):
    """A membership, seen from the group."""

    is_manager: bool = column("Whether she may change who belongs to the group.")
    added_at: datetime = column("When she was added.")
    added_by: User | None = edge(
        "Who did that; null when that user is gone, or unknown to the viewer.",
        read_graph.user,
        tables.GroupMember.added_by,
    )
    added_by_name: str | None = column(
        "The user name of who did that, which stays when the account is gone; null for who is no member, and for the "
        "registry itself.",
        guard=policy.sees_who_added,
        requires=Permission.GROUPS_VIEW,
        unless="the viewer belongs to the group",
    )
    expires_at: datetime | None = column("When it ends; null for never.")


GroupMemberConnection = Connection[User, GroupMemberFacts]


@object_type
class UserGroupFacts(EntityType, row=tables.GroupMember):
    """A membership, seen from the user."""

    is_manager: bool = column("Whether she may change who belongs to the group.")
    added_at: datetime = column("When she was added.")
    expires_at: datetime | None = column("When it ends; null for never.")


UserGroupConnection = Connection[Group, UserGroupFacts]


GroupConnection = Connection[Group]


@input_type
class CreateGroupInput(ChangeInput):
    """A new group."""

    slug: str = strawberry.field(
        description="2 to 128 of a to z, 0 to 9, `_` and `-`, without `--`, a letter or digit first; unique, and fixed "
        "for life. Not `general`, which means every signed-in user."
    )
    display_name: str = strawberry.field(
        description="1 to 200 printable characters, without spaces at the ends: those are cut."
    )
    description: str = strawberry.field(default="", description="For people; at most 1,000 characters.")
    members_seen_by: GroupMembersSeenBy = strawberry.field(
        default=GroupMembersSeenBy.MEMBERS, description="Who sees its members."
    )


@input_type
class UpdateGroupInput(ChangeInput):
    """What to change of a group; what is absent or null stays."""

    group: GroupBy = strawberry.field(description="Which group.")
    display_name: str | None = strawberry.field(default=None, description="A new name; 1 to 200 printable characters.")
    description: str | None = strawberry.field(default=None, description="A new description; at most 1,000 characters.")
    members_seen_by: GroupMembersSeenBy | None = strawberry.field(
        default=None, description="Who sees its members from now on."
    )


@input_type
class DeleteGroupInput(ChangeInput):
    """Which group to delete."""

    group: GroupBy = strawberry.field(description="Which group.")


@input_type
class NewGroupMemberInput:
    """A new member of a group."""

    user: UserBy = strawberry.field(description="Who; found by her exact user name, or by id if the viewer knows her.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description=(
            "When it ends, in the future, and no later than the viewer's own right to give it ends; never when absent."
        ),
    )


@input_type
class AddGroupMembersInput(ChangeInput):
    """New members of a group, all or none."""

    group: GroupBy = strawberry.field(description="Which group.")
    members: list[NewGroupMemberInput] = strawberry.field(description="From 1 to 1,000 new members.")


@input_type
class RemoveGroupMembersInput(ChangeInput):
    """Who is to belong to a group no longer, all or none."""

    group: GroupBy = strawberry.field(description="Which group.")
    members: list[UserBy] = strawberry.field(description="From 1 to 1,000 members.")


@input_type
class SetGroupManagerInput(ChangeInput):
    """Whether a member manages the group."""

    group: GroupBy = strawberry.field(description="Which group.")
    user: UserBy = strawberry.field(description="Which member.")
    is_manager: bool = strawberry.field(description="Whether she may change who belongs to the group from now on.")


@object_type
class CreateGroupPayload(Payload):
    """The answer to `createGroup`."""

    group: Group | None = edge("The new group.", read_graph.group)


@object_type
class UpdateGroupPayload(Payload):
    """The answer to `updateGroup`."""

    group: Group | None = edge("The group as it now is.", read_graph.group)


@object_type
class DeleteGroupPayload(Payload):
    """The answer to `deleteGroup`."""

    deleted_group_id: strawberry.ID | None = strawberry.field(description="The id that the group had.")
    revoked_from: int | None = strawberry.field(description="On how many resources it had a grant.")


@object_type
class GroupMemberResult:
    """What became of one member."""

    index: int = strawberry.field(description="Her place in `input.members`, from 0.")
    user: User | None = edge("The user; null when nothing was written.", read_graph.user_shown)
    errors: list[MutationError] = strawberry.field(description="What is wrong with this one.")


EACH = "One for each member, in the order of the input; none for too many at once."


@object_type
class AddGroupMembersPayload(Payload):
    """The answer to `addGroupMembers`."""

    group: Group | None = edge("The group as it now is.", read_graph.group)
    results: list[GroupMemberResult] = strawberry.field(description=EACH)


@object_type
class RemoveGroupMembersPayload(Payload):
    """The answer to `removeGroupMembers`."""

    group: Group | None = edge("The group as it now is.", read_graph.group)
    results: list[GroupMemberResult] = strawberry.field(description=EACH)


@object_type
class SetGroupManagerPayload(Payload):
    """The answer to `setGroupManager`."""

    group: Group | None = edge("The group as it now is.", read_graph.group)
    user: User | None = edge("The member.", read_graph.user_shown)


async def _create(tx: Transaction, viewer: Viewer, given: CreateGroupInput) -> Outcome:
    seen_by = tables.MembersSeenBy(given.members_seen_by.value)
    new = groups.GroupCreate(given.slug, given.display_name, given.description, seen_by)
    return {"group": await groups.create_group(tx, viewer, new)}


async def _update(tx: Transaction, viewer: Viewer, given: UpdateGroupInput) -> Outcome:
    seen_by = None if given.members_seen_by is None else tables.MembersSeenBy(given.members_seen_by.value)
    changes = groups.GroupUpdate(given.display_name, given.description, seen_by)
    return {"group": await groups.update_group(tx, viewer, resolve_group(given.group), changes)}


async def _delete(tx: Transaction, viewer: Viewer, given: DeleteGroupInput) -> Outcome:
    key, revoked = await groups.delete_group(tx, viewer, resolve_group(given.group))
    return {"deleted_group_id": refs.encode("Group", key), "revoked_from": revoked}


async def _add(context: GraphQLContext, given: AddGroupMembersInput) -> Outcome:
    new = read_each(_new_member, given.members, groups.MAX_AT_ONCE)
    try:
        async with context.change(dry_run=given.validate_only) as tx:
            return _made(*await groups.add_group_members(tx, context.viewer, resolve_group(given.group), new))
    except (errors.Problem, errors.Problems) as refused:
        return _refused(len(new), refused)


def _new_member(given: NewGroupMemberInput) -> groups.MemberCreate:
    return groups.MemberCreate(resolve_user(given.user), given.expires_at)


async def _remove(context: GraphQLContext, given: RemoveGroupMembersInput) -> Outcome:
    members = read_each(resolve_user, given.members, groups.MAX_AT_ONCE)
    try:
        async with context.change(dry_run=given.validate_only) as tx:
            return _made(*await groups.remove_group_members(tx, context.viewer, resolve_group(given.group), members))
    except (errors.Problem, errors.Problems) as refused:
        return _refused(len(members), refused)


def _made(group: int, user_ids: Sequence[int]) -> Outcome:
    return {"group": group, "results": results(GroupMemberResult, "user", user_ids)}


def _refused(number: int, refused: errors.Problem | errors.Problems) -> Outcome:
    problems = refused.problems if isinstance(refused, errors.Problems) else (refused,)
    keys = [None] * number if number <= groups.MAX_AT_ONCE else []
    return {
        "results": results(GroupMemberResult, "user", keys, problems),
        "errors": [to_error(problem) for problem in problems],
    }


async def _set_manager(tx: Transaction, viewer: Viewer, given: SetGroupManagerInput) -> Outcome:
    way = resolve_group(given.group), resolve_user(given.user)
    group, user = await groups.set_group_manager(tx, viewer, *way, given.is_manager)
    return {"group": group, "user": user}


MANAGE: Any = {"requires": Permission.GROUPS_MANAGE}
MANAGER: Any = {"requires": Permission.GROUPS_MANAGE, "unless": "she is a manager of the group"}


@object_type
class GroupMutations:
    """The changes of groups."""

    create_group: CreateGroupPayload | None = mutation("Make a group.", CreateGroupInput, _create, **MANAGE)
    update_group: UpdateGroupPayload | None = mutation("Change a group.", UpdateGroupInput, _update, **MANAGE)
    delete_group: DeleteGroupPayload | None = mutation(
        "Delete a group and every grant that it has.", DeleteGroupInput, _delete, **MANAGE
    )
    add_group_members: AddGroupMembersPayload | None = action(
        "Let up to 1,000 users belong to a group: all of them, or none and a reason at each that is in the way.",
        AddGroupMembersInput,
        _add,
        **MANAGER,
    )
    remove_group_members: RemoveGroupMembersPayload | None = action(
        "Let up to 1,000 members belong to a group no longer: all of them, or none and a reason at each.",
        RemoveGroupMembersInput,
        _remove,
        **MANAGER,
    )
    set_group_manager: SetGroupManagerPayload | None = mutation(
        "Let a member change who belongs to the group, or no longer.", SetGroupManagerInput, _set_manager, **MANAGER
    )
