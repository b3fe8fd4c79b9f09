"""Routes of the members of an org, for the org itself."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from app import policy
from app.db.statements import Row
from app.db.tables import Org, OrgMember, User
from app.db.types import format_instant
from app.domain.errors import BadRequest, Forbidden
from app.domain.refs import RowRef
from app.domain.resource_roles import MemberLevel
from app.query.relations import FieldSpec, Layout, flag, layout
from app.rest import models
from app.rest.parameters import TEXT, Field, choice
from app.rest.request_bodies import Body
from app.rest.responses import convert_rows, json, no_content
from app.rest.routing import AuthMode, Call, Route, load_org
from app.services import orgs, read_graph
from app.services.orgs import Membership

LEVEL = choice("ReadOnly", "ReadWrite", "ReadWriteDelete", "Admin")
"""Level of a member in the documented API."""

DEFAULT_LEVEL = Field("permissions", LEVEL, "1 if absent or null.")


_ORG = layout(Org, "id", sees=flag(policy.sees_org_members))
_MEMBER = Layout(
    (
        *layout(User, "user_name", email=FieldSpec(guard=policy.sees_user_details)).fields,
        *layout(OrgMember, "level", "granted_at", granter=read_graph.granter_name).fields,
    )
)


async def _list(call: Call) -> Response:
    reads = call.reads
    org = await load_org(reads, call.path_parameters["orgSlug"], _ORG)
    if not org[1]:
        raise Forbidden("The members are seen by members alone.")
    rows = (await reads.related(read_graph.org_members, _MEMBER, [org[0]])).get(org[0], [])
    return json(await convert_rows(rows, _to_json))


def _to_json(row: Row) -> dict[str, Any]:
    name, email, *facts, _ = row
    return {"userName": name, "email": email, **membership_json(facts)}


def membership_json(facts: Sequence[Any]) -> dict[str, Any]:
    """Return the level of a member, and when and by whom it was granted."""
    level, granted_at, granted_by = facts
    return {"permissions": level, "grantedAt": format_instant(granted_at, timespec="auto"), "grantedBy": granted_by}


def _require_setting(call: Call) -> None:
    """Raise BadRequest if the setting disables changes; clients of the documented API expect that."""
    if not call.context.settings.enable_organization_member_management:
        raise BadRequest("The setting EnableOrganizationMemberManagement is off. Change members with GraphQL.")


async def _add(call: Call) -> Response:
    _require_setting(call)
    await add_member(call, call.org_ref(), ("user_name", call.fields["userName"]))
    return no_content()


async def _update(call: Call) -> Response:
    _require_setting(call)
    await update_member(call)
    return no_content()


async def _remove(call: Call) -> Response:
    _require_setting(call)
    await remove_member(call)
    return no_content()


async def add_member(call: Call, org: RowRef, user: RowRef) -> None:
    """Add a user to an org; a level that is absent or null is the default."""
    level = call.fields.get("permissions")
    new = Membership(None if level is None else MemberLevel(level))
    async with call.change("addOrgMember") as tx:
        await orgs.add_org_member(tx, call.viewer, org, user, new)


async def update_member(call: Call) -> None:
    """Change the level of the member that the path names."""
    changed = Membership(MemberLevel(call.fields["permissions"]), keeps_end=True)
    async with call.change("updateOrgMember") as tx:
        await orgs.update_org_member(tx, call.viewer, call.org_ref(), call.user_ref(), changed)


async def remove_member(call: Call) -> None:
    """Remove the member that the path names."""
    async with call.change("removeOrgMember") as tx:
        await orgs.remove_org_member(tx, call.viewer, call.org_ref(), call.user_ref())


_OFF = "400 to everybody unless the setting EnableOrganizationMemberManagement is on."

ROUTES = (
    Route(
        "GET",
        "/orgs/{orgSlug}/members",
        _list,
        AuthMode.REQUIRED,
        "The members of an org, by user name, without its owner; visible to the owner, the members and ORGS_MANAGE.",
        response_type=list[models.Member],
        refusals=(403, 404),
        name="listMembers",
    ),
    Route(
        "POST",
        "/orgs/{orgSlug}/members",
        _add,
        AuthMode.REQUIRED,
        f"Make a user a member of an org; needs level 3 (Admin) in it. 409 for a member, 400 for the owner. {_OFF}",
        Body.JSON,
        (Field("userName", TEXT, "User name of the new member.", required=True), DEFAULT_LEVEL),
        status=204,
        refusals=(403, 404, 409),
        answers_400=(orgs.OwnerIsNoMember,),
        name="addMember",
    ),
    Route(
        "PUT",
        "/orgs/{orgSlug}/members/{userName}",
        _update,
        AuthMode.REQUIRED,
        f"Change the level of a member; needs level 3 (Admin) in the org. {_OFF}",
        Body.JSON,
        (Field("permissions", LEVEL, "The new level.", required=True),),
        status=204,
        refusals=(403, 404),
        name="updateMember",
    ),
    Route(
        "DELETE",
        "/orgs/{orgSlug}/members/{userName}",
        _remove,
        AuthMode.REQUIRED,
        f"Take a member out of an org; needs level 3 (Admin) in it, or to be that member. {_OFF}",
        status=204,
        refusals=(403, 404),
        name="removeMember",
    ),
)
