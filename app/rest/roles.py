"""Roles by name (U11 to U13)."""

from starlette.responses import Response

from app import loaders
from app.auth import Permission
from app.errors import Conflict, NotFound, Protected
from app.rest.answers import empty, gone, json
from app.rest.bodies import Body
from app.rest.fields import ROLE_NAME, Field
from app.rest.routing import Call, Route, Who
from app.services import roles
from app.sources import layout
from app.tables import Role

_NAME = layout(Role, "name")


async def _list(call: Call) -> Response:
    return json([name for name, *_ in await call.reads.whole(loaders.roles, _NAME)])


async def _create(call: Call) -> Response:
    async with call.change("createRole") as tx:
        await roles.create_role(tx, call.viewer, call.given["roleName"], "", Permission.NONE)
    return empty()


async def _delete(call: Call) -> Response:
    async with call.change("deleteRole") as tx:
        await roles.delete_role(tx, call.viewer, ("name", call.words["roleName"]))
    return gone()


_NEW = (
    Field("roleName", ROLE_NAME, "1 to 64 printable characters without /; unique whatever its case.", required=True),
)

ROUTES = (
    Route("GET", "/users/roles", _list, Who.SIGNED_IN, "The names of all roles.", gives=list[str], name="listRoles"),
    Route(
        "POST",
        "/users/roles",
        _create,
        Who.SIGNED_IN,
        "Make a role without permissions; needs ROLES_MANAGE. GraphQL gives it permissions.",
        Body.JSON,
        _NEW,
        refuses=(403,),
        as_400=(Conflict,),
        name="createRole",
        elsewhere=True,
    ),
    Route(
        "DELETE",
        "/users/roles/{roleName}",
        _delete,
        Who.SIGNED_IN,
        "Delete a role that nobody holds and that is not built in; needs ROLES_MANAGE. 409 while somebody holds it.",
        status=204,
        refuses=(403, 409),
        as_400=(NotFound, Protected),
        name="deleteRole",
        elsewhere=True,
    ),
)
