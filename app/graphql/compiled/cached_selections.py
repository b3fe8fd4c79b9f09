"""Plans that complete the rows of a page with cached rows: with orgs, groups, roles and resource types.

A statement then reads the id of such a row instead of its columns. Cached rows are the same for all viewers, so the
viewer must see all rows of the table, or it must be simple to tell which (`PartialVisibility`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from graphql import GraphQLField, GraphQLObjectType, VariableNode, is_non_null_type

from app.db import FieldLists, Selection
from app.db.access_changes import RECORDED_OF_RESOURCES, TABLE_SCOPES
from app.db.statements import CompiledStatement, Row
from app.db.tables import Resource
from app.graphql.coercion.arguments import Arguments
from app.graphql.compiled import serializers
from app.graphql.compiled.cached_list_step import CachedListStep
from app.graphql.compiled.completed_page_step import CompletedPageStep, stored_columns
from app.graphql.compiled.connection_step import MAX_REFERRING, ConnectionStep, PageStatements, ReferringPageStep
from app.graphql.compiled.connections import ConnectionPlanner
from app.graphql.compiled.row_builder import BuilderSource, Columns
from app.graphql.compiled.steps import CachedOrder, ReferringStep, RelationStep, without_readers
from app.graphql.compiled.type_info import FieldLocation, object_of, table_of
from app.query import cached_rows
from app.query.pagination import ListQuery
from app.query.relations import (
    NOW,
    FieldSpec,
    PartialVisibility,
    Reference,
    Relation,
    Table,
    reference,
    without_referred_rows,
)

if TYPE_CHECKING:
    from app.graphql.compiled.planner import PlanBuilder

Fields = Mapping[str, Sequence[Any]]


class NotCacheable(Exception):
    """An object cannot be made of a cached row: viewers may not see it, or it is made of more than columns."""


@dataclass(slots=True)
class CachedSelections:
    """The cached rows that a plan in progress refers to, and the number of joins that it does without.

    A statement counts as two. The statement that selects changes costs about as much as one.
    """

    selections: list[Selection] = field(default_factory=list)
    visible_ids: list[CompiledStatement] = field(default_factory=list)
    joins_saved: int = 0

    @property
    def is_worthwhile(self) -> bool:
        """Return whether the plan is better than the one without cached rows."""
        return self.joins_saved > 1

    def add(self, plan: "PlanBuilder", table: Table, kind: GraphQLObjectType, fields: Fields) -> int:
        """Return the number of the selection of these fields; raises NotCacheable."""
        if table not in TABLE_SCOPES:
            raise NotCacheable
        source = BuilderSource(Columns())
        builder = source.build(replace(plan, selections=None).object(FieldLocation(kind, table, source), fields))
        indexes = cached_rows.column_indexes(source.columns.layout(), table, plan.viewer)
        if source.children or source.run_locals or indexes is None:
            raise NotCacheable
        make = builder.make
        self.selections.append(Selection(table, lambda row: make(([row[at] for at in indexes],), None, None)[0]))
        return len(self.selections) - 1

    def part(
        self, plan: "PlanBuilder", location: FieldLocation, refers: Reference, kind: GraphQLObjectType, fields: Fields
    ) -> str:
        """Return the text of the object of the row that a column refers to; raises NotCacheable."""
        if location.via is not None:
            raise NotCacheable
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
        """Return the text of the object at the end of an edge to one row; raises NotCacheable."""
        relation = spec.follow
        assert relation is not None
        table: Any = relation.table
        if table not in TABLE_SCOPES or relation.kind != "one" or relation.by is not table.id:
            raise NotCacheable
        sees_all = cached_rows.sees_all(relation, plan.viewer)
        seen = None if sees_all or plan.viewer.is_limited else relation.seen
        is_required = is_non_null_type(types.type)
        if spec.viewer_value or spec.read or not (sees_all or (seen and not is_required)):
            raise NotCacheable
        index, stored = plan.column(location, name, spec)
        if serializers.processor(stored, plan.planner.statements.dialect) is not None:
            raise NotCacheable
        number = self.add(plan, table, object_of(types.type), fields)
        self.joins_saved += 2
        text = f"{_objects(location, number)}[row[{index}]]"
        if seen is not None:
            return f"{text} if {self._is_seen(plan, location, seen, number, index)} else None"
        return text if is_required else f"None if row[{index}] is None else {text}"

    def _is_seen(
        self, plan: "PlanBuilder", location: FieldLocation, seen: PartialVisibility, number: int, index: int
    ) -> str:
        """Return the text of the condition that the viewer sees a cached row."""
        statement, run_locals = plan.planner.statements.visible_ids(seen, plan.viewer), location.source.run_locals
        ids = self.visible_ids
        at = next((at for at, each in enumerate(ids) if each.text == statement.text), len(ids))
        if at == len(ids):
            ids.append(statement)
        run_locals[f"public{number}"] = f"run.cached[{number}].public"
        run_locals[f"own{at}"] = f"run.database.visible_ids[{at}]"
        location.source.is_of_viewer = True
        return f"row[{index}] in public{number} or row[{index}] in own{at}"

    def step(
        self, plan: "PlanBuilder", key: str, types: GraphQLField, relation: Relation, fields: Fields
    ) -> RelationStep | CachedListStep:
        """Return the step of rows that refer to cached ones, or that are cached themselves; raises NotCacheable."""
        kind, source = object_of(types.type), BuilderSource(Columns())
        location = FieldLocation(kind, table_of(kind), source)
        settings = key, relation.kind == "many", is_non_null_type(types.type)
        with suppress(NotCacheable):
            return self._referring(plan, location, relation, fields, settings)
        with self._undo_if_not_cacheable():
            location = replace(location, source=(source := BuilderSource(Columns())))
            text, end = plan.row_object(location, fields), _end(plan, location, relation)
            step = RelationStep(*settings, plan.rows_of(relation, source, text))
            return self._cached(plan, relation, step, end, [step.rows.by_keys], source.columns)

    def _referring(
        self,
        plan: "PlanBuilder",
        location: FieldLocation,
        relation: Relation,
        fields: Fields,
        settings: tuple[str, bool, bool],
    ) -> ReferringStep | CachedListStep:
        source = location.source
        with self._undo_if_not_cacheable():
            location = replace(location, refers=_reference(plan, relation))
            text, order = plan.row_object(location, fields), self._order(plan, location, relation)
            end = _end(plan, location, relation)
            self.joins_saved += 1
            step = ReferringStep(*settings, plan.rows_of(without_referred_rows(relation), source, text), order)
            with suppress(NotCacheable):
                return self._cached(plan, relation, step, end, [step.rows.by_keys], source.columns)
            return step

    def page(
        self, plan: "PlanBuilder", key: str, types: GraphQLField, relation: Relation, details: Sequence[Any]
    ) -> ConnectionStep | CachedListStep:
        """Return the step of a connection whose rows refer to cached ones: of first pages; raises NotCacheable."""
        kind, node = object_of(types.type), details[0].node
        if relation.table is Resource:
            return self._completed_page(plan, key, types, relation, details)
        if not relation.is_short or any(each.name.value != "first" for each in node.arguments or ()):
            raise NotCacheable
        with self._undo_if_not_cacheable():
            planner = ConnectionPlanner(plan, relation, kind, _reference(plan, relation))
            writers = planner.plan_fields(details)
            location = FieldLocation(kind, relation.anchor, BuilderSource(planner.columns))
            order, end = self._order(plan, location, relation), _end(plan, location, relation)
            if planner.columns.has_cursors:
                raise NotCacheable
            self.joins_saved += 2  # of the rows, and of their ids, in their order
            statements = self._page_statements(plan, relation, planner)
            step = ReferringPageStep(
                key,
                relation,
                is_non_null_type(types.type),
                Arguments(types, node, plan.planner.convert),
                writers,
                tuple(planner.builders),
                planner.reads_rows,
                planner.reads_count,
                lambda query: statements,
                relation.types,
                order,
            )
            if planner.reads_rows and not any(isinstance(each.value, VariableNode) for each in node.arguments or ()):
                read = [each for each in (statements.page, statements.count) if each is not None]
                with suppress(NotCacheable):
                    return self._cached(plan, relation, step, end, read, planner.columns)
            return step

    def _completed_page(
        self, plan: "PlanBuilder", key: str, types: GraphQLField, relation: Relation, details: Sequence[Any]
    ) -> CompletedPageStep:
        """Return the step of a connection whose rows are completed with cached columns; raises NotCacheable.

        On SQLite the columns of a row cost less than to look up the cached ones.
        """
        index, viewer, selects = relation.index_scan, plan.viewer, plan.planner.statements
        is_read = index is not None and not (index.is_unneeded is not None and index.is_unneeded(viewer))
        if selects.dialect.name != "postgresql" or relation.by is not None or not is_read:
            raise NotCacheable
        with self._undo_if_not_cacheable():
            kind, planner = object_of(types.type), ConnectionPlanner(plan, relation, object_of(types.type))
            writers = planner.plan_fields(details)
            if not planner.reads_rows:
                raise NotCacheable
            location = FieldLocation(kind, relation.table, BuilderSource(planner.columns))
            at, _ = plan.column(location, "id", reference(relation.table.id))  # type: ignore[attr-defined]  # a node
            layout = planner.columns.layout()
            stored = cached_rows.stored_columns(layout, relation.table, viewer, RECORDED_OF_RESOURCES)
            self.joins_saved += 2
            return CompletedPageStep(
                key,
                relation,
                is_non_null_type(types.type),
                Arguments(types, details[0].node, plan.planner.convert),
                writers,
                tuple(planner.builders),
                planner.reads_rows,
                planner.reads_count,
                planner.statements(stored),
                relation.types,
                stored_columns(stored, at),
            )

    def _cached(
        self,
        plan: "PlanBuilder",
        relation: Relation,
        step: RelationStep | ReferringPageStep,
        end: int | None,
        statements: Sequence[CompiledStatement],
        columns: Columns,
    ) -> CachedListStep:
        """Return the step whose lists are cached; raises NotCacheable if they are not the same for all viewers.

        Nor may they change without a change of their rows.
        """
        viewer, names = plan.viewer, {name for each in statements for name in each.names}
        read = [*columns.layout().columns(viewer), relation.sees(viewer)]
        if (
            relation.scope is None
            or any(builder.children or builder.is_of_viewer for builder in step.row_builders)
            or not names.isdisjoint(viewer.bind_values)
            or (NOW.key in names and end is None)
            or not all(cached_rows.reads_only(each, relation.anchor) for each in read)
        ):
            raise NotCacheable
        self.joins_saved += 2
        return CachedListStep(step, FieldLists(relation.scope), end)

    def _page_statements(self, plan: "PlanBuilder", relation: Relation, planner: ConnectionPlanner) -> PageStatements:
        layout, selects = planner.columns.layout(), plan.planner.statements
        page = without_readers(selects.referring_page(relation, layout, plan.viewer, MAX_REFERRING + 1))
        count = selects.count(relation, plan.viewer, ListQuery()) if planner.reads_count else None
        return PageStatements(page, count, _no_cursor)

    @contextmanager
    def _undo_if_not_cacheable(self) -> Iterator[None]:
        """Forget the selections of a block that raises NotCacheable."""
        rows, joins = len(self.selections), self.joins_saved
        try:
            yield
        except NotCacheable:
            del self.selections[rows:]
            self.joins_saved = joins
            raise

    def _order(self, plan: "PlanBuilder", location: FieldLocation, relation: Relation) -> CachedOrder:
        """Return the order of rows by a selection of those they refer to; raises NotCacheable."""
        refers = _reference(plan, relation)
        columns = location.source.columns.layout().columns(plan.viewer)
        number = next((at for at, each in enumerate(self.selections) if each.table is refers.table), None)
        if number is None or any(cached_rows.reads_table(each, refers.table) for each in columns):
            raise NotCacheable
        return CachedOrder(number, _reference_column(plan, location, refers))


def _reference(plan: "PlanBuilder", relation: Relation) -> Reference:
    """Return how rows refer to cached ones; raises NotCacheable if the viewer sees them depending on those."""
    if relation.refers is None or cached_rows.reads_table(relation.sees(plan.viewer), relation.refers.table):
        raise NotCacheable
    return relation.refers


def _end(plan: "PlanBuilder", location: FieldLocation, relation: Relation) -> int | None:
    """Return the index of the column with the time at which a row ends by itself, None if rows do not."""
    anchor: Any = relation.anchor
    read = [*location.source.columns.layout().columns(plan.viewer), relation.sees(plan.viewer)]
    if relation.scope is None or not hasattr(anchor, "expires_at") or not any(map(cached_rows.reads_time, read)):
        return None
    return plan.column(replace(location, table=anchor), "expires_at", reference(anchor.expires_at))[0]


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
    location.source.run_locals[name] = f"run.cached[{number}].by_id"
    return name
