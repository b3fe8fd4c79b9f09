"""Orgs over GraphQL."""

from datetime import datetime
from typing import Any

import strawberry

from app import policy
from app.db import Transaction, tables
from app.domain import refs
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Viewer
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.directives import Permission
from app.graphql.schema.fields import EntityType, column, edge
from app.graphql.schema.filters import ResourceFilter, ResourceOrder, UserFilter, UserOrder
from app.graphql.schema.node import Node
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, mutation
from app.graphql.schema.refs import OrgBy, UserBy, resolve_org, resolve_user
from app.graphql.schema.role_enums import LEVELS, OrgLevel
from app.graphql.schema.types.resources import ResourceConnection
from app.graphql.schema.types.users import User
from app.services import orgs, read_graph


@object_type
class Org(Node, row=tables.Org):
    """People and the resources that they keep together."""

    slug: str = column("Unique; fixed for life.")
    name: str = column("The name people see; 1 to 200 printable characters.")
    description: str = column("For people; at most 1,000 characters.")
    is_public: bool = column("Whether everybody sees it; a private one is seen by its people alone.")
    created_at: datetime = column("When it was made.")
    owner: User | None = edge("Whose it is; null for nobody.", read_graph.user_shown, tables.Org.owner_id)
    viewer_level: OrgLevel | None = column(
        "How far the viewer belongs to it, the owner as ADMIN; null when she does not.",
        of=policy.org_level,
        read=LEVELS.__getitem__,
    )
    members: "OrgMemberConnection | None" = edge(
        "Who belongs to it, its owner left out; null for who does not belong to it. ORGS_MANAGE sees it too.",
        read_graph.org_members,
        tables.Org.id,
        guard=policy.sees_org_members,
        requires=Permission.RESOURCES_VIEW,
        unless="the viewer belongs to the org",
        filter=UserFilter,
        order=UserOrder,
    )
    resources: ResourceConnection | None = edge(
        "Its resources that the viewer sees.",
        read_graph.org_resources,
        tables.Org.id,
        filter=ResourceFilter,
        order=ResourceOrder,
    )


@object_type
class OrgMemberFacts(EntityType, row=tables.OrgMember):
    """A membership, seen from the org."""

    level: OrgLevel = column("How far she belongs to it.", read=LEVELS.__getitem__)
    added_at: datetime = column("When she was let in, or her membership last changed.", of=tables.OrgMember.granted_at)
    added_by: User | None = edge(
        "Who did that; null when that user is gone, or unknown to the viewer.",
        read_graph.user,
        tables.OrgMember.granted_by,
    )
    added_by_name: str | None = column(
        "The user name of who did that, which stays when the account is gone; null for the registry itself.",
        of=tables.OrgMember.granted_by_name,
    )
    expires_at: datetime | None = column("When it ends; null for never.")


OrgMemberConnection = Connection[User, OrgMemberFacts]


@object_type
class UserOrgFacts(EntityType, row=tables.OrgMember):
    """A membership, seen from the user."""

    level: OrgLevel = column("How far she belongs to it.", read=LEVELS.__getitem__)
    added_at: datetime = column("When she was let in, or her membership last changed.", of=tables.OrgMember.granted_at)
    expires_at: datetime | None = column("When it ends; null for never.")


UserOrgConnection = Connection[Org, UserOrgFacts]


OrgConnection = Connection[Org]


@input_type
class CreateOrgInput(ChangeInput):
    """A new org."""

    slug: str = strawberry.field(
        description="2 to 128 of a to z, 0 to 9, `_` and `-`, without `--`, a letter or digit first; unique, and fixed "
        "for life. Not `public`, not `features`."
    )
    name: str = strawberry.field(
        description="1 to 200 printable characters, without spaces at the ends: those are cut."
    )
    description: str = strawberry.field(default="", description="For people; at most 1,000 characters.")
    is_public: bool = strawberry.field(default=False, description="Whether everybody sees it.")
    owner: UserBy | None = strawberry.field(
        default=None, description="Whose it is; the viewer's when absent. Another's only with ORGS_MANAGE."
    )


@input_type
class UpdateOrgInput(ChangeInput):
    """What to change of an org; what is absent or null stays."""

    org: OrgBy = strawberry.field(description="Which org.")
    name: str | None = strawberry.field(default=None, description="A new name; 1 to 200 printable characters.")
    description: str | None = strawberry.field(default=None, description="A new description; at most 1,000 characters.")
    is_public: bool | None = strawberry.field(default=None, description="Whether everybody sees it from now on.")


@input_type
class DeleteOrgInput(ChangeInput):
    """Which org to delete."""

    org: OrgBy = strawberry.field(description="Which org; none of its resources may be locked.")


@input_type
class TransferOrgInput(ChangeInput):
    """Who is to own an org."""

    org: OrgBy = strawberry.field(description="Which org.")
    owner: UserBy = strawberry.field(description="Who owns it from now on; she is no member any more.")


@input_type
class AddOrgMemberInput(ChangeInput):
    """A new member of an org."""

    org: OrgBy = strawberry.field(description="Which org.")
    user: UserBy = strawberry.field(description="Who; found by her exact user name, or by id if the viewer knows her.")
    level: OrgLevel = strawberry.field(default=OrgLevel.READ_WRITE, description="How far she belongs to it.")
    expires_at: datetime | None = strawberry.field(
        default=None,
        description=(
            "When it ends, in the future, and no later than the viewer's own right to give it ends; never when absent."
        ),
    )


@input_type
class UpdateOrgMemberInput(ChangeInput):
    """What to change of a membership; what is absent stays."""

    org: OrgBy = strawberry.field(description="Which org.")
    user: UserBy = strawberry.field(description="Which member.")
    level: OrgLevel | None = strawberry.field(default=None, description="How far she belongs to it from now on.")
    expires_at: strawberry.Maybe[datetime | None] = strawberry.field(
        description=(
            "When it ends, in the future, and no later than the viewer's own right to give it ends; null for never."
        )
    )


@input_type
class RemoveOrgMemberInput(ChangeInput):
    """Who is to belong to an org no longer."""

    org: OrgBy = strawberry.field(description="Which org.")
    user: UserBy = strawberry.field(description="Which member.")


@object_type
class CreateOrgPayload(Payload):
    """The answer to `createOrg`."""

    org: Org | None = edge("The new org.", read_graph.org)


@object_type
class UpdateOrgPayload(Payload):
    """The answer to `updateOrg`."""

    org: Org | None = edge("The org as it now is.", read_graph.org)


@object_type
class DeleteOrgPayload(Payload):
    """The answer to `deleteOrg`."""

    deleted_org_id: strawberry.ID | None = strawberry.field(description="The id that the org had.")
    deleted_resources: int | None = strawberry.field(description="How many resources went with it.")


@object_type
class TransferOrgPayload(Payload):
    """The answer to `transferOrg`."""

    org: Org | None = edge("The org as it now is.", read_graph.org)


@object_type
class AddOrgMemberPayload(Payload):
    """The answer to `addOrgMember`."""

    org: Org | None = edge("The org as it now is.", read_graph.org)
    user: User | None = edge("The new member.", read_graph.user_shown)


@object_type
class UpdateOrgMemberPayload(Payload):
    """The answer to `updateOrgMember`."""

    org: Org | None = edge("The org as it now is; null when the viewer sees it no more.", read_graph.org)
    user: User | None = edge("The member.", read_graph.user_shown)


@object_type
class RemoveOrgMemberPayload(Payload):
    """The answer to `removeOrgMember`."""

    org: Org | None = edge("The org as it now is; null when the viewer sees it no more.", read_graph.org)
    user: User | None = edge("Who was a member.", read_graph.user_shown)


async def _create(tx: Transaction, viewer: Viewer, given: CreateOrgInput) -> Outcome:
    owner = None if given.owner is None else resolve_user(given.owner)
    new = orgs.OrgCreate(given.slug, given.name, given.description, given.is_public, owner)
    return {"org": await orgs.create_org(tx, viewer, new)}


async def _update(tx: Transaction, viewer: Viewer, given: UpdateOrgInput) -> Outcome:
    changes = orgs.OrgUpdate(given.name, given.description, given.is_public)
    return {"org": await orgs.update_org(tx, viewer, resolve_org(given.org), changes)}


async def _delete(tx: Transaction, viewer: Viewer, given: DeleteOrgInput) -> Outcome:
    key, resources = await orgs.delete_org(tx, viewer, resolve_org(given.org))
    return {"deleted_org_id": refs.encode("Org", key), "deleted_resources": resources}


async def _transfer(tx: Transaction, viewer: Viewer, given: TransferOrgInput) -> Outcome:
    return {"org": await orgs.transfer_org(tx, viewer, resolve_org(given.org), resolve_user(given.owner))}


async def _add(tx: Transaction, viewer: Viewer, given: AddOrgMemberInput) -> Outcome:
    membership = orgs.Membership(MemberLevel(given.level.value), given.expires_at)
    org, user = await orgs.add_org_member(tx, viewer, resolve_org(given.org), resolve_user(given.user), membership)
    return {"org": org, "user": user}


async def _update_member(tx: Transaction, viewer: Viewer, given: UpdateOrgMemberInput) -> Outcome:
    level = None if given.level is None else MemberLevel(given.level.value)
    ends = given.expires_at
    membership = orgs.Membership(level, None if ends is None else ends.value, keeps_end=ends is None)
    org, user = await orgs.update_org_member(tx, viewer, resolve_org(given.org), resolve_user(given.user), membership)
    return {"org": org, "user": user}


async def _remove(tx: Transaction, viewer: Viewer, given: RemoveOrgMemberInput) -> Outcome:
    org, user = await orgs.remove_org_member(tx, viewer, resolve_org(given.org), resolve_user(given.user))
    return {"org": org, "user": user}


def _needs(level: str) -> Any:
    return {"requires": Permission.ORGS_MANAGE, "unless": f"her level in the org is {level} or higher"}


@object_type
class OrgMutations:
    """The changes of orgs."""

    create_org: CreateOrgPayload | None = mutation(
        "Make an org.", CreateOrgInput, _create, requires=Permission.ORGS_CREATE
    )
    update_org: UpdateOrgPayload | None = mutation("Change an org.", UpdateOrgInput, _update, **_needs("READ_WRITE"))
    delete_org: DeleteOrgPayload | None = mutation(
        "Delete an org with its resources, their grants and their history. Refused while one of them is locked.",
        DeleteOrgInput,
        _delete,
        **_needs("READ_WRITE_DELETE"),
    )
    transfer_org: TransferOrgPayload | None = mutation(
        "Give an org to another user, who is not deactivated. Who owned it becomes a member with the level "
        "ADMIN. Refused while a resource of it is locked.",
        TransferOrgInput,
        _transfer,
        requires=Permission.ORGS_MANAGE,
        unless="she owns the org",
    )
    add_org_member: AddOrgMemberPayload | None = mutation(
        "Let a user belong to an org. Its owner is no member.", AddOrgMemberInput, _add, **_needs("ADMIN")
    )
    update_org_member: UpdateOrgMemberPayload | None = mutation(
        "Change a membership, which counts as granted anew.", UpdateOrgMemberInput, _update_member, **_needs("ADMIN")
    )
    remove_org_member: RemoveOrgMemberPayload | None = mutation(
        "Let a member belong to an org no longer. A member may remove herself.",
        RemoveOrgMemberInput,
        _remove,
        requires=Permission.ORGS_MANAGE,
        unless="her level in the org is ADMIN, or she removes herself",
    )
