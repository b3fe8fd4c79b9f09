"""The headers of a request by their names: whoever asks for one need not search all of them."""

from collections.abc import Sequence

from starlette.types import Scope

PLACE = "ostiary.heads"

Heads = dict[bytes, bytes]
"""Values by names, which are in small letters. A header that stands there twice has a comma in it (RFC 9110, 5.3)."""


def heads(scope: Scope) -> Heads:
    """The headers of a request, looked through once."""
    found: Heads | None = scope.get(PLACE)
    if found is None:
        pairs = scope["headers"]
        found = dict(pairs)
        if len(found) < len(pairs):
            found = _joined(pairs)
        scope[PLACE] = found
    return found


def _joined(pairs: Sequence[tuple[bytes, bytes]]) -> Heads:
    values: dict[bytes, list[bytes]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: b", ".join(each) for name, each in values.items()}
