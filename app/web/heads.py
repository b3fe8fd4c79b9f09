"""The headers of a request by their names: whoever asks for one need not search all of them."""

from collections.abc import Sequence

from starlette.types import Scope

PLACE = "ostiary.heads"


class Heads:
    """What came with a request; names are in small letters."""

    __slots__ = ("_first", "_pairs")

    def __init__(self, pairs: Sequence[tuple[bytes, bytes]]) -> None:
        self._pairs = pairs
        self._first = dict(reversed(pairs))

    def __contains__(self, name: bytes) -> bool:
        return name in self._first

    def first(self, name: bytes) -> str | None:
        """The first value of a header; None where there is none."""
        value = self._first.get(name)
        return None if value is None else value.decode("latin-1")

    def every(self, name: bytes) -> list[str]:
        """All values of a header."""
        if name not in self._first:
            return []
        if len(self._first) == len(self._pairs):  # no header stands there twice
            return [self._first[name].decode("latin-1")]
        return [value.decode("latin-1") for each, value in self._pairs if each == name]


def heads(scope: Scope) -> Heads:
    """The headers of a request, looked through once."""
    found: Heads | None = scope.get(PLACE)
    if found is None:
        found = scope[PLACE] = Heads(scope["headers"])
    return found
