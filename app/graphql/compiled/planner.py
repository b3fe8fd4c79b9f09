"""Planning of documents: which statements read the rows, and which objects are made of them.

A plan depends on a document, on the permission profile of the viewer, and on the variables of `@skip` and `@include`,
but not on the viewer. The planner knows the schema by its declarations only: the `FieldSpec` of a field says how its
value is made of a row.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from operator import attrgetter
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.execution.collect_fields import FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues

from app.db.statements import CompiledStatement
from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.coercion.arguments import Arguments, Convert
from app.graphql.compiled import serializers
from app.graphql.compiled.cached_list_step import CachedListStep
from app.graphql.compiled.cached_selections import CachedSelections, NotCacheable
from app.graphql.compiled.connection_step import ConnectionStep
from app.graphql.compiled.connections import ConnectionPlanner
from app.graphql.compiled.fallback import NotPlannable
from app.graphql.compiled.plan_cache import CachedRowsPlan, LazyCachedPlan, Plan, plan_for
from app.graphql.compiled.row_builder import NO_KEYS, BuilderSource, Columns
from app.graphql.compiled.service_step import ServiceStep
from app.graphql.compiled.steps import ItemStep, LookupStep, RelationStep, RowQuery, without_readers
from app.graphql.compiled.type_info import (
    FieldLocation,
    declaration,
    entity_type_of,
    is_never_null,
    object_of,
    selects_objects,
    table_of,
)
from app.graphql.documents.cache import ValidatedDocument
from app.query.list_edges import ListEdge, cursor_of, cursor_specs
from app.query.referred_rows import reached_by
from app.query.relations import ROOT_KEY, FieldSpec, Lookup, Reference, Relation, is_null
from app.query.selected_columns import is_guarded, select_column
from app.query.sql import SelectBuilder
from app.services.app_context import AppContext

Fields = Mapping[str, Sequence[Any]]
"""The fields of a selection by their response keys, as graphql-core collects them."""


@dataclass(frozen=True, slots=True)
class Planner:
    """The planner of one schema for one database and one app context."""

    schema: GraphQLSchema
    statements: SelectBuilder
    convert: Convert
    app: AppContext

    def plan(self, document: ValidatedDocument, variables: VariableValues, viewer: Viewer) -> Plan:
        """Return the plan of a query; raises NotPlannable."""
        query = self.schema.query_type
        assert query is not None
        # The form with cached rows remembers no other variables of this request.
        builder, fields = self.start(query, document, _select(variables, document.shaping_variables), viewer)

        def build(selections: CachedSelections | None) -> Plan:
            source = BuilderSource(Columns())
            text = replace(builder, selections=selections).object(FieldLocation(query, None, source), fields)
            return plan_for(source.build(text))

        def build_cached() -> CachedRowsPlan | None:
            chosen = CachedSelections()
            cached_plan = build(chosen)
            used = tuple(chosen.selections), tuple(chosen.visible_ids)
            return CachedRowsPlan(cached_plan, *used) if chosen.is_worthwhile else None

        plan = build(None)
        has_pages = any(isinstance(step, ConnectionStep) for _, step in plan.steps)
        return replace(plan, cached_form=LazyCachedPlan(build_cached)) if has_pages and not plan.services else plan

    def start(
        self, root: GraphQLObjectType, document: ValidatedDocument, variables: VariableValues, viewer: Viewer
    ) -> tuple["PlanBuilder", Fields]:
        """Return a plan builder for an operation, and the fields of its root."""
        fragments = {name: FragmentDetails(node) for name, node in document.fragments.items()}
        collected = collect_fields(self.schema, fragments, variables, root, document.operation)
        return PlanBuilder(self, document, fragments, variables, viewer.permission_profile), collected.grouped_field_set


@dataclass(frozen=True, slots=True)
class PlanBuilder:
    """A plan in progress. `viewer` represents all viewers with the same permissions."""

    planner: Planner
    document: ValidatedDocument
    fragments: dict[str, FragmentDetails]
    variables: VariableValues
    viewer: Viewer
    selections: CachedSelections | None = None

    def object(self, location: FieldLocation, fields: Fields) -> str:
        """Return the text of an object."""
        return (
            "{" + ", ".join(f"{key!r}: {self._field(location, key, details)}" for key, details in fields.items()) + "}"
        )

    def _field(self, location: FieldLocation, key: str, details: Sequence[Any]) -> str:
        node: FieldNode = details[0].node
        name = node.name.value
        if name == "__typename":
            return repr(location.kind.name)
        if name not in location.kind.fields:
            raise NotPlannable("introspection")
        field = location.kind.fields[name]
        declared = declaration(field)
        spec: FieldSpec | None = declared.metadata.get("spec")
        if spec is None:
            return self._edge_field(location, key, declared.python_name, details)
        if spec.part:
            return self.part(location, key, field, spec, details)
        if spec.follow is not None:
            return self._follow(location, key, field, spec, details)
        if spec.service_field is not None or spec.lookup is not None:
            self._add_root_step(location, key, field, spec, details)
            return "None"
        of_viewer = self._without_row(spec)
        return (
            self._value(location, field, spec, details)
            if of_viewer is None
            else self._viewer_value(location, field, of_viewer, details)
        )

    def part(
        self, location: FieldLocation, key: str, field: GraphQLField, spec: FieldSpec, details: Sequence[Any]
    ) -> str:
        """Return the text of a nested object of the same row."""
        if not is_guarded(spec, self.viewer):
            return self._part(location, key, field, spec, details)
        index, _ = self.column(location, declaration(field).python_name, spec)
        guarded = replace(location, guards=(*location.guards, index))
        return f"None if row[{index}] is None else {self._part(guarded, key, field, spec, details)}"

    def _part(
        self, location: FieldLocation, key: str, field: GraphQLField, spec: FieldSpec, details: Sequence[Any]
    ) -> str:
        kind = object_of(field.type)
        fields = self.subfields(kind, details)
        if location.refers is not None and spec.joined is location.refers.table:
            return self.row_object(location.part(kind, key, spec), fields)
        if self.selections is not None and spec.reference is not None:
            with suppress(NotCacheable):
                assert spec.joined is not None
                return self.selections.part(self, location, Reference(spec.joined, spec.reference), kind, fields)
        return self.object(location.part(kind, key, spec), fields)

    def subfields(self, kind: GraphQLObjectType, details: Sequence[Any]) -> Fields:
        """Return the fields selected below a field."""
        schema, operation = self.planner.schema, self.document.operation
        collected = collect_subfields(schema, self.fragments, self.variables, operation, kind, list(details))
        return collected.grouped_field_set

    def _value(self, location: FieldLocation, field: GraphQLField, spec: FieldSpec, details: Sequence[Any]) -> str:
        name = declaration(field).python_name
        index, stored = self.column(location, "id" if spec.identity else name, spec)
        if not is_leaf_type(get_named_type(field.type)):
            return self._object_value(location, index, stored, field, spec, details)
        if spec.identity:
            serializer: Any = refs.encoder(entity_type_of(location.kind).__name__)
        else:
            serializer = serializers.select_serializer(field.type, spec, stored, self.planner.statements.dialect)
        required = is_non_null_type(field.type)
        if serializer is None and required and not (location.via is None and is_never_null(location.table, name, spec)):
            serializer = serializers.require_value
        return location.source.column(index, serializer, required=required)

    def _object_value(
        self,
        location: FieldLocation,
        index: int,
        stored: Any,
        field: GraphQLField,
        spec: FieldSpec,
        details: Sequence[Any],
    ) -> str:
        """Return the text of an object, or a list of objects, that `read` makes of one column."""
        read = serializers.processor(stored, self.planner.statements.dialect)
        serialize = serializers.chain(read, spec.read, self.value_serializer(field.type, details))
        cached = serializers.ConversionCache(serialize).__getitem__
        return location.source.column(index, cached, required=is_non_null_type(field.type))

    def _without_row(self, spec: FieldSpec) -> Callable[[Viewer], Any] | None:
        """Return the function that computes a value without a row; None for a value of the row."""
        if spec.app_value is None:
            return spec.viewer_value
        value = spec.app_value(self.planner.app)
        return lambda viewer: value

    def _viewer_value(
        self,
        location: FieldLocation,
        field: GraphQLField,
        of_viewer: Callable[[Viewer], Any],
        details: Sequence[Any],
    ) -> str:
        source, serialize = location.source, self.value_serializer(field.type, details)
        return f"{source.bind(lambda viewer: serialize(of_viewer(viewer)))}({source.viewer()})"

    def value_serializer(self, kind: GraphQLOutputType, details: Sequence[Any]) -> serializers.Serializer:
        """Return the serializer of a value that comes from no row; an object among such values has attributes."""
        named = get_named_type(kind)
        if is_leaf_type(named):
            return serializers.complete_serializer(kind)
        inner = object_of(kind)
        fields = {key: self._attribute_serializer(inner, each) for key, each in self.subfields(inner, details).items()}
        return serializers.complete_serializer(kind, lambda value: {key: field(value) for key, field in fields.items()})

    def _attribute_serializer(self, kind: GraphQLObjectType, details: Sequence[Any]) -> serializers.Serializer:
        name = details[0].node.name.value
        if name == "__typename":
            return lambda value: kind.name
        declared = declaration(kind.fields[name])
        if not declared.is_basic_field:
            raise NotPlannable(f"{kind.name}.{name}")
        attribute, serialize = attrgetter(declared.python_name), self.value_serializer(kind.fields[name].type, details)
        return lambda value: serialize(attribute(value))

    def column(self, location: FieldLocation, name: str, spec: FieldSpec) -> tuple[int, Any]:
        """Return the index and the SQL type of a selected column."""
        assert location.table is not None
        spec = spec if location.via is None else reached_by(location.via, name, spec, location.table)
        name, spec, stored = select_column(spec, name, location.table, self.viewer)
        return location.source.columns.add(name, spec, location.table), stored

    def _edge_field(self, location: FieldLocation, key: str, name: str, details: Sequence[Any]) -> str:
        """Return the text of `cursor` or `node` of an edge."""
        if location.node is None or name not in {"cursor", "node"}:
            raise NotPlannable(f"{location.kind.name}.{details[0].node.name.value}")
        if name == "cursor" and location.edge is not None:
            return self._own_cursor(location, location.edge)
        if name == "cursor":
            location.source.columns.has_cursors = True
            return "cursor(row)"
        node = replace(location.node, path=(*location.path, key))
        return self.row_object(node, self.subfields(node.kind, details))

    def row_object(self, location: FieldLocation, fields: Fields) -> str:
        """Return the text of the object of a row, or of the cached row that it refers to; raises NotCacheable."""
        refers = location.refers
        if refers is None or location.table is not refers.table:
            return self.object(location, fields)
        assert self.selections is not None
        return self.selections.part(self, location, refers, location.kind, fields)

    def _own_cursor(self, location: FieldLocation, edge: ListEdge) -> str:
        """Return the text of the cursor of a row whose statement is not that of a page."""
        at = [location.source.columns.add(*each) for each in cursor_specs(edge)]
        dialect = self.planner.statements.dialect
        types = [select_column(spec, name, table, self.viewer).type for name, spec, table in cursor_specs(edge)]
        reads = [serializers.processor(each, dialect) for each in types]

        def cursor(*values: Any) -> str:
            plain = [value if read is None else read(value) for read, value in zip(reads, values, strict=True)]
            return cursor_of(edge, plain)

        return f"{location.source.bind(cursor)}({', '.join(f'row[{each}]' for each in at)})"

    def _follow(
        self, location: FieldLocation, key: str, field: GraphQLField, spec: FieldSpec, details: Sequence[Any]
    ) -> str:
        """Add the step of an edge; returns the text of its key."""
        relation = spec.follow
        assert relation is not None
        if self.selections is not None:
            with suppress(NotCacheable):
                name, fields = declaration(field).python_name, self.subfields(object_of(field.type), details)
                return self.selections.edge(self, location, name, spec, field, fields)
        make = self._page if relation.kind == "page" else self.related
        step = make(key, field, relation, details)
        location.source.children.append((location.path, step))
        if spec.viewer_value is not None:
            return f"{location.source.bind(spec.viewer_value)}({location.source.viewer()})"
        if relation.by is None:
            return str(ROOT_KEY)
        index, stored = self.column(location, declaration(field).python_name, spec)
        read = serializers.processor(stored, self.planner.statements.dialect)
        conversions = [each for each in (read, spec.read) if each is not None]
        if not conversions:
            location.source.key_columns[step] = NO_KEYS if is_null(stored) else (index, *location.guards)
        return location.source.column(index, serializers.chain(*conversions) if conversions else None, required=False)

    def related(
        self, key: str, field: GraphQLField, relation: Relation, details: Sequence[Any]
    ) -> RelationStep | CachedListStep:
        """Return the step of an edge to the rows of a key."""
        kind = object_of(field.type)
        if self.selections is not None:
            with suppress(NotCacheable):
                return self.selections.step(self, key, field, relation, self.subfields(kind, details))
        rows = self.rows(relation, kind, self.subfields(kind, details))
        return RelationStep(key, relation.kind == "many", is_non_null_type(field.type), rows)

    def rows(self, relation: Relation, kind: GraphQLObjectType, fields: Fields) -> RowQuery:
        """Return the statements of a relation for these fields, and the builder of their objects."""
        source = BuilderSource(Columns())
        return self.rows_of(relation, source, self.object(FieldLocation(kind, table_of(kind), source), fields))

    def rows_of(self, relation: Relation, source: BuilderSource, text: str) -> RowQuery:
        """Return the statements of a relation for the columns of `source`, and the builder of the objects of `text`."""
        builder = source.build(text)
        selects, layout = self.planner.statements, source.columns.layout()

        @cache
        def by_key() -> CompiledStatement:
            return without_readers(selects.select_by_key(relation, layout, self.viewer))

        return RowQuery(without_readers(selects.select_by_keys(relation, layout, self.viewer)), by_key, builder)

    def new_edge(self, key: str, field: GraphQLField, edge: ListEdge, details: Sequence[Any]) -> ItemStep:
        """Return the step of the edge of a new item."""
        kind, source = object_of(field.type), BuilderSource(Columns())
        node = object_of(kind.fields["node"].type)
        location = FieldLocation(kind, edge.row.anchor, source, edge=edge)
        location = replace(location, node=FieldLocation(node, table_of(node), source))
        text = self.object(location, self.subfields(kind, details))
        return ItemStep(key, False, is_non_null_type(field.type), self.rows_of(edge.row, source, text))

    def _add_root_step(
        self, location: FieldLocation, key: str, field: GraphQLField, spec: FieldSpec, details: Sequence[Any]
    ) -> None:
        """Add the step of a field that finds a row by its arguments, or needs none."""
        source, arguments = location.source, Arguments(field, details[0].node, self.planner.convert)
        if spec.lookup is not None:
            source.children.append((location.path, self._lookup(key, field, spec.lookup, arguments, details)))
        if spec.service_field is not None:
            serialize = serializers.complete_serializer(field.type)
            source.services.append((location.path, ServiceStep(key, spec.service_field, arguments, serialize)))

    def _lookup(
        self, key: str, field: GraphQLField, lookup: Lookup, arguments: Arguments, details: Sequence[Any]
    ) -> LookupStep:
        is_list = is_list_type(field.type.of_type if is_non_null_type(field.type) else field.type)
        named = get_named_type(field.type)

        @cache
        def rows_of(name: str) -> RowQuery:
            # The relations of an interface have the names of its types.
            kind = named if is_object_type(named) else self.planner.schema.type_map[name]
            assert is_object_type(kind)
            # It is planned when the plan already runs, and a single row is worth no cached ones.
            single = replace(self, selections=None)
            return single.rows(lookup.relations[name], kind, self.subfields(kind, details))

        has_children = any(selects_objects(each.node) for each in details)
        return LookupStep(key, lookup, is_list, arguments, has_children, rows_of)

    def _page(
        self, key: str, field: GraphQLField, relation: Relation, details: Sequence[Any]
    ) -> ConnectionStep | CachedListStep:
        if self.selections is not None:
            with suppress(NotCacheable):
                return self.selections.page(self, key, field, relation, details)
        connection = ConnectionPlanner(self, relation, object_of(field.type))
        writers = connection.plan_fields(details)
        arguments = Arguments(field, details[0].node, self.planner.convert)
        return ConnectionStep(
            key,
            relation,
            is_non_null_type(field.type),
            arguments,
            writers,
            tuple(connection.builders),
            connection.reads_rows,
            connection.reads_count,
            connection.statements(),
            relation.types,
        )


def _select(variables: VariableValues, names: Iterable[str]) -> VariableValues:
    """Return the variables with these names."""
    sources, coerced = variables.sources, variables.coerced
    return VariableValues(
        {name: sources[name] for name in names if name in sources},
        {name: coerced[name] for name in names if name in coerced},
    )
