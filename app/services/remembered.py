"""Rights that were looked up lately, for as long as nobody commits anything.

A data service asks the same things again and again, and most of the time nothing has changed: then one look at the
database's version answers for all of them. Whatever is committed, by whom and where, has everything looked up anew.
"""

from collections.abc import Mapping, Sequence

from app import policy
from app.db import Database, Kept

KEPT: Kept[int, int] = Kept(200_000)
"""Masks by pair."""

WIDE: Kept[int, int] = Kept(200_000)
"""The same by wide pair: two pairs of different width can be the same number."""


async def masks_of_pairs(database: Database, pairs: Sequence[int], base: int = policy.PAIR) -> Mapping[int, int]:
    """The effective roles of users on resources by pair (see `policy.PAIR`), maybe with others; unknown ones have 0.

    `base` is `policy.PAIR`, or `policy.WIDE_PAIR` where an id reaches 2^31.
    """
    if not pairs:
        return {}
    is_wide = base != policy.PAIR
    known = await (WIDE if is_wide else KEPT).at_this_version(database)
    missing = [pair for pair in pairs if pair not in known]
    if not missing:
        return known
    found = await (_look_up_wide(database, missing) if is_wide else _looked_up(database, missing))
    answers = {pair: found[pair] & ~policy.ENDS if pair in found else known[pair] for pair in pairs}
    known.update((pair, mask) for pair, mask in found.items() if not mask & policy.ENDS)  # those end without a commit
    return answers


async def _looked_up(database: Database, pairs: list[int]) -> dict[int, int]:
    statement = policy.masks_of_pairs(database.dialect.name)
    rows = await database.ask(statement, pairs=pairs, now=database.clock())
    return dict.fromkeys(pairs, 0) | {int(pair): mask for pair, mask in rows}


async def _look_up_wide(database: Database, pairs: list[int]) -> dict[int, int]:
    statement = policy.masks_of_pairs(database.dialect.name, is_wide=True)
    ids = [divmod(pair, policy.WIDE_PAIR) for pair in pairs]
    columns = {"users": [user for user, _ in ids], "resources": [resource for _, resource in ids]}
    rows = await database.ask(statement, pairs=ids, **columns, now=database.clock())
    return dict.fromkeys(pairs, 0) | {user * policy.WIDE_PAIR + resource: mask for user, resource, mask in rows}
