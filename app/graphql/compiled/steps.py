"""The steps of a plan. Each step reads the rows of one field for many parent objects at once.

A parent object first holds the key of a relation under the `response_key` of the step. The step replaces this key by
the objects made of the rows: `open` returns statements and a target, which takes their results and returns the steps
of the next level.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, ClassVar

from app.db import BoundStatement
from app.db.statements import CompiledStatement, Row
from app.domain import refs
from app.graphql.coercion.arguments import Arguments
from app.graphql.compiled.fallback import PlanFailed
from app.graphql.compiled.plan_run import Objects, PlanRun
from app.graphql.compiled.row_builder import OpenedStep, PlanLevel, RowBuilder
from app.query.list_edges import split_key
from app.query.reader import group_by_key
from app.query.relations import Lookup

NO_STATEMENTS: OpenedStep = ([], lambda results: [])
"""A step without statements, since no parent has a key."""

_key = itemgetter(-1)


@dataclass(frozen=True, slots=True, eq=False)
class RowQuery:
    """A statement for many keys, a statement for one key, and the row builder of both."""

    by_keys: CompiledStatement
    by_key: Callable[[], CompiledStatement]
    builder: RowBuilder

    def statement(self, run: PlanRun, keys: Sequence[Any]) -> BoundStatement:
        """Return the bound statement that selects the rows of these keys."""
        if len(keys) == 1:
            return self.by_key(), {**run.bind_values, "key": keys[0]}
        return self.by_keys, {**run.bind_values, "keys": keys}


@dataclass(frozen=True, slots=True, eq=False)
class RelationStep:
    """An edge to one row, or a list of all rows of a key, which are few."""

    response_key: str
    is_many: bool
    is_required: bool
    rows: RowQuery

    is_joinable: ClassVar[bool] = True

    @property
    def has_children(self) -> bool:
        """True if steps follow."""
        return bool(self.rows.builder.children)

    @property
    def row_builders(self) -> Sequence[RowBuilder]:
        """Return the builders of the rows of the first statement."""
        return (self.rows.builder,)

    def open_unkeyed(self, run: PlanRun) -> list[BoundStatement]:
        """Return the statements of `open` for the keys that another statement selects."""
        return [(self.rows.by_keys, {**run.bind_values, "keys": ()})]

    def open(self, run: PlanRun, parents: Objects) -> OpenedStep:
        """Return the statement for the keys of all parents, and its target."""
        keys = keys_of(parents, self.response_key)
        if not keys:
            fill(parents, self.response_key, {}, none, self.is_required)
            return NO_STATEMENTS

        def target(results: Sequence[Sequence[Row]]) -> PlanLevel:
            rows = self.sort(results[0], run)
            objects = self.rows.builder.make(rows, None, run)
            by_key = group_by_key(rows, objects) if self.is_many else _first_by_key(rows, objects)
            fill(parents, self.response_key, by_key, list if self.is_many else none, self.is_required)
            return self.rows.builder.next_level(objects)

        return [self.rows.statement(run, keys)], target

    def sort(self, rows: Sequence[Row], run: PlanRun) -> Sequence[Row]:
        """Return the rows in their order, which is that of the statement."""
        return rows


@dataclass(frozen=True, slots=True)
class CachedOrder:
    """The order of the cached rows that rows refer to: those of the selection `number`, by the id in `column`."""

    number: int
    column: int

    def sort(self, rows: Sequence[Row], run: PlanRun) -> list[Row]:
        """Return the rows in this order."""
        ranks, column = run.cached[self.number].rank_by_id, self.column
        return sorted(rows, key=lambda row: ranks[row[column]])


@dataclass(frozen=True, slots=True, eq=False)
class ReferringStep(RelationStep):
    """A list in the order of the cached rows that its rows refer to."""

    order: CachedOrder

    def sort(self, rows: Sequence[Row], run: PlanRun) -> Sequence[Row]:
        """Return the rows in the order of the cached rows."""
        return self.order.sort(rows, run)


class ItemStep(RelationStep):
    """An edge of a new item. A payload is one parent, so there is one key; that of a membership is a pair."""

    __slots__ = ()

    is_joinable: ClassVar[bool] = False

    def open(self, run: PlanRun, parents: Objects) -> OpenedStep:
        """Return the statement for the key, and its target."""
        for parent in parents:
            values, parent[self.response_key] = split_key(parent[self.response_key])
            run = replace(run, bind_values={**run.bind_values, **values})
        return RelationStep.open(self, run, parents)


@dataclass(frozen=True, slots=True, eq=False)
class LookupStep:
    """A lookup of one row by an id or a natural key, or of several rows in the order of their ids.

    `rows_of` plans the statements of one relation of the lookup when it is first used.
    """

    response_key: str
    lookup: Lookup
    is_list: bool
    arguments: Arguments
    has_children: bool
    rows_of: Callable[[str], RowQuery]

    is_joinable: ClassVar[bool] = False

    def open(self, run: PlanRun, parents: Objects) -> OpenedStep:
        """Return one statement for each relation that the arguments use, and their target."""
        refs_or_none = self._parse_refs(run)
        keys_by_relation: dict[str, list[Any]] = {}
        for ref in refs_or_none:
            if ref is not None:
                keys_by_relation.setdefault(ref[0], []).append(ref[1])
        rows_by_relation = {name: self.rows_of(name) for name in keys_by_relation}

        def target(results: Sequence[Sequence[Row]]) -> PlanLevel:
            by_key, level = {}, PlanLevel()
            for (name, rows), result in zip(rows_by_relation.items(), results, strict=True):
                objects = rows.builder.make(result, None, run)
                by_key[name] = _first_by_key(result, objects)
                level += rows.builder.next_level(objects)
            values = [None if ref is None else by_key[ref[0]].get(ref[1]) for ref in refs_or_none]
            for parent in parents:
                parent[self.response_key] = values if self.is_list else values[0]
            return level

        return [
            rows.statement(run, list(dict.fromkeys(keys_by_relation[name]))) for name, rows in rows_by_relation.items()
        ], target

    def _parse_refs(self, run: PlanRun) -> list[tuple[str, Any] | None]:
        """Return the name of a relation and a key for each lookup, None for an id that leads nowhere."""
        arguments = self.arguments.values(run.variables)
        if self.is_list:
            return [self.lookup.choose({"id": each}) for each in refs.check_count(arguments["ids"])]
        return [self.lookup.choose(arguments)]


def without_readers(statement: CompiledStatement) -> CompiledStatement:
    """Return a copy of the statement that leaves the values of its rows to the serializers of the plan."""
    return replace(statement, readers=())


def keys_of(parents: Objects, response_key: str) -> list[Any]:
    """Return the distinct keys of the parents, in their order."""
    return list({key: None for parent in parents if (key := parent[response_key]) is not None})


def none() -> None:
    """Return the value of a row that does not exist."""


def _first_by_key(rows: Sequence[Row], objects: Sequence[Any]) -> dict[Any, Any]:
    """Return the first object of each key."""
    return dict(zip(map(_key, reversed(rows)), reversed(objects), strict=True))


def fill(
    parents: Objects, response_key: str, by_key: dict[Any, Any], empty: Callable[[], Any], is_required: bool
) -> None:
    """Replace the keys of the parents by objects; raises PlanFailed for a null that the schema does not allow."""
    for parent in parents:
        key = parent[response_key]
        if key is not None:
            parent[response_key] = by_key[key] if key in by_key else empty()
        if is_required and parent[response_key] is None:
            raise PlanFailed("null where the schema requires a row")
