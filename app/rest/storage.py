"""How much a user stores, and may store (U14, U15)."""

from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from app import loaders, policy
from app.errors import NotFound
from app.reads import ListReader
from app.rest import shapes
from app.rest.answers import json
from app.rest.found import load_user
from app.rest.routing import AuthMode, Call, Route
from app.services import quotas
from app.sources import FieldSpec, layout
from app.tables import User

_STORAGE = layout(User, "details", used=FieldSpec(of=loaders.storage_used))
_USER = layout(User, "id")


async def storage_by_user(reads: ListReader, keys: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What each of some users may store, and does."""
    rows = await reads.related(loaders.storage, _STORAGE, keys)
    return {
        key: {"total": quotas.total_of(details), "used": quotas.whole_megabytes(used)}
        for key, ((details, used, _),) in rows.items()
    }


async def _own(call: Call) -> Response:
    viewer_id = policy.require_signed_in(call.viewer)
    return json((await storage_by_user(call.reads, [viewer_id]))[viewer_id])


async def _of(call: Call) -> Response:
    policy.require_users_view(call.viewer)
    user = await load_user(call, _USER)
    return json((await storage_by_user(call.reads, [user[0]]))[user[0]])


ROUTES = (
    Route(
        "GET",
        "/users/storage",
        _own,
        AuthMode.REQUIRED,
        "How much one stores, and may store; both are told whether quotas are enforced or not.",
        response_type=shapes.Storage,
        name="getOwnStorage",
    ),
    Route(
        "GET",
        "/users/{userName}/storage",
        _of,
        AuthMode.REQUIRED,
        "How much a user stores, and may store; needs USERS_VIEW.",
        response_type=shapes.Storage,
        refusals=(403,),
        answers_400=(NotFound,),
        name="getUserStorage",
    ),
)
