"""Roles of users on resources, cached until a commit concerns the user or the resource.

Data services repeat the same checks, and most of the time nothing has changed for these users and resources. One read
of what other commits have changed then answers all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from app import policy
from app.db import Database, Freshness, ScopedCache, SnapshotReader
from app.db.tables import Resource, RowId, User, col
from app.query.relations import Keys, among

MASKS_BY_PAIR: Mapping[tuple[int, bool], ScopedCache] = {
    (base, registry): ScopedCache(base, 200_000 if base == policy.PAIR and registry else 50_000)
    for base in (policy.PAIR, policy.WIDE_PAIR)
    for registry in (True, False)
}
"""Masks by pair, for each width of pairs, with and without the roles that users hold through RESOURCES_MANAGE."""


async def get_masks(
    database: Database | SnapshotReader, pairs: Sequence[int], base: int = policy.PAIR, *, registry: bool = True
) -> list[int]:
    """Return the effective roles of a user on a resource for each of these pairs (see `policy.PAIR`), in their order.

    A pair whose user or resource does not exist has no roles and the mark `policy.NO_USER` or `policy.NO_RESOURCE`.

    `base` is `policy.PAIR`, or `policy.WIDE_PAIR` when an id reaches 2^31. Without `registry` the masks leave out the
    roles that users hold through RESOURCES_MANAGE.
    """
    if not pairs:
        return []
    if not isinstance(database, Database):
        loaded = await _load_masks(database, [*{*pairs}], base, registry=registry)
        return [loaded[pair] & ~policy.ENDS for pair in pairs]
    cache = MASKS_BY_PAIR[base, registry]
    cached = await cache.get(database)
    masks: list[Any] = [*map(cached.values.get, pairs)]
    if None in masks:
        since, missing = cached.round, [*{pair for pair, mask in zip(pairs, masks, strict=True) if mask is None}]
        loaded = await _load_masks(database, missing, base, registry=registry)
        # Roles with an end expire without a commit, and what does not exist may be created. So they are not cached.
        lasting = {pair: mask for pair, mask in loaded.items() if mask < policy.ENDS}
        cached.add(lasting, since, cache.most)
        if len(lasting) < len(loaded):
            loaded = {pair: mask & ~policy.ENDS for pair, mask in loaded.items()}
        masks = [loaded[pair] if mask is None else mask for pair, mask in zip(pairs, masks, strict=True)]
    return masks


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
