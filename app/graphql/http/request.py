"""Parsing of requests to operations. Malformed input raises `BadRequest`."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, TypeVar

import orjson

from app import http
from app.domain.errors import BadRequest, PersistedQueryNotSupported
from app.graphql.http.messages import GraphQLRequest
from app.http.exact_json import (
    MAX_VALUES,
    RequestJson,
    find_problems,
    has_members,
    is_unchanged,
    may_repeat,
    path_text,
    quote_names,
)
from app.http.urlencoded import parse_fields

PARAMETERS = frozenset({"variables", "extensions", "query", "operationName"})
"""The parameters of a request."""

_QUOTED = quote_names(PARAMETERS)

ParameterT = TypeVar("ParameterT", str, dict[str, Any])

MAX_PARAMETERS = 50

SMALL_BODY = 4_096
"""Bytes of a body for which one check of all values replaces the searches for names that may be repeated.

Most clients send a text as orjson writes it, without spaces: if writing the value gives the text, parsing lost nothing.
"""

PERSISTED_VERSION = 1
SHA256_RE = re.compile(r"[0-9a-f]{64}")


def parameters(query: bytes) -> dict[str, str]:
    """Return the parameters in the URL, without empty ones."""
    try:
        query.decode("ascii")
        pairs = parse_fields(query, MAX_PARAMETERS)
    except ValueError:
        raise BadRequest(
            f"The parameters of the URL are not valid UTF-8, or there are more than {MAX_PARAMETERS}."
        ) from None
    relevant = [(name, value) for name, value in pairs if name in PARAMETERS]
    if len(dict(relevant)) < len(relevant):
        raise BadRequest("A parameter occurs twice in the URL. Send it once.")
    return {name: value for name, value in relevant if value}


def from_url(parameters: dict[str, str]) -> GraphQLRequest:
    """Return the operation of a GET request."""
    values: dict[str, Any] = dict(parameters)
    for name in ("variables", "extensions"):
        if name in values:
            values[name] = http.json_value(values[name].encode(), f"`{name}`")
    return _to_request(values, is_get=True)


def from_body(body: bytes, max_values: int = MAX_VALUES) -> GraphQLRequest:
    """Return the operation of a POST request. Raises TooComplex if its check would take more than `max_values`."""
    value = http.json_value(body, "The body")
    is_exact = len(body) <= SMALL_BODY and (orjson.dumps(value) == body or is_unchanged(body, value))
    is_flat = is_exact or _is_flat(value, body)
    if not is_flat and may_repeat(body, _QUOTED):
        _require_unique(body, max_values)
    if isinstance(value, list):
        raise BadRequest("Batches are not supported. Send one operation in each request.")
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    request = _to_request(value, is_get=False)
    request.body = RequestJson(body, value, is_flat, is_exact)
    return request


def _is_flat(value: Any, body: bytes) -> bool:
    """Return whether a body has only parameters and variables without objects, and repeats no name of them."""
    if type(value) is not dict or type(query := value.get("query")) is not str:
        return False
    variables = value.get("variables")
    number = len(value) + (len(variables) if type(variables) is dict else 0)
    return has_members(body, number, query.count(":"))


def _require_unique(body: bytes, max_values: int) -> None:
    """Raise BadRequest for a parameter that occurs twice: of two values, parsing keeps the last."""
    for problem in find_problems(body, max_values):
        if len(problem.path) == 1:
            raise BadRequest(f"The body: `{path_text(problem.path)}` {problem.reason}")


def _to_request(values: dict[str, Any], *, is_get: bool) -> GraphQLRequest:
    variables, extensions = _parameter(values, "variables", dict), _parameter(values, "extensions", dict)
    query, operation_name = _parameter(values, "query", str), _parameter(values, "operationName", str)
    query_hash = _persisted_hash(query, extensions["persistedQuery"]) if "persistedQuery" in extensions else None
    if not query and query_hash is None:
        raise BadRequest("`query` is missing.")
    return GraphQLRequest(query, operation_name or None, variables, extensions, is_get, query_hash)


def _parameter(values: Mapping[str, Any], name: str, kind: type[ParameterT]) -> ParameterT:
    """Return a parameter of a request; its empty value if it is null or absent."""
    value = values.get(name)
    if value is None:
        return kind()
    if isinstance(value, kind):
        return value
    raise BadRequest(f"`{name}` must be {'an object' if kind is dict else 'a string'}.")


def _persisted_hash(query: str, persisted: Any) -> str | None:
    """Return the hash of a persisted document as Apollo's clients send it; None if there is none.

    Raises BadRequest if `query` is present and has another hash.
    """
    if persisted is None:
        return None
    if not isinstance(persisted, dict):
        raise BadRequest("`extensions.persistedQuery` must be an object.")
    if persisted.get("version") != PERSISTED_VERSION:
        raise PersistedQueryNotSupported
    query_hash = persisted.get("sha256Hash")
    if not isinstance(query_hash, str) or not SHA256_RE.fullmatch(query_hash.lower()):
        raise BadRequest("`sha256Hash` must be a SHA-256 hash: 64 hexadecimal digits.")
    if query and sha256(query.encode()).hexdigest() != query_hash.lower():
        raise BadRequest("`sha256Hash` is not the SHA-256 hash of `query`.")
    return query_hash.lower()
