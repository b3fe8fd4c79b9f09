"""What goes in and out of the protocol edge, and how the edge itself refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from app.errors import BadRequest
from app.web import Cookie


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One operation to answer; `query` is empty only where `sha256` names a persisted one."""

    query: str
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any]
    is_get: bool
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A response's body; `executed` is False for a request error, which has no data. `status` overrules."""

    body: dict[str, Any]
    executed: bool = True
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[Cookie] = ()


class NotAcceptable(BadRequest):
    """The client reads none of the types that we write."""

    status: ClassVar[int] = 406
