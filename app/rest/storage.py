"""Routes of storage quotas."""

from collections.abc import Iterable, Sequence
from typing import Any

from starlette.responses import Response

from app import policy
from app.db.statements import Row
from app.db.tables import User
from app.domain.errors import NotFound
from app.query.reader import ListReader
from app.query.relations import FieldSpec, layout
from app.rest import models
from app.rest.responses import convert_rows, json
from app.rest.routing import AuthMode, Call, Route, load_user, require_viewer
from app.services import quotas, read_graph, users

_STORAGE = layout(User, "details", used=FieldSpec(sql=read_graph.storage_used))
_USER = layout(User, "id")


async def storage_by_user(reads: ListReader, keys: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return the quota and the used storage of users in bytes, by user id. Users who were deleted are left out."""
    rows = await reads.related(read_graph.storage, _STORAGE, keys)
    storage = await convert_rows([*rows.values()], _to_json)
    return dict(zip(rows, storage, strict=True))


def _to_json(rows: Sequence[Row]) -> dict[str, Any]:
    ((details, used, _),) = rows
    return {"total": quotas.quota_bytes(details), "used": quotas.cap_bytes(used)}


async def _own(call: Call) -> Response:
    viewer_id = policy.require_signed_in(call.viewer)
    storage = await storage_by_user(call.reads, [viewer_id])
    return json(require_viewer(storage.get(viewer_id)))


async def _of_user(call: Call) -> Response:
    policy.require_users_view(call.viewer)
    user = await load_user(call, _USER)
    storage = await storage_by_user(call.reads, [user[0]])
    if not storage:
        raise users.user_not_found(("userName",))
    return json(storage[user[0]])


ROUTES = (
    Route(
        "GET",
        "/users/storage",
        _own,
        AuthMode.REQUIRED,
        "Used storage and quota of the viewer, also if quotas are not enforced.",
        response_type=models.Storage,
        name="getOwnStorage",
    ),
    Route(
        "GET",
        "/users/{userName}/storage",
        _of_user,
        AuthMode.REQUIRED,
        "Used storage and quota of a user; needs USERS_VIEW.",
        response_type=models.Storage,
        refusals=(403,),
        answers_400=(NotFound,),
        name="getUserStorage",
    ),
)
