"""Whole lists, and what hangs on keys, of the read graph and through the policy: for a face without pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app import db
from app.db import Freshness
from app.db.statements import CompiledStatement, Row
from app.domain.viewer import Viewer
from app.query.pagination import ListQuery, PageRequest
from app.query.relations import Layout, Relation
from app.query.sql import SelectBuilder

EVERY = PageRequest(ListQuery(), 0)
"""All rows, in no order."""


def group_by_key(rows: Sequence[Row], made: Sequence[Any] | None = None) -> dict[Any, list[Any]]:
    """Rows by their keys, which are their last values; or what was made of each."""
    found: dict[Any, list[Any]] = {}
    for row, each in zip(rows, rows if made is None else made, strict=True):
        found.setdefault(row[-1], []).append(each)
    return found


@dataclass(frozen=True, slots=True)
class ListReader:
    """Reads for one viewer at one moment. A row has its cells first; below a key, the key is its last value."""

    database: db.Database
    statements: SelectBuilder
    viewer: Viewer
    now: datetime
    freshness: db.Freshness

    async def all(self, source: Relation, cells: Layout) -> list[Row]:
        """All rows of a list that hangs on nothing, in its own order."""
        return await self._rows(self.statements.select_all(source, cells, self.viewer))

    async def related(self, source: Relation, cells: Layout, keys: Iterable[Any]) -> dict[Any, list[Row]]:
        """The rows of each key that has any, in the source's order."""
        keys = list(keys)
        if len(keys) == 1:
            return group_by_key(
                await self._rows(self.statements.select_by_key(source, cells, self.viewer), key=keys[0])
            )
        return group_by_key(await self._rows(self.statements.select_by_keys(source, cells, self.viewer), keys=keys))

    async def page(
        self, source: Relation, cells: Layout, wanted: PageRequest, keys: Iterable[Any]
    ) -> dict[Any, list[Row]]:
        """The rows of a page below each key that has any, and one more where it goes on."""
        prepared = self.statements.page(source, cells, self.viewer, wanted.query)
        return group_by_key(await self._rows(prepared, keys=list(keys), **wanted.bind_values))

    async def one(self, source: Relation, cells: Layout, key: Any) -> Row | None:
        """The row of a key; None when there is none that the viewer sees."""
        rows = await self.related(source, cells, [key])
        return rows[key][0] if rows else None

    async def counts(self, source: Relation, keys: Iterable[Any], wanted: PageRequest = EVERY) -> dict[Any, int]:
        """How many rows each key has that has any, on all pages."""
        prepared = self.statements.count(source, self.viewer, wanted.query)
        return {key: number for number, key in await self._rows(prepared, keys=list(keys), **wanted.bind_values)}

    async def _rows(self, prepared: CompiledStatement, **values: Any) -> list[Row]:
        binds = {**self.viewer.bind_values, "now": self.now, **values}
        return (await self.database.read([(prepared, binds)], freshness=self.freshness))[0]


def query_freshness(viewer: Viewer) -> Freshness:
    """Return how recent the data of a query must be: an anonymous viewer has no change of their own to see."""
    return Freshness.REPLICA_OK if viewer.user_id is None else Freshness.PRIMARY
