"""Rights that were looked up lately, for as long as nobody commits anything.

A data service asks the same things again and again, and most of the time nothing has changed: then one look at the
database's version answers for all of them. Whatever is committed, by whom and where, has everything looked up anew.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select

from app import policy
from app.db import CommitScopedCache, Database, Freshness
from app.db.tables import Resource, RowId, User, col
from app.query.relations import Keys, among

MASKS_BY_PAIR: Mapping[tuple[int, bool], CommitScopedCache[int, int]] = {
    (base, registry): CommitScopedCache(200_000 if base == policy.PAIR and registry else 50_000)
    for base in (policy.PAIR, policy.WIDE_PAIR)
    for registry in (True, False)
}
"""Masks by pair, for each width of pairs, with what users hold by RESOURCES_MANAGE and without."""

NO_USER, NO_RESOURCE = 2 * policy.ENDS, 4 * policy.ENDS
"""Marks in the mask of a pair whose user or resource does not exist. They are remembered with it, and cost no look."""


async def get_masks(
    database: Database, pairs: Sequence[int], base: int = policy.PAIR, *, registry: bool = True
) -> Mapping[int, int]:
    """The effective roles of users on resources by pair (see `policy.PAIR`), maybe with others.

    What does not exist holds no roles and has its mark: `NO_USER`, `NO_RESOURCE`.

    `base` is `policy.PAIR`, or `policy.WIDE_PAIR` where an id reaches 2^31. Without `registry` it tells nothing of what
    users hold by RESOURCES_MANAGE.
    """
    if not pairs:
        return {}
    known = await MASKS_BY_PAIR[base, registry].get(database)
    missing = [pair for pair in pairs if pair not in known]
    if not missing:
        return known
    look_up = _looked_up if base == policy.PAIR else _look_up_wide
    found = await mark_missing(database, await look_up(database, missing, registry=registry), base)
    answers = {pair: found[pair] & ~policy.ENDS if pair in found else known[pair] for pair in pairs}
    known.update((pair, mask) for pair, mask in found.items() if not mask & policy.ENDS)  # those end without a commit
    return answers


async def _looked_up(database: Database, pairs: list[int], *, registry: bool) -> dict[int, int]:
    statement = policy.masks_of_pairs(database.dialect.name, registry=registry)
    rows = await database.ask(statement, freshness=Freshness.PRIMARY, pairs=pairs, now=database.clock())
    return dict.fromkeys(pairs, 0) | {int(pair): mask for pair, mask in rows}


async def _look_up_wide(database: Database, pairs: list[int], *, registry: bool) -> dict[int, int]:
    statement = policy.masks_of_pairs(database.dialect.name, is_wide=True, registry=registry)
    ids = [divmod(pair, policy.WIDE_PAIR) for pair in pairs]
    columns = {"users": [user for user, _ in ids], "resources": [resource for _, resource in ids]}
    rows = await database.ask(statement, freshness=Freshness.PRIMARY, pairs=ids, **columns, now=database.clock())
    return dict.fromkeys(pairs, 0) | {user * policy.WIDE_PAIR + resource: mask for user, resource, mask in rows}


async def mark_missing(database: Database, found: dict[int, int], base: int) -> dict[int, int]:
    """Mark the pairs whose user or resource does not exist: one more read where a pair has no role."""
    without = [pair for pair, mask in found.items() if not mask]
    if not without:
        return found
    ids = ({pair // base for pair in without}, {pair % base for pair in without})
    asked = [
        (database.prepare(statement), {"keys": [*keys]})
        for statement, keys in zip((_USERS, _RESOURCES), ids, strict=True)
    ]
    users, resources = ({row[0] for row in rows} for rows in await database.read(asked, freshness=Freshness.PRIMARY))
    for pair in without:
        found[pair] = NO_USER * (pair // base not in users) + NO_RESOURCE * (pair % base not in resources)
    return found


_IDS = bindparam("keys", type_=Keys(RowId()))
_USERS = select(col(User.id)).where(among(col(User.id), _IDS))
_RESOURCES = select(col(Resource.id)).where(among(col(Resource.id), _IDS))
