"""Roles by name."""

from starlette.responses import Response

from app.db.tables import Role
from app.domain.errors import Conflict, NotFound, Protected
from app.domain.viewer import Permission
from app.query.relations import layout
from app.rest.parameters import ROLE_NAME, Field
from app.rest.request_bodies import Body
from app.rest.responses import empty, json, no_content
from app.rest.routing import AuthMode, Call, Route
from app.services import read_graph, roles

_NAME = layout(Role, "name")


async def _list(call: Call) -> Response:
    return json([name for name, *_ in await call.reads.all(read_graph.roles, _NAME)])


async def _create(call: Call) -> Response:
    async with call.change("createRole") as tx:
        await roles.create_role(tx, call.viewer, call.fields["roleName"], "", Permission.NONE)
    return empty()


async def _delete(call: Call) -> Response:
    async with call.change("deleteRole") as tx:
        await roles.delete_role(tx, call.viewer, ("name", call.path_parameters["roleName"]))
    return no_content()


_NEW = (
    Field("roleName", ROLE_NAME, "1 to 64 printable characters without /; unique whatever its case.", required=True),
)

ROUTES = (
    Route(
        "GET",
        "/users/roles",
        _list,
        AuthMode.REQUIRED,
        "The names of all roles.",
        response_type=list[str],
        name="listRoles",
    ),
    Route(
        "POST",
        "/users/roles",
        _create,
        AuthMode.REQUIRED,
        "Make a role without permissions; needs ROLES_MANAGE. GraphQL gives it permissions.",
        Body.JSON,
        _NEW,
        refusals=(403,),
        answers_400=(Conflict,),
        name="createRole",
        needs_local_accounts=True,
    ),
    Route(
        "DELETE",
        "/users/roles/{roleName}",
        _delete,
        AuthMode.REQUIRED,
        "Delete a role that nobody holds and that is not built in; needs ROLES_MANAGE. 409 while somebody holds it.",
        status=204,
        refusals=(403, 409),
        answers_400=(NotFound, Protected),
        name="deleteRole",
        needs_local_accounts=True,
    ),
)
