"""From where a request comes, as what lies below the faces is told it."""

from functools import partial

from starlette.requests import Request

from app.domain.request_origin import RequestOrigin, current_origin
from app.http.locality import is_direct_local
from app.observability import request_stats


def note_origin(request: Request, face: str) -> None:
    """Remember where this request comes from while it is answered; its id is the one of its line in the log."""
    address = None if request.client is None else request.client.host
    is_local = partial(is_direct_local, request.scope)
    current_origin.set(RequestOrigin(face, address, request_stats.current_request().request_id or None, is_local))
