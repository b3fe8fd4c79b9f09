"""What was used last: the one way to remember things here, bounded in number and in weight."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ANONYMOUS_PART = 4
"""Anonymous viewers have a memory of their own, this many times smaller than that of signed-in users."""


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

    def peek(self, key: K) -> V | None:
        """Return what was put there, and leave the order as it is."""
        return self._entries.get(key)

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


class Separate(Generic[K, V]):
    """Two memories: what anonymous viewers ask never displaces what signed-in users ask.

    Both are looked at for everybody, so that what both ask is worked out once; but each changes its own alone.
    """

    def __init__(self, size: int, room: int, heaviest: int, weigh: Callable[[K, V], int]) -> None:
        self._signed_in: Recent[K, V] = Recent(size, room, heaviest, weigh)
        part = ANONYMOUS_PART
        self._anonymous: Recent[K, V] = Recent(max(1, size // part), max(1, room // part), heaviest, weigh)

    def __len__(self) -> int:
        return len(self._signed_in) + len(self._anonymous)

    def find(self, key: K) -> V | None:
        """Return what is known to either, where it is not known yet who asks; `use` tells that later."""
        entry = self._signed_in.peek(key)
        return self._anonymous.peek(key) if entry is None else entry

    def get(self, key: K, *, is_signed_in: bool) -> V | None:
        """Return what is known to either. What an anonymous viewer has left, a signed-in user takes over."""
        if not is_signed_in:
            entry = self._anonymous.get(key)
            return self._signed_in.peek(key) if entry is None else entry
        entry = self._signed_in.get(key)
        if entry is None and (entry := self._anonymous.peek(key)) is not None:
            self._signed_in.put(key, entry)
        return entry

    def put(self, key: K, entry: V, *, is_signed_in: bool) -> None:
        """Remember it for those who are alike."""
        (self._signed_in if is_signed_in else self._anonymous).put(key, entry)

    def use(self, key: K, entry: V, *, is_signed_in: bool) -> None:
        """Note who has used an entry that was found, or remember a new one."""
        own = self._signed_in if is_signed_in else self._anonymous
        if own.get(key) is None and (is_signed_in or self._signed_in.peek(key) is None):
            own.put(key, entry)
