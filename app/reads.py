"""Whole lists, and what hangs on keys, of the read graph and through the policy: for a face without pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app import db
from app.auth import Viewer
from app.pages import Ask, Wanted
from app.prepared import Prepared, Row
from app.sources import Layout, Source
from app.statements import Statements

EVERY = Wanted(Ask(), 0)
"""All rows, in no order."""


def by_key(rows: Sequence[Row], made: Sequence[Any] | None = None) -> dict[Any, list[Any]]:
    """Rows by their keys, which are their last values; or what was made of each."""
    found: dict[Any, list[Any]] = {}
    for row, each in zip(rows, rows if made is None else made, strict=True):
        found.setdefault(row[-1], []).append(each)
    return found


@dataclass(frozen=True, slots=True)
class Reads:
    """Reads for one viewer at one moment. A row has its cells first; below a key, the key is its last value."""

    database: db.Database
    statements: Statements
    viewer: Viewer
    now: datetime
    freshness: db.Freshness

    async def whole(self, source: Source, cells: Layout) -> list[Row]:
        """All rows of a list that hangs on nothing, in its own order."""
        return await self._rows(self.statements.whole(source, cells, self.viewer))

    async def below(self, source: Source, cells: Layout, keys: Iterable[Any]) -> dict[Any, list[Row]]:
        """The rows of each key that has any, in the source's order."""
        keys = list(keys)
        if len(keys) == 1:
            return by_key(await self._rows(self.statements.lone(source, cells, self.viewer), key=keys[0]))
        return by_key(await self._rows(self.statements.related(source, cells, self.viewer), keys=keys))

    async def page(self, source: Source, cells: Layout, wanted: Wanted, keys: Iterable[Any]) -> dict[Any, list[Row]]:
        """The rows of a page below each key that has any, and one more where it goes on."""
        prepared = self.statements.page(source, cells, self.viewer, wanted.ask)
        return by_key(await self._rows(prepared, keys=list(keys), **wanted.binds))

    async def one(self, source: Source, cells: Layout, key: Any) -> Row | None:
        """The row of a key; None when there is none that the viewer sees."""
        rows = await self.below(source, cells, [key])
        return rows[key][0] if rows else None

    async def counts(self, source: Source, keys: Iterable[Any], wanted: Wanted = EVERY) -> dict[Any, int]:
        """How many rows each key has that has any, on all pages."""
        prepared = self.statements.count(source, self.viewer, wanted.ask)
        return {key: number for number, key in await self._rows(prepared, keys=list(keys), **wanted.binds)}

    async def _rows(self, prepared: Prepared, **values: Any) -> list[Row]:
        binds = {**self.viewer.binds, "now": self.now, **values}
        return (await self.database.read([(prepared, binds)], freshness=self.freshness))[0]
