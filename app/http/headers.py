"""The headers of a request by their names: whoever asks for one need not search all of them.

Whoever keeps a connection sends the same headers again and again. What was made of the last ones there is still good
for equal ones.
"""

from collections.abc import Sequence
from typing import Any

from starlette.types import Scope

STATE_KEY = "ostiary.heads"
CONNECTION = "ostiary.connection"

SEPARATORS = {b"cookie": b"; "}

Pairs = Sequence[tuple[bytes, bytes]]


class RequestHeaders(dict[bytes, bytes]):
    """Values by names, which are in small letters. A header that stands there twice has a comma in it (RFC 9110, 5.3).

    Lines of the header Cookie are joined with a semicolon instead (RFC 9113, 8.2.3): a comma may be part of a value.

    In `made` is kept what hangs on them alone.
    """

    __slots__ = ("made", "pairs")

    def __init__(self, pairs: Pairs) -> None:
        super().__init__(pairs)
        self.pairs = pairs
        self.made: dict[str, Any] = {}
        if len(self) < len(pairs):
            self._join(pairs)

    def _join(self, pairs: Pairs) -> None:
        values: dict[bytes, list[bytes]] = {}
        for name, value in pairs:
            values.setdefault(name, []).append(value)
        self.update({name: SEPARATORS.get(name, b", ").join(each) for name, each in values.items()})


class ConnectionHeaders:
    """What is remembered for as long as a connection is kept: the headers that came last, and no one else's."""

    __slots__ = ("heads",)

    def __init__(self) -> None:
        self.heads = RequestHeaders(())


def parse_headers(scope: Scope) -> RequestHeaders:
    """The headers of a request, looked through once."""
    found: RequestHeaders | None = scope.get(STATE_KEY)
    if found is None:
        pairs = scope["headers"]
        connection: ConnectionHeaders | None = scope.get(CONNECTION)
        if connection is None:
            found = RequestHeaders(pairs)
        else:
            found = connection.heads
            if found.pairs != pairs:
                found = connection.heads = RequestHeaders(pairs)
        scope[STATE_KEY] = found
    return found
