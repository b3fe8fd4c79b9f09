"""Routes of the orgs of a user, for administrators."""

from typing import Any

from starlette.responses import Response

from app import policy
from app.db.statements import Row
from app.db.tables import OrgMember, User
from app.domain.errors import Conflict, NotFound
from app.query.relations import Layout, layout
from app.rest import models
from app.rest.members import DEFAULT_LEVEL, LEVEL, add_member, membership_json, remove_member, update_member
from app.rest.orgs import CELLS, plain
from app.rest.parameters import TEXT, TEXTS, Field
from app.rest.request_bodies import Body
from app.rest.responses import convert_rows, empty, json
from app.rest.routing import AuthMode, Call, Route, load_user
from app.services import orgs, read_graph

_USER = layout(User, "id")
_FACTS = slice(len(CELLS.fields), -1)
_JOINED = Layout((*CELLS.fields, *layout(OrgMember, "level", "granted_at", granter=read_graph.granter_name).fields))


async def _list(call: Call) -> Response:
    policy.require_users_view(call.viewer)
    reads = call.reads
    user = await load_user(call, _USER)
    owned = await reads.related(read_graph.owned_orgs, CELLS, [user[0]])
    joined = await reads.related(read_graph.member_orgs, _JOINED, [user[0]])
    user_orgs = [
        *await convert_rows(owned.get(user[0], []), lambda row: {**plain(row), "isOwner": True, **_NOT_A_MEMBER}),
        *await convert_rows(joined.get(user[0], []), _membership),
    ]
    return json(sorted(user_orgs, key=lambda org: str(org["slug"])))


def _membership(row: Row) -> dict[str, Any]:
    return {**plain(row), "isOwner": False, **membership_json(row[_FACTS])}


_NOT_A_MEMBER = {"permissions": None, "grantedAt": None, "grantedBy": None}


async def _set(call: Call) -> Response:
    async with call.change("setUserOrgs") as tx:
        await orgs.set_memberships(tx, call.viewer, call.user_ref(), call.fields["orgSlugs"])
    return empty()


async def _add(call: Call) -> Response:
    policy.require_users_view(call.viewer)
    await add_member(call, ("slug", call.fields["orgSlug"]), call.user_ref())
    return empty()


async def _update(call: Call) -> Response:
    policy.require_users_view(call.viewer)
    await update_member(call)
    return empty()


async def _remove(call: Call) -> Response:
    policy.require_users_view(call.viewer)
    await remove_member(call)
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
        (
            Field(
                "orgSlugs",
                TEXTS,
                "All slugs; a form has one field for each. `[]` for none. With the setting DroneDbClients an empty "
                "form is none too.",
                required=True,
                in_empty_form="[]",
            ),
        ),
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
