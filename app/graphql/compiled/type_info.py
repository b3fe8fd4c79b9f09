"""Facts about GraphQL types that the planner needs: their declarations, tables and locations in a row."""

from dataclasses import dataclass, replace
from typing import Any

from graphql import FieldNode, GraphQLField, GraphQLObjectType, GraphQLOutputType, get_named_type, is_object_type

from app.graphql.compiled.fallback import NotPlannable
from app.graphql.compiled.row_builder import BuilderSource, Path
from app.query.list_edges import ListEdge
from app.query.relations import FieldSpec, Reference, Table, Via


@dataclass(frozen=True, slots=True)
class FieldLocation:
    """A type whose objects are made of the rows of `source`, and the `path` to them from the object of the row."""

    kind: GraphQLObjectType
    table: Table | None
    source: BuilderSource
    path: Path = ()
    node: "FieldLocation | None" = None
    """On an edge of a connection: its node, which is made of the same row."""
    edge: ListEdge | None = None
    """On the edge of a new item: where its cursor is from."""
    via: Via | None = None
    """The subquery that reads a column, if the object is of another row."""
    guards: tuple[int, ...] = ()
    """The columns that are all non-null in the rows that have this object."""
    refers: Reference | None = None
    """To which cached rows the row refers, if its statement does not read them."""

    def part(self, kind: GraphQLObjectType, key: str, spec: FieldSpec) -> "FieldLocation":
        """Return the location of a nested object under a response key: of the same row, or of the table of `spec`."""
        path, table, via = (*self.path, key), spec.joined or self.table, spec.via or self.via
        return replace(self, kind=kind, table=table, path=path, node=None, via=via)


def object_of(kind: GraphQLOutputType) -> GraphQLObjectType:
    """Return the object type of a field, without lists and nulls; raises NotPlannable for interfaces and unions."""
    named = get_named_type(kind)
    if not is_object_type(named):
        raise NotPlannable("a field of several types")
    return named


def declaration(field: GraphQLField) -> Any:
    """Return the Strawberry declaration of a field."""
    return field.extensions["strawberry-definition"]


def entity_type_of(kind: GraphQLObjectType) -> Any:
    """Return the class that declares a type."""
    return kind.extensions["strawberry-definition"].origin


def table_of(kind: GraphQLObjectType) -> Table | None:
    """Return the table of a type, None for a type without one."""
    table: Table | None = entity_type_of(kind).__row__
    return table


def is_never_null(table: Table | None, name: str, spec: FieldSpec) -> bool:
    """Return whether the database guarantees a value."""
    columns: Any = table.__table__.c  # type: ignore[union-attr]  # every mapped class has one
    return spec.sql is None and spec.guard is None and not columns[name].nullable


def selects_objects(node: FieldNode) -> bool:
    """Return whether a field may have objects below it. A fragment counts as an object, since it is not read."""
    below = node.selection_set.selections if node.selection_set else ()
    return any(not isinstance(each, FieldNode) or each.selection_set for each in below)
