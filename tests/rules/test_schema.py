"""Claims about the schema: all of it is described, the committed SDL is the served one, and reads are declared."""

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
    "Query.accessDecision",  # adds entries that are not stored, and reads the lock
    "Query.explainAccess",  # resolves the subjects of another user
    "Query.explainDenial",  # resolves the missing roles of another user
    "Query.previewAccess",  # runs a change and rolls it back
}
"""Fields with a resolver of their own. The compiled executor cannot run them, so each needs a reason here."""

CONNECTION = {"edges", "nodes", "pageInfo", "totalCount"}
EDGE = {"cursor", "node"}
VALUES = {"PageInfo", "PermissionInfo", "OrgLevelInfo", "ResourceRoleInfo", "Registry", "PasswordPolicy"}
VALUES |= {f"{kind}Capabilities" for kind in ("User", "Org", "Group", "Resource", "Viewer")}
"""Types whose instances are built by the field that returns them."""


def test_the_committed_sdl_is_the_served_row_type() -> None:
    assert COMMITTED.read_text() == schema.sdl(), "the schema has changed: run scripts/schema and commit schema.graphql"


def test_the_text_of_the_schema_is_sorted() -> None:
    names = [
        line.split()[1].partition("(")[0] for line in schema.sdl().splitlines() if line.startswith(("type", "inp"))
    ]

    assert names == sorted(names)


def test_every_element_has_a_description() -> None:
    assert [name for name, description in _elements() if not (description or "").strip()] == []


def test_every_readable_field_is_declared() -> None:
    undeclared = {name for kind in _readable() for name in _undeclared(kind)}

    assert undeclared == COMPUTED


def test_guarded_fields_and_edges_are_nullable() -> None:
    """A non-null field without a value would set its parent to null as well."""
    non_null = [
        f"{kind}.{name}"
        for kind in _readable()
        for name, field in kind.fields.items()
        if _may_be_missing(_spec(field)) and isinstance(_row_type(field), GraphQLNonNull)
    ]

    assert non_null == []


def _elements() -> Iterator[tuple[str, str | None]]:
    """Return every element of the schema: its coordinate and its description."""
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
    """Return the types that a query can reach through declared fields."""
    core = schema.core()
    reached: dict[str, Any] = {}
    waiting: list[Any] = [core.query_type]
    while waiting:
        kind: Any = waiting.pop()
        if kind.name not in reached and isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            reached[kind.name] = kind
            declared = [field for name, field in kind.fields.items() if f"{kind}.{name}" not in COMPUTED]
            waiting += [get_named_type(field.type) for field in declared]
            waiting += core.get_possible_types(kind) if isinstance(kind, GraphQLInterfaceType) else []
    return list(reached.values())


def _undeclared(kind: Any) -> Iterator[str]:
    names = set(kind.fields)
    frame = CONNECTION if names >= CONNECTION else EDGE if names >= EDGE else set()
    for name, field in kind.fields.items():
        if kind.name not in VALUES and name not in frame and _spec(field) is None:
            yield f"{kind}.{name}"


def _spec(field: Any) -> Any:
    return field.extensions["strawberry-definition"].metadata.get("spec")


def _may_be_missing(spec: Any) -> bool:
    return spec is not None and (spec.guard or spec.lookup or (spec.follow and spec.follow.kind == "one"))


def _row_type(field: Any) -> Any:
    """Return the type of one row: that of an item if a lookup returns a list."""
    inner = get_nullable_type(field.type)
    return inner.of_type if _spec(field).lookup and isinstance(inner, GraphQLList) else field.type
