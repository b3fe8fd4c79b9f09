"""A cache of values for pairs of a user and a resource that stay until a commit concerns the user or the resource."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.db.access_changes import resource_scope, user_scope
from app.db.dropped_scopes import DroppedScopes
from app.db.interface import BoundStatement, Database
from app.db.statements import Row


@dataclass(slots=True)
class CachedPairs:
    """The values of one database: `values` by pair, where a pair is user id * `base` + resource id."""

    base: int
    values: dict[int, int] = field(default_factory=dict)
    state: Any = None
    _dropped: DroppedScopes = field(default_factory=DroppedScopes)
    _by_scope: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _added: int = 0

    @property
    def round(self) -> int:
        """Return the number of times that values were dropped."""
        return self._dropped.round

    def drop(self, scopes: Collection[int] | None) -> None:
        """Drop the values that these scopes concern; None drops all."""
        if scopes is not None and not scopes:
            return
        self._dropped.add(scopes)
        if scopes is None:
            self.clear()
            return
        for scope in scopes:
            for pair in self._by_scope.pop(scope, ()):
                self.values.pop(pair, None)

    def clear(self) -> None:
        """Drop all values."""
        self.values.clear()
        self._by_scope.clear()
        self._added = 0

    def add(self, values: Mapping[int, int], since: int, most: int) -> None:
        """Add values that were read after the round `since`, but for those that a later round concerns."""
        stale = self._dropped.since(since)
        if stale is None:
            return
        self._added += len(values)
        if self._added > most:  # also bounds the lists, in which dropped pairs can remain
            self.clear()
            self._added = len(values)
            if len(values) > most:
                return
        for pair, value in values.items():
            user, resource = divmod(pair, self.base)
            of_user, of_resource = user_scope(user), resource_scope(resource)
            if of_user in stale or of_resource in stale:
                continue
            self.values[pair] = value
            self._by_scope[of_user].append(pair)
            self._by_scope[of_resource].append(pair)


class ScopedCache:
    """A cache of at most `most` values for each database, of pairs with the factor `base`."""

    def __init__(self, base: int, most: int) -> None:
        self.base = base
        self.most = most

    def of(self, database: Database) -> CachedPairs:
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
        cached = self.of(database)
        since, before = cached.state, cached.round
        (state, scopes), rows = await database.read_with_changes(since, statements)
        # Another task may have read newer changes meanwhile, which still others go on from: those stay the state.
        is_alone = cached.state is since
        cached.drop(scopes)
        if is_alone:
            cached.state = state
        return rows, cached.round if is_alone else before
