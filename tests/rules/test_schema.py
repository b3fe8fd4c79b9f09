"""The schema is the product: all of it is described, the committed text is the served one, and reads are declared."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
)

from app.graphql import schema

COMMITTED = Path(__file__).parents[2] / "schema.graphql"
SDL = build_schema(schema.sdl())

COMPUTED = {
    "Query.explainAccess",  # as whom another user acts
    "Query.explainDenial",  # why another user does not
    "Query.previewAccess",  # tries a change and undoes it
}
"""Fields with code of their own. A compiled executor cannot run them: each needs a reason here."""

CONNECTION = {"edges", "nodes", "pageInfo", "totalCount"}
EDGE = {"cursor", "node"}
VALUES = {"PageInfo", "PermissionInfo"}
"""Types whose instances are made whole by the field that leads to them."""


def test_what_is_committed_is_what_is_served() -> None:
    assert COMMITTED.read_text() == schema.sdl(), "the schema has changed: run scripts/schema and commit schema.graphql"


def test_the_text_of_the_schema_is_sorted() -> None:
    names = [
        line.split()[1].partition("(")[0] for line in schema.sdl().splitlines() if line.startswith(("type", "inp"))
    ]

    assert names == sorted(names)


def test_everything_is_described() -> None:
    assert [name for name, description in _elements() if not (description or "").strip()] == []


def test_everything_that_can_be_read_is_declared() -> None:
    found = {name for kind in _readable() for name in _undeclared(kind)}

    assert found == COMPUTED


def test_what_is_guarded_or_follows_an_edge_may_be_null() -> None:
    """Else a row that vanishes, or a viewer who may not see it, takes the whole answer away."""
    found = [
        f"{kind}.{name}"
        for kind in _readable()
        for name, field in kind.fields.items()
        if _may_be_missing(_cell(field)) and isinstance(_one(field), GraphQLNonNull)
    ]

    assert found == []


def _elements() -> Iterator[tuple[str, str | None]]:
    """Every element by its coordinate, with its description."""
    for kind in SDL.type_map.values():
        if not is_introspection_type(kind) and not is_specified_scalar_type(kind):
            yield kind.name, kind.description
            yield from _parts(kind)
    for directive in SDL.directives:
        if not is_specified_directive(directive):
            yield f"@{directive.name}", directive.description
            yield from ((f"@{directive.name}({name}:)", each.description) for name, each in directive.args.items())


def _parts(kind: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    if isinstance(kind, GraphQLEnumType):
        yield from ((f"{kind}.{name}", value.description) for name, value in kind.values.items())
    elif isinstance(kind, GraphQLInputObjectType):
        yield from ((f"{kind}.{name}", each.description) for name, each in kind.fields.items())
    elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in kind.fields.items():
            yield f"{kind}.{name}", field.description
            yield from ((f"{kind}.{name}({each}:)", argument.description) for each, argument in field.args.items())


def _readable() -> list[Any]:
    """The types with fields that a query can lead to, as Strawberry made them; not those that only code leads to."""
    core = schema.core()
    found: dict[str, Any] = {}
    waiting: list[Any] = [core.query_type]
    while waiting:
        kind: Any = waiting.pop()
        if kind.name not in found and isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            found[kind.name] = kind
            declared = [field for name, field in kind.fields.items() if f"{kind}.{name}" not in COMPUTED]
            waiting += [get_named_type(field.type) for field in declared]
            waiting += core.get_possible_types(kind) if isinstance(kind, GraphQLInterfaceType) else []
    return list(found.values())


def _undeclared(kind: Any) -> Iterator[str]:
    names = set(kind.fields)
    frame = CONNECTION if names >= CONNECTION else EDGE if names >= EDGE else set()
    for name, field in kind.fields.items():
        if kind.name not in VALUES and name not in frame and _cell(field) is None:
            yield f"{kind}.{name}"


def _cell(field: Any) -> Any:
    return field.extensions["strawberry-definition"].metadata.get("cell")


def _may_be_missing(cell: Any) -> bool:
    return cell is not None and (cell.guard or cell.find or (cell.follow and cell.follow.kind == "one"))


def _one(field: Any) -> Any:
    """The type of what is found: of one of the list, where a lookup answers several."""
    inner = get_nullable_type(field.type)
    return inner.of_type if _cell(field).find and isinstance(inner, GraphQLList) else field.type
