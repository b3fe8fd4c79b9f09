"""Responses: JSON, cookies, cached files, and the errors and headers of refused requests."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar

import orjson
from starlette.requests import Request
from starlette.responses import Response

from app.config import Settings
from app.domain.errors import (
    BadRequest,
    BodyTooLarge,
    HeadersTooLarge,
    InvalidToken,
    RateLimited,
    Refusal,
    RequestTimeout,
    Unauthenticated,
    Unavailable,
)

NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}
NO_STORE = {"Cache-Control": "no-store", **NO_SNIFFING}

SECONDS_A_DAY = 86_400
REVALIDATE = "no-cache"
"""Cache-Control of a file that a browser stores and revalidates at each use."""


class MethodNotAllowed(BadRequest):
    """A method that the path does not support, such as GET for a mutation."""

    status: ClassVar[int] = 405

    def __init__(self, message: str, allowed: Collection[str] = ("POST",)) -> None:
        super().__init__(message)
        self.allowed = ", ".join(allowed)


class Overloaded(Unavailable):
    """The worker has reached its limit of connections or of bytes in unfinished requests."""


class UnsupportedMediaType(BadRequest):
    """The media type or the encoding of the body is not supported."""

    status: ClassVar[int] = 415


def headers(refusal: Refusal) -> dict[str, str]:
    """Return the headers that belong to the status of a refusal."""
    match refusal:
        case MethodNotAllowed():
            return {"Allow": refusal.allowed}
        case BodyTooLarge() | HeadersTooLarge() | RequestTimeout():
            return {"Connection": "close"}  # the rest of the request is not read
        case Overloaded():
            return {"Connection": "close", "Retry-After": str(refusal.retry_after)}
        case RateLimited() | Unavailable():
            return {"Retry-After": str(refusal.retry_after)}
        case Unauthenticated():
            error = ' error="invalid_token"' if isinstance(refusal, InvalidToken) else ""
            return {"WWW-Authenticate": f"Bearer{error}"}
    return {}


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie for the paths of this server on its site. `max_age` is in seconds; 0 deletes it."""

    name: str
    value: str
    max_age: int | None = None
    secure: bool = True
    path: str = "/"


def session_cookie(request: Request, settings: Settings, token: str) -> Cookie:
    """Return the cookie of a session, which lasts as long as its token."""
    return _cookie(request, settings, token, settings.token_expiration_in_days * SECONDS_A_DAY)


def expired_session_cookie(request: Request, settings: Settings) -> Cookie:
    """Return the cookie that deletes the one of the session."""
    return _cookie(request, settings, "", 0)


def _cookie(request: Request, settings: Settings, value: str, max_age: int) -> Cookie:
    # Behind a prefix, other applications of the site must not get the token.
    path = request.scope.get("root_path") or "/"
    return Cookie(settings.auth_cookie_name, value, max_age, request.url.scheme == "https", path)


def set_cookie(response: Response, cookie: Cookie) -> None:
    """Set a cookie that scripts cannot read and that requests of other sites do not carry."""
    response.set_cookie(
        cookie.name,
        cookie.value,
        cookie.max_age,
        path=cookie.path,
        secure=cookie.secure,
        httponly=True,
        samesite="strict",
    )


def encode_json(body: Any) -> bytes:
    """Return JSON. Values that orjson rejects (integers over 64 bits, lone surrogates, deep nesting) use `json`."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        # Infinities become null, as orjson writes them.
        finite = json.loads(json.dumps(body, default=_decode), parse_constant=lambda _: None)
        return json.dumps(finite, separators=(",", ":"), allow_nan=False).encode()


def _decode(fragment: Any) -> Any:
    """Return the value of a fragment of JSON, which only orjson can read."""
    return json.loads(orjson.dumps(fragment))


def entity_tag(content: bytes) -> str:
    """Return the ETag of a content."""
    return f'"{sha256(content).hexdigest()[:32]}"'


def cached_response(
    request: Request, content: bytes, media: str, cache_control: str = REVALIDATE, tag: str | None = None
) -> Response:
    """Return the content with its ETag, or 304 if the browser has it already. `tag` saves its computation."""
    tag = tag or entity_tag(content)
    tag_headers = {"ETag": tag, "Cache-Control": cache_control, **NO_SNIFFING}
    cached = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")}
    if tag in cached or "*" in cached:
        return Response(status_code=304, headers=tag_headers)
    return Response(content, headers=tag_headers, media_type=media)
