"""A cache of access decisions, and of what they follow from, until a commit concerns the user or the resource."""

from collections import defaultdict, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.caching import WeightedLRU
from app.db.access_changes import resource_scope, user_scope
from app.db.interface import Database

ROUNDS_REMEMBERED = 64
"""Rounds of changes that a slow read may miss; after more of them its values are not added."""

Facts = dict[int, int]
"""Values of one user or one resource, by subject."""

MOST_FACTS, MOST_FACT_ENTRIES = 50_000, 400_000
"""Users and resources whose facts are cached for a database, and the values in them: about 30 MB."""


def _facts() -> WeightedLRU[int, Facts]:
    return WeightedLRU(MOST_FACTS, MOST_FACT_ENTRIES, weigh=lambda _, facts: len(facts))


@dataclass(slots=True)
class CachedAccess:
    """The cached values of one database.

    `pairs` has values by pair, where a pair is user id * `base` + resource id. There are two, chosen by a flag of
    the question. `facts` has the facts of users and resources by scope.
    """

    base: int
    pairs: tuple[dict[int, int], dict[int, int]] = field(default_factory=lambda: ({}, {}))
    facts: WeightedLRU[int, Facts] = field(default_factory=_facts)
    state: Any = None
    round: int = 0
    """Number of times that values were dropped."""
    _dropped: deque[tuple[int, Collection[int] | None]] = field(default_factory=lambda: deque(maxlen=ROUNDS_REMEMBERED))
    _by_scope: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _added: int = 0

    def drop(self, scopes: Collection[int] | None) -> None:
        """Drop the values that these scopes concern; None drops all."""
        if scopes is not None and not scopes:
            return
        self.round += 1
        self._dropped.append((self.round, scopes))
        if scopes is None:
            self._clear_pairs()
            self.facts = _facts()
            return
        for scope in scopes:
            self.facts.discard(scope)
            for pair in self._by_scope.pop(scope, ()):
                for values in self.pairs:
                    values.pop(pair, None)

    def _clear_pairs(self) -> None:
        for values in self.pairs:
            values.clear()
        self._by_scope.clear()
        self._added = 0

    def scopes_after(self, since: int) -> Collection[int] | None:
        """Return the scopes that were dropped after the round `since`; None if these may be all."""
        if since == self.round:
            return ()
        later = [scopes for number, scopes in self._dropped if number > since]
        if None in later or len(later) != self.round - since:
            return None
        return {scope for scopes in later for scope in scopes or ()}

    def add(self, values: Mapping[int, int], flag: bool, since: int, most: int) -> None:
        """Add values that were read after the round `since`, but for those that a later round concerns.

        If there are more than `most`, the values of all pairs are dropped first.
        """
        stale = self.scopes_after(since)
        if stale is None:
            return
        self._added += len(values)
        if self._added > most:  # also bounds the lists, in which dropped pairs can remain
            self._clear_pairs()
            self._added = len(values)
            if len(values) > most:
                return
        into = self.pairs[flag]
        for pair, value in values.items():
            user, resource = divmod(pair, self.base)
            of_user, of_resource = user_scope(user), resource_scope(resource)
            if of_user in stale or of_resource in stale:
                continue
            into[pair] = value
            self._by_scope[of_user].append(pair)
            self._by_scope[of_resource].append(pair)

    def add_facts(self, facts: Mapping[int, Facts], since: int) -> None:
        """Add facts that were read after the round `since`, but for those that a later round concerns."""
        stale = self.scopes_after(since)
        if stale is not None:
            for scope, each in facts.items():
                if scope not in stale:
                    self.facts.put(scope, each)


class ScopedCache:
    """A cache for each database, with at most `most` values of pairs."""

    def __init__(self, base: int, most: int) -> None:
        self.base = base
        self.most = most

    async def get(self, database: Database) -> CachedAccess:
        """Return the values that are valid now."""
        cached: CachedAccess | None = database.caches.get(self)
        if cached is None:
            database.caches[self] = cached = CachedAccess(self.base)
        state, scopes = await database.access_changes(cached.state)
        cached.drop(scopes)
        cached.state = state
        return cached
