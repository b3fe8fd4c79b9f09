"""How much a user stores, and may store (U14, U15)."""

from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from app import loaders, policy
from app.errors import NotFound
from app.reads import Reads
from app.rest import shapes
from app.rest.answers import json
from app.rest.found import found_user
from app.rest.routing import Call, Route, Who
from app.services import quotas
from app.sources import Cell, layout
from app.tables import User

_STORAGE = layout(User, "details", used=Cell(of=loaders.storage_used))
_USER = layout(User, "id")


async def storage_by_user(reads: Reads, keys: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What each of some users may store, and does."""
    rows = await reads.below(loaders.storage, _STORAGE, keys)
    return {
        key: {"total": quotas.total_of(details), "used": quotas.whole(used)}
        for key, ((details, used, _),) in rows.items()
    }


async def _own(call: Call) -> Response:
    viewer_id = policy.require_signed_in(call.viewer)
    return json((await storage_by_user(call.reads, [viewer_id]))[viewer_id])


async def _of(call: Call) -> Response:
    policy.require_overview(call.viewer)
    user = await found_user(call, _USER)
    return json((await storage_by_user(call.reads, [user[0]]))[user[0]])


ROUTES = (
    Route(
        "GET",
        "/users/storage",
        _own,
        Who.SIGNED_IN,
        "How much one stores, and may store; both are told whether quotas are enforced or not.",
        gives=shapes.Storage,
        name="getOwnStorage",
    ),
    Route(
        "GET",
        "/users/{userName}/storage",
        _of,
        Who.SIGNED_IN,
        "How much a user stores, and may store; needs USERS_VIEW.",
        gives=shapes.Storage,
        refuses=(403,),
        as_400=(NotFound,),
        name="getUserStorage",
    ),
)
