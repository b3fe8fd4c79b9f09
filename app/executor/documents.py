"""Texts become documents here, for both executors: guarded, parsed, validated and remembered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    ValidationRule,
    parse,
    specified_rules,
    validate,
)

from app.executor import guard
from app.executor.excess import Broken, Excess
from app.executor.mentions import shaping
from app.executor.recent import Recent
from app.settings import Limits

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
TOO_COMPLEX = Excess.code

MAX_ERRORS = 50
LONGEST_REMEMBERED = 65_536  # characters
LONGEST_NAME = 100
"""Characters of an operation's name that are told."""

CHARACTERS_PER_ENTRY = 500  # on average; a tree takes up to 300 bytes for a character of its text


class Invalid(Exception):
    """A request error: nothing was executed. Every error carries the code."""

    def __init__(self, errors: Sequence[GraphQLError], code: str) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = list(errors)
        self.code = code


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Known:
    """A valid document and the one operation of it that was asked for: its kind, and its name cut short for the log.

    `cost` is the guard's. `pages` are the variables that set the size of a page, each with the size taken for granted;
    `shaping` are those in directives, which decide what is selected.
    """

    document: DocumentNode
    operation: OperationDefinitionNode
    kind: str
    name: str | None
    fragments: Mapping[str, FragmentDefinitionNode]
    text: str
    cost: int
    pages: Mapping[str, int]
    shaping: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Failure:
    errors: tuple[GraphQLError, ...]
    code: str


class _Closed(ValidationRule):
    """The schema is not to be asked for. One error is enough, however much of it was asked for."""

    said = False

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Complain of the first field that leads into the schema; `__typename` does not."""
        if node.name.value in ("__schema", "__type") and not self.said:
            self.said = True
            self.report_error(GraphQLError("This server does not show its schema to you.", node))


_Key = tuple[str, str | None, bool]
_Sized = tuple[str, tuple[tuple[str, int], ...]]


class Documents:
    """All documents of one schema, the most recent ones remembered, failures too."""

    def __init__(
        self, schema: GraphQLSchema, limits: Limits, size: int = 1000, *, most_errors: int = MAX_ERRORS
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._most_errors = most_errors
        room = size * CHARACTERS_PER_ENTRY
        self._recent: Recent[_Key, Known | _Failure] = Recent(size, room, LONGEST_REMEMBERED, _length)
        self._weighed: Recent[_Sized, _Failure | Literal["light"]] = Recent(size, room, LONGEST_REMEMBERED, _length)

        self.hits = 0
        self.misses = 0

    @property
    def remembered(self) -> int:
        """How many need not be read again."""
        return len(self._recent)

    def ready(self, text: str, name: str | None, variables: Mapping[str, Any], *, introspection: bool) -> Known | None:
        """The same as `operation` where it answers at once, else None. Raises `Invalid`."""
        found = self._recent.get((text, name, introspection))
        if found is None:
            return None
        if isinstance(found, Known) and (sizes := _larger(found, variables)):
            if self._weighed.get(_sized(found, sizes)) is None:
                return None
            self.weigh(found, variables)
        self.hits += 1
        return _told(found)

    def operation(self, text: str, name: str | None, variables: Mapping[str, Any], *, introspection: bool) -> Known:
        """The operation that a request asks for, `known` and weighed. Raises `Invalid`."""
        known = self.known(text, name, introspection=introspection)
        self.weigh(known, variables)
        return known

    def known(self, text: str, operation_name: str | None, *, introspection: bool = True) -> Known:
        """The operation of that name; without a name there must be exactly one. Raises `Invalid`.

        To whom `introspection` is closed, nothing of the schema is shown, not even in a suggestion.
        """
        key = text, operation_name, introspection
        found = self._recent.get(key)
        if found is not None:
            self.hits += 1
        else:
            self.misses += 1
            found = self._understood(text, operation_name, introspection)
            self._recent.put(key, found)
        return _told(found)

    def weigh(self, known: Known, variables: Mapping[str, Any]) -> None:
        """Refuse an operation whose cost is too high with the page sizes that these variables ask for."""
        # Costs only grow with sizes: what does not ask for more was weighed already.
        if not (sizes := _larger(known, variables)):
            return
        key = _sized(known, sizes)
        found = self._weighed.get(key)
        if found is None:
            found = self._weight(known, sizes)
            self._weighed.put(key, found)
        if isinstance(found, _Failure):
            raise Invalid(found.errors, found.code)

    def _weight(self, known: Known, sizes: Mapping[str, int]) -> "_Failure | Literal['light']":
        try:
            guard.check_document(known.document, self._limits, sizes)
        except Excess as excess:
            return _excess(excess)
        return "light"

    def _understood(self, text: str, operation_name: str | None, introspection: bool) -> Known | _Failure:
        try:
            guard.check_text(text, self._limits)
            document = parse(text, max_tokens=self._limits.tokens)
            weight = guard.check_document(document, self._limits)
        except Excess as excess:
            return _excess(excess)
        except GraphQLSyntaxError as error:
            return _failure([error], PARSE_FAILED)
        except Broken as broken:
            return _failure([GraphQLError(broken.message, broken.node)], VALIDATION_FAILED)
        if errors := self._violations(document, introspection):
            return _failure(errors, VALIDATION_FAILED)
        return _chosen(document, operation_name, text, weight)

    def _violations(self, document: DocumentNode, introspection: bool) -> list[GraphQLError]:
        rules = specified_rules if introspection else (*specified_rules, _Closed)
        return validate(self._schema, document, rules, self._most_errors, hide_suggestions=not introspection)


def _told(found: "Known | _Failure") -> Known:
    if isinstance(found, _Failure):
        raise Invalid(found.errors, found.code)
    return found


def _length(key: _Key | _Sized, _: object) -> int:
    return sum(len(part) for part in key if isinstance(part, str))


def _larger(known: Known, variables: Mapping[str, Any]) -> dict[str, int]:
    """The sizes of pages that these variables set, if one of them is larger than was taken for granted."""
    if not variables:
        return {}
    sizes = {name: variables[name] for name in known.pages if type(variables.get(name)) is int}
    return sizes if any(size > known.pages[name] for name, size in sizes.items()) else {}


def _sized(known: Known, sizes: Mapping[str, int]) -> _Sized:
    # Which operation is meant does not matter: all of a document are weighed.
    return known.text, tuple(sorted(sizes.items()))


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
    operation = chosen[0]
    named = operation.name.value[:LONGEST_NAME] if operation.name else None
    kind, shapes = operation.operation.value, shaping(document)
    return Known(document, operation, kind, named, fragments, text, weight.cost, weight.pages, shapes)


def _excess(excess: Excess) -> _Failure:
    facts = {"code": TOO_COMPLEX, "limit": excess.limit, "maximum": excess.most, "value": excess.value}
    return _Failure((GraphQLError(excess.message, extensions=facts),), TOO_COMPLEX)


def _failure(errors: Sequence[GraphQLError], code: str) -> _Failure:
    """Copies without nodes and tracebacks: what is remembered must not hold a whole tree or the parser's frames."""
    bare = (
        GraphQLError(error.message, source=error.source, positions=error.positions, extensions={"code": code})
        for error in errors
    )
    return _Failure(tuple(bare), code)
