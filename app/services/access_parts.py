"""The two parts of a decision, each cached until a commit concerns it: a user's subjects and a resource's entries.

A user is asked about on many resources, and a resource for many users. So a pair that is new is mostly decided from
parts that are cached. A part is unsuitable if something in it ends by itself, or if it is large.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from app import policy
from app.db import BoundStatement, CachedPairs, Database
from app.db.statements import Row
from app.domain import resource_roles

MAX_PARTS = 100_000
"""Users, and resources, whose parts one worker keeps."""

MAX_ENTRIES = 600_000
"""Subjects of these users together, and entries of these resources, in about a hundred bytes each."""

MAX_MISSES = 100_000
"""Users, and resources, that are remembered because they were asked about once. The second time their part is kept."""

USERS_AT_ONCE = 20
"""Users whose parts one request reads."""

MAX_SUBJECTS_OF_USER = policy.MAX_SUBJECTS // USERS_AT_ONCE
"""Subjects from which on a user is unsuitable, if one request would read too many."""

NOT_CACHEABLE = None
"""A part that decides nothing, so that its pairs need a statement of their own."""


class DecisionParts:
    """The parts of some pairs: those that are cached when a request begins, and those that it reads.

    The part of a user is the cap of their roles by subject, that of a resource the subject and the roles of each entry.
    `others` are the pairs that need a statement of their own.
    """

    def __init__(self, cached: CachedPairs, pairs: Sequence[int]) -> None:
        self._cached, self._began, base = cached, cached.round, cached.base
        self.others: list[int] = []
        users, resources = {pair // base for pair in pairs}, {pair % base for pair in pairs}
        known_users, known_resources = cached.users.by_id, cached.resources.by_id
        new_users, new_resources = users.difference(known_users), resources.difference(known_resources)
        again = cached.record_misses(new_users, new_resources, MAX_MISSES)
        self._new_users = [*islice(again[0], USERS_AT_ONCE)]
        self._new_resources = [*again[1]]
        bad_users = {*new_users.difference(self._new_users), *_unsuitable(known_users, users)}
        bad_resources = {*new_resources.difference(again[1]), *_unsuitable(known_resources, resources)}
        self._pairs = pairs
        if bad_users or bad_resources:
            self.others = [pair for pair in pairs if pair // base in bad_users or pair % base in bad_resources]
            self._pairs = [*{*pairs}.difference(self.others)]

    def select(self, database: Database, *, registry: bool) -> list[BoundStatement]:
        """Return the statements for the parts that are not cached: at most two."""
        statements: list[BoundStatement] = []
        if self._new_users:
            of_users = database.prepare(policy.subjects_of_users(registry=registry))
            statements.append((of_users, {"keys": self._new_users, "now": database.clock()}))
        if self._new_resources:
            of_resources = database.prepare(policy.entries_of_resources(database.dialect.name))
            statements.append((of_resources, {"resources": self._new_resources}))
        return statements

    def decide(self, results: Sequence[Sequence[Row]], since: int) -> dict[int, int]:
        """Return the roles of the pairs whose parts are known, and cache the parts that were read after `since`."""
        rest, cached, base = iter(results), self._cached, self._cached.base
        new_users = _read_users(self._new_users, next(rest)) if self._new_users else {}
        new_resources = _read_resources(self._new_resources, next(rest)) if self._new_resources else {}
        cached.add_parts(new_users, new_resources, since, MAX_PARTS, MAX_ENTRIES)
        users, resources = cached.find_parts(self._pairs, self._began)
        masks = {}
        for pair in self._pairs:
            user, resource = divmod(pair, base)
            caps = users.get(user) or new_users.get(user)
            entries = resources.get(resource) or new_resources.get(resource)
            if caps is None or entries is None:
                continue
            mask = 0
            for subject, roles in entries:
                if subject in caps:
                    mask |= roles & caps[subject]
            masks[pair] = mask
        return masks


def _unsuitable(parts: Mapping[int, Any], keys: set[int]) -> list[int]:
    """Return those of the keys whose cached part is unsuitable."""
    return [key for key in keys if parts.get(key, key) is NOT_CACHEABLE]


def _read_users(requested: Sequence[int], rows: Sequence[Row]) -> Mapping[int, Any]:
    """Return the part of each user by id. One who is not active is unsuitable, and so are those with many subjects.

    If there may be more rows than these, only those with many subjects have a part.
    """
    users: dict[int, Any] = {}
    ending = set()
    for user, subject, cap, end in rows:
        caps = users.setdefault(user, {})
        caps[subject] = caps.get(subject, 0) | cap
        if end is not None:
            ending.add(user)
    if len(rows) == policy.MAX_SUBJECTS:
        return {user: NOT_CACHEABLE for user, caps in users.items() if len(caps) >= MAX_SUBJECTS_OF_USER}
    active = {user: caps for user, caps in users.items() if resource_roles.ANYONE in caps}
    return dict.fromkeys(requested, NOT_CACHEABLE) | active | dict.fromkeys(ending, NOT_CACHEABLE)


def _read_resources(requested: Sequence[int], rows: Sequence[Row]) -> Mapping[int, Any]:
    """Return the part of each resource by id. One that does not exist, or has many entries, is unsuitable."""
    resources: dict[int, Any] = {}
    ending = set()
    for resource, subject, roles, end in rows:
        resources.setdefault(resource, []).append((subject, roles))
        if end is not None:
            ending.add(resource)
    return dict.fromkeys(requested, NOT_CACHEABLE) | resources | dict.fromkeys(ending, NOT_CACHEABLE)
