"""Complete queries: all fields of all lists, and each comparison of each filter."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_composite_type,
)

from tests.oracle.questions import Asker
from tests.oracle.worlds import Question

AT_ONCE = 20
"""The largest number of root fields of a query."""


def complete_questions(schema: GraphQLSchema) -> list[Question]:
    """Return for each list a query with all fields of its rows and of the rows they lead to."""
    root: Any = schema.query_type
    lists = [_page(name, field_, 20, 3) for name, field_ in root.fields.items() if "first" in field_.args]
    return [Question(f"query Whole {{ {text} }}", {}) for text in lists]


def _page(name: str, field_: GraphQLField, size: int, depth: int) -> str:
    connection: Any = get_named_type(field_.type)
    edge: Any = get_named_type(connection.fields["edges"].type)
    facts = [_complete_field(each, kind, 1) for each, kind in edge.fields.items() if each != "node"]
    node = _complete_field("node", edge.fields["node"], depth + 1)
    return f"{name}(first: {size}) {{ totalCount edges {{ {' '.join(facts)} {node} }} }}"


def _complete_field(name: str, field_: GraphQLField, depth: int) -> str:
    """Return a field with all fields below it; a page counts as two levels."""
    below: Any = get_named_type(field_.type)
    if not is_composite_type(get_named_type(field_.type)):
        return name
    if "first" in field_.args:
        return " ".join([_page(name, field_, 10, depth - 2), *_each_value(name, field_)]) if depth >= 2 else ""
    parts = [_complete_field(each, kind, depth - 1) for each, kind in below.fields.items()] if depth else []
    return f"{name} {{ {' '.join(parts)} }}" if any(parts) else ""


def _each_value(name: str, field_: GraphQLField) -> Iterator[str]:
    """Return the count of a list for each value of its enum arguments."""
    for argument, each in field_.args.items():
        kind = get_nullable_type(each.type)
        for value in kind.values if isinstance(kind, GraphQLEnumType) else ():
            yield f"{name}{value}: {name}(first: 1, {argument}: {value}) {{ totalCount edges {{ cursor }} }}"


def probes(asker: Asker) -> Iterator[Question]:
    """Return each list with each comparison of each filter, with values that match and values that do not."""
    root: Any = asker.schema.query_type
    conditions = [(name, condition) for name, field_ in root.fields.items() for condition in _conditions(asker, field_)]
    texts = [
        f"p{at}: {name}(first: 3, filter: {condition}) {{ totalCount nodes {{ id }} }}"
        for at, (name, condition) in enumerate(conditions)
    ]
    for at in range(0, len(texts), AT_ONCE):
        yield Question(f"query Probe {{ {' '.join(texts[at : at + AT_ONCE])} }}", {})


def _conditions(asker: Asker, field_: GraphQLField) -> Iterator[str]:
    """Return filters by one field, for each comparison with a few values."""
    kind: Any = get_named_type(field_.args["filter"].type) if "filter" in field_.args else None
    for name, field in kind.fields.items() if kind else ():
        of: Any = get_named_type(field.type)
        if isinstance(of, GraphQLInputObjectType) and of is not kind:
            for comparison, each in of.fields.items():
                yield from (
                    asker.literal({name: asker.worded({comparison: _value(asker, each.type, name)})}) for _ in range(2)
                )
        elif of is not kind:
            yield from (asker.literal({name: _value(asker, of, name)}) for _ in range(2))


def _value(asker: Asker, kind: Any, name: str) -> Any:
    return asker.value(GraphQLNonNull(get_nullable_type(kind)), name, 1, variables=False)
