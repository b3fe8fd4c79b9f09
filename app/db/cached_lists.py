"""Lists of one user or one resource as JSON, kept in the worker until a commit changes them.

The roles of a user and the grants of a resource are such lists. The log of changes has a scope for each user and each
resource, so a commit drops the lists that it concerns, and no others. Columns of a resource are kept in the same way.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from sys import getsizeof
from typing import Any, NamedTuple
from weakref import WeakSet

from orjson import Fragment

from app.db.access_changes import EDITS, edit_scope, edited, is_resource, key_of, resource_scope
from app.db.dropped_scopes import DroppedScopes

MAX_BYTES = 32 * 2**20
"""Memory for lists in one worker. Beyond that it drops the oldest eighth of the lists of each field."""

MAX_BYTES_OF_LIST = 2**16
"""JSON of one list that is kept."""

OVERHEAD = 256
"""Memory of a list besides its JSON: its entries in two dictionaries, its key and its fragment."""

MAX_MISSES = 20_000
"""Users, and resources, that are remembered because their lists were read once. Lists are kept when read again."""


class ListsMissing(Exception):
    """Not all lists or columns that a query needs are cached, as was expected."""


class ChangedKeys(NamedTuple):
    """The ids that some changes concern: users, resources with what they grant, and resources with their columns."""

    users: Collection[int]
    resources: Collection[int]
    rows: Collection[int]

    @classmethod
    def in_scopes(cls, scopes: Collection[int]) -> "ChangedKeys":
        """Return the ids in scopes of changes."""
        resources = {key_of(scope) for scope in scopes if is_resource(scope)}
        users = {key_of(scope) for scope in scopes if scope >= 0 and not is_resource(scope)}
        return cls(users, resources, resources | edited(scopes))


class CachedValues(ABC):
    """Values of one kind by key, the id of a user or of a resource."""

    of_resources: bool

    def __init__(self) -> None:
        self.size = 0
        self.by_key: dict[int, Any] = {}
        self._sizes: dict[int, int] = {}

    @abstractmethod
    def is_stale(self, key: int, scopes: Collection[int]) -> bool:
        """Return whether a change with one of these scopes may have changed the value of a key."""

    @abstractmethod
    def drop_changed(self, changed: ChangedKeys) -> None:
        """Drop the values that changes concern."""

    @abstractmethod
    def size_of(self, value: Any) -> int:
        """Return the size of a value in bytes."""

    @abstractmethod
    def stored(self, value: Any) -> Any:
        """Return what is kept of a value."""

    def put(self, key: int, value: Any) -> None:
        """Keep the value of a key that has none yet."""
        self.by_key[key] = self.stored(value)
        self._sizes[key] = size = self.size_of(value) + OVERHEAD
        self.size += size

    def discard(self, keys: Iterable[int]) -> None:
        """Drop the values of some keys that have one."""
        for key in keys:
            del self.by_key[key]
            self.size -= self._sizes.pop(key)

    def clear(self) -> None:
        """Drop all values."""
        if self.by_key:
            self.by_key.clear()
            self._sizes.clear()
            self.size = 0


class FieldLists(CachedValues):
    """The lists of one field of a plan, as JSON. `scope` returns the scope of a user or a resource."""

    def __init__(self, scope: Callable[[int], int]) -> None:
        super().__init__()
        self.scope = scope
        self.of_resources = scope is resource_scope

    def is_stale(self, key: int, scopes: Collection[int]) -> bool:
        return self.scope(key) in scopes

    def drop_changed(self, changed: ChangedKeys) -> None:
        self.discard(self.by_key.keys() & (changed.resources if self.of_resources else changed.users))

    def size_of(self, value: bytes) -> int:
        return len(value)

    def stored(self, value: bytes) -> Fragment:
        return Fragment(compact(value))


class ResourceColumns(CachedValues):
    """Columns of resources, each a tuple of values."""

    of_resources = True

    def is_stale(self, key: int, scopes: Collection[int]) -> bool:
        return edit_scope(key) in scopes or resource_scope(key) in scopes

    def drop_changed(self, changed: ChangedKeys) -> None:
        self.discard(self.by_key.keys() & changed.rows)

    def size_of(self, value: tuple[Any, ...]) -> int:
        return getsizeof(value) + sum(map(getsizeof, value))

    def stored(self, value: tuple[Any, ...]) -> tuple[Any, ...]:
        return value


def compact(json: bytes) -> bytes:
    """Return a copy that takes no more memory than needed: orjson leaves its result in a block of 4 KiB or more."""
    return bytes(memoryview(json))


class CachedLists:
    """The lists of all fields of one database, as of the moment up to which `drop` was told the changes."""

    def __init__(self) -> None:
        self.dropped = DroppedScopes()
        self._fields: WeakSet[CachedValues] = WeakSet()
        self._missed = set[int](), set[int]()
        self._added = 0

    @property
    def size(self) -> int:
        """Return the memory of all lists in bytes."""
        return sum(each.size for each in self._fields)

    def drop(self, scopes: Collection[int] | None) -> None:
        """Drop the lists of users and resources; all for None or the scope of a table, whose rows are in the lists."""
        if scopes is not None and not scopes:
            return
        if scopes is not None and any(EDITS <= scope < 0 for scope in scopes):
            scopes = None
        self.dropped.add(scopes)
        changed = None if scopes is None else ChangedKeys.in_scopes(scopes)
        for each in self._fields:
            if changed is None:
                each.clear()
            elif each.by_key:
                each.drop_changed(changed)

    def add(self, field: CachedValues, lists: Mapping[int, Any], since: int) -> None:
        """Keep lists that were read after the round `since`, but for those that a later round concerns."""
        stale = self.dropped.since(since)
        if stale is None:
            return
        self._fields.add(field)
        before = field.size
        for key, value in lists.items():
            is_new = key not in field.by_key and not field.is_stale(key, stale)
            if is_new and field.size_of(value) <= MAX_BYTES_OF_LIST:
                field.put(key, value)
        self._added += field.size - before
        if self._added > MAX_BYTES // 16:
            self._added = 0
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        if self.size > MAX_BYTES:
            for each in self._fields:
                each.discard([*islice(each.by_key, 1 + len(each.by_key) // 8)])

    def missed(self, field: CachedValues) -> set[int]:
        """Return the growing set of the users or resources whose lists were read."""
        return self._missed[field.of_resources]

    def record_misses(self, field: CachedValues, keys: Collection[int]) -> None:
        """Remember keys whose lists are read."""
        missed = self.missed(field)
        if len(missed) > MAX_MISSES:
            missed.clear()
        missed.update(keys)


class OpenedLists:
    """The cached lists for one query. They are used once its first read has told what has changed (`is_confirmed`).

    A list is neither used nor kept if a change concerns it that any query has noted since this one began: it could be
    of another moment than the rows of this query.
    """

    def __init__(self, lists: CachedLists) -> None:
        self._lists, self._since = lists, lists.dropped.round
        self.is_confirmed = False
        self.expects_all = False
        """True if all lists of the last level are probably cached."""
        self.all_cached = False
        """True if all lists of the last level were cached."""
        self.has_missed = False
        """True if columns of resources were not cached."""
        self._is_used = False
        self._missed: list[tuple[CachedValues, Collection[int]]] = []

    @property
    def is_mixed(self) -> bool:
        """Return whether this query has used lists of a moment, and what it reads now may be of another one."""
        return self._is_used and self._lists.dropped.round != self._since

    def find(self, field: CachedValues, keys: Collection[int]) -> dict[int, Any]:
        """Return the lists of those keys that have one."""
        by_key = field.by_key
        stale = self._lists.dropped.since(self._since) if by_key and self.is_confirmed else None
        if stale is None:
            return {}
        lists = {key: by_key[key] for key in keys if key in by_key}
        for key in [key for key in lists if field.is_stale(key, stale)] if stale else ():
            del lists[key]
        self._is_used = self._is_used or bool(lists)
        return lists

    def record_misses(self, field: CachedValues, keys: Collection[int]) -> set[int]:
        """Return those of the keys whose lists an earlier query has read, and are worth keeping."""
        self._missed.append((field, keys))
        return self._lists.missed(field).intersection(keys)

    def keep(self, field: CachedValues, lists: Mapping[int, Any]) -> None:
        """Keep lists that this query has read."""
        if self.is_confirmed:
            self._lists.add(field, lists, self._since)

    def end(self) -> None:
        """Remember which lists this query has read."""
        for field, keys in self._missed:
            self._lists.record_misses(field, keys)
