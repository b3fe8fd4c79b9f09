"""How a request is refused for its form alone, and the headers that tell of a refusal."""

from collections.abc import Collection
from typing import ClassVar

from app.errors import BadRequest, RateLimited, Refusal, Unauthenticated


class MethodNotAllowed(BadRequest):
    """Also a change that was asked for by GET."""

    status: ClassVar[int] = 405

    def __init__(self, message: str, allowed: Collection[str] = ("POST",)) -> None:
        super().__init__(message)
        self.allowed = ", ".join(allowed)


class TooLarge(BadRequest):
    """The body passes the limit."""

    status: ClassVar[int] = 413


class UnsupportedMediaType(BadRequest):
    """The body is of a type that is not read here, or it is packed."""

    status: ClassVar[int] = 415


def headers(refusal: Refusal) -> dict[str, str]:
    """What HTTP wants to be said beside the body."""
    match refusal:
        case MethodNotAllowed():
            return {"Allow": refusal.allowed}
        case TooLarge():
            return {"Connection": "close"}  # the rest of the body is not wanted
        case RateLimited():
            return {"Retry-After": str(refusal.retry_after)}
        case Unauthenticated():
            return {"WWW-Authenticate": "Bearer"}
    return {}
