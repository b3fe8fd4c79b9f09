"""Limits of documents, checked before parsing, validation and execution. Each fragment is measured once."""

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
from app.domain.errors import TooComplex
from app.graphql.documents.canonical import number_of, tokens_of
from app.query import pagination

MAX_NAME_LENGTH = 1_000
"""Characters of a name. An alias is repeated in each row of a response."""

MAX_REPORTED = 10**9
"""The largest measured value that errors report: values of nested fragments can have hundreds of digits."""

NO_NAME = frozenset('"#-0123456789')
"""The first characters of strings, comments and numbers."""

NESTING = {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}
PARENTHESIS = {"(": 1, ")": -1}

# Lists of the introspection system, with a typical length. Their real length does not depend on the request.
INTROSPECTION = {"types": 100, "directives": 5, "fields": 4, "inputFields": 4, "args": 4, "enumValues": 4}
RECURSIVE = frozenset({"fields", "inputFields", "interfaces", "possibleTypes"})
ROWS = frozenset({"edges", "nodes"})

Definition = FragmentDefinitionNode | OperationDefinitionNode


class LimitExceeded(TooComplex):
    """A document exceeds a limit; the message has the limit, its maximum and the measured value."""

    def __init__(self, limit: str, maximum: int, value: int) -> None:
        measured = f"{value:,}" if value < MAX_REPORTED else f"more than {MAX_REPORTED:,}"
        message = f"The document is too complex: {limit} may be {maximum:,} at most, but here it is {measured}."
        super().__init__(message, limit, maximum, min(value, MAX_REPORTED))


class InvalidFragments(Exception):
    """Fragments form a cycle or share a name, so that the document has no size."""

    def __init__(self, message: str, node: FragmentDefinitionNode) -> None:
        super().__init__(message)
        self.message, self.node = message, node


class Extent(NamedTuple):
    """The size of a selection with its fragments. `rows` is the cost of one row of `edges` and `nodes`."""

    depth: int = 0
    selections: int = 0
    cost: int = 0
    rows: int = 0
    introspection: int = 0


class Overlap(NamedTuple):
    """Fields that merge: the most of one name in one object, and the number of pairs with one response key."""

    maximum: int
    pairs: int


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of the most expensive operation, and the assumed page size of each variable that sets one."""

    cost: int
    pages: Mapping[str, int]


def check_text(text: str, limits: Limits) -> list[str]:
    """Check the limits that need no parser, and return the tokens; raises LimitExceeded."""
    _check("characters", limits.characters, len(text))
    tokens = tokens_of(text)
    _check("tokens", limits.tokens, number_of(tokens))
    name_lengths = (len(each) for each in tokens if each[0] not in NO_NAME)
    _check("characters of a name", MAX_NAME_LENGTH, max(name_lengths, default=0))
    levels = list(accumulate(NESTING.get(token, 0) for token in tokens))
    # Each definition has one outermost brace.
    _check("definitions", limits.definitions, list(zip(tokens, levels, strict=True)).count(("{", 1)))
    _check("nesting", limits.nesting, max(levels, default=0))
    _check("directives", limits.directives, tokens.count("@"))
    # A colon in parentheses belongs to an argument or a variable, any other colon to an alias.
    depths = accumulate(PARENTHESIS.get(token, 0) for token in tokens)
    _check("aliases", limits.aliases, list(zip(tokens, depths, strict=True)).count((":", 0)))
    return tokens


def check_document(document: DocumentNode, limits: Limits, variables: Mapping[str, Any] | None = None) -> Cost:
    """Check the limits of a parsed document; `variables` may set page sizes.

    Raises LimitExceeded and InvalidFragments.
    """
    measure = Measure(document, variables or {})
    fragments = [measure.define(definition) for definition in measure.ordered]
    operations = [measure.define(definition) for definition in measure.operations]
    sizes = fragments + operations
    _check("depth", limits.depth, max((size.depth for size in sizes), default=0))
    _check("selections", limits.selections, sum(size.selections for size in sizes))
    cost = max((size.cost + size.rows * pagination.DEFAULT_SIZE for size in operations), default=0)
    _check("cost", limits.cost, cost)
    _check("introspection", limits.introspection, max((size.introspection for size in sizes), default=0))
    # Last, since the number of selections bounds the work of this part.
    definitions: list[Definition] = [*measure.ordered, *measure.operations]
    overlaps = [measure.overlap(definition) for definition in definitions]
    _check("siblings", limits.siblings, max((overlap.maximum for overlap in overlaps), default=0))
    _check("comparisons", limits.comparisons, max((overlap.pairs for overlap in overlaps), default=0))
    _check("root fields", limits.root_fields, max(map(measure.width, measure.operations), default=0))
    return Cost(cost, measure.pages)


def _check(limit: str, maximum: int, value: int) -> None:
    if value > maximum:
        raise LimitExceeded(limit, maximum, value)


class Measure:
    """The extents of all definitions. Each is measured once, fragments before the definitions that use them."""

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
        """Return the extent of an operation or a fragment; that of a fragment is stored."""
        if isinstance(node, OperationDefinitionNode):
            return self._sum(node.selection_set.selections, False)
        in_introspection = node.type_condition.name.value.startswith("__")
        self.sizes[node.name.value] = size = self._sum(node.selection_set.selections, in_introspection)
        return size

    def overlap(self, definition: Definition) -> Overlap:
        """Return the overlap of a definition: selections with the same response key merge in one object."""
        maximum = pairs = 0
        objects = [[definition.selection_set]]
        while objects:
            merged: dict[str, list[FieldNode]] = {}
            for node in self._fields(objects.pop()):
                merged.setdefault((node.alias or node.name).value, []).append(node)
            names = Counter(node.name.value for nodes in merged.values() for node in nodes)
            maximum = max((maximum, *names.values(), *map(len, merged.values())))
            pairs += sum(comb(len(nodes), 2) for nodes in merged.values())
            below = ([node.selection_set for node in nodes if node.selection_set] for nodes in merged.values())
            objects.extend(filter(None, below))
        return Overlap(maximum, pairs)

    def width(self, operation: OperationDefinitionNode) -> int:
        """Return the number of response keys at the root of an operation."""
        return len({(node.alias or node.name).value for node in self._fields([operation.selection_set])})

    def _fields(self, sets: Iterable[SelectionSetNode]) -> Iterator[FieldNode]:
        """Return the fields of selection sets and of their fragments."""
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

    def _sum(self, selections: Iterable[SelectionNode], in_introspection: bool) -> Extent:
        depth = count = cost = rows = introspection = 0
        for node in selections:
            size = self._one(node, in_introspection)
            depth, introspection = max(depth, size.depth), max(introspection, size.introspection)
            count, cost, rows = count + size.selections, cost + size.cost, rows + size.rows
        return Extent(depth, count, cost, rows, introspection)

    def _one(self, node: SelectionNode, in_introspection: bool) -> Extent:
        if isinstance(node, FieldNode):
            return self._field(node, in_introspection)
        if isinstance(node, FragmentSpreadNode):
            size = self.sizes.get(node.name.value, Extent())
        elif isinstance(node, InlineFragmentNode):
            size = self._sum(node.selection_set.selections, in_introspection)
        else:
            raise TypeError(f"unexpected selection kind={node.kind}")
        return size._replace(selections=size.selections + 1)

    def _field(self, node: FieldNode, in_introspection: bool) -> Extent:
        name, below = node.name.value, Extent()
        if node.selection_set:
            below = self._sum(node.selection_set.selections, in_introspection or name in ("__schema", "__type"))
        cost, rows = self._cost(node, below, in_introspection)
        lists = below.introspection + (in_introspection and name in RECURSIVE)
        return Extent(below.depth + 1, below.selections + 1, cost, rows, lists)

    def _cost(self, node: FieldNode, below: Extent, in_introspection: bool) -> tuple[int, int]:
        if in_introspection:
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
        # The fragments in the order of their spreads, and the message of the rule of graphql-core.
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
    """Return the integer default of each variable; the largest one if operations differ."""
    sizes: dict[str, int] = {}
    for operation in operations:
        for node in operation.variable_definitions or ():
            name = node.variable.name.value
            sizes[name] = max(sizes.get(name, 1), _literal(node.default_value))
    return sizes


def _literal(value: ValueNode | None) -> int:
    if not isinstance(value, IntValueNode):
        return pagination.DEFAULT_SIZE
    # Python does not convert numbers with thousands of digits.
    return min(MAX_REPORTED, max(1, int(value.value[:10])))


def _numbers(variables: Mapping[str, Any]) -> dict[str, int]:
    return {name: max(1, value) for name, value in variables.items() if type(value) is int}
