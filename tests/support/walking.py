"""Documents that select every field of the schema, and arguments with every filter and every order.

All arguments are variables, named by argument and type, so that one document is asked again with other values.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
)

from app.graphql.schema import core

SCHEMA = core()
BETWEEN = ("Connection", "Edge", "PageInfo", "AccessConfiguration", "ViewerAccess")
"""Ends of the names of types that do not count as a level of depth."""

Variables = dict[str, Any]


def query_type() -> GraphQLObjectType:
    root = SCHEMA.query_type
    assert root is not None
    return root


def mutation_type() -> GraphQLObjectType:
    root = SCHEMA.mutation_type
    assert root is not None
    return root


class Document:
    """A query for some root fields with all that lies below them, some objects deep."""

    def __init__(self, roots: Sequence[str], depth: int) -> None:
        self.variables: dict[str, str] = {}
        self.seen: set[tuple[str, str]] = set()
        self._fragments: dict[str, str] = {}
        fields = [self._field(query_type(), name, depth) for name in roots]
        head = ", ".join(f"${name}: {kind}" for name, kind in self.variables.items())
        query = f"query ({head}) {{ {' '.join(fields)} }}" if head else f"{{ {' '.join(fields)} }}"
        self.text = "\n".join([query, *self._fragments.values()])

    def values(self, values: Mapping[str, Any]) -> Variables:
        """Those of some values that this document has variables for."""
        return {name: value for name, value in values.items() if name in self.variables}

    def _field(self, owner: Any, name: str, depth: int) -> str:
        field = owner.fields[name]
        self.seen.add((owner.name, name))
        below = get_named_type(field.type)
        alias = f"{name}Of{owner.name}: " if _differs(owner, name) else ""
        selection = f"{alias}{name}{self._arguments(field)}"
        return selection if is_leaf_type(below) else f"{selection} {{ ...{self._fragment(below, depth)} }}"

    def _arguments(self, field: GraphQLField) -> str:
        arguments = []
        for name, argument in field.args.items():
            variable = f"{name}{get_named_type(argument.type).name}"
            self.variables[variable] = str(argument.type)
            arguments.append(f"{name}: ${variable}")
        return f"({', '.join(arguments)})" if arguments else ""

    def _fragment(self, kind: Any, depth: int) -> str:
        name = f"{kind.name}{depth}"
        if name not in self._fragments:
            self._fragments[name] = ""
            self._fragments[name] = f"fragment {name} on {kind.name} {{ {' '.join(self._selection(kind, depth))} }}"
        return name

    def _selection(self, kind: Any, depth: int) -> Iterator[str]:
        yield "__typename"
        if isinstance(kind, GraphQLInterfaceType):
            for each in SCHEMA.get_possible_types(kind):
                yield f"...{self._fragment(each, depth)}"
        for name, field in kind.fields.items():
            below = get_named_type(field.type)
            if is_leaf_type(below):
                yield self._field(kind, name, depth)
            elif kind.name.endswith("Connection") and name == "nodes":
                yield self._field(kind, name, 0)  # the same rows as in `edges`
            elif depth > 0 or below.name.endswith(BETWEEN[1:]):
                yield self._field(kind, name, depth if below.name.endswith(BETWEEN) else depth - 1)


def _differs(owner: Any, name: str) -> bool:
    """Another type with the same interface has a field of this name and another type: the two cannot merge."""
    others = [each for interface in owner.interfaces for each in SCHEMA.get_possible_types(interface)]
    return any(name in each.fields and each.fields[name].type != owner.fields[name].type for each in others)


def connections() -> list[str]:
    """The root fields that are lists, and what needs no argument."""
    return [name for name, field in query_type().fields.items() if not _required(field)]


def lookups() -> list[str]:
    """The root fields that ask about something that is named."""
    return [name for name, field in query_type().fields.items() if _required(field)]


def _required(field: GraphQLField) -> bool:
    return any(str(argument.type).endswith("!") for argument in field.args.values())


def reachable() -> set[tuple[str, str]]:
    """Every field of every type that a query leads to."""
    fields: set[tuple[str, str]] = set()
    waiting: list[Any] = [query_type()]
    visited: set[str] = set()
    while waiting:
        kind = waiting.pop()
        if is_leaf_type(kind) or kind.name in visited:
            continue
        visited.add(kind.name)
        if isinstance(kind, GraphQLInterfaceType):
            waiting += SCHEMA.get_possible_types(kind)
        fields |= {(kind.name, name) for name in kind.fields}
        waiting += [get_named_type(field.type) for field in kind.fields.values()]
    return fields


def variations(words: Sequence[str], part: str) -> list[Variables]:
    """Sizes, orders and filters for all lists at once: one of each kind at a time; `part` is in every word."""
    variations_: list[Variables] = [{"firstInt": 1}, {"lastInt": 1}, {"lastInt": 3}]
    orders = {f"orderBy{kind.name}": list(_orders(kind)) for kind in _inputs("Order")}
    filters = {f"filter{kind.name}": list(_filters(kind, words, part)) for kind in _inputs("Filter") if _is_whole(kind)}
    for tried in (orders, filters):
        for at in range(max(map(len, tried.values()))):
            variations_.append({"firstInt": 3, **{name: values[at % len(values)] for name, values in tried.items()}})
    return [
        *variations_,
        *({"firstInt": 3, "roleResourceRole": "ADMIN", "typeString": kind} for kind in ("DATASET", "MODEL")),
    ]


def _inputs(end: str) -> Iterator[GraphQLInputObjectType]:
    for name, kind in SCHEMA.type_map.items():
        if name.endswith(end) and isinstance(kind, GraphQLInputObjectType):
            yield kind


def _is_whole(kind: GraphQLInputObjectType) -> bool:
    """A filter of rows, not of one value."""
    return "not" in kind.fields


def _orders(kind: GraphQLInputObjectType) -> Iterator[Any]:
    field = get_named_type(kind.fields["field"].type)
    assert isinstance(field, GraphQLEnumType)
    for name in field.values:
        yield [{"field": name, "direction": "ASC"}]
        yield [{"field": name, "direction": "DESC"}]


def _filters(kind: GraphQLInputObjectType, words: Sequence[str], part: str) -> Iterator[Any]:
    texts = []
    for name, field in kind.fields.items():
        match str(field.type):
            case "StringFilter":
                texts.append(name)
                comparisons: Any = ({"in": list(words)}, {"contains": part}, {"startsWith": part})
                yield {"or": [{name: comparison} for comparison in comparisons]}
            case "DateTimeFilter":
                yield from ({name: {compare: "2031-05-06T07:08:09Z"}} for compare in ("gte", "lt"))
            case "Boolean":
                yield from ({name: value} for value in (True, False))
            case "ResourceRole":
                yield {name: "ADMIN"}
    hidden: Any = [{name: {"contains": part}} for name in texts]
    yield from ({"not": hidden[0]}, {"or": hidden}, {"and": hidden}, {"not": {"or": hidden}})
