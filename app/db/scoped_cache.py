"""A cache of values for pairs of a user and a resource that stay until a commit concerns the user or the resource.

It also has their parts: what belongs to one user or to one resource.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from app.db.access_changes import is_resource, key_of, resource_scope, user_scope
from app.db.dropped_scopes import DroppedScopes
from app.db.interface import BoundStatement, Database
from app.db.statements import Row


@dataclass(slots=True)
class CachedParts:
    """The parts of users, or of resources, by id: each a collection, or None. `size` is the length of all together."""

    by_id: dict[int, Any] = field(default_factory=dict)
    size: int = 0

    def put(self, parts: Mapping[int, Any], maximum: int, max_size: int) -> None:
        """Keep parts. If there are more than `maximum`, or they are too long together, drop the oldest eighth first."""
        self.discard(parts)
        self.by_id.update(parts)
        self.size += sum(len(part) for part in parts.values() if part)
        while len(self.by_id) > maximum or self.size > max_size:
            self.discard([*islice(self.by_id, 1 + len(self.by_id) // 8)])

    def discard(self, keys: Iterable[int]) -> None:
        """Drop the parts of some ids, if they are there."""
        for key in keys:
            if part := self.by_id.pop(key, None):
                self.size -= len(part)

    def clear(self) -> None:
        """Drop all parts."""
        self.by_id.clear()
        self.size = 0


@dataclass(slots=True)
class CachedPairs:
    """The values of one database: `values` by pair, where a pair is user id * `base` + resource id.

    `users` and `resources` have the parts of single users and resources.
    """

    base: int
    values: dict[int, int] = field(default_factory=dict)
    users: CachedParts = field(default_factory=CachedParts)
    resources: CachedParts = field(default_factory=CachedParts)
    state: Any = None
    _missed_users: set[int] = field(default_factory=set)
    _missed_resources: set[int] = field(default_factory=set)
    _dropped: DroppedScopes = field(default_factory=DroppedScopes)
    _pairs_of_user: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _pairs_of_resource: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _added: int = 0

    @property
    def round(self) -> int:
        """Return the number of times that values were dropped."""
        return self._dropped.round

    def drop(self, scopes: Collection[int] | None) -> None:
        """Drop the values that these scopes concern; None drops all. Those of tables and of edits concern none."""
        if scopes is not None and not (scopes := [scope for scope in scopes if scope >= 0]):
            return
        self._dropped.add(scopes)
        if scopes is None:
            self.clear()
            self.users.clear()
            self.resources.clear()
            return
        for scope in scopes:
            of_resource, key = is_resource(scope), key_of(scope)
            (self.resources if of_resource else self.users).discard((key,))
            for pair in (self._pairs_of_resource if of_resource else self._pairs_of_user).pop(key, ()):
                self.values.pop(pair, None)

    def clear(self) -> None:
        """Drop the values of all pairs."""
        self.values.clear()
        self._pairs_of_user.clear()
        self._pairs_of_resource.clear()
        self._added = 0

    def add(self, values: Mapping[int, int], since: int, maximum: int) -> None:
        """Add values that were read after the round `since`, but for those that a later round concerns."""
        stale = self._dropped.since(since)
        if stale is None:
            return
        self._added += len(values)
        if self._added > maximum:  # also bounds the lists, in which dropped pairs can remain
            self.clear()
            self._added = len(values)
            if len(values) > maximum:
                return
        if stale:
            values = {pair: value for pair, value in values.items() if not self._is_of(pair, stale)}
        self.values |= values
        base, of_user, of_resource = self.base, self._pairs_of_user, self._pairs_of_resource
        for pair in values:
            user, resource = divmod(pair, base)
            of_user[user].append(pair)
            of_resource[resource].append(pair)

    def has_changed(self, pairs: Collection[int], since: int) -> bool:
        """Return whether a round after `since` concerns one of the pairs."""
        stale = self._dropped.since(since)
        return stale is None or (bool(stale) and any(self._is_of(pair, stale) for pair in pairs))

    def _is_of(self, pair: int, scopes: Collection[int]) -> bool:
        user, resource = divmod(pair, self.base)
        return user_scope(user) in scopes or resource_scope(resource) in scopes

    def record_misses(
        self, users: Collection[int], resources: Collection[int], maximum: int
    ) -> tuple[set[int], set[int]]:
        """Remember users and resources whose parts are not cached; return those that were remembered before."""
        again = self._missed_users.intersection(users), self._missed_resources.intersection(resources)
        for missed, new in ((self._missed_users, users), (self._missed_resources, resources)):
            if len(missed) > maximum:
                missed.clear()
            missed.update(new)
        return again

    def find_parts(self, pairs: Collection[int], since: int) -> tuple[Mapping[int, Any], Mapping[int, Any]]:
        """Return the cached parts of the users and resources of pairs that no round after `since` concerns, by id.

        So they are of the same moment as what a query has read since then.
        """
        stale = self._dropped.since(since)
        if stale is None:
            return {}, {}
        if not stale:
            return self.users.by_id, self.resources.by_id
        users, resources = {pair // self.base for pair in pairs}, {pair % self.base for pair in pairs}
        return _without(stale, self.users.by_id, users, user_scope), _without(
            stale, self.resources.by_id, resources, resource_scope
        )

    def add_parts(
        self, users: Mapping[int, Any], resources: Mapping[int, Any], since: int, maximum: int, max_size: int
    ) -> None:
        """Add parts that were read after the round `since`, but for those that a later round concerns.

        There are at most `maximum` of users and as many of resources, with a length of `max_size` together.
        """
        stale = self._dropped.since(since)
        if stale is None:
            return
        for parts, new, scope in ((self.users, users, user_scope), (self.resources, resources, resource_scope)):
            parts.put({key: part for key, part in new.items() if scope(key) not in stale}, maximum, max_size)


def _without(
    stale: Collection[int], parts: Mapping[int, Any], keys: Collection[int], scope: Callable[[int], int]
) -> dict[int, Any]:
    return {key: parts[key] for key in keys if key in parts and scope(key) not in stale}


class ScopedCache:
    """A cache of at most `maximum` values for each database, of pairs with the factor `base`."""

    def __init__(self, base: int, maximum: int) -> None:
        self.base = base
        self.maximum = maximum

    def for_database(self, database: Database) -> CachedPairs:
        """Return the values of a database. They are valid after the next `refresh` that drops none of them."""
        cached: CachedPairs | None = database.caches.get(self)
        if cached is None:
            database.caches[self] = cached = CachedPairs(self.base)
        return cached

    async def refresh(
        self, database: Database, statements: Sequence[BoundStatement] = ()
    ) -> tuple[list[list[Row]], int]:
        """Drop the values that are no longer valid, and read statements in the same round trip.

        Return the rows, and the round after which they were read.
        """
        cached = self.for_database(database)
        since, before = cached.state, cached.round
        (state, scopes), rows = await database.read_with_changes(since, statements)
        # Another task may have advanced the state meanwhile, and others go on from it: it stays.
        is_alone = cached.state is since
        cached.drop(scopes)
        if is_alone:
            cached.state = state
        return rows, cached.round if is_alone else before
