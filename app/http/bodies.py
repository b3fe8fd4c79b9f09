"""Reads bodies: nothing is parsed before its type and its size are found good."""

from functools import lru_cache
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from app.domain.errors import BadRequest
from app.http.budget import exceeded
from app.http.headers import RequestHeaders
from app.http.refusals import UnsupportedMediaType

PLAIN = {b"", b"identity"}
DEEPEST = 100  # JSON within JSON; coercion of inputs recurses, and the interpreter's stack ends at a thousand


def media_type(found: RequestHeaders, accepted: tuple[str, ...]) -> str:
    """Which of the accepted types the body is of; it must be UTF-8 and not packed."""
    kind = found.get(b"content-type", b"")
    if b"," in kind and [name for name, _ in found.pairs].count(b"content-type") > 1:
        raise BadRequest("The header Content-Type stands there twice.")
    return _media_type(kind, found.get(b"content-encoding", b""), accepted)


@lru_cache(maxsize=256)
def _media_type(header: bytes, packed: bytes, accepted: tuple[str, ...]) -> str:
    """Few headers come again and again."""
    if packed.strip().lower() not in PLAIN:
        raise UnsupportedMediaType("The body must not be packed.")
    kind, *rest = header.decode("latin-1").lower().split(";")
    if (kind := kind.strip()) not in accepted:
        raise UnsupportedMediaType(f"The body must be {' or '.join(accepted)}.")
    named = [part.partition("=") for part in rest]
    others = [value for name, _, value in named if name.strip() == "charset"]
    if not all(value.strip(' "') in {"utf-8", "utf8"} for value in others):
        raise BadRequest("The body must be UTF-8.")
    return kind


async def body(found: RequestHeaders, receive: Receive, limit: int) -> bytes:
    """The body, given up as soon as it is known to pass the limit."""
    length = found.get(b"content-length", b"")
    is_good = not length.isdigit() or int(length[:18]) <= limit
    read = bytearray()
    while is_good:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        read += message.get("body", b"")
        is_good = len(read) <= limit
        if is_good and not message.get("more_body"):
            return bytes(read)
    raise exceeded("body_bytes", limit)


def json_value(text: bytes, what: str) -> Any:
    """Whole numbers beyond 64 bit become floats here; infinities, NaN and lone surrogates are no JSON."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadRequest(f"{what} cannot be read as JSON in UTF-8.") from None
    if text.count(b"[") + text.count(b"{") > DEEPEST and _is_deep(value):
        raise BadRequest(f"{what} is nested deeper than {DEEPEST}.")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        parts = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list))
        level = [child for items in parts for child in items if isinstance(child, dict | list)]
    return bool(level)
