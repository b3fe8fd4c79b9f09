"""Responses that are complete before they are sent, with cached header lines."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

BUFFERED = "ostiary.whole"
"""An extension of ASGI, and the type of its message: a response in one piece, with `status`, `head` and `body`.

The head has all header lines. Middleware may append lines to it.
"""

HEADER_CACHE = {b"x-content-type-options": b"nosniff", b"referrer-policy": b"same-origin", b"x-frame-options": b"DENY"}
"""Default headers of each response. Strict-Transport-Security is not among them: it belongs to the proxy."""

NOTHING: Mapping[str, str] = MappingProxyType({})

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class BufferedResponse(Response):
    """A response that is sent in one message if the server supports it, else in two."""

    def __init__(self, body: bytes, status: int, media: str, headers: Mapping[str, str] = NOTHING) -> None:
        self.body, self.status_code, self.background = body, status, None
        self._memo = _header_memo(media, tuple(headers.items()))
        self._pairs: list[tuple[bytes, bytes]] | None = None

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:  # type: ignore[override]  # created on demand
        """Names and values of the headers. The caller may change the list."""
        if self._pairs is None:
            self._pairs = [*self._memo.pairs, (b"content-length", b"%d" % len(self.body))]
        return self._pairs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        if self._pairs is None and self._memo.is_plain and BUFFERED in scope.get("extensions", NOTHING):
            head = b"%bcontent-length: %d\r\n" % (self._memo.lines, len(self.body))
            await send({"type": BUFFERED, "status": self.status_code, "head": head, "body": self.body})
        else:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self.body})


class _HeaderMemo(NamedTuple):
    pairs: list[tuple[bytes, bytes]]
    lines: bytes
    is_plain: bool
    """True without a header about the connection."""


@lru_cache(maxsize=256)
def _header_memo(media: str, headers: tuple[tuple[str, str], ...]) -> _HeaderMemo:
    own = {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in headers}
    values = {**HEADER_CACHE, **own, b"content-type": media.encode("latin-1")}
    if any(_CONTROL.search(part) for pair in values.items() for part in pair):
        raise ValueError("a header contains a control character")
    lines = b"".join(b"%b: %b\r\n" % pair for pair in values.items())
    return _HeaderMemo([*values.items()], lines, is_plain=b"connection" not in values)
