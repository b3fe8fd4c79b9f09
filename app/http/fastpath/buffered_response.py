"""Answers that are known to their end before they begin, and whose headers are few and come again and again."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

BUFFERED = "ostiary.whole"
"""An extension of ASGI, and the type of its message: a response in one piece, with `status`, `head` and `body`.

The head has the lines of all headers but those that who sends it on has to add.
"""

HEADER_CACHE = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"x-frame-options": b"DENY",
}
"""Said to browsers unless the answer says otherwise. That a host speaks https for good is for the proxy to say."""

NOTHING: Mapping[str, str] = MappingProxyType({})

_UNFIT = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class BufferedResponse(Response):
    """A response that is sent in one message where the server takes such ones, and in two where it does not."""

    def __init__(self, body: bytes, status: int, media: str, headers: Mapping[str, str] = NOTHING) -> None:
        self.body, self.status_code, self.background = body, status, None
        self._told = _header_memo(media, tuple(headers.items()))
        self._pairs: list[tuple[bytes, bytes]] | None = None

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:  # type: ignore[override]  # made where somebody asks for it
        """Names and values; who asks may change them."""
        if self._pairs is None:
            self._pairs = [*self._told.pairs, (b"content-length", b"%d" % len(self.body))]
        return self._pairs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if self._pairs is None and self._told.is_plain and BUFFERED in scope.get("extensions", NOTHING):
            head = b"%bcontent-length: %d\r\n" % (self._told.lines, len(self.body))
            await send({"type": BUFFERED, "status": self.status_code, "head": head, "body": self.body})
        else:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self.body})


class _HeaderMemo(NamedTuple):
    pairs: list[tuple[bytes, bytes]]
    lines: bytes
    is_plain: bool
    """Whether they say nothing about the connection."""


@lru_cache(maxsize=256)
def _header_memo(media: str, headers: tuple[tuple[str, str], ...]) -> _HeaderMemo:
    given = {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in headers}
    told = {**HEADER_CACHE, **given, b"content-type": media.encode("latin-1")}
    if any(_UNFIT.search(part) for pair in told.items() for part in pair):
        raise ValueError("a header has a control character in it")
    lines = b"".join(b"%b: %b\r\n" % pair for pair in told.items())
    return _HeaderMemo([*told.items()], lines, is_plain=b"connection" not in told)
