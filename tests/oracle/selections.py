"""The features of a document that have values in its reply: fields, arguments, fragments and directives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from tests.oracle.naive import readable
from tests.rules.test_schema import COMPUTED

SDL = readable(COMPUTED)
"""The schema of all that plans can execute."""

FEW = 6
"""The number of items of a list that are read: the others are of the same type."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A field of a type with its value, or a fragment with something in it."""

    kind: Any
    node: Any
    value: Any
    below: bool = True
    """True if the value is not empty."""

    narrows: bool = False
    """True for a fragment on another type than that of the field."""


def features(document: DocumentNode, data: Any) -> Iterator[str]:
    """Return the features of a reply: `Type.field`, `Type.field(argument:)`, `on Type`, `alias`, `@skip` and others."""
    for each in _all(document, data):
        if not each.below:
            continue
        yield from (f"@{directive.name.value}" for directive in each.node.directives or ())
        yield from _of_field(each) if isinstance(each.node, FieldNode) else _of_fragment(each)


def cursors_of(document: DocumentNode, data: Any) -> Iterator[tuple[str, str]]:
    """Return the cursors of a reply, each with the type of its list."""
    for each in _all(document, data):
        if isinstance(each.node, FieldNode) and each.node.name.value == "cursor":
            yield get_named_type(each.kind.fields["node"].type).name, each.value


def _of_field(each: Selection) -> Iterator[str]:
    name = each.node.name.value
    yield name if name == "__typename" else f"{each.kind}.{name}"
    yield from ["alias"] if each.node.alias else []
    for argument in each.node.arguments or ():
        yield f"{each.kind}.{name}({argument.name.value}:)"
        yield from ["variable"] if isinstance(argument.value, VariableNode) else []


def _of_fragment(each: Selection) -> Iterator[str]:
    yield "fragment" if isinstance(each.node, FragmentSpreadNode) else "inline fragment"
    yield from [f"on {each.kind}"] if each.narrows else []


def _all(document: DocumentNode, data: Any) -> Iterator[Selection]:
    if data is None:
        return
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    (operation,) = (each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    yield from _below(operation.selection_set, SDL.query_type, data, fragments)


def _below(selections: SelectionSetNode, kind: Any, data: Any, fragments: Mapping[str, Any]) -> Iterator[Selection]:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            yield from _field(node, kind, data, fragments)
            continue
        inside: Any = fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
        on = SDL.type_map[inside.type_condition.name.value] if inside.type_condition else kind
        selected = list(_below(inside.selection_set, on, data, fragments))
        yield from selected
        yield Selection(on, node, data, any(each.below for each in selected), on is not kind)


def _field(node: FieldNode, kind: Any, data: Any, fragments: Mapping[str, Any]) -> Iterator[Selection]:
    name, key = node.name.value, (node.alias or node.name).value
    if key not in data or name not in (kind.fields if name != "__typename" else [name]):
        return
    value = data[key]
    yield Selection(kind, node, value, _is_something(value))
    for inner in value[:FEW] if isinstance(value, list) else [value]:
        if node.selection_set and inner is not None:
            yield from _below(node.selection_set, get_named_type(kind.fields[name].type), inner, fragments)


def _is_something(value: Any) -> bool:
    """Check that a value is neither null nor empty; a page has rows or a number."""
    if isinstance(value, dict):
        return any(_is_something(inner) and inner != 0 for inner in value.values())
    return value is not None and value != []
