"""Which variables stand where in a document."""

from typing import Any

from graphql import DirectiveNode, DocumentNode, Node, VariableNode, Visitor, visit


class _VariableCollector(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        """Take note of a variable."""
        self.names.add(node.name.value)


class _ShapingCollector(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        """Take note of the variables of a directive."""
        self.names |= used_variables(*node.arguments or ())


def used_variables(*trees: Node) -> set[str]:
    """The names of the variables in some trees."""
    found = _VariableCollector()
    for tree in trees:
        visit(tree, found)
    return found.names


def shaping_variables(document: DocumentNode) -> tuple[str, ...]:
    """Those in directives: their values decide what is selected."""
    found = _ShapingCollector()
    visit(document, found)
    return tuple(sorted(found.names))
