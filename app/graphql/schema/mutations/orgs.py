"""Mutations of organizations and their members."""

from datetime import datetime
from typing import Any

import strawberry

from app.db import Transaction
from app.domain import refs
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Viewer
from app.graphql.schema.clearing import cleared
from app.graphql.schema.decorators import input_type, object_type, optional
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import DescribedEnum, OrgLevel, enum
from app.graphql.schema.fields import edge
from app.graphql.schema.new_edges import Edge, new_edge
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, UpdateInput, mutation
from app.graphql.schema.refs import OrgBy, UserBy, resolve_org, resolve_user
from app.graphql.schema.types.orgs import Org, OrgMemberFacts
from app.graphql.schema.types.users import User
from app.services import list_edges, members, orgs, read_graph


@input_type
class NewOrgInput:
    """A new org."""

    slug: str = strawberry.field(
        description="2 to 128 characters of `a-z0-9_-`, starting with a letter or digit, without `--`. "
        "Unique; it never changes. `public` and `features` are reserved."
    )
    name: str = strawberry.field(description="1 to 200 printable characters. Spaces at both ends are removed.")
    description: str | None = optional("Description for readers; at most 1,000 characters. Empty if absent.")
    is_public: bool | None = optional("Whether every viewer can see it. False if absent.")
    owner: UserBy | None = optional(
        "The owner of a new org; the viewer if absent. Another owner requires ORGS_MANAGE. An existing org "
        "keeps its owner: `transferOrg` changes it."
    )


@input_type
class CreateOrgInput(NewOrgInput, ChangeInput):
    """A new org."""


@input_type
class UpdateOrgInput(UpdateInput):
    """Changes of an org. Absent and null fields stay as they are."""

    org: OrgBy = strawberry.field(description="The org.")
    name: str | None = optional("A new name; 1 to 200 printable characters. Spaces at both ends are removed.")
    description: str | None = optional("A new description; at most 1,000 characters.")
    is_public: bool | None = optional("Whether every viewer can see it.")


@input_type
class DeleteOrgInput(ChangeInput):
    """The org to delete."""

    org: OrgBy = strawberry.field(description="The org. None of its resources may be locked.")


@input_type
class TransferOrgInput(UpdateInput):
    """A new owner of an org."""

    org: OrgBy = strawberry.field(description="The org.")
    owner: UserBy = strawberry.field(
        description="The new owner. If the user is a member of the org, that membership ends."
    )


@input_type
class AddOrgMemberInput(ChangeInput):
    """A new member of an org."""

    org: OrgBy = strawberry.field(description="The org.")
    user: UserBy = strawberry.field(
        description="The user, by exact user name, or by id if the viewer can see the user."
    )
    level: OrgLevel = strawberry.field(default=OrgLevel.READ_WRITE, description="The level of the member.")
    expires_at: datetime | None = optional(
        "When the membership ends. It must be in the future and no later than the end of the viewer's own "
        "right to grant it. Absent for no end."
    )


@enum
class ClearableOrgMemberField(DescribedEnum):
    """Value of a membership that an update can remove."""

    EXPIRES_AT = "expiresAt", "The end of the membership, which then does not end."


@input_type
class CurrentOrgMemberInput:
    """A membership in an org as it was read."""

    level: OrgLevel = strawberry.field(description="The level that was read.")
    expires_at: datetime | None = optional("The end that was read. Absent if the membership does not end.")


@input_type
class UpdateOrgMemberInput(ChangeInput):
    """Changes of a membership. Absent fields stay as they are."""

    org: OrgBy = strawberry.field(description="The org.")
    user: UserBy = strawberry.field(description="The member.")
    level: OrgLevel | None = optional("The new level.")
    expires_at: datetime | None = optional(
        "When the membership ends. It must be in the future and no later than the end of the viewer's own "
        "right to grant it."
    )
    clear: list[ClearableOrgMemberField] | None = optional(
        "Values to remove. A value that is removed cannot be set as well."
    )
    if_current: CurrentOrgMemberInput | None = optional(
        "The membership as it was read. If somebody else has changed it since then, this change is a CONFLICT."
    )


@input_type
class RemoveOrgMemberInput(ChangeInput):
    """The member to remove from an org."""

    org: OrgBy = strawberry.field(description="The org.")
    user: UserBy = strawberry.field(description="The member.")


@object_type
class CreateOrgPayload(Payload):
    """Payload of `createOrg`."""

    org: Org | None = edge("The new org.", read_graph.org)
    org_edge: Edge[Org] | None = new_edge("The new org as an item of `orgs`.", list_edges.org, "org")


@object_type
class UpdateOrgPayload(Payload):
    """Payload of `updateOrg`."""

    org: Org | None = edge("The updated org.", read_graph.org)


@object_type
class DeleteOrgPayload(Payload):
    """Payload of `deleteOrg`."""

    deleted_org_id: strawberry.ID | None = strawberry.field(description="The id of the deleted org.")
    deleted_resources: int | None = strawberry.field(description="Number of resources deleted with the org.")


@object_type
class TransferOrgPayload(Payload):
    """Payload of `transferOrg`."""

    org: Org | None = edge("The updated org.", read_graph.org)


@object_type
class AddOrgMemberPayload(Payload):
    """Payload of `addOrgMember`."""

    org: Org | None = edge("The updated org.", read_graph.org)
    user: User | None = edge("The new member.", read_graph.user_shown)
    member_edge: Edge[User, OrgMemberFacts] | None = new_edge(
        "The new member as an item of `Org.members`.", list_edges.org_member, "org", "user"
    )


@object_type
class UpdateOrgMemberPayload(Payload):
    """Payload of `updateOrgMember`."""

    org: Org | None = edge("The updated org. Null if the viewer can no longer see it.", read_graph.org)
    user: User | None = edge("The member.", read_graph.user_shown)
    member_edge: Edge[User, OrgMemberFacts] | None = new_edge(
        "The member as an item of `Org.members`.", list_edges.org_member, "org", "user"
    )


@object_type
class RemoveOrgMemberPayload(Payload):
    """Payload of `removeOrgMember`."""

    org: Org | None = edge("The updated org. Null if the viewer can no longer see it.", read_graph.org)
    user: User | None = edge("The former member.", read_graph.user_shown)
    removed_user_id: strawberry.ID | None = strawberry.field(
        description="The id of the former member, to remove the edge from `Org.members`."
    )


async def _create(tx: Transaction, viewer: Viewer, data: CreateOrgInput) -> Outcome:
    owner = None if data.owner is None else resolve_user(data.owner)
    new = orgs.OrgCreate(data.slug, data.name, data.description or "", bool(data.is_public), owner)
    return {"org": await orgs.create_org(tx, viewer, new)}


async def _update(tx: Transaction, viewer: Viewer, data: UpdateOrgInput) -> Outcome:
    changes = orgs.OrgUpdate(data.name, data.description, data.is_public)
    return {"org": await orgs.update_org(tx, viewer, resolve_org(data.org), changes)}


async def _delete(tx: Transaction, viewer: Viewer, data: DeleteOrgInput) -> Outcome:
    key, resources = await orgs.delete_org(tx, viewer, resolve_org(data.org))
    return {"deleted_org_id": refs.encode("Org", key), "deleted_resources": resources}


async def _transfer(tx: Transaction, viewer: Viewer, data: TransferOrgInput) -> Outcome:
    return {"org": await orgs.transfer_org(tx, viewer, resolve_org(data.org), resolve_user(data.owner))}


async def _add(tx: Transaction, viewer: Viewer, data: AddOrgMemberInput) -> Outcome:
    membership = orgs.Membership(MemberLevel(data.level.value), data.expires_at)
    org, user = await orgs.add_org_member(tx, viewer, resolve_org(data.org), resolve_user(data.user), membership)
    return {"org": org, "user": user}


async def _update_member(tx: Transaction, viewer: Viewer, data: UpdateOrgMemberInput) -> Outcome:
    level = None if data.level is None else MemberLevel(data.level.value)
    clear = cleared(data.clear, {"expiresAt": data.expires_at})
    keeps_end = data.expires_at is None and "expiresAt" not in clear
    current = data.if_current
    read = None if current is None else members.MemberState(int(MemberLevel(current.level.value)), current.expires_at)
    membership = orgs.Membership(level, data.expires_at, keeps_end=keeps_end, if_current=read)
    org, user = await orgs.update_org_member(tx, viewer, resolve_org(data.org), resolve_user(data.user), membership)
    return {"org": org, "user": user}


async def _remove(tx: Transaction, viewer: Viewer, data: RemoveOrgMemberInput) -> Outcome:
    org, user = await orgs.remove_org_member(tx, viewer, resolve_org(data.org), resolve_user(data.user))
    return {"org": org, "user": user, "removed_user_id": refs.encode("User", user)}


def needs(level: str) -> Any:
    """Return the requirement of a level in the org, for the SDL."""
    return {"requires": Permission.ORGS_MANAGE, "unless": f"the viewer's level in the org is {level} or higher"}


@object_type
class OrgMutations:
    """Mutations of orgs."""

    create_org: CreateOrgPayload | None = mutation(
        "Create an org.", CreateOrgInput, _create, requires=Permission.ORGS_CREATE
    )
    update_org: UpdateOrgPayload | None = mutation("Update an org.", UpdateOrgInput, _update, **needs("READ_WRITE"))
    delete_org: DeleteOrgPayload | None = mutation(
        "Delete an org with its resources, their grants and their history. Rejected while one of its "
        "resources is locked.",
        DeleteOrgInput,
        _delete,
        **needs("READ_WRITE_DELETE"),
    )
    transfer_org: TransferOrgPayload | None = mutation(
        "Transfer an org to another user, who must not be deactivated. The previous owner becomes a member "
        "with the level ADMIN. Rejected while one of its resources is locked.",
        TransferOrgInput,
        _transfer,
        requires=Permission.ORGS_MANAGE,
        unless="the viewer owns the org",
    )
    add_org_member: AddOrgMemberPayload | None = mutation(
        "Add a user to an org. The owner of the org cannot be a member.", AddOrgMemberInput, _add, **needs("ADMIN")
    )
    update_org_member: UpdateOrgMemberPayload | None = mutation(
        "Update a membership. It counts as granted by the viewer, at this time.",
        UpdateOrgMemberInput,
        _update_member,
        **needs("ADMIN"),
    )
    remove_org_member: RemoveOrgMemberPayload | None = mutation(
        "Remove a member from an org. Members may remove themselves.",
        RemoveOrgMemberInput,
        _remove,
        requires=Permission.ORGS_MANAGE,
        unless="the viewer's level in the org is ADMIN, or the member is the viewer",
    )
