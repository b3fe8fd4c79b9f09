"""The metadata of users: JSON objects whose names and values come back as they came (U16 to U18)."""

from typing import Any

from starlette.responses import Response

from app import loaders, policy
from app.errors import NotFound
from app.rest.answers import empty, json
from app.rest.bodies import Body
from app.rest.found import found_user
from app.rest.routing import Call, Route, Who
from app.services import users
from app.sources import Cell, layout
from app.tables import User

_METADATA = layout(User, details=Cell(guard=policy.sees_user_details))


async def _own(call: Call) -> Response:
    row = await call.reads.one(loaders.user, _METADATA, call.viewer.user_id)
    assert row is not None, "everybody knows herself"
    return json(row[0])


async def _of(call: Call) -> Response:
    policy.require_overview(call.viewer)
    return json((await found_user(call, _METADATA))[0])


async def _replace(call: Call) -> Response:
    async with call.change("setUserMetadata") as tx:
        await users.set_user_metadata(tx, call.viewer, call.user(), dict(call.document))
    return empty()


Metadata = dict[str, Any]

ROUTES = (
    Route(
        "GET",
        "/users/meta",
        _own,
        Who.SIGNED_IN,
        "One's own metadata; {} when there is none.",
        gives=Metadata,
        name="getOwnMetadata",
    ),
    Route(
        "GET",
        "/users/{userName}/meta",
        _of,
        Who.SIGNED_IN,
        "The metadata of a user; needs USERS_VIEW.",
        gives=Metadata,
        refuses=(403,),
        as_400=(NotFound,),
        name="getUserMetadata",
    ),
    Route(
        "POST",
        "/users/{userName}/meta",
        _replace,
        Who.SIGNED_IN,
        "Replace the metadata of a user, at most 64 KiB; needs USERS_MANAGE. `maxStorageMB` is a number of megabytes; "
        "a list `roles` replaces her roles and makes those that are none yet, without permissions.",
        Body.DOCUMENT,
        refuses=(403, 409),
        as_400=(NotFound,),
        name="replaceUserMetadata",
    ),
)
