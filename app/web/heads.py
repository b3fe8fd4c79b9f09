"""The headers of a request, looked through once: whoever asks by their names need not search all of them each time."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.types import Scope

PLACE = "ostiary.heads"


def heads(scope: Scope) -> Mapping[bytes, Sequence[str]]:
    """All values of each header, by its name in small letters."""
    found: dict[bytes, list[str]] | None = scope.get(PLACE)
    if found is None:
        found = scope[PLACE] = {}
        for name, value in scope["headers"]:
            found.setdefault(name, []).append(value.decode("latin-1"))
    return found


def head(scope: Scope, name: bytes) -> str | None:
    """The first value of a header."""
    values: Any = heads(scope).get(name)
    return values[0] if values else None
