"""Writes responses: JSON in UTF-8, whatever the status."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from app.errors import RateLimited, Refusal, Unauthenticated
from app.schema import errors
from app.schema.http import accept, playground
from app.schema.http.messages import Answer, MethodNotAllowed, TooLarge

NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}
COMMON = {"Cache-Control": "no-store", "Vary": "Accept", **NO_SNIFFING}


def answered(answer: Answer, media: str) -> Response:
    """Under plain JSON, a request error is told by the body alone: that is what its older clients expect."""
    refused_status = 400 if media == accept.GRAPHQL else 200
    status = answer.status or (200 if answer.executed else refused_status)
    response = _response(answer.body, status, media, answer.headers)
    for cookie in answer.cookies:
        response.set_cookie(
            cookie.name, cookie.value, cookie.max_age, secure=cookie.secure, httponly=True, samesite="strict"
        )
    return response


def refused(refusal: Refusal, media: str) -> Response:
    """A request that was refused as a whole, before or while it was answered."""
    return _response({"errors": [errors.refused(refusal)]}, refusal.status, media, _headers(refusal))


def failed(error: Exception, media: str) -> Response:
    """A surprise: the asker gets an id, the log the story."""
    return _response({"errors": [errors.unexpected(error)]}, 500, media, {})


def page() -> Response:
    """The playground, which no other site may frame."""
    headers = {
        "Content-Security-Policy": playground.CONTENT_SECURITY_POLICY,
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-cache",
        "Vary": "Accept",
        **NO_SNIFFING,
    }
    return Response(playground.page(), headers=headers, media_type=accept.HTML)


def encoded(body: Any) -> bytes:
    """JSON; what orjson refuses (whole numbers beyond 64 bit, lone surrogates, deep nests) is written slowly."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        # As orjson does, infinities become null.
        finite = json.loads(json.dumps(body), parse_constant=lambda _: None)
        return json.dumps(finite, separators=(",", ":"), allow_nan=False).encode()


def _response(body: dict[str, Any], status: int, media: str, headers: Mapping[str, str]) -> Response:
    content_type = f"{media}; charset=utf-8"
    return Response(encoded(body), status, {**COMMON, **headers, "Content-Type": content_type})


def _headers(refusal: Refusal) -> dict[str, str]:
    match refusal:
        case MethodNotAllowed():
            return {"Allow": refusal.allowed}
        case TooLarge():
            return {"Connection": "close"}  # the rest of the body is not wanted
        case RateLimited():
            return {"Retry-After": str(refusal.retry_after)}
        case Unauthenticated():
            return {"WWW-Authenticate": "Bearer"}
    return {}
