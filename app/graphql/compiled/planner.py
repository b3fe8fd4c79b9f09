"""From a document to a plan: which statement reads what, and what is made of its rows.

A plan belongs to a document, to what its viewers hold alike, and to the variables of its `@skip` and `@include`; never
to who asks. It knows the schema by its declarations alone: a field of a type says by its `Cell` what it is of its row.
"""

from collections.abc import Mapping, Sequence
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
from app.graphql.compiled.connection_step import ConnectionStep
from app.graphql.compiled.connections import ConnectionPlanner
from app.graphql.compiled.fallback import NotPlannable
from app.graphql.compiled.plan_cache import Plan, plan_for
from app.graphql.compiled.row_builder import BuilderSource, Columns
from app.graphql.compiled.steps import LookupStep, RelationStep, Rows, ServiceStep, bare
from app.graphql.compiled.type_info import (
    FieldLocation,
    declared_fields,
    entity_type_of,
    is_never_null,
    object_of,
    row_of,
)
from app.graphql.documents.cache import ValidatedDocument
from app.query.relations import ROOT_KEY, FieldSpec, Relation
from app.query.sql import SelectBuilder

Fields = Mapping[str, Sequence[Any]]
"""The fields of a selection by their response keys, as graphql-core collects them."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans for one schema on one database."""

    schema: GraphQLSchema
    statements: SelectBuilder
    convert: Convert

    def plan(self, known: ValidatedDocument, variables: VariableValues, viewer: Viewer) -> Plan:
        """Plan an operation; raises Unplanned."""
        query, draft = self.schema.query_type, BuilderSource(Columns())
        assert query is not None
        planning, fields = self.start(query, known, variables, viewer)
        return plan_for(draft.build(planning.object(FieldLocation(query, None, draft), fields)))

    def start(
        self, root: GraphQLObjectType, known: ValidatedDocument, variables: VariableValues, viewer: Viewer
    ) -> tuple["PlanBuilder", Fields]:
        """An operation that is being planned, and the fields of its root."""
        fragments = {name: FragmentDetails(node) for name, node in known.fragments.items()}
        found = collect_fields(self.schema, fragments, variables, root, known.operation)
        return PlanBuilder(self, known, fragments, variables, viewer.permission_profile), found.grouped_field_set


@dataclass(frozen=True, slots=True)
class PlanBuilder:
    """One operation that is being planned, for all who hold what this viewer does."""

    planner: Planner
    known: ValidatedDocument
    fragments: dict[str, FragmentDetails]
    variables: VariableValues
    viewer: Viewer

    def object(self, place: FieldLocation, fields: Fields) -> str:
        """The text of an object."""
        return "{" + ", ".join(f"{key!r}: {self._field(place, key, details)}" for key, details in fields.items()) + "}"

    def _field(self, place: FieldLocation, key: str, details: Sequence[Any]) -> str:
        node: FieldNode = details[0].node
        name = node.name.value
        if name == "__typename":
            return repr(place.kind.name)
        if name not in place.kind.fields:
            raise NotPlannable("introspection")
        field = place.kind.fields[name]
        told = declared_fields(field)
        cell: FieldSpec | None = told.metadata.get("cell")
        if cell is None:
            return self._of_edge(place, key, told.python_name, details)
        if cell.part:
            return self.part(place, key, field, cell, details)
        if cell.follow is not None:
            return self._follow(place, key, field, cell, details)
        if cell.lookup is not None or cell.service_field is not None:
            place.draft.children.append((place.path, self._lookup(place, key, field, cell, details)))
            return "None"
        return (
            self._value(place, field, cell)
            if cell.viewer_value is None
            else self._viewer_value(place, field, cell, details)
        )

    def part(self, place: FieldLocation, key: str, field: GraphQLField, cell: FieldSpec, details: Sequence[Any]) -> str:
        """The text of an object of the same row."""
        kind = object_of(field.type)
        made = self.object(place.part(kind, key, cell.joined), self.below(kind, details))
        if cell.guard is None:
            return made
        at, _ = self._column(place, declared_fields(field).python_name, cell)
        return f"None if row[{at}] is None else {made}"

    def below(self, kind: GraphQLObjectType, details: Sequence[Any]) -> Fields:
        """The fields that are selected below a field."""
        schema, operation = self.planner.schema, self.known.operation
        found = collect_subfields(schema, self.fragments, self.variables, operation, kind, list(details))
        return found.grouped_field_set

    def _value(self, place: FieldLocation, field: GraphQLField, cell: FieldSpec) -> str:
        draft, told = place.draft, declared_fields(field)
        if not is_leaf_type(get_named_type(field.type)):
            raise NotPlannable(f"{place.kind.name}.{told.python_name}")
        at, column = self._column(place, "id" if cell.identity else told.python_name, cell)
        if cell.identity:
            change: Any = refs.encoder(entity_type_of(place.kind).__name__)
        else:
            change = serializers.select_serializer(field.type, cell, column, self.planner.statements.dialect)
        required = is_non_null_type(field.type)
        if change is None and required and not is_never_null(place.table, told.python_name, cell):
            change = serializers.needed
        return draft.value(at, change, required=required)

    def _viewer_value(self, place: FieldLocation, field: GraphQLField, cell: FieldSpec, details: Sequence[Any]) -> str:
        given, complete = cell.viewer_value, self.typename(field.type, details)
        assert given is not None
        return f"{place.draft.name(lambda viewer: complete(given(viewer)))}(viewer)"

    def typename(self, kind: GraphQLOutputType, details: Sequence[Any]) -> serializers.Serializer:
        """What becomes of a value that no row holds. Objects among such values have plain attributes."""
        named = get_named_type(kind)
        if is_leaf_type(named):
            return serializers.complete_serializer(kind)
        of = object_of(kind)
        fields = {key: self._attribute(of, each) for key, each in self.below(of, details).items()}
        return serializers.complete_serializer(kind, lambda value: {key: told(value) for key, told in fields.items()})

    def _attribute(self, kind: GraphQLObjectType, details: Sequence[Any]) -> serializers.Serializer:
        name = details[0].node.name.value
        if name == "__typename":
            return lambda value: kind.name
        told = declared_fields(kind.fields[name])
        if not told.is_basic_field:
            raise NotPlannable(f"{kind.name}.{name}")
        attribute, complete = attrgetter(told.python_name), self.typename(kind.fields[name].type, details)
        return lambda value: complete(attribute(value))

    def _column(self, place: FieldLocation, name: str, cell: FieldSpec) -> tuple[int, Any]:
        assert place.table is not None
        at = place.draft.columns.add(name, cell, place.table)
        return at, cell.expression(name, place.table, self.viewer)

    def _of_edge(self, place: FieldLocation, key: str, name: str, details: Sequence[Any]) -> str:
        """What an edge of a connection has beside facts of the relation."""
        if place.node is None or name not in {"cursor", "node"}:
            raise NotPlannable(f"{place.kind.name}.{details[0].node.name.value}")
        if name == "cursor":
            place.draft.columns.are_placed = True
            return "cursor(row)"
        node = replace(place.node, path=(*place.path, key))
        return self.object(node, self.below(node.kind, details))

    def _follow(
        self, place: FieldLocation, key: str, field: GraphQLField, cell: FieldSpec, details: Sequence[Any]
    ) -> str:
        source = cell.follow
        assert source is not None
        make = self._page if source.kind == "page" else self.related
        place.draft.children.append((place.path, make(key, field, source, details)))
        if cell.viewer_value is not None:
            return f"{place.draft.name(cell.viewer_value)}(viewer)"
        if source.by is None:
            return str(ROOT_KEY)
        name = declared_fields(field).python_name
        at, column = self._column(place, name, cell)
        read = serializers.processor(column.type, self.planner.statements.dialect)
        steps = [step for step in (read, cell.read) if step is not None]
        return place.draft.value(at, serializers.list_serializer(*steps) if steps else None, required=False)

    def related(self, key: str, field: GraphQLField, source: Relation, details: Sequence[Any]) -> RelationStep:
        """The step of an edge to what is found by a key."""
        kind = object_of(field.type)
        rows = self._rows(source, kind, self.below(kind, details))
        return RelationStep(key, source.kind == "many", is_non_null_type(field.type), rows)

    def _rows(self, source: Relation, kind: GraphQLObjectType, fields: Fields) -> Rows:
        draft = BuilderSource(Columns())
        shape = draft.build(self.object(FieldLocation(kind, row_of(kind), draft), fields))
        statements, layout = self.planner.statements, draft.columns.layout()

        @cache
        def lone() -> CompiledStatement:
            return bare(statements.select_by_key(source, layout, self.viewer))

        return Rows(bare(statements.select_by_keys(source, layout, self.viewer)), lone, shape)

    def _lookup(
        self, place: FieldLocation, key: str, field: GraphQLField, cell: FieldSpec, details: Sequence[Any]
    ) -> Any:
        arguments = Arguments(field, details[0].node, self.planner.convert)
        if cell.service_field is not None:
            return ServiceStep(key, cell.service_field, arguments, serializers.complete_serializer(field.type))
        find = cell.lookup
        assert find is not None
        is_list = is_list_type(field.type.of_type if is_non_null_type(field.type) else field.type)
        own = get_named_type(field.type)

        @cache
        def ways(way: str) -> Rows:
            kind = own if is_object_type(own) else self.planner.schema.type_map[way]
            assert is_object_type(kind)
            return self._rows(find.relations[way], kind, self.below(kind, details))

        goes_on = any(_selects_objects(each.node) for each in details)
        return LookupStep(key, find, is_list, arguments, goes_on, ways)

    def _page(self, key: str, field: GraphQLField, source: Relation, details: Sequence[Any]) -> ConnectionStep:
        kind = object_of(field.type)
        connection = ConnectionPlanner(self, source, kind)
        gives = tuple((name, connection.plan_field(name, each)) for name, each in self.below(kind, details).items())
        arguments = Arguments(field, details[0].node, self.planner.convert)
        return ConnectionStep(
            key,
            source,
            is_non_null_type(field.type),
            arguments,
            gives,
            tuple(connection.shapes),
            connection.is_read,
            connection.is_counted,
            connection.statements(),
            source.types,
        )


def _selects_objects(node: FieldNode) -> bool:
    """Whether fields below a field may lead on; nobody looks into fragments for it."""
    below = node.selection_set.selections if node.selection_set else ()
    return any(not isinstance(each, FieldNode) or each.selection_set for each in below)
