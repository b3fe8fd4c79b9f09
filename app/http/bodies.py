"""Reading of request bodies. Nothing is parsed before its media type and its size are checked."""

from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from app.domain.errors import BadRequest
from app.http.budget import exceeded
from app.http.headers import RequestHeaders
from app.http.responses import UnsupportedMediaType
from app.http.value_limits import containers, members

MAX_MEDIA_TYPE_BYTES = 1_024
"""Most bytes of a Content-Type. A boundary has at most 70 (RFC 2046)."""

UNENCODED = {b"", b"identity"}
MAX_JSON_DEPTH = 100  # the coercion of inputs recurses, and the interpreter allows a thousand frames


def media_type(headers: RequestHeaders, accepted: tuple[str, ...]) -> str:
    """Return the media type of the body. Raises UnsupportedMediaType, or BadRequest if it is not UTF-8."""
    content_type = headers.get(b"content-type", b"")
    if len(content_type) > MAX_MEDIA_TYPE_BYTES:
        raise BadRequest(f"The header Content-Type exceeds {MAX_MEDIA_TYPE_BYTES:,} bytes.")
    if b"," in content_type and [name for name, _ in headers.pairs].count(b"content-type") > 1:
        raise BadRequest("The header Content-Type is sent more than once. Send it once.")
    return _parse_media_type(content_type, headers.get(b"content-encoding", b""), accepted)


@lru_cache(maxsize=256)
def _parse_media_type(content_type: bytes, encoding: bytes, accepted: tuple[str, ...]) -> str:
    if encoding.strip().lower() not in UNENCODED:
        raise UnsupportedMediaType("Content-Encoding is not supported. Send an uncompressed body.")
    kind, *rest = content_type.decode("latin-1").lower().split(";")
    if (kind := kind.strip()) not in accepted:
        raise UnsupportedMediaType(f"The body must be {' or '.join(accepted)}.")
    parameters = [part.partition("=") for part in rest]
    charsets = [value for name, _, value in parameters if name.strip() == "charset"]
    if not all(value.strip(' "') in {"utf-8", "utf8"} for value in charsets):
        raise BadRequest("The body must be UTF-8.")
    return kind


async def body(headers: RequestHeaders, receive: Receive, maximum: int, limit: str = "body_bytes") -> bytes:
    """Return the body. Raises BodyTooLarge as soon as it exceeds `maximum` bytes, and ClientDisconnect.

    `limit` is the name of the limit.
    """
    length = headers.get(b"content-length", b"")
    is_within = not length.isdigit() or int(length[:18]) <= maximum
    content = bytearray()
    while is_within:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        content += message.get("body", b"")
        is_within = len(content) <= maximum
        if is_within and not message.get("more_body"):
            return bytes(content)
    raise exceeded(limit, maximum)


def json_value(text: bytes, subject: str) -> Any:
    """Return the JSON value. Raises BadRequest with the `subject`, also for infinities, NaN and lone surrogates.

    Integers of more than 64 bits become floats.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadRequest(f"{subject} cannot be read as JSON in UTF-8.") from None
    if text.count(b"[") + text.count(b"{") > MAX_JSON_DEPTH and _is_deep(value):
        raise BadRequest(f"{subject} is nested deeper than {MAX_JSON_DEPTH} levels.")
    return value


def _is_deep(value: Any) -> bool:
    level = containers([value])
    for _ in range(MAX_JSON_DEPTH - 1):
        level = members(level)
    children = (each.values() if isinstance(each, dict) else each for each in level)
    return any(isinstance(child, dict | list) for items in children for child in items)
