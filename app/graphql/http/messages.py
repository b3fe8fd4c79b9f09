"""Requests and results of GraphQL over HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from graphql.execution.values import VariableValues

from app.domain.errors import BadRequest
from app.graphql.documents.cache import ValidatedDocument
from app.graphql.documents.canonical import SentText
from app.http import Cookie
from app.http.exact_json import RequestJson


@dataclass(slots=True, eq=False)  # not frozen, which would triple the time of its creation
class ParsedRequest:
    """A validated document with coerced variables. Viewers with equal `hidden` share it."""

    document: ValidatedDocument
    variables: VariableValues
    hidden: bool
    sent: SentText


@dataclass(slots=True, eq=False)
class GraphQLRequest:
    """One operation to run. `query` is empty only if `sha256` names a persisted document.

    `size` is the length of the JSON text with the variables, and `body` that text until they are coerced. The handler
    sets `ready` if the same request can be run again without parsing.
    """

    query: str
    operation_name: str | None
    variables: dict[str, Any]
    extensions: dict[str, Any]
    is_get: bool
    sha256: str | None = None
    size: int = 0
    body: RequestJson | None = None
    ready: ParsedRequest | None = None


@dataclass(slots=True, eq=False)
class GraphQLAnswer:
    """Body of a response. `executed` is False for a request error, which has no data. `status` overrides the status."""

    body: dict[str, Any]
    executed: bool = True
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[Cookie] = ()


class NotAcceptable(BadRequest):
    """The client accepts no media type of this API."""

    status: ClassVar[int] = 406
