"""Roles of users on resources, cached until a commit concerns the user or the resource.

Data services repeat the same checks, and most of the time nothing has changed for these users and resources. One read
of what other commits have changed then answers all of them.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from app import policy
from app.db import CachedAccess, Database, Facts, Freshness, ScopedCache, SnapshotReader
from app.db.access_changes import resource_scope, user_scope
from app.db.tables import Resource, RowId, User, col
from app.query.relations import Keys, among

CACHE = ScopedCache(policy.PAIR, 200_000)
"""Masks by pair, apart for questions with and without the roles that users hold through RESOURCES_MANAGE."""

FEW = 8
"""Pairs up to which all facts are loaded again if one is not cached."""


async def get_masks(
    database: Database | SnapshotReader, pairs: Sequence[int], base: int = policy.PAIR, *, registry: bool = True
) -> list[int]:
    """Return the effective roles of a user on a resource for each of these pairs (see `policy.PAIR`), in their order.

    A pair whose user or resource does not exist has no roles and the mark `policy.NO_USER` or `policy.NO_RESOURCE`.

    `base` is `policy.PAIR`, or `policy.WIDE_PAIR` when an id reaches 2^31. Without `registry` the masks leave out the
    roles that users hold through RESOURCES_MANAGE. Nothing is cached for a snapshot, and for wide pairs.
    """
    if not pairs:
        return []
    if not isinstance(database, Database) or base != CACHE.base:
        loaded = await _load_masks(database, [*{*pairs}], base, registry=registry)
        return [loaded[pair] & ~policy.ENDS for pair in pairs]
    cached = await CACHE.get(database)
    masks: list[Any] = [*map(cached.pairs[registry].get, pairs)]
    if None in masks:
        missing = [*{pair for pair, mask in zip(pairs, masks, strict=True) if mask is None}]
        since, loaded = cached.round, await _masks_by_facts(database, cached, missing, registry=registry)
        others = [pair for pair in missing if pair not in loaded]
        if others:
            loaded |= await _load_masks(database, others, base, registry=registry)
        # Roles with an end expire without a commit, and what does not exist may be created. So they are not cached.
        lasting = {pair: mask for pair, mask in loaded.items() if mask < policy.ENDS}
        cached.add(lasting, registry, since, CACHE.most)
        if len(lasting) < len(loaded):
            loaded = {pair: mask & ~policy.ENDS for pair, mask in loaded.items()}
        masks = [loaded[pair] if mask is None else mask for pair, mask in zip(pairs, masks, strict=True)]
    return masks


async def _masks_by_facts(
    database: Database, cached: CachedAccess, pairs: list[int], *, registry: bool
) -> dict[int, int]:
    """Return the masks of the pairs that follow from facts, of which those that are not cached are loaded.

    The bit `policy.ENDS` marks roles that may expire. Pairs are left out if a user or resource has many facts, or has
    changed while the facts were on their way: facts of two moments can give roles that nobody had at any moment.
    """
    since, ids = cached.round, [divmod(pair, cached.base) for pair in pairs]
    facts, users, resources = _split(cached, ids)
    loaded = await _load_facts(database, users, resources)
    changed: Collection[int] = ()
    if facts and loaded:
        scopes = (await CACHE.get(database)).scopes_after(since)
        if scopes is None:
            return {}
        changed = scopes
    facts |= loaded
    ending = {scope for scope, each in loaded.items() if any(roles & policy.ENDS for roles in each.values())}
    masks = {}
    for pair, (user, resource) in zip(pairs, ids, strict=True):
        of_user, of_resource = user_scope(user), resource_scope(resource)
        subjects, entries = facts.get(of_user), facts.get(of_resource)
        if subjects is None or entries is None:
            masks[pair] = policy.NO_USER * (subjects is None) + policy.NO_RESOURCE * (entries is None)
        elif policy.MANY_FACTS is not subjects and policy.MANY_FACTS is not entries:
            if changed and (of_user in changed or of_resource in changed):
                continue
            ends = policy.ENDS if ending and (of_user in ending or of_resource in ending) else 0
            masks[pair] = policy.roles_of(subjects, entries, registry=registry) | ends
    cached.add_facts({scope: each for scope, each in loaded.items() if scope not in ending}, since)
    return masks


def _split(cached: CachedAccess, ids: list[tuple[int, int]]) -> tuple[dict[int, Facts], list[int], list[int]]:
    """Return the cached facts of these users and resources by scope, and the users and resources to load.

    For few pairs all are loaded unless all are cached, since then they are of one moment.
    """
    facts, users, resources = dict[int, Facts](), list[int](), list[int]()
    for user in {user for user, _ in ids}:
        if (cached_facts := cached.facts.get(scope := user_scope(user))) is None:
            users.append(user)
        else:
            facts[scope] = cached_facts
    for resource in {resource for _, resource in ids}:
        if (cached_facts := cached.facts.get(scope := resource_scope(resource))) is None:
            resources.append(resource)
        else:
            facts[scope] = cached_facts
    if len(ids) <= FEW and (users or resources):
        return {}, [*{user for user, _ in ids}], [*{resource for _, resource in ids}]
    return facts, users, resources


async def _load_facts(database: Database, users: list[int], resources: list[int]) -> dict[int, Facts]:
    """Return the facts of those users and resources that exist, by scope."""
    if not users and not resources:
        return {}
    statement, now = policy.select_access_facts(database.dialect.name), database.clock()
    rows = await database.ask(statement, freshness=Freshness.PRIMARY, users=users, resources=resources, now=now)
    return policy.collect_facts(rows, users)


async def _load_masks(
    database: Database | SnapshotReader, pairs: list[int], base: int, *, registry: bool
) -> dict[int, int]:
    is_wide = base != policy.PAIR
    statement = policy.masks_of_pairs(database.dialect.name, is_wide=is_wide, registry=registry)
    values: dict[str, Any] = {"pairs": pairs}
    if is_wide:
        ids = [divmod(pair, base) for pair in pairs]
        values = {"pairs": ids, "users": [user for user, _ in ids], "resources": [resource for _, resource in ids]}
    rows = await database.ask(statement, freshness=Freshness.PRIMARY, **values, now=database.clock())
    masks = [0] * len(pairs)
    width = policy.WIDTH
    for (row,) in rows:
        masks[row // width] |= row % width
    loaded = dict(zip(pairs, masks, strict=True))
    if 0 in masks:
        present = {*rows}  # has the row (position * width,) of each active user and existing resource
        absent = [pair for at, pair in enumerate(pairs) if not masks[at] and (at * width,) not in present]
        loaded |= await mark_missing(database, dict.fromkeys(absent, 0), base)
    return loaded


async def mark_missing(database: Database | SnapshotReader, masks: dict[int, int], base: int) -> dict[int, int]:
    """Mark the pairs without a role whose user or resource does not exist; without such pairs nothing is read."""
    unprivileged = [pair for pair, mask in masks.items() if not mask]
    if not unprivileged:
        return masks
    ids = ({pair // base for pair in unprivileged}, {pair % base for pair in unprivileged})
    reads = [
        (database.prepare(statement), {"keys": [*keys]})
        for statement, keys in zip((_USERS, _RESOURCES), ids, strict=True)
    ]
    users, resources = ({row[0] for row in rows} for rows in await database.read(reads, freshness=Freshness.PRIMARY))
    for pair in unprivileged:
        masks[pair] = policy.NO_USER * (pair // base not in users) + policy.NO_RESOURCE * (pair % base not in resources)
    return masks


_IDS = bindparam("keys", type_=Keys(RowId()))
_USERS = select(col(User.id)).where(among(col(User.id), _IDS))
_RESOURCES = select(col(Resource.id)).where(among(col(Resource.id), _IDS))
