"""Successful responses of the REST API."""

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from app import http
from app.rest.errors import HEADERS


def json(body: Any) -> Response:
    """Return a JSON response."""
    return http.BufferedResponse(http.encode_json(body), 200, "application/json", HEADERS)


class RejectedResponse(http.BufferedResponse):
    """A 200 response that says in its body that nothing was changed. No idempotency key stores it."""


def rejected(body: Any) -> Response:
    """Return a JSON response of a change that was rejected in spite of its status."""
    return RejectedResponse(http.encode_json(body), 200, "application/json", HEADERS)


def created(request: Request, body: Any, *segments: str) -> Response:
    """Return a 201 response with the path of the new object in its header Location."""
    path = "/".join(quote(segment, safe="") for segment in segments)
    headers = {**HEADERS, "Location": f"{request.scope.get('root_path', '')}/{path}"}
    return Response(http.encode_json(body), 201, headers, "application/json")


def empty() -> Response:
    """Return a 200 response without a body, which clients of some changes expect."""
    return Response(None, 200, HEADERS)


def no_content() -> Response:
    """Return a 204 response."""
    return Response(None, 204, HEADERS)


def plain(text: str) -> Response:
    """Return a plain text response."""
    return Response(text, 200, HEADERS, "text/plain")
