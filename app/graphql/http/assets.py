"""Files beside the API: the assets of the playground and the SDL."""

import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from app import http
from app.domain.errors import Refusal
from app.graphql.http import accept, playground, response

ASSET_NAME_RE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
# A URL with a version (`?v=…`) is cached for a year, all others for an hour.
IMMUTABLE = "public, max-age=31536000, immutable"
HOURLY = "public, max-age=3600"
REVALIDATED = "no-cache"
PLAIN = "text/plain; charset=utf-8"

Admission = Callable[[Request], Awaitable[None]]
"""Raises a `Refusal` for a request that must not be answered."""


async def asset(request: Request) -> Response:
    """Return an asset of the playground by its name."""
    name = request.path_params["name"]
    file = playground.asset(name) if ASSET_NAME_RE.fullmatch(name) else None
    if file is None:
        body = {"errors": [{"message": "This file does not exist.", "extensions": {"code": "NOT_FOUND"}}]}
        return Response(http.encode_json(body), 404, http.NO_SNIFFING, "application/json")
    content, media = file
    return http.cached_response(request, content, media, IMMUTABLE if "v" in request.query_params else HOURLY)


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
