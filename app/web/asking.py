"""From where a request comes, as the audit log tells it."""

import re

from starlette.requests import Request

from app.origin import ORIGIN, Origin

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def note_origin(request: Request, face: str) -> None:
    """Remember where this request comes from for as long as it is answered."""
    given = request.headers.get("x-request-id", "")
    address = None if request.client is None else request.client.host
    ORIGIN.set(Origin(face, address, given if _REQUEST_ID.fullmatch(given) else None))
