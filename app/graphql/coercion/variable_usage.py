"""Variables that a document uses, and those in its directives."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    Visitor,
    visit,
)


class _VariableCollector(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        """Record a variable."""
        self.names.add(node.name.value)


class _ShapingCollector(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        """Record the variables of a directive."""
        self.names |= used_variables(*node.arguments or ())


class _FilterCollector(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, str] = {}

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        """Record the variables inside a filter with their places; a variable for the whole filter is not inside it."""
        if node.name.value == FILTER and not isinstance(node.value, VariableNode):
            self._collect(node.value, FILTER)

    def _collect(self, node: ValueNode, place: str) -> None:
        if isinstance(node, VariableNode):
            self.places.setdefault(node.name.value, place)
        elif isinstance(node, ListValueNode):
            for at, each in enumerate(node.values):
                self._collect(each, f"{place}[{at}]")
        elif isinstance(node, ObjectValueNode):
            for field in node.fields:
                self._collect(field.value, f"{place}.{field.name.value}")


FILTER = "filter"
"""The name of the argument of every list that is filtered."""


def used_variables(*trees: Node) -> set[str]:
    """Return the names of the variables in some syntax trees."""
    collector = _VariableCollector()
    for tree in trees:
        visit(tree, collector)
    return collector.names


def shaping_variables(document: DocumentNode) -> tuple[str, ...]:
    """Return the variables in directives, whose values decide what is selected."""
    collector = _ShapingCollector()
    visit(document, collector)
    return tuple(sorted(collector.names))


def filter_variables(document: DocumentNode) -> Mapping[str, str]:
    """Return the variables inside filters with their places, such as `filter.userName.eq`.

    Without a value, such a comparison would disappear and widen the list.
    """
    collector = _FilterCollector()
    visit(document, collector)
    return collector.places
