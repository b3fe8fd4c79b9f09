"""Rights that were looked up lately, for as long as nobody commits anything.

A data service asks the same things again and again, and most of the time nothing has changed: then one look at the
database's version answers for all of them. Whatever is committed, by whom and where, has everything looked up anew.
"""

from collections.abc import Mapping, Sequence

from app import policy
from app.db import Database, Kept

KEPT: Kept[int, int] = Kept(200_000)
"""Masks by pair."""


async def masks_of_pairs(database: Database, pairs: Sequence[int]) -> Mapping[int, int]:
    """The effective roles of users on resources by pair (see `policy.PAIR`), maybe with others; unknown ones have 0."""
    if not pairs:
        return {}
    known = await KEPT.at_this_version(database)
    missing = [pair for pair in pairs if pair not in known]
    if not missing:
        return known
    found = await _looked_up(database, missing)
    answers = {pair: found[pair] & ~policy.ENDS if pair in found else known[pair] for pair in pairs}
    known.update((pair, mask) for pair, mask in found.items() if not mask & policy.ENDS)  # those end without a commit
    return answers


async def _looked_up(database: Database, pairs: list[int]) -> dict[int, int]:
    statement = policy.masks_of_pairs(database.dialect.name)
    rows = await database.ask(statement, pairs=pairs, now=database.clock())
    return dict.fromkeys(pairs, 0) | {int(pair): mask for pair, mask in rows}
