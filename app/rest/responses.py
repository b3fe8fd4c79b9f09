"""How a route answers: JSON, nothing at all, or the place of what was made."""

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from app import http
from app.rest.errors import HEADERS


def json(body: Any) -> Response:
    """An answer in JSON."""
    return http.BufferedResponse(http.encode_json(body), 200, "application/json", HEADERS)


def created(request: Request, body: Any, *words: str) -> Response:
    """What was made, and at which path it is."""
    place = "/".join(quote(word, safe="") for word in words)
    headers = {**HEADERS, "Location": f"{request.scope.get('root_path', '')}/{place}"}
    return Response(http.encode_json(body), 201, headers, "application/json")


def empty() -> Response:
    """A success without a body, where clients expect that of a change."""
    return Response(None, 200, HEADERS)


def not_modified_placeholder() -> Response:
    """A success that says by its status that it has no body."""
    return Response(None, 204, HEADERS)


def plain(text: str) -> Response:
    """An answer in plain text."""
    return Response(text, 200, HEADERS, "text/plain")
