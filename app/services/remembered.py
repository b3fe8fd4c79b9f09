"""Rights that were looked up lately, for as long as nobody commits anything.

A data service asks the same things again and again, and most of the time nothing has changed: then one look at the
database's version answers for all of them. Whatever is committed, by whom and where, has everything looked up anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from app import policy
from app.db import Database

MOST = 200_000
"""How many pairs are remembered."""


@dataclass(slots=True)
class _Kept:
    """Masks by pair, as of a version."""

    version: Any = None
    masks: dict[int, int] = field(default_factory=dict)


_KEPT: WeakKeyDictionary[Database, _Kept] = WeakKeyDictionary()


async def masks_of_pairs(database: Database, pairs: Sequence[int]) -> dict[int, int]:
    """The effective roles of users on resources by pair (see `policy.PAIR`); what is unknown has none."""
    kept, version = _KEPT.setdefault(database, _Kept()), await database.version()
    if kept.version != version:
        kept.version, kept.masks = version, {}
    known = kept.masks
    missing = [pair for pair in pairs if pair not in known]
    found = await _looked_up(database, missing) if missing else {}
    answers = {pair: found[pair] & ~policy.ENDS if pair in found else known[pair] for pair in pairs}
    # What was read after the version was, is at least as new. What is held for a time ends without a commit.
    if len(known) + len(found) > MOST:
        known.clear()
    known.update((pair, mask) for pair, mask in found.items() if not mask & policy.ENDS)
    return answers


async def _looked_up(database: Database, pairs: list[int]) -> dict[int, int]:
    statement = policy.masks_of_pairs(database.dialect.name)
    rows = await database.ask(statement, pairs=pairs, now=database.clock())
    return dict.fromkeys(pairs, 0) | {int(pair): mask for pair, mask in rows}
