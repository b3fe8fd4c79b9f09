"""Routes of the orgs of a user, for administrators (U19 to U23 of the documented API)."""

from typing import Any

from starlette.responses import Response

from app import policy
from app.db.statements import Row
from app.db.tables import OrgMember, User
from app.db.types import format_instant
from app.domain.errors import Conflict, NotFound
from app.domain.resource_roles import MemberLevel
from app.query.relations import Layout, layout
from app.rest import models
from app.rest.members import DEFAULT_LEVEL, LEVEL, membership
from app.rest.orgs import CELLS, plain
from app.rest.parameters import TEXT, TEXTS, Field
from app.rest.request_bodies import Body
from app.rest.responses import empty, json
from app.rest.routing import AuthMode, Call, Route, load_user
from app.services import orgs, read_graph
from app.services.orgs import Membership

_USER = layout(User, "id")
_JOINED = Layout((*CELLS.fields, *layout(OrgMember, "level", "granted_at", granter=read_graph.granter_name).fields))


async def _list(call: Call) -> Response:
    policy.require_users_view(call.viewer)
    reads = call.reads
    user = await load_user(call, _USER)
    owned = await reads.related(read_graph.owned_orgs, CELLS, [user[0]])
    joined = await reads.related(read_graph.member_orgs, _JOINED, [user[0]])
    user_orgs = [
        *({**plain(row), "isOwner": True, **_NOT_A_MEMBER} for row in owned.get(user[0], [])),
        *({**plain(row), "isOwner": False, **_membership(row)} for row in joined.get(user[0], [])),
    ]
    return json(sorted(user_orgs, key=lambda org: str(org["slug"])))


_NOT_A_MEMBER = {"permissions": None, "grantedAt": None, "grantedBy": None}


def _membership(row: Row) -> dict[str, Any]:
    level, granted_at, granted_by = row[len(CELLS.fields) : -1]
    return {"permissions": level, "grantedAt": format_instant(granted_at, timespec="auto"), "grantedBy": granted_by}


async def _set(call: Call) -> Response:
    async with call.change("setUserOrgs") as tx:
        await orgs.set_memberships(tx, call.viewer, call.user_ref(), call.fields.get("orgSlugs") or [])
    return empty()


async def _add(call: Call) -> Response:
    policy.require_users_view(call.viewer)
    org, new = ("slug", call.fields["orgSlug"]), membership(call.fields)
    async with call.change("addOrgMember") as tx:
        await orgs.add_org_member(tx, call.viewer, org, call.user_ref(), new)
    return empty()


async def _update(call: Call) -> Response:
    policy.require_users_view(call.viewer)
    changed = Membership(MemberLevel(call.fields["permissions"]), keeps_end=True)
    async with call.change("updateOrgMember") as tx:
        await orgs.update_org_member(tx, call.viewer, call.org_ref(), call.user_ref(), changed)
    return empty()


async def _remove(call: Call) -> Response:
    policy.require_users_view(call.viewer)
    async with call.change("removeOrgMember") as tx:
        await orgs.remove_org_member(tx, call.viewer, call.org_ref(), call.user_ref())
    return empty()


ROUTES = (
    Route(
        "GET",
        "/users/{userName}/orgs",
        _list,
        AuthMode.REQUIRED,
        "The orgs that a user owns or belongs to and the viewer may see, by slug; needs USERS_VIEW.",
        response_type=list[models.UserOrg],
        refusals=(403,),
        answers_400=(NotFound,),
        name="listUserOrgs",
    ),
    Route(
        "PUT",
        "/users/{userName}/orgs",
        _set,
        AuthMode.REQUIRED,
        "Set the orgs that a user is a member of; needs ORGS_MANAGE. Owned orgs stay, existing memberships keep "
        "their level, and new ones have level 1 (ReadWrite).",
        Body.ANY,
        (Field("orgSlugs", TEXTS, "Slugs; a form has one field for each. Absent or empty for none."),),
        refusals=(403,),
        answers_400=(NotFound,),
        name="setUserOrgs",
    ),
    Route(
        "POST",
        "/users/{userName}/orgs",
        _add,
        AuthMode.REQUIRED,
        "Add a user to an org; needs USERS_VIEW, and level 3 (Admin) in the org or ORGS_MANAGE.",
        Body.JSON,
        (Field("orgSlug", TEXT, "The org's slug.", required=True), DEFAULT_LEVEL),
        refusals=(403,),
        answers_400=(NotFound, Conflict),
        name="addUserToOrg",
    ),
    Route(
        "PUT",
        "/users/{userName}/orgs/{orgSlug}",
        _update,
        AuthMode.REQUIRED,
        "Change the level of a member; needs USERS_VIEW, and level 3 (Admin) in the org or ORGS_MANAGE.",
        Body.JSON,
        (Field("permissions", LEVEL, "The new level.", required=True),),
        refusals=(403,),
        answers_400=(NotFound, Conflict),
        name="updateUserInOrg",
    ),
    Route(
        "DELETE",
        "/users/{userName}/orgs/{orgSlug}",
        _remove,
        AuthMode.REQUIRED,
        "Remove a user from an org; needs USERS_VIEW, and level 3 (Admin) in the org or ORGS_MANAGE.",
        refusals=(403,),
        answers_400=(NotFound, Conflict),
        name="removeUserFromOrg",
    ),
)
