"""What goes in and out of the protocol edge, and how the edge itself refuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from graphql.execution.values import VariableValues

from app.domain.errors import BadRequest
from app.graphql.documents.cache import ValidatedDocument
from app.graphql.documents.canonical import SentText
from app.http import Cookie


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A query that may be run with its variables. It is the same for whom the schema is equally `hidden`."""

    known: ValidatedDocument
    variables: VariableValues
    hidden: bool
    sent: SentText


@dataclass(slots=True, eq=False)
class GraphQLRequest:
    """One operation to answer; `query` is empty only where `sha256` names a persisted one.

    `size` is the length of the JSON text that held the variables. `ready` is left there by whoever answers it, if it
    need not be looked at again when the same is sent again.
    """

    query: str
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any]
    is_get: bool
    sha256: str | None = None
    size: int = 0
    ready: ParsedRequest | None = None


@dataclass(slots=True, eq=False)
class GraphQLAnswer:
    """A response's body; `executed` is False for a request error, which has no data. `status` overrules."""

    body: dict[str, Any]
    executed: bool = True
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[Cookie] = ()


class NotAcceptable(BadRequest):
    """The client reads none of the types that we write."""

    status: ClassVar[int] = 406
