"""A document's size, measured before anything slower looks at it: one pass, each fragment once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import accumulate
from math import comb
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from app.config import Limits
from app.graphql.documents.canonical import number_of, tokens_of
from app.graphql.documents.limit_errors import MOST, InvalidFragments, within
from app.query import pagination

LONGEST_NAME = 1_000
"""Characters of a name: an alias is repeated in each row of an answer."""

NO_NAME = frozenset('"#-0123456789')
"""What a string, a comment or a number begins with."""

STEP = {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}
PARENTHESIS = {"(": 1, ")": -1}

# Lists of the introspection system, with a typical length: their real one does not depend on the asker.
INTROSPECTION = {"types": 100, "directives": 5, "fields": 4, "inputFields": 4, "args": 4, "enumValues": 4}
RETURNING = frozenset({"fields", "inputFields", "interfaces", "possibleTypes"})
ROWS = frozenset({"edges", "nodes"})

Definition = FragmentDefinitionNode | OperationDefinitionNode


class Extent(NamedTuple):
    """What a selection unfolds to. `rows` is the cost of one row: of what stands below `edges` and `nodes`."""

    depth: int = 0
    selections: int = 0
    cost: int = 0
    rows: int = 0
    introspection: int = 0


class Overlap(NamedTuple):
    """Fields that meet: the most of one name in one place, and the pairs of one response name in all places."""

    most: int
    pairs: int


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a document's dearest operation, and the page size taken for each variable that sets one."""

    cost: int
    pages: Mapping[str, int]


def check_text(text: str, limits: Limits) -> list[str]:
    """Refuse what is too long, too deep or too crowded to be parsed at leisure; returns the tokens."""
    within("characters", limits.characters, len(text))
    tokens = tokens_of(text)
    within("tokens", limits.tokens, number_of(tokens))
    names = (len(each) for each in tokens if each[0] not in NO_NAME)
    within("characters of a name", LONGEST_NAME, max(names, default=0))
    levels = list(accumulate(STEP.get(token, 0) for token in tokens))
    # Each definition has one outermost brace.
    within("definitions", limits.definitions, list(zip(tokens, levels, strict=True)).count(("{", 1)))
    within("nesting", limits.nesting, max(levels, default=0))
    within("directives", limits.directives, tokens.count("@"))
    # A colon within parentheses belongs to an argument or a variable, any other to an alias.
    inside = accumulate(PARENTHESIS.get(token, 0) for token in tokens)
    within("aliases", limits.aliases, list(zip(tokens, inside, strict=True)).count((":", 0)))
    return tokens


def check_document(document: DocumentNode, limits: Limits, variables: Mapping[str, Any] | None = None) -> Cost:
    """Refuse what is too costly to be validated or executed; `variables` may say the sizes of pages."""
    measure = Measure(document, variables or {})
    parts = [measure.define(definition) for definition in measure.ordered]
    wholes = [measure.define(definition) for definition in measure.operations]
    sizes = parts + wholes
    within("depth", limits.depth, max((size.depth for size in sizes), default=0))
    within("selections", limits.selections, sum(size.selections for size in sizes))
    cost = max((size.cost + size.rows * pagination.DEFAULT_SIZE for size in wholes), default=0)
    within("cost", limits.cost, cost)
    within("introspection", limits.introspection, max((size.introspection for size in sizes), default=0))
    # Only now: what is unfolded here is bounded by the number of selections.
    definitions: list[Definition] = [*measure.ordered, *measure.operations]
    crowds = [measure.overlap(definition) for definition in definitions]
    within("siblings", limits.siblings, max((crowd.most for crowd in crowds), default=0))
    within("comparisons", limits.comparisons, max((crowd.pairs for crowd in crowds), default=0))
    within("root fields", limits.root_fields, max(map(measure.width, measure.operations), default=0))
    return Cost(cost, measure.pages)


class Measure:
    """Walks every definition once, fragments before those that spread them."""

    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        fragments = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
        self.operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        self.fragments = {node.name.value: node for node in fragments}
        for node in fragments:
            if node is not self.fragments[node.name.value]:
                raise InvalidFragments(f"There can be only one fragment named '{node.name.value}'.", node)
        self.ordered = _order_by_dependency(self.fragments)
        self.variables = _sizes(self.operations) | _numbers(variables)
        self.pages: dict[str, int] = {}
        self.sizes: dict[str, Extent] = {}

    def define(self, node: Definition) -> Extent:
        """The size of an operation or of a fragment, which is remembered."""
        if isinstance(node, OperationDefinitionNode):
            return self._together(node.selection_set.selections, False)
        inside = node.type_condition.name.value.startswith("__")
        self.sizes[node.name.value] = size = self._together(node.selection_set.selections, inside)
        return size

    def overlap(self, definition: Definition) -> Overlap:
        """What meets in one place of the answer, where selections of the same response name merge."""
        most = pairs = 0
        places = [[definition.selection_set]]
        while places:
            merged: dict[str, list[FieldNode]] = {}
            for node in self._unfolded(places.pop()):
                merged.setdefault((node.alias or node.name).value, []).append(node)
            names = Counter(node.name.value for nodes in merged.values() for node in nodes)
            most = max((most, *names.values(), *map(len, merged.values())))
            pairs += sum(comb(len(nodes), 2) for nodes in merged.values())
            below = ([node.selection_set for node in nodes if node.selection_set] for nodes in merged.values())
            places.extend(filter(None, below))
        return Overlap(most, pairs)

    def width(self, operation: OperationDefinitionNode) -> int:
        """How many response names an operation has at its root."""
        return len({(node.alias or node.name).value for node in self._unfolded([operation.selection_set])})

    def _unfolded(self, sets: Iterable[SelectionSetNode]) -> Iterator[FieldNode]:
        stack, seen = list(sets), set[str]()
        while stack:
            for node in stack.pop().selections:
                if isinstance(node, FieldNode):
                    yield node
                elif isinstance(node, InlineFragmentNode):
                    stack.append(node.selection_set)
                elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                    seen.add(node.name.value)
                    if fragment := self.fragments.get(node.name.value):
                        stack.append(fragment.selection_set)

    def _together(self, selections: Iterable[SelectionNode], inside: bool) -> Extent:
        depth = count = cost = rows = introspection = 0
        for node in selections:
            size = self._one(node, inside)
            depth, introspection = max(depth, size.depth), max(introspection, size.introspection)
            count, cost, rows = count + size.selections, cost + size.cost, rows + size.rows
        return Extent(depth, count, cost, rows, introspection)

    def _one(self, node: SelectionNode, inside: bool) -> Extent:
        if isinstance(node, FieldNode):
            return self._field(node, inside)
        if isinstance(node, FragmentSpreadNode):
            size = self.sizes.get(node.name.value, Extent())
        elif isinstance(node, InlineFragmentNode):
            size = self._together(node.selection_set.selections, inside)
        else:
            raise TypeError(f"A selection of a new kind: {node.kind}")
        return size._replace(selections=size.selections + 1)

    def _field(self, node: FieldNode, inside: bool) -> Extent:
        name, below = node.name.value, Extent()
        if node.selection_set:
            below = self._together(node.selection_set.selections, inside or name in ("__schema", "__type"))
        cost, rows = self._cost(node, below, inside)
        lists = below.introspection + (inside and name in RETURNING)
        return Extent(below.depth + 1, below.selections + 1, cost, rows, lists)

    def _cost(self, node: FieldNode, below: Extent, inside: bool) -> tuple[int, int]:
        if inside:
            return 1 + (below.cost + below.rows) * INTROSPECTION.get(node.name.value, 1), 0
        size = self._page_size(node)
        if below.rows or size is None:
            cost = 1 + below.cost + below.rows * (size or pagination.DEFAULT_SIZE)
        else:
            cost = 1 + below.cost * size
        return (0, cost) if node.name.value in ROWS else (cost, 0)

    def _page_size(self, node: FieldNode) -> int | None:
        sizes = [self._number(arg.value) for arg in node.arguments or () if arg.name.value in ("first", "last")]
        return max(sizes, default=None)

    def _number(self, value: ValueNode) -> int:
        if isinstance(value, VariableNode):
            name = value.name.value
            return self.pages.setdefault(name, self.variables.get(name, pagination.DEFAULT_SIZE))
        return _literal(value)


def _order_by_dependency(fragments: dict[str, FragmentDefinitionNode]) -> list[FragmentDefinitionNode]:
    graph = {name: set(_spreads(node.selection_set.selections)) for name, node in fragments.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        # In the order of spreading, and in the words of graphql-core's own rule.
        first, *others, _ = reversed(error.args[1])
        via = f" via {', '.join(repr(name) for name in others[:5])}" if others else ""
        raise InvalidFragments(f"Cannot spread fragment '{first}' within itself{via}.", fragments[first]) from None
    return [fragments[name] for name in order if name in fragments]


def _spreads(selections: Iterable[SelectionNode]) -> Iterator[str]:
    stack = [selections]
    while stack:
        for node in stack.pop():
            if isinstance(node, FragmentSpreadNode):
                yield node.name.value
            elif isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set:
                stack.append(node.selection_set.selections)


def _sizes(operations: Iterable[OperationDefinitionNode]) -> dict[str, int]:
    """The default of every variable that has a whole number for one; the largest where operations differ."""
    sizes: dict[str, int] = {}
    for operation in operations:
        for node in operation.variable_definitions or ():
            name = node.variable.name.value
            sizes[name] = max(sizes.get(name, 1), _literal(node.default_value))
    return sizes


def _literal(value: ValueNode | None) -> int:
    if not isinstance(value, IntValueNode):
        return pagination.DEFAULT_SIZE
    # Python refuses to read numbers of thousands of digits.
    return min(MOST, max(1, int(value.value[:10])))


def _numbers(variables: Mapping[str, Any]) -> dict[str, int]:
    return {name: max(1, value) for name, value in variables.items() if type(value) is int}
