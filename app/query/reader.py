"""Reads of complete lists and of the rows of keys, through the relations of the read graph; used by REST."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app import db
from app.db import Freshness
from app.db.statements import CompiledStatement, Row
from app.domain.viewer import Viewer
from app.query.pagination import ListQuery, PageRequest
from app.query.relations import Layout, Relation
from app.query.sql import SelectBuilder

QUERY_FRESHNESS = Freshness.REPLICA_OK
"""Required recency of the data of a GraphQL query and of a REST read."""

EVERY = PageRequest(ListQuery(), 0)
"""The request for all rows without a filter."""


def group_by_key(rows: Sequence[Row], objects: Sequence[Any] | None = None) -> dict[Any, list[Any]]:
    """Return rows grouped by their last value, the key; or the objects that were built from them, one for each row."""
    groups: defaultdict[Any, list[Any]] = defaultdict(list)
    for row, each in zip(rows, rows if objects is None else objects, strict=True):
        groups[row[-1]].append(each)
    return groups


@dataclass(frozen=True, slots=True)
class ListReader:
    """The reads of one viewer at one time.

    A row starts with the columns of the layout. The last value of a row of a key is the key.
    """

    database: db.Database
    statements: SelectBuilder
    viewer: Viewer
    now: datetime
    freshness: db.Freshness
    turns: db.Turns = field(default_factory=db.Turns, compare=False)
    """Turns to build the statements of lists: one with many comparisons takes milliseconds."""

    async def all(self, relation: Relation, layout: Layout) -> list[Row]:
        """Return all rows of a list without a parent, in the default order."""
        return await self._rows(self.statements.select_all(relation, layout, self.viewer))

    async def related(
        self, relation: Relation, layout: Layout, keys: Iterable[Any], **values: Any
    ) -> dict[Any, list[Row]]:
        """Return the rows of each key in the order of the relation; a key without rows is absent.

        `values` are bound as well, for a relation that compares them.
        """
        keys = list(keys)
        if len(keys) == 1:
            one = self.statements.select_by_key(relation, layout, self.viewer)
            return group_by_key(await self._rows(one, key=keys[0], **values))
        several = self.statements.select_by_keys(relation, layout, self.viewer)
        return group_by_key(await self._rows(several, keys=keys, **values))

    async def page(
        self, relation: Relation, layout: Layout, request: PageRequest, keys: Iterable[Any]
    ) -> dict[Any, list[Row]]:
        """Return the page of each key, with one extra row if more follow; a key without rows is absent."""
        async with self.turns:
            statement = self.statements.page(relation, layout, self.viewer, request.query)
        return group_by_key(await self._rows(statement, keys=list(keys), **request.bind_values))

    async def one(self, relation: Relation, layout: Layout, key: Any) -> Row | None:
        """Return the row of a key, or None if the viewer sees none."""
        rows = await self.related(relation, layout, [key])
        return rows[key][0] if rows else None

    async def counts(self, relation: Relation, keys: Iterable[Any], request: PageRequest = EVERY) -> dict[Any, int]:
        """Return the number of rows of each key, over all pages; a key without rows is absent."""
        async with self.turns:
            statement = self.statements.count(relation, self.viewer, request.query)
        return {key: number for number, key in await self._rows(statement, keys=list(keys), **request.bind_values)}

    async def _rows(self, statement: CompiledStatement, **values: Any) -> list[Row]:
        bind_values = {**self.viewer.bind_values, "now": self.now, **values}
        return (await self.database.read([(statement, bind_values)], freshness=self.freshness))[0]
