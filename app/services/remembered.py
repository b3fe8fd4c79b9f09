"""Rights that were looked up lately, for as long as nobody commits anything.

A data service asks the same things again and again, and most of the time nothing has changed: then one look at the
database's version answers for all of them. Whatever is committed, by whom and where, has everything looked up anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Integer, Select, bindparam, select

from app import policy
from app.db import Database, Kept
from app.sources import Keys, among
from app.tables import Resource, User, col

KEPT: Kept[int, int] = Kept(200_000)
"""Masks by pair."""

KEPT_WITHOUT_REGISTRY: Kept[int, int] = Kept(50_000)
"""The same, without what users hold by RESOURCES_MANAGE."""

NO_USER, NO_RESOURCE = policy.ENDS << 1, policy.ENDS << 2
"""Stand in a mask for that the user, or the resource, does not exist: no role is held then."""


async def masks_of_pairs(database: Database, pairs: Sequence[int], *, registry: bool = True) -> Mapping[int, int]:
    """The effective roles of users on resources by pair (see `policy.PAIR`), maybe with others.

    What does not exist is told by `NO_USER` and `NO_RESOURCE`. Without `registry` it tells nothing of what users hold
    by RESOURCES_MANAGE.
    """
    if not pairs:
        return {}
    known = await (KEPT if registry else KEPT_WITHOUT_REGISTRY).at_this_version(database)
    missing = [pair for pair in pairs if pair not in known]
    if not missing:
        return known
    found = await _looked_up(database, missing, registry=registry)
    answers = {pair: found[pair] & ~policy.ENDS if pair in found else known[pair] for pair in pairs}
    known.update((pair, mask) for pair, mask in found.items() if not mask & policy.ENDS)  # those end without a commit
    return answers


async def _looked_up(database: Database, pairs: list[int], *, registry: bool) -> dict[int, int]:
    statement = policy.masks_of_pairs(database.dialect.name, registry=registry)
    rows = await database.ask(statement, pairs=pairs, now=database.clock())
    found = dict.fromkeys(pairs, 0) | {int(pair): mask for pair, mask in rows}
    return found | await _nothing(database, [pair for pair, mask in found.items() if not mask])


async def _nothing(database: Database, pairs: list[int]) -> dict[int, int]:
    """Say of pairs that gave no role whether it is because the user or the resource does not exist."""
    if not pairs:
        return {}
    keys = [*{pair // policy.PAIR for pair in pairs}], [*{pair % policy.PAIR for pair in pairs}]
    asked = [(database.prepare(each), {"keys": some}) for each, some in zip(_EXISTING, keys, strict=True)]
    users, resources = ({row[0] for row in rows} for rows in await database.read(asked))
    return {
        pair: NO_USER * (pair // policy.PAIR not in users) | NO_RESOURCE * (pair % policy.PAIR not in resources)
        for pair in pairs
    }


_EXISTING: tuple[Select[Any], ...] = tuple(
    select(key).where(among(key, bindparam("keys", type_=Keys(Integer())))) for key in (col(User.id), col(Resource.id))
)
