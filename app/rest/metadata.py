"""Routes of the metadata of users: JSON objects, stored unchanged."""

from typing import Any

from starlette.responses import Response

from app import policy
from app.db.statements import Row
from app.db.tables import User
from app.domain.errors import NotFound
from app.query.relations import FieldSpec, layout
from app.rest.etags import tagged
from app.rest.request_bodies import Body
from app.rest.responses import empty
from app.rest.routing import AuthMode, Call, Route, load_user, require_viewer
from app.services import audit, metadata, read_graph, users

_METADATA = layout(User, "id", "revision", details=FieldSpec(guard=policy.sees_user_details))


async def _own(call: Call) -> Response:
    row = await call.reads.one(read_graph.user, _METADATA, call.viewer.user_id)
    return _response(call, require_viewer(row))


async def _of_user(call: Call) -> Response:
    policy.require_users_view(call.viewer)
    return _response(call, await load_user(call, _METADATA))


def _response(call: Call, row: Row) -> Response:
    key, revision, metadata, *_ = row
    return tagged(call.request, metadata, (audit.USER, key), revision)


async def _replace(call: Call) -> Response:
    async with call.change("setUserMetadata") as tx:
        await users.set_user_metadata(tx, call.viewer, call.user_ref(), dict(call.document))
    return empty()


async def _patch(call: Call) -> Response:
    async with call.change("patchUserMetadata") as tx:
        await metadata.patch_user_metadata(tx, call.viewer, call.user_ref(), dict(call.document))
    return empty()


Metadata = dict[str, Any]

ROUTES = (
    Route(
        "GET",
        "/users/meta",
        _own,
        AuthMode.REQUIRED,
        "Metadata of the viewer; {} if there is none.",
        response_type=Metadata,
        name="getOwnMetadata",
        has_revision=True,
    ),
    Route(
        "GET",
        "/users/{userName}/meta",
        _of_user,
        AuthMode.REQUIRED,
        "The metadata of a user; needs USERS_VIEW.",
        response_type=Metadata,
        refusals=(403,),
        answers_400=(NotFound,),
        name="getUserMetadata",
        has_revision=True,
    ),
    Route(
        "POST",
        "/users/{userName}/meta",
        _replace,
        AuthMode.REQUIRED,
        "Replace the metadata of a user, at most 64 KiB; needs USERS_MANAGE. `maxStorageMB` is a number of megabytes; "
        "a list `roles` replaces the roles of the user and creates missing roles without permissions.",
        Body.DOCUMENT,
        refusals=(403, 409),
        answers_400=(NotFound,),
        name="replaceUserMetadata",
        has_revision=True,
    ),
    Route(
        "PATCH",
        "/users/{userName}/meta",
        _patch,
        AuthMode.REQUIRED,
        "Change some members of the metadata of a user by a JSON merge patch (RFC 7396); needs USERS_MANAGE. Null "
        "removes a member, an object is merged, any other value replaces. The result is at most 64 KiB. A list `roles` "
        "in the patch replaces the roles of the user.",
        Body.PATCH,
        refusals=(403, 409),
        answers_400=(NotFound,),
        name="patchUserMetadata",
        has_revision=True,
    ),
)
