"""Reads a request down to one operation; whatever cannot be understood is refused with a code, never a crash."""

from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.requests import Request

from app import web
from app.errors import BadRequest
from app.schema.http.accept import JSON
from app.schema.http.messages import GraphQLRequest

T = TypeVar("T")

PARAMETERS = frozenset({"query", "operationName", "variables", "extensions"})
MOST_PARAMETERS = 50


def parameters(request: Request) -> dict[str, str]:
    """What stands in the URL; the empty ones count as absent."""
    try:
        text = request.scope["query_string"].decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise BadRequest("The URL's parameters are not UTF-8, or too many.") from None
    known = [(name, value) for name, value in pairs if name in PARAMETERS]
    if len(dict(known)) < len(known):
        raise BadRequest("A parameter stands in the URL twice.")
    return {name: value for name, value in known if value}


def from_url(found: dict[str, str]) -> GraphQLRequest:
    """The operation of a GET request."""
    values: dict[str, Any] = dict(found)
    for name in ("variables", "extensions"):
        if name in values:
            values[name] = web.json_value(values[name].encode(), f"`{name}`")
    return _understood(values, is_get=True)


async def from_body(request: Request, limit: int) -> GraphQLRequest:
    """The operation of a POST request; nothing is parsed before type and size are found good."""
    web.media_type(request, (JSON,))
    value = web.json_value(await web.body(request, limit), "The body")
    if isinstance(value, list):
        raise BadRequest("Batches are not answered: send one operation in one request.")
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return _understood(value, is_get=False)


def _understood(values: dict[str, Any], *, is_get: bool) -> GraphQLRequest:
    variables = _typed(values, "variables", dict, "an object")
    extensions = _typed(values, "extensions", dict, "an object")
    query = _typed(values, "query", str, "a string") or ""
    name = _typed(values, "operationName", str, "a string") or None
    if not query and "persistedQuery" not in (extensions or {}):
        raise BadRequest("There is no `query`.")
    return GraphQLRequest(query, name, variables or {}, extensions or {}, is_get)


def _typed(values: dict[str, Any], name: str, kind: type[T], article: str) -> T | None:
    value = values.get(name)
    if value is not None and not isinstance(value, kind):
        raise BadRequest(f"`{name}` must be {article}.")
    return value
