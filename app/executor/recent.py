"""What was used last: the one way to remember things here, bounded in number and in weight."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Least recently used first to go. What weighs more than `heaviest` is not kept at all."""

    def __init__(self, size: int, room: int, heaviest: int, weigh: Callable[[K, V], int]) -> None:
        self._size, self._room, self._heaviest = size, room, heaviest
        self._weigh = weigh
        self._held = 0
        self._entries: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """What was put there, if it is still known; it is now the last to go."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: K, entry: V) -> None:
        """Remember it, in place of what was there, and forget what there is no more room for."""
        weight = self._weigh(key, entry)
        if weight > self._heaviest:
            return
        if (before := self._entries.pop(key, None)) is not None:
            self._held -= self._weigh(key, before)
        self._entries[key] = entry
        self._held += weight
        while len(self._entries) > self._size or self._held > self._room:
            self._held -= self._weigh(*self._entries.popitem(last=False))
