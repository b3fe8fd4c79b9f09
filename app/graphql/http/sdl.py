"""The text of the schema, beside the API."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from app import http
from app.domain.errors import Refusal
from app.graphql.http import accept, response

REVALIDATED = "no-cache"
PLAIN = "text/plain; charset=utf-8"

Admission = Callable[[Request], Awaitable[None]]
"""Raises a `Refusal` for a request that must not be answered."""


def schema_text(sdl: str, admit: Admission | None) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of the SDL, which `admit` may refuse."""
    content = sdl.encode()

    async def schema(request: Request) -> Response:
        if admit is None:
            return http.cached_response(request, content, PLAIN)
        try:
            await admit(request)
        except Refusal as refusal:
            return response.refusal_response(refusal, accept.JSON)
        except Exception as error:
            return response.failure_response(error, accept.JSON)
        return http.cached_response(request, content, PLAIN, f"private, {REVALIDATED}")

    return schema
