"""Successful responses of the REST API."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from app import http
from app.db import chunks
from app.rest.errors import HEADERS

R = TypeVar("R")
T = TypeVar("T")

ROWS_AT_ONCE = 500
"""Rows of a list that are converted at once, in a few milliseconds."""


def json(body: Any) -> Response:
    """Return a JSON response."""
    return http.BufferedResponse(http.encode_json(body), 200, "application/json", HEADERS)


async def convert_rows(rows: Sequence[R], convert: Callable[[R], T]) -> list[T]:
    """Return the converted rows. A list has no pages here, so other requests have their turn within a long one."""
    converted: list[T] = []
    async for part in chunks(rows, ROWS_AT_ONCE):
        converted += map(convert, part)
    return converted


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
