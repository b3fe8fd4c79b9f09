"""How a request is refused for its form alone, and the headers that tell of a refusal."""

from collections.abc import Collection
from typing import ClassVar

from app.domain.errors import (
    BadRequest,
    BodyTooLarge,
    HeadersTooLarge,
    RateLimited,
    Refusal,
    RequestTimeout,
    Unauthenticated,
    Unavailable,
)


class MethodNotAllowed(BadRequest):
    """Also a change that was asked for by GET."""

    status: ClassVar[int] = 405

    def __init__(self, message: str, allowed: Collection[str] = ("POST",)) -> None:
        super().__init__(message)
        self.allowed = ", ".join(allowed)


class Overloaded(Unavailable):
    """The worker has as many connections, or as many unfinished requests, as it may have."""


class UnsupportedMediaType(BadRequest):
    """The body is of a type that is not read here, or it is packed."""

    status: ClassVar[int] = 415


def headers(refusal: Refusal) -> dict[str, str]:
    """What HTTP wants to be said beside the body."""
    match refusal:
        case MethodNotAllowed():
            return {"Allow": refusal.allowed}
        case BodyTooLarge() | HeadersTooLarge() | RequestTimeout():
            return {"Connection": "close"}  # the rest of the request is not wanted
        case Overloaded():
            return {"Connection": "close", "Retry-After": "1"}
        case RateLimited():
            return {"Retry-After": str(refusal.retry_after)}
        case Unauthenticated():
            return {"WWW-Authenticate": "Bearer"}
    return {}
