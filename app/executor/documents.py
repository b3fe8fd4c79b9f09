"""Texts become documents here, for both executors: guarded, parsed, validated and remembered."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)

from app.executor import guard
from app.executor.guard import Limits

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
TOO_COMPLEX = guard.Excess.code

MAX_ERRORS = 50
LONGEST_REMEMBERED = 65_536  # characters
CHARACTERS_PER_ENTRY = 500  # on average; a tree takes up to 300 bytes for a character of its text


class Invalid(Exception):
    """A request error: nothing was executed. Every error carries the code."""

    def __init__(self, errors: Sequence[GraphQLError], code: str) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = list(errors)
        self.code = code


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A valid document and the one operation of it that was asked for; `cost` is that of the guard."""

    document: DocumentNode
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    text: str
    cost: int
    pages: Mapping[str, int]  # variables that set the size of a page, each with the size taken for granted


@dataclass(frozen=True, slots=True)
class _Failure:
    errors: tuple[GraphQLError, ...]
    code: str


_Key = tuple[str, str | None, bool]


class Documents:
    """All documents of one schema, the most recent ones remembered, failures too."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, size: int = 1000, *, suggestions: bool = True) -> None:
        self._schema = schema
        self._limits = limits
        self._suggestions = suggestions
        self._recent = _Recent(size)
        self.hits = 0
        self.misses = 0

    @property
    def remembered(self) -> int:
        """How many need not be read again."""
        return len(self._recent)

    def known(self, text: str, operation_name: str | None, *, introspection: bool = True) -> Known:
        """The operation of that name; without a name there must be exactly one. Raises `Invalid`."""
        key = text, operation_name, introspection
        found = self._recent.get(key)
        if found is not None:
            self.hits += 1
        else:
            self.misses += 1
            found = self._understood(text, operation_name, introspection)
            self._recent.put(key, found)
        if isinstance(found, _Failure):
            raise Invalid(found.errors, found.code)
        return found

    def weigh(self, known: Known, variables: Mapping[str, Any]) -> None:
        """Refuse an operation whose cost is too high with the page sizes that these variables ask for."""
        asked = {name: variables.get(name) for name in known.pages}
        # Costs only grow with sizes: what does not ask for more was weighed already.
        if any(type(size) is int and size > known.pages[name] for name, size in asked.items()):
            try:
                guard.check_document(known.document, self._limits, asked)
            except guard.Excess as excess:
                failure = _excess(excess)
                raise Invalid(failure.errors, failure.code) from None

    def _understood(self, text: str, operation_name: str | None, introspection: bool) -> Known | _Failure:
        try:
            guard.check_text(text, self._limits)
            document = parse(text, max_tokens=self._limits.tokens)
            weight = guard.check_document(document, self._limits)
        except guard.Excess as excess:
            return _excess(excess)
        except GraphQLSyntaxError as error:
            return _failure([error], PARSE_FAILED)
        except guard.Broken as broken:
            return _failure([GraphQLError(broken.message, broken.node)], VALIDATION_FAILED)
        if errors := self._violations(document, introspection):
            return _failure(errors, VALIDATION_FAILED)
        return _chosen(document, operation_name, text, weight)

    def _violations(self, document: DocumentNode, introspection: bool) -> list[GraphQLError]:
        rules = specified_rules if introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        return validate(self._schema, document, rules, MAX_ERRORS, hide_suggestions=not self._suggestions)


class _Recent:
    """Least recently used first to go; bounded in number and in characters, since a tree outweighs its text."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._characters = 0
        self._entries: OrderedDict[_Key, Known | _Failure] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: _Key) -> Known | _Failure | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: _Key, entry: Known | _Failure) -> None:
        if _length(key) > LONGEST_REMEMBERED:
            return
        self._entries[key] = entry
        self._characters += _length(key)
        while len(self._entries) > self._size or self._characters > self._size * CHARACTERS_PER_ENTRY:
            oldest, _ = self._entries.popitem(last=False)
            self._characters -= _length(oldest)


def _length(key: _Key) -> int:
    return len(key[0]) + len(key[1] or "")


def _chosen(document: DocumentNode, name: str | None, text: str, weight: guard.Weight) -> Known | _Failure:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if name is None and len(operations) > 1:
        return _failure(
            [GraphQLError("There are several operations: `operationName` must name one.")], RESOLUTION_FAILURE
        )
    chosen = [node for node in operations if name is None or (node.name and node.name.value == name)]
    if not chosen:
        said = "There is no operation." if name is None else f"There is no operation '{name[:200]}'."
        return _failure([GraphQLError(said)], RESOLUTION_FAILURE)
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return Known(document, chosen[0], fragments, text, weight.cost, weight.pages)


def _excess(excess: guard.Excess) -> _Failure:
    facts = {"code": TOO_COMPLEX, "limit": excess.limit, "maximum": excess.most, "value": excess.value}
    return _Failure((GraphQLError(excess.message, extensions=facts),), TOO_COMPLEX)


def _failure(errors: Sequence[GraphQLError], code: str) -> _Failure:
    """Copies without nodes and tracebacks: what is remembered must not hold a whole tree or the parser's frames."""
    bare = (
        GraphQLError(error.message, source=error.source, positions=error.positions, extensions={"code": code})
        for error in errors
    )
    return _Failure(tuple(bare), code)
