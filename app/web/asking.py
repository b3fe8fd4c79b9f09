"""From where a request comes, as what lies below the faces is told it."""

from starlette.requests import Request

from app.origin import ORIGIN, Origin
from app.telemetry import facts


def note_origin(request: Request, face: str) -> None:
    """Remember where this request comes from while it is answered; its id is the one of its line in the log."""
    address = None if request.client is None else request.client.host
    ORIGIN.set(Origin(face, address, facts.current().request_id or None))
