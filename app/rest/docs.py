"""Routes of the OpenAPI description: the JSON document and the reference page."""

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
    """Return the routes. The first request creates the document and the page, and they are cached."""

    @cache
    def get_document(server: str) -> dict[str, Any]:
        return document(sections, settings, server)

    @cache
    def as_json(server: str) -> bytes:
        return http.encode_json(get_document(server))

    @cache
    def as_html(server: str) -> bytes:
        return page(get_document(server))

    return [
        Route("/openapi.json", _endpoint(as_json, "application/json")),
        Route("/openapi", _endpoint(as_html, "text/html; charset=utf-8", reference.HEADERS)),
        Route("/openapi/{name}", _get_asset),
    ]


def _endpoint(
    content: Callable[[str], bytes], media: str, headers: dict[str, str] | None = None
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint for content that depends on the URL prefix (`root_path`) of the server."""

    async def answer(request: Request) -> Response:
        response = http.cached_response(request, content(request.scope.get("root_path") or "/"), media)
        response.headers.update(headers or {})
        return response

    return answer


async def _get_asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in reference.MEDIA_TYPES:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return http.cached_response(request, reference.content(name), reference.MEDIA_TYPES[name])
