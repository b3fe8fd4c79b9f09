"""What a plan has to know of GraphQL types and of where it stands in one."""

from dataclasses import dataclass, replace
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLOutputType, get_named_type, is_object_type

from app.graphql.compiled.fallback import NotPlannable
from app.graphql.compiled.row_builder import BuilderSource, Path
from app.query.relations import FieldSpec, Table


@dataclass(frozen=True, slots=True)
class FieldLocation:
    """A type whose objects are made of the rows of a draft, and the way to them from the object of the whole row."""

    kind: GraphQLObjectType
    table: Table | None
    draft: BuilderSource
    path: Path = ()
    node: "FieldLocation | None" = None
    """Of an edge of a connection: its node, which is of the same row."""

    def part(self, kind: GraphQLObjectType, key: str, joined: Table | None) -> "FieldLocation":
        """An object of the same row, or of what is joined to it, under a response key."""
        return replace(self, kind=kind, table=joined or self.table, path=(*self.path, key), node=None)


def object_of(kind: GraphQLOutputType) -> GraphQLObjectType:
    """The one type of the objects that a field leads to, through lists and nulls."""
    found = get_named_type(kind)
    if not is_object_type(found):
        raise NotPlannable("a field of several types")
    return found


def declared_fields(field: GraphQLField) -> Any:
    """The declaration of a field."""
    return field.extensions["strawberry-definition"]


def entity_type_of(kind: GraphQLObjectType) -> Any:
    """The class that declares a type."""
    return kind.extensions["strawberry-definition"].origin


def row_of(kind: GraphQLObjectType) -> Table | None:
    """The table whose rows a type shows."""
    row: Table | None = entity_type_of(kind).__row__
    return row


def is_never_null(table: Table | None, name: str, cell: FieldSpec) -> bool:
    """Whether the database itself sees to it that there is a value."""
    columns: Any = table.__table__.c  # type: ignore[union-attr]  # every mapped class has one
    return cell.of is None and cell.guard is None and not columns[name].nullable
