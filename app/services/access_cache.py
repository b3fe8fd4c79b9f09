"""Roles of users on resources, cached until a commit concerns the user or the resource.

Data services repeat the same checks, and most of the time nothing has changed for these users and resources. One read
of what other commits have changed then answers all of them. The same round trip loads what the cache does not have.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from app import policy
from app.db import BoundStatement, CachedPairs, Database, Freshness, ScopedCache, SnapshotReader
from app.db.statements import Row
from app.db.tables import Resource, RowId, User, col
from app.query.relations import Keys, among
from app.services.access_parts import DecisionParts

MASK_CACHES: Mapping[tuple[int, bool], ScopedCache] = {
    (base, registry): ScopedCache(base, 200_000 if base == policy.PAIR and registry else 50_000)
    for base in (policy.PAIR, policy.WIDE_PAIR)
    for registry in (True, False)
}
"""Masks by pair, for each width of pairs, with and without the roles that users hold through RESOURCES_MANAGE."""


async def get_masks(
    database: Database | SnapshotReader,
    pairs: Sequence[int],
    base: int = policy.PAIR,
    *,
    registry: bool = True,
) -> list[int]:
    """Return the effective roles of a user on a resource for each of these pairs (see `policy.PAIR`), in their order.

    A pair whose user or resource does not exist has no roles and the mark `policy.NO_USER` or `policy.NO_RESOURCE`.

    `base` is `policy.PAIR`, or `policy.WIDE_PAIR` when an id reaches 2^31. Without `registry` the masks leave out the
    roles that users hold through RESOURCES_MANAGE.
    """
    if not pairs:
        return []
    if not isinstance(database, Database):
        (rows,) = await database.read(
            [_select_masks(database, pairs, base, registry=registry)], freshness=Freshness.PRIMARY
        )
        masks_by_pair = await _masks_by_pair(database, pairs, rows, base)
        return [masks_by_pair[pair] & ~policy.EXPIRES for pair in pairs]
    cache = MASK_CACHES[base, registry]
    cached = cache.for_database(database)
    before, masks = cached.round, [*map(cached.values.get, pairs)]
    loaded = await _load(database, cache, _missing(pairs, masks), registry=registry)
    if loaded is None or (cached.round != before and _is_mixed(cached, pairs, loaded, before)):
        every = await _read(database, cache, [*{*pairs}], registry=registry)
        return [every[pair] for pair in pairs]
    return [loaded[pair] if mask is None else mask for pair, mask in zip(pairs, masks, strict=True)]


def _is_mixed(cached: CachedPairs, pairs: Sequence[int], loaded: Mapping[int, int], since: int) -> bool:
    """Return whether masks of some pairs are cached ones of before a change of any pair, and others were read after it.

    The answer to all pairs is of one moment.
    """
    return len(loaded) < len({*pairs}) and cached.has_changed(pairs, since)


def _missing(pairs: Sequence[int], masks: Sequence[int | None]) -> list[int]:
    return [*{pair for pair, mask in zip(pairs, masks, strict=True) if mask is None}] if None in masks else []


async def _load(database: Database, cache: ScopedCache, missing: list[int], *, registry: bool) -> dict[int, int] | None:
    """Drop what has changed, and return the masks of the pairs that are not cached; None if it takes another read."""
    has_parts = cache.base == policy.PAIR
    parts = DecisionParts(cache.for_database(database), missing if has_parts else ())
    others = parts.others if has_parts else missing
    statements = parts.select(database, registry=registry)
    if others:
        statements.append(_select_masks(database, others, cache.base, registry=registry))
    results, since = await cache.refresh(database, statements)
    loaded = parts.decide(results, since)
    cache.for_database(database).add(loaded, since, cache.maximum)
    loaded |= await _add(database, cache, others, results[-1:], since)
    return loaded if len(loaded) == len(missing) else None


async def _read(database: Database, cache: ScopedCache, pairs: list[int], *, registry: bool) -> dict[int, int]:
    """Return the masks of pairs by a statement of their own."""
    since, statement = cache.for_database(database).round, _select_masks(database, pairs, cache.base, registry=registry)
    results = await database.read([statement], freshness=Freshness.PRIMARY)
    return await _add(database, cache, pairs, results, since)


async def _add(
    database: Database, cache: ScopedCache, pairs: list[int], results: Sequence[Sequence[Row]], since: int
) -> dict[int, int]:
    """Add the masks of pairs to the cache, if there are any; return them."""
    if not pairs:
        return {}
    loaded = await _masks_by_pair(database, pairs, results[0], cache.base)
    # Roles with an end expire without a commit, and what does not exist may be created. So they are not cached.
    lasting = {pair: mask for pair, mask in loaded.items() if mask < policy.EXPIRES}
    cache.for_database(database).add(lasting, since, cache.maximum)
    return loaded if len(lasting) == len(loaded) else {pair: mask & ~policy.EXPIRES for pair, mask in loaded.items()}


def _select_masks(
    database: Database | SnapshotReader, pairs: Sequence[int], base: int, *, registry: bool
) -> BoundStatement:
    user = pairs[0] // base
    if len(pairs) >= policy.MANY_PAIRS and user == min(pairs) // base == max(pairs) // base:
        of_user = policy.masks_of_user(database.dialect.name, registry=registry)
        resources = [pair - user * base for pair in pairs]
        return database.prepare(of_user), {"user": user, "resources": resources, "now": database.clock()}
    is_wide = base != policy.PAIR
    are_few = len(pairs) <= policy.FEW_PAIRS
    statement = policy.masks_of_pairs(database.dialect.name, is_wide=is_wide, registry=registry, are_few=are_few)
    values: dict[str, Any] = {"pairs": pairs, "now": database.clock()}
    if is_wide:
        ids = [divmod(pair, base) for pair in pairs]
        values |= {"pairs": ids, "users": [user for user, _ in ids], "resources": [resource for _, resource in ids]}
    return database.prepare(statement), values


async def _masks_by_pair(
    database: Database | SnapshotReader, pairs: Sequence[int], rows: Sequence[Row], base: int
) -> dict[int, int]:
    """Return the masks of pairs from the rows of `_select_masks`, with a mark for those that do not exist."""
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
