"""The scopes that a cache has dropped lately, so that a slow read adds nothing that has changed since it began."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

ROUNDS_REMEMBERED = 64
"""Rounds of changes that a slow read may miss; after more of them its values are not added."""


@dataclass(slots=True)
class DroppedScopes:
    """The scopes that a cache has dropped, by round. In `round` is the number of times that it dropped some."""

    round: int = 0
    _rounds: deque[tuple[int, Collection[int] | None]] = field(default_factory=lambda: deque(maxlen=ROUNDS_REMEMBERED))

    def add(self, scopes: Collection[int] | None) -> None:
        """Add the scopes of one more round; None is all of them."""
        self.round += 1
        self._rounds.append((self.round, scopes))

    def since(self, since: int) -> Collection[int] | None:
        """Return the scopes that were dropped after the round `since`; None if these may be all."""
        if since == self.round:
            return ()
        later = [scopes for number, scopes in self._rounds if number > since]
        if None in later or len(later) != self.round - since:
            return None
        return {scope for scopes in later for scope in scopes or ()}
