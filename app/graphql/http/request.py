"""Parsing of requests to operations. Malformed input raises `BadRequest`."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from app import http
from app.domain.errors import BadRequest, PersistedQueryNotSupported
from app.graphql.http.messages import GraphQLRequest

NAMES = frozenset({"variables", "extensions", "query", "operationName"})
"""The parameters of a request."""

Given = TypeVar("Given", str, dict[str, Any])

MOST_PARAMETERS = 50
PERSISTED_VERSION = 1
HASH = re.compile(r"[0-9a-f]{64}")


def parameters(query: bytes) -> dict[str, str]:
    """Return the parameters in the URL, without empty ones."""
    try:
        text = query.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise BadRequest("The parameters of the URL are not valid UTF-8, or there are more than 50.") from None
    known = [(name, value) for name, value in pairs if name in NAMES]
    if len(dict(known)) < len(known):
        raise BadRequest("A parameter occurs twice in the URL. Send it once.")
    return {name: value for name, value in known if value}


def from_url(found: dict[str, str]) -> GraphQLRequest:
    """Return the operation of a GET request."""
    values: dict[str, Any] = dict(found)
    for name in ("variables", "extensions"):
        if name in values:
            values[name] = http.json_value(values[name].encode(), f"`{name}`")
    return _to_request(values, is_get=True)


def from_body(body: bytes) -> GraphQLRequest:
    """Return the operation of a POST request."""
    value = http.json_value(body, "The body")
    if isinstance(value, list):
        raise BadRequest("Batches are not supported. Send one operation in each request.")
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    return _to_request(value, is_get=False)


def _to_request(values: dict[str, Any], *, is_get: bool) -> GraphQLRequest:
    variables, extensions = _parameter(values, "variables", dict), _parameter(values, "extensions", dict)
    query, named = _parameter(values, "query", str), _parameter(values, "operationName", str)
    hashed = _persisted_hash(query, extensions["persistedQuery"]) if "persistedQuery" in extensions else None
    if not query and hashed is None:
        raise BadRequest("`query` is missing.")
    return GraphQLRequest(query, named or None, variables, extensions, is_get, hashed)


def _parameter(values: Mapping[str, Any], name: str, kind: type[Given]) -> Given:
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
    found = persisted.get("sha256Hash")
    if not isinstance(found, str) or not HASH.fullmatch(found.lower()):
        raise BadRequest("`sha256Hash` must be a SHA-256 hash: 64 hexadecimal digits.")
    if query and sha256(query.encode()).hexdigest() != found.lower():
        raise BadRequest("`sha256Hash` is not the SHA-256 hash of `query`.")
    return found.lower()
