"""Complete queries: all fields of all lists, and each comparison of each filter."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNamedType,
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

MANY = 90
"""Values of a filter that is to match nearly every row."""


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
    """Return each list with each comparison of each filter, with values that match and values that do not.

    Filters that only the lists of rows have are asked there: those of the members of all groups.
    """
    root: Any = asker.schema.query_type
    for around, lists in [("{}", root.fields), *_lists_of_rows(root.fields)]:
        texts = [
            f"p{at}: {name}(first: 3, filter: {condition}) {{ totalCount edges {{ node {{ id }} }} }}"
            for at, (name, condition) in enumerate(
                (name, condition) for name, field_ in lists.items() for condition in _conditions(asker, field_)
            )
        ]
        for at in range(0, len(texts), AT_ONCE):
            yield Question(f"query Probe {{ {around.replace('{}', ' '.join(texts[at : at + AT_ONCE]))} }}", {})


def _lists_of_rows(fields: Mapping[str, GraphQLField]) -> Iterator[tuple[str, Mapping[str, GraphQLField]]]:
    """Yield, for each list, a query of its rows and the lists in them whose filter is not asked before."""
    asked = {_filter_of(field_) for field_ in fields.values()}
    for name, field_ in fields.items():
        if "first" not in field_.args:
            continue
        connection: Any = get_named_type(field_.type)
        node: Any = get_named_type(get_named_type(connection.fields["edges"].type).fields["node"].type)
        new = {each: below for each, below in node.fields.items() if _filter_of(below) not in asked}
        asked |= {_filter_of(below) for below in new.values()}
        if new:
            yield f"{name}(first: 20) {{ edges {{ node {{ {{}} }} }} }}", new


def _filter_of(field_: GraphQLField) -> GraphQLNamedType | None:
    return get_named_type(field_.args["filter"].type) if "filter" in field_.args else None


def _conditions(asker: Asker, field_: GraphQLField) -> Iterator[str]:
    """Return filters by one field, for each comparison with a few values, and some that match nearly every row."""
    kind: Any = _filter_of(field_)
    for name, field in kind.fields.items() if kind else ():
        of: Any = get_named_type(field.type)
        if isinstance(of, GraphQLInputObjectType) and of is not kind:
            for comparison, each in of.fields.items():
                yield from (
                    asker.literal({name: asker.worded({comparison: _value(asker, each.type, name)})}) for _ in range(2)
                )
            if "in" in of.fields:
                some = {_value(asker, get_named_type(of.fields["in"].type), name) for _ in range(MANY)}
                yield asker.literal({name: {"in": sorted(some)}})
        elif of is not kind:
            both = (True, False) if of.name == "Boolean" else (_value(asker, of, name), _value(asker, of, name), "")
            yield from (asker.literal({name: each}) for each in both if each != "" or name == "search")


def _value(asker: Asker, kind: Any, name: str) -> Any:
    return asker.value(GraphQLNonNull(get_nullable_type(kind)), name, 1, variables=False)
