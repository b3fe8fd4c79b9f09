"""The step whose lists are cached as JSON for each key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from app.db import BoundStatement, FieldLists
from app.db.statements import Row
from app.graphql.compiled.connection_step import ConnectionStep
from app.graphql.compiled.plan_run import Objects, PlanRun
from app.graphql.compiled.row_builder import OpenedStep, PlanLevel, RowBuilder
from app.graphql.compiled.steps import NO_STATEMENTS, RelationStep, keys_of
from app.http import encode_json


@dataclass(frozen=True, slots=True, eq=False)
class CachedListStep:
    """A step that is complete by itself, whose objects are cached for each key until a commit changes them.

    `end` is the column of the rows with the time at which a row ends by itself: a list with such rows is not cached.
    """

    inner: RelationStep | ConnectionStep
    lists: FieldLists
    end: int | None

    is_joinable: ClassVar[bool] = True
    has_children: ClassVar[bool] = False

    @property
    def row_builders(self) -> Sequence[RowBuilder]:
        """Return the builders of the rows of the first statement."""
        return self.inner.row_builders

    def open_unkeyed(self, run: PlanRun) -> list[BoundStatement]:
        """Return the statements of `open` for the keys that another statement selects."""
        return self.inner.open_unkeyed(run)

    def open(self, run: PlanRun, parents: Objects) -> OpenedStep:
        """Return the statements for the keys without a cached list, and their target."""
        assert run.lists is not None
        lists, name = run.lists, self.inner.response_key
        keys = keys_of(parents, name)
        if cached := lists.find(self.lists, keys):
            parents = _without(cached, parents, name)
            keys = keys_of(parents, name)
        if not parents:
            return NO_STATEMENTS
        again = lists.record_misses(self.lists, keys)
        read = [(key, parent) for parent in parents if (key := parent[name]) in again] if again else []
        statements, fill_missing = self.inner.open(run, parents)

        def target(results: Sequence[Sequence[Row]]) -> PlanLevel:
            level = fill_missing(results)
            ending = () if self.end is None else {row[-1] for row in results[0] if row[self.end] is not None}
            lists.keep(self.lists, {key: encode_json(parent[name]) for key, parent in read if key not in ending})
            return level

        return statements, target if read else fill_missing


def _without(cached: Mapping[int, Any], parents: Objects, response_key: str) -> Objects:
    """Put the cached lists into the parents of their keys; returns the other parents."""
    missing = []
    for parent in parents:
        key = parent[response_key]
        if key in cached:
            parent[response_key] = cached[key]
        else:
            missing.append(parent)
    return missing
