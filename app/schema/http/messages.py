"""What goes in and out of the protocol edge, and how the edge itself refuses."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from app.errors import BadRequest


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One operation to answer; `query` is empty only where `extensions` names a persisted one."""

    query: str
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any]
    is_get: bool


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that scripts cannot read and other sites cannot send; `max_age` in seconds, 0 takes it back."""

    name: str
    value: str
    max_age: int | None = None
    secure: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A response's body; `executed` is False for a request error, which has no data. `status` overrules."""

    body: dict[str, Any]
    executed: bool = True
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[Cookie] = ()


class MethodNotAllowed(BadRequest):
    """Also a change that was asked for by GET."""

    status: ClassVar[int] = 405

    def __init__(self, message: str, allowed: Collection[str] = ("POST",)) -> None:
        super().__init__(message)
        self.allowed = ", ".join(allowed)


class NotAcceptable(BadRequest):
    """The client reads none of the types that we write."""

    status: ClassVar[int] = 406


class TooLarge(BadRequest):
    """The body passes the limit."""

    status: ClassVar[int] = 413


class UnsupportedMediaType(BadRequest):
    """The body is not JSON, or it is packed."""

    status: ClassVar[int] = 415
