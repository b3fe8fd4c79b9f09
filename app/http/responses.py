"""Writes JSON, and cookies that scripts cannot read and other sites cannot send."""

import json
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}
NO_STORE = {"Cache-Control": "no-store", **NO_SNIFFING}


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie for the whole site; `max_age` in seconds, 0 takes it back."""

    name: str
    value: str
    max_age: int | None = None
    secure: bool = True


def set_cookie(response: Response, cookie: Cookie) -> None:
    """Hand the browser a cookie."""
    response.set_cookie(
        cookie.name, cookie.value, cookie.max_age, secure=cookie.secure, httponly=True, samesite="strict"
    )


def encode_json(body: Any) -> bytes:
    """JSON; what orjson refuses (whole numbers beyond 64 bit, lone surrogates, deep nests) is written slowly."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        # As orjson does, infinities become null.
        finite = json.loads(json.dumps(body), parse_constant=lambda _: None)
        return json.dumps(finite, separators=(",", ":"), allow_nan=False).encode()
