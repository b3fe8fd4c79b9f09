"""Edges in payloads: a new item as an edge of the list that it is now in, so that caches append it without a read.

A payload declares such a field with `new_edge`. Its key is that of the new object, which the outcome of the mutation
has; for a membership it is (org or group, user). `fill_payload` copies the keys, so that no mutation names an edge.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Generic, TypeVar

from typing_extensions import TypeVar as DefaultedTypeVar  # typing has defaults from Python 3.13 on

from app.graphql.schema.connections import connection_of, edge_of_row
from app.graphql.schema.fields import EntityType, declare_field, field_spec, origin, output, response_location
from app.graphql.schema.instances import field_specs, field_type, layout
from app.query.list_edges import ListEdge, cursor_of, cursor_specs
from app.query.relations import FieldSpec, Layout

N = TypeVar("N")
F = DefaultedTypeVar("F", default=EntityType)


class Edge(Generic[N, F]):
    """The edge type of a connection: `Edge[User, OrgMemberFacts]` is that of `Connection[User, OrgMemberFacts]`.

    mypy sees a generic class.
    """

    def __class_getitem__(cls, types: Any) -> Any:
        """Return the type of the edges of a connection."""
        return field_type(connection_of(*types) if isinstance(types, tuple) else connection_of(types), "edges")


def new_edge(description: str, edge: ListEdge, *keys: str) -> Any:
    """Declare the edge of a new item. `keys` are the fields of the outcome that identify it."""
    text = f"{description} Its cursor is one of the default order. Null if nothing was written."
    return declare_field(text, FieldSpec(follow=edge.row, edge=edge), _read_edge, keys=keys)


def edge_keys(payload: Any, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of the edges that a payload declares, from the keys in the outcome of a mutation."""
    edges: dict[str, Any] = {}
    for name, sources in _sources(payload):
        keys = [outcome.get(source) for source in sources]
        if None not in keys:
            edges[name] = keys[0] if len(keys) == 1 else tuple(keys)
    return edges


@cache
def _sources(payload: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    fields = payload.__strawberry_definition__.fields
    return tuple((field.python_name, keys) for field in fields if (keys := field.metadata.get("keys")))


async def _read_edge(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    edge, key, kind = field_spec(info).edge, source.__dict__[name], origin(output(info))
    if key is None or edge is None:
        return None
    node = field_type(kind, "node")
    columns = _columns(kind, edge)
    row = await info.context.reader.item(response_location(info), edge, columns, key)
    if row is None:
        return None
    width = len(columns.fields) - len(cursor_specs(edge))
    return edge_of_row(kind, node, row, len(layout(node).fields), cursor_of(edge, row[width : len(columns.fields)]))


@cache
def _columns(kind: Any, edge: ListEdge) -> Layout:
    """Return the select list: the fields of the node, the facts of the relation, and the values of the cursor."""
    facts = tuple((name, spec, edge.row.anchor) for name, spec in field_specs(kind).items()) if kind.__row__ else ()
    return Layout((*layout(field_type(kind, "node")).fields, *facts, *cursor_specs(edge)))
