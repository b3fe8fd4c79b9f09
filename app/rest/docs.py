"""Serves the description of this face: as a document for programs, and as a page for people."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app import http
from app.config import Settings
from app.rest import reference
from app.rest.openapi import Section, document
from app.rest.reference.page import page


def routes(sections: Sequence[Section], settings: Settings) -> list[BaseRoute]:
    """The document, the page and its parts; what they hold is made when it is first asked for."""

    @cache
    def made(server: str) -> dict[str, Any]:
        return document(sections, settings, server)

    @cache
    def as_json(server: str) -> bytes:
        return http.encode_json(made(server))

    @cache
    def as_html(server: str) -> bytes:
        return page(made(server))

    return [
        Route("/openapi.json", _kept(as_json, "application/json")),
        Route("/openapi", _kept(as_html, "text/html; charset=utf-8", reference.HEADERS)),
        Route("/openapi/{name}", _part),
    ]


def _kept(
    content: Callable[[str], bytes], media: str, headers: dict[str, str] | None = None
) -> Callable[[Request], Awaitable[Response]]:
    """Makes the route; a proxy's prefix, if there is one, is where the server is."""

    async def answer(request: Request) -> Response:
        response = http.cached_response(request, content(request.scope.get("root_path") or "/"), media)
        response.headers.update(headers or {})
        return response

    return answer


async def _part(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in reference.MEDIA_TYPES:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return http.cached_response(request, reference.content(name), reference.MEDIA_TYPES[name])
