"""Plans that complete the rows of a page with cached rows: with orgs, groups, roles and resource types.

A statement then reads the id of such a row instead of its columns. Cached rows are the same for all viewers, so the
viewer must see all rows of the table, or it must be simple to tell which (`SeenRows`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from graphql import GraphQLField, GraphQLObjectType, is_non_null_type

from app.db import Selection
from app.db.access_changes import TABLE_SCOPES
from app.db.statements import CompiledStatement, Row
from app.graphql.coercion.arguments import Arguments
from app.graphql.compiled import serializers
from app.graphql.compiled.connection_step import MOST_REFERRING, PageStatements, ReferringPageStep
from app.graphql.compiled.connections import ConnectionPlanner
from app.graphql.compiled.row_builder import BuilderSource, Columns
from app.graphql.compiled.steps import CachedOrder, ReferringStep, without_readers
from app.graphql.compiled.type_info import FieldLocation, object_of, table_of
from app.query import cached_rows
from app.query.pagination import ListQuery
from app.query.relations import (
    FieldSpec,
    Reference,
    Relation,
    SeenRows,
    Table,
    reference,
    without_referred_rows,
)

if TYPE_CHECKING:
    from app.graphql.compiled.planner import PlanBuilder

Fields = Mapping[str, Sequence[Any]]


class NotCached(Exception):
    """An object cannot be made of a cached row: viewers may not see it, or it is made of more than columns."""


@dataclass(slots=True)
class CachedSelections:
    """The cached rows that a plan in progress refers to, and the number of joins that it does without.

    A statement counts as two. The statement that selects changes costs about as much as one.
    """

    selections: list[Selection] = field(default_factory=list)
    own_ids: list[CompiledStatement] = field(default_factory=list)
    joins_saved: int = 0

    @property
    def is_worthwhile(self) -> bool:
        """Return whether the plan is better than the one without cached rows."""
        return self.joins_saved > 1

    def add(self, plan: "PlanBuilder", table: Table, kind: GraphQLObjectType, fields: Fields) -> int:
        """Return the number of the selection of these fields; raises NotCached."""
        if table not in TABLE_SCOPES:
            raise NotCached
        source = BuilderSource(Columns())
        builder = source.build(replace(plan, selections=None).object(FieldLocation(kind, table, source), fields))
        places = cached_rows.places_of(source.columns.layout(), table, plan.viewer)
        if source.children or source.of_run or places is None:
            raise NotCached
        make = builder.make
        self.selections.append(Selection(table, lambda row: make(([row[at] for at in places],), None, None)[0]))
        return len(self.selections) - 1

    def part(
        self, plan: "PlanBuilder", location: FieldLocation, refers: Reference, kind: GraphQLObjectType, fields: Fields
    ) -> str:
        """Return the text of the object of the row that a column refers to; raises NotCached."""
        if location.via is not None:
            raise NotCached
        number = self.add(plan, refers.table, kind, fields)
        index = _reference_column(plan, location, refers)
        return f"{_objects(location, number)}[row[{index}]]"

    def edge(
        self,
        plan: "PlanBuilder",
        location: FieldLocation,
        name: str,
        spec: FieldSpec,
        types: GraphQLField,
        fields: Fields,
    ) -> str:
        """Return the text of the object at the end of an edge to one row; raises NotCached."""
        relation = spec.follow
        assert relation is not None
        table: Any = relation.table
        if table not in TABLE_SCOPES or relation.kind != "one" or relation.by is not table.id:
            raise NotCached
        sees_all = cached_rows.sees_all(relation, plan.viewer)
        seen = None if sees_all or plan.viewer.is_limited else relation.seen
        is_required = is_non_null_type(types.type)
        if spec.viewer_value or spec.read or not (sees_all or (seen and not is_required)):
            raise NotCached
        index, stored = plan.column(location, name, spec)
        if serializers.processor(stored, plan.planner.statements.dialect) is not None:
            raise NotCached
        number = self.add(plan, table, object_of(types.type), fields)
        self.joins_saved += 2
        text = f"{_objects(location, number)}[row[{index}]]"
        if seen is not None:
            return f"{text} if {self._is_seen(plan, location, seen, number, index)} else None"
        return text if is_required else f"None if row[{index}] is None else {text}"

    def _is_seen(self, plan: "PlanBuilder", location: FieldLocation, seen: SeenRows, number: int, index: int) -> str:
        """Return the text of the condition that the viewer sees a cached row."""
        statement, of_run = plan.planner.statements.own_ids(seen, plan.viewer), location.source.of_run
        at = next((at for at, each in enumerate(self.own_ids) if each.text == statement.text), len(self.own_ids))
        if at == len(self.own_ids):
            self.own_ids.append(statement)
        of_run[f"public{number}"] = f"run.cached[{number}].public"
        of_run[f"own{at}"] = f"run.database.own_ids[{at}]"
        return f"row[{index}] in public{number} or row[{index}] in own{at}"

    def step(
        self, plan: "PlanBuilder", key: str, types: GraphQLField, relation: Relation, fields: Fields
    ) -> ReferringStep:
        """Return the step of a list whose rows refer to cached ones; raises NotCached."""
        kind, source = object_of(types.type), BuilderSource(Columns())
        with self._all_or_nothing():
            location = FieldLocation(kind, table_of(kind), source, refers=_reference(plan, relation))
            text = plan.row_object(location, fields)
            order = self._order(plan, location, relation)
            self.joins_saved += 1
            rows = plan.rows_of(without_referred_rows(relation), source, text)
            return ReferringStep(key, True, is_non_null_type(types.type), rows, order)

    def page(
        self, plan: "PlanBuilder", key: str, types: GraphQLField, relation: Relation, details: Sequence[Any]
    ) -> ReferringPageStep:
        """Return the step of a connection whose rows refer to cached ones: of first pages; raises NotCached."""
        kind, node = object_of(types.type), details[0].node
        if not relation.is_short or any(each.name.value != "first" for each in node.arguments or ()):
            raise NotCached
        with self._all_or_nothing():
            planner = ConnectionPlanner(plan, relation, kind, _reference(plan, relation))
            writers = tuple((name, planner.plan_field(name, each)) for name, each in plan.below(kind, details).items())
            location = FieldLocation(kind, relation.anchor, BuilderSource(planner.columns))
            order = self._order(plan, location, relation)
            if planner.columns.has_cursors:
                raise NotCached
            self.joins_saved += 2  # of the rows, and of their ids, in their order
            return ReferringPageStep(
                key,
                relation,
                is_non_null_type(types.type),
                Arguments(types, node, plan.planner.convert),
                writers,
                tuple(planner.builders),
                planner.reads_rows,
                planner.reads_count,
                self._page_statements(plan, relation, planner),
                relation.types,
                order,
            )

    def _page_statements(
        self, plan: "PlanBuilder", relation: Relation, planner: ConnectionPlanner
    ) -> Callable[[ListQuery], PageStatements]:
        layout, selects = planner.columns.layout(), plan.planner.statements
        page = without_readers(selects.referring_page(relation, layout, plan.viewer, MOST_REFERRING + 1))
        count = selects.count(relation, plan.viewer, ListQuery()) if planner.reads_count else None
        statements = PageStatements(page, count, _no_cursor)
        return lambda query: statements

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Forget the selections of a block that raises NotCached."""
        rows, joins = len(self.selections), self.joins_saved
        try:
            yield
        except NotCached:
            del self.selections[rows:]
            self.joins_saved = joins
            raise

    def _order(self, plan: "PlanBuilder", location: FieldLocation, relation: Relation) -> CachedOrder:
        """Return the order of rows by a selection of those they refer to; raises NotCached."""
        refers = _reference(plan, relation)
        columns = location.source.columns.layout().columns(plan.viewer)
        number = next((at for at, each in enumerate(self.selections) if each.table is refers.table), None)
        if number is None or any(cached_rows.reads_table(each, refers.table) for each in columns):
            raise NotCached
        return CachedOrder(number, _reference_column(plan, location, refers))


def _reference(plan: "PlanBuilder", relation: Relation) -> Reference:
    """Return how rows refer to cached ones; raises NotCached if the viewer sees them depending on those."""
    if relation.refers is None or cached_rows.reads_table(relation.sees(plan.viewer), relation.refers.table):
        raise NotCached
    return relation.refers


def _reference_column(plan: "PlanBuilder", location: FieldLocation, refers: Reference) -> int:
    """Return the index of the column with the ids of cached rows."""
    column = refers.column
    index, _ = plan.column(replace(location, table=column.class_), column.key, reference(column))
    return index


def _no_cursor(row: Row) -> str:
    raise AssertionError("no field of these pages is a cursor")


def _objects(location: FieldLocation, number: int) -> str:
    """Return the local name of the objects of a selection of cached rows, by id."""
    name = f"cached{number}"
    location.source.of_run[name] = f"run.cached[{number}].by_id"
    return name
