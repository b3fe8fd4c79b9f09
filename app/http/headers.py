"""Request headers by name.

Clients send the same headers in each request of a connection. The parsed headers of the last request, and the values
derived from them, are reused for equal ones.
"""

from collections.abc import Sequence
from typing import Any

from starlette.types import Scope

STATE_KEY = "ostiary.headers"
CONNECTION = "ostiary.connection"

SEPARATORS = {b"cookie": b"; "}

Pairs = Sequence[tuple[bytes, bytes]]


class RequestHeaders(dict[bytes, bytes]):
    """Values by lower-case names. Values of a repeated header are joined by a comma (RFC 9110, 5.3).

    Repeated Cookie headers are joined by a semicolon (RFC 9113, 8.2.3), since a comma may be part of a value. `cache`
    stores values that depend on these headers only.
    """

    __slots__ = ("cache", "pairs")

    def __init__(self, pairs: Pairs) -> None:
        super().__init__(pairs)
        self.pairs = pairs
        self.cache: dict[str, Any] = {}
        if len(self) < len(pairs):
            self._join(pairs)

    def _join(self, pairs: Pairs) -> None:
        values: dict[bytes, list[bytes]] = {}
        for name, value in pairs:
            values.setdefault(name, []).append(value)
        self.update({name: SEPARATORS.get(name, b", ").join(each) for name, each in values.items()})


class ConnectionHeaders:
    """The headers of the last request of one connection."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last = RequestHeaders(())


def parse_headers(scope: Scope) -> RequestHeaders:
    """Return the headers of a request; the scope stores them, so that they are parsed once."""
    headers: RequestHeaders | None = scope.get(STATE_KEY)
    if headers is None:
        pairs = scope["headers"]
        connection: ConnectionHeaders | None = scope.get(CONNECTION)
        if connection is None:
            headers = RequestHeaders(pairs)
        else:
            headers = connection.last
            if headers.pairs != pairs:
                headers = connection.last = RequestHeaders(pairs)
        scope[STATE_KEY] = headers
    return headers
