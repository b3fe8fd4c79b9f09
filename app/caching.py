"""The only LRU of this process: a mapping that is bounded in entries and in weight."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from math import inf
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

Weigh = Callable[[K, V], int]
"""Returns the weight of an entry. The weight of an entry never changes while it is cached."""

ANONYMOUS_PART = 4
"""The cache of anonymous viewers is this many times smaller than that of signed-in users."""


class WeightedLRU(Generic[K, V]):
    """A cache that evicts the least recently used entry first.

    An entry that is heavier than `max_entry_weight` is not cached. Without `weigh` only the number of entries counts.
    """

    __slots__ = ("_entries", "_max_entries", "_max_entry_weight", "_max_weight", "_weigh", "_weight")

    def __init__(
        self, max_entries: int, max_weight: float = inf, max_entry_weight: float = inf, weigh: Weigh[K, V] | None = None
    ) -> None:
        self._max_entries, self._max_weight, self._max_entry_weight = max_entries, max_weight, max_entry_weight
        self._weigh = weigh
        self._weight = 0
        self._entries: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return the value of a key, and make it the last to be evicted."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def peek(self, key: K) -> V | None:
        """Return the value of a key without a change of the order."""
        return self._entries.get(key)

    def put(self, key: K, value: V) -> None:
        """Cache a value in place of an earlier one, and evict what exceeds the bounds."""
        weight = 0 if self._weigh is None else self._weigh(key, value)
        if weight > self._max_entry_weight:
            return
        self.discard(key)
        self._entries[key] = value
        self._weight += weight
        while len(self._entries) > self._max_entries or self._weight > self._max_weight:
            self._subtract_weight(*self._entries.popitem(last=False))

    def discard(self, key: K) -> None:
        """Remove the entry of a key, if there is one."""
        if (value := self._entries.pop(key, None)) is not None:
            self._subtract_weight(key, value)

    def _subtract_weight(self, key: K, value: V) -> None:
        if self._weigh is not None:
            self._weight -= self._weigh(key, value)


class AudienceLRU(Generic[K, V]):
    """Two caches: entries of anonymous viewers never evict entries of signed-in users.

    A lookup reads both, so that work for one audience serves the other. A change touches only the cache of the
    requesting audience.
    """

    def __init__(self, max_entries: int, max_weight: int, max_entry_weight: int, weigh: Weigh[K, V]) -> None:
        part = ANONYMOUS_PART
        self._signed_in: WeightedLRU[K, V] = WeightedLRU(max_entries, max_weight, max_entry_weight, weigh)
        self._anonymous: WeightedLRU[K, V] = WeightedLRU(
            max(1, max_entries // part), max(1, max_weight // part), max_entry_weight, weigh
        )

    def __len__(self) -> int:
        return len(self._signed_in) + len(self._anonymous)

    def find(self, key: K) -> V | None:
        """Return the value from either cache before the audience is known; call `use` once it is."""
        value = self._signed_in.peek(key)
        return self._anonymous.peek(key) if value is None else value

    def get(self, key: K, *, is_signed_in: bool) -> V | None:
        """Return the value from either cache. A signed-in user takes over an entry of anonymous viewers."""
        if not is_signed_in:
            value = self._anonymous.get(key)
            return self._signed_in.peek(key) if value is None else value
        value = self._signed_in.get(key)
        if value is None and (value := self._anonymous.peek(key)) is not None:
            self._signed_in.put(key, value)
        return value

    def put(self, key: K, value: V, *, is_signed_in: bool) -> None:
        """Cache a value for an audience."""
        (self._signed_in if is_signed_in else self._anonymous).put(key, value)

    def use(self, key: K, value: V, *, is_signed_in: bool) -> None:
        """Record the use of an entry that `find` returned, or cache a new one."""
        own = self._signed_in if is_signed_in else self._anonymous
        if own.get(key) is None and (is_signed_in or self._signed_in.peek(key) is None):
            own.put(key, value)
