"""Reads a request down to one operation; whatever cannot be understood is refused with a code, never a crash."""

from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from app.errors import BadRequest
from app.schema.http.messages import GraphQLRequest, TooLarge, UnsupportedMediaType

T = TypeVar("T")

PARAMETERS = frozenset({"query", "operationName", "variables", "extensions"})
MOST_PARAMETERS = 50
DEEPEST = 100  # JSON within JSON; coercion of inputs recurses, and the interpreter's stack ends at a thousand


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
            values[name] = _json(values[name].encode(), f"`{name}`")
    return _understood(values, is_get=True)


async def from_body(request: Request, limit: int) -> GraphQLRequest:
    """The operation of a POST request; nothing is parsed before type and size are found good."""
    _check_type(request)
    value = _json(await _body(request, limit), "The body")
    if isinstance(value, list):
        raise BadRequest("Batches are not answered: send one operation in one request.")
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return _understood(value, is_get=False)


def _check_type(request: Request) -> None:
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType("The body must not be packed.")
    headers = request.headers.getlist("content-type")
    if len(headers) > 1:
        raise BadRequest("The header Content-Type stands there twice.")
    kind, *rest = (headers[0] if headers else "").lower().split(";")
    if kind.strip() != "application/json":
        raise UnsupportedMediaType("The body must be application/json.")
    named = [part.partition("=") for part in rest]
    if any(name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8") for name, _, value in named):
        raise BadRequest("The body must be UTF-8.")


async def _body(request: Request, limit: int) -> bytes:
    """The body, given up as soon as it is known to pass the limit."""
    refusal = TooLarge(f"The body may be {limit:,} bytes at most.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:18]) > limit:
        raise refusal
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise refusal
    return bytes(body)


def _json(text: bytes, what: str) -> Any:
    """Whole numbers beyond 64 bit become floats here; infinities, NaN and lone surrogates are no JSON."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadRequest(f"{what} cannot be read as JSON in UTF-8.") from None
    if text.count(b"[") + text.count(b"{") > DEEPEST and _is_deep(value):
        raise BadRequest(f"{what} is nested deeper than {DEEPEST}.")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        parts = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list))
        level = [child for items in parts for child in items if isinstance(child, dict | list)]
    return bool(level)


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
