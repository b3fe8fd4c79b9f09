"""Bulk mutations of orgs and their members."""

from datetime import datetime
from typing import Any

import strawberry

from app.domain.resource_roles import MemberLevel
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
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import OrgLevel
from app.graphql.schema.fields import edge
from app.graphql.schema.mutations.orgs import NewOrgInput, needs
from app.graphql.schema.new_edges import Edge, new_edge
from app.graphql.schema.payloads import Payload
from app.graphql.schema.refs import OrgBy, UserBy, resolve_org, resolve_user
from app.graphql.schema.types.orgs import Org, OrgMemberFacts
from app.graphql.schema.types.users import User
from app.services import list_edges, read_graph
from app.services.bulk import members as bulk_members
from app.services.bulk import orgs


@input_type
class CreateOrgsInput(SaveInput):
    """New orgs. Either all are written or none."""

    orgs: list[NewOrgInput] = strawberry.field(
        description="From 1 to 1,000 orgs. The slug identifies an existing one, in which an update requires READ_WRITE."
    )


@input_type
class NewOrgMemberInput:
    """A new member of an org."""

    user: UserBy = strawberry.field(
        description="The user, by exact user name, or by id if the viewer can see the user."
    )
    level: OrgLevel | None = optional("The level. `READ_WRITE` if absent, or the level of an existing membership.")
    expires_at: datetime | None = optional(
        "When the membership ends. It must be in the future and no later than the end of the viewer's own "
        "right to grant it. Absent for no end, or to keep the end of an existing membership."
    )


@input_type
class AddOrgMembersInput(SaveInput):
    """New members of an org. Either all are written or none."""

    org: OrgBy = strawberry.field(description="The org.")
    members: list[NewOrgMemberInput] = strawberry.field(
        description="From 1 to 1,000 members. The owner of the org cannot be one."
    )


@input_type
class RemoveOrgMembersInput(RemoveInput):
    """Members to remove from an org. Either all are removed or none."""

    org: OrgBy = strawberry.field(description="The org.")
    members: list[UserBy] = strawberry.field(description="From 1 to 1,000 members.")


@object_type
class CreateOrgsResult(BulkResult):
    """Result for one org."""

    org: Org | None = edge("The org. Null if nothing was written, or if the viewer may not see it.", read_graph.org)
    org_edge: Edge[Org] | None = new_edge("The org as an item of `orgs`.", list_edges.org, "org")


@object_type
class CreateOrgsPayload(Payload):
    """Payload of `createOrgs`."""

    results: list[CreateOrgsResult] = strawberry.field(description=RESULTS)


@object_type
class OrgMemberResult(BulkResult):
    """Result for one member."""

    user: User | None = edge("The user. Null if nothing was written.", read_graph.user_shown)
    member_edge: Edge[User, OrgMemberFacts] | None = new_edge(
        "A member as an item of `Org.members`. Null for a removed member.", list_edges.org_member, "org", "user"
    )


@object_type
class AddOrgMembersPayload(Payload):
    """Payload of `addOrgMembers`."""

    org: Org | None = edge("The updated org.", read_graph.org)
    results: list[OrgMemberResult] = strawberry.field(description=RESULTS)


@object_type
class RemoveOrgMembersPayload(Payload):
    """Payload of `removeOrgMembers`."""

    org: Org | None = edge("The updated org. Null if the viewer can no longer see it.", read_graph.org)
    removed_user_ids: list[strawberry.ID] | None = strawberry.field(
        description="The ids of the former members, to remove their edges from `Org.members`."
    )
    results: list[OrgMemberResult] = strawberry.field(description=RESULTS)


def _org_entry(data: NewOrgInput) -> orgs.OrgEntry:
    owner = None if data.owner is None else resolve_user(data.owner)
    return orgs.OrgEntry(data.slug, data.name, data.description, data.is_public, owner)


def _member_entry(data: NewOrgMemberInput) -> bulk_members.MemberEntry:
    level = None if data.level is None else MemberLevel(data.level.value)
    return bulk_members.MemberEntry(resolve_user(data.user), data.expires_at, level=level)


MEMBERS: Any = {"field": "members", "result": OrgMemberResult, "shows": "user"}


@object_type
class BulkOrgMutations:
    """Bulk mutations of orgs."""

    create_orgs: CreateOrgsPayload | None = bulk_mutation(
        "Create up to 1,000 orgs, or update those that exist (`onConflict`), in one transaction.",
        CreateOrgsInput,
        change_each(orgs.create_orgs, "orgs", _org_entry),
        field="orgs",
        result=CreateOrgsResult,
        shows="org",
        requires=Permission.ORGS_CREATE,
    )
    add_org_members: AddOrgMembersPayload | None = bulk_mutation(
        "Add up to 1,000 users to an org, or update their memberships (`onConflict`), in one transaction. An updated "
        "membership counts as granted by the viewer, at this time.",
        AddOrgMembersInput,
        change_members(bulk_members.add_org_members, "org", resolve_org, _member_entry),
        **MEMBERS,
        **needs("ADMIN"),
    )
    remove_org_members: RemoveOrgMembersPayload | None = bulk_mutation(
        "Remove up to 1,000 members from an org in one transaction. A member may remove only themselves.",
        RemoveOrgMembersInput,
        change_members(bulk_members.remove_org_members, "org", resolve_org, resolve_user),
        **MEMBERS,
        requires=Permission.ORGS_MANAGE,
        unless="the viewer's level in the org is ADMIN, or the only member is the viewer",
    )
