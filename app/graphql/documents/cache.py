"""Texts become documents here, for both executors: guarded, parsed, validated and remembered."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

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

from app.caching import AudienceLRU
from app.config import Limits
from app.graphql.coercion.variable_usage import shaping_variables
from app.graphql.documents import limits as guard
from app.graphql.documents.canonical import SentText, canonical
from app.graphql.documents.charges import Charge
from app.graphql.documents.limit_errors import InvalidFragments, LimitExceeded

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
TOO_COMPLEX = LimitExceeded.code

MAX_ERRORS = 50
MAX_CACHED_LENGTH = 65_536  # characters
VARIABLE = re.compile(r"\$ (\w+)", re.ASCII)
"""A variable in a canonical text; what looks like one in a string counts too, which harms nobody."""

LONGEST_NAME = 100
"""Characters of an operation's name that are told."""

CHARACTERS_PER_ENTRY = 500  # on average; a tree takes up to 300 bytes for a character of its text


class Invalid(Exception):
    """A request error: nothing was executed. Every error carries the code."""

    def __init__(self, errors: Sequence[GraphQLError], code: str) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = list(errors)
        self.code = code
        self.sent: SentText | None = None
        """The text that was sent, where the errors speak of the canonical one."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ValidatedDocument:
    """A valid document and the one operation of it that was asked for: its kind, and its name cut short for the log.

    `text` is the canonical one. `cost` is the guard's. `pages` are the variables that set the size of a page, each with
    the size taken for granted; `shaping` are those in directives, which decide what is selected.
    """

    document: DocumentNode
    operation: OperationDefinitionNode
    kind: str
    name: str | None
    fragments: Mapping[str, FragmentDefinitionNode]
    text: str
    cost: int
    pages: Mapping[str, int]
    shaping_variables: tuple[str, ...]

    def uses(self) -> Counter[str]:
        """Return how often each variable stands in the operation and in all fragments, its definition counted too."""
        parts = (node.loc for node in (self.operation, *self.fragments.values()) if node.loc is not None)
        return Counter(name for loc in parts for name in VARIABLE.findall(self.text, loc.start, loc.end))


@dataclass(frozen=True, slots=True)
class _Failure:
    errors: tuple[GraphQLError, ...]
    code: str

    def placed(self, sent: SentText) -> "_Failure":
        """The same with the places of the text as it was sent."""
        return _Failure(tuple(_locate(error, sent) for error in self.errors), self.code)


@dataclass(frozen=True, slots=True, eq=False)
class _CachedDocument:
    """A valid document. Its operations are made ready one by one: which one is meant is not a matter of its text."""

    document: DocumentNode
    text: str
    weight: guard.Cost
    fragments: Mapping[str, FragmentDefinitionNode]
    shaping: tuple[str, ...]
    known: dict[str | None, ValidatedDocument] = field(default_factory=dict)

    def operation(self, name: str | None) -> ValidatedDocument:
        """The operation of a name, or the only one; raises Invalid."""
        found = self.known.get(name)
        if found is None:
            found = self.known[name] = self._chosen(name)
        return found

    def _chosen(self, name: str | None) -> ValidatedDocument:
        operations = [node for node in self.document.definitions if isinstance(node, OperationDefinitionNode)]
        if name is None and len(operations) > 1:
            raise _unresolved("There are several operations: `operationName` must name one.")
        chosen = [node for node in operations if name is None or (node.name and node.name.value == name)]
        if not chosen:
            said = "There is no operation." if name is None else f"There is no operation '{name[:200]}'."
            raise _unresolved(said)
        operation = chosen[0]
        named = operation.name.value[:LONGEST_NAME] if operation.name else None
        kind, weight = operation.operation.value, self.weight
        return ValidatedDocument(
            self.document, operation, kind, named, self.fragments, self.text, weight.cost, weight.pages, self.shaping
        )


class _Closed(ValidationRule):
    """The schema is not to be asked for. One error is enough, however much of it was asked for."""

    said = False

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Complain of the first field that leads into the schema; `__typename` does not."""
        if node.name.value in ("__schema", "__type") and not self.said:
            self.said = True
            self.report_error(GraphQLError("This server does not show its schema to you.", node))


_Key = tuple[str, bool]
"""A text, as it was sent or canonical, and whether the schema is shown."""

_Sized = tuple[str, tuple[tuple[str, int], ...]]

LARGE = 1_500
"""Characters from which on a document is read in a thread, so that the loop gets its turns meanwhile."""


class RequesterProfile(NamedTuple):
    """What of a viewer matters to documents: whether the schema is shown to them, and whose memory is theirs."""

    introspection: bool
    is_signed_in: bool


class DocumentCache:
    """All documents of one schema, the most recent ones remembered, failures too."""

    def __init__(
        self, schema: GraphQLSchema, limits: Limits, size: int = 1000, *, most_errors: int = MAX_ERRORS
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._most_errors = most_errors
        room = size * CHARACTERS_PER_ENTRY
        self._recent: AudienceLRU[_Key, _CachedDocument | _Failure] = AudienceLRU(
            size, room, MAX_CACHED_LENGTH, _length
        )
        self._weighed: AudienceLRU[_Sized, _Failure | Literal["light"]] = AudienceLRU(
            size, room, MAX_CACHED_LENGTH, _length
        )

        self.hits = 0
        self.misses = 0

    @property
    def cached_count(self) -> int:
        """How many need not be read again."""
        return len(self._recent)

    def get_cached(
        self,
        text: str,
        name: str | None,
        variables: Mapping[str, Any],
        *,
        requester: RequesterProfile,
    ) -> ValidatedDocument | None:
        """The operation of a text that was sent before, where it is weighed already; else None. Raises `Invalid`."""
        is_signed_in = requester.is_signed_in
        found = self._recent.get((text, requester.introspection), is_signed_in=is_signed_in)
        if found is None or (isinstance(found, _CachedDocument) and name not in found.known):
            return None
        known = _named_failure(found, name)
        if sizes := _larger(known, variables):
            if self._weighed.get(_list_sizes(known, sizes), is_signed_in=is_signed_in) is None:
                return None
            self.weigh(known, variables, is_signed_in=is_signed_in)
        self.hits += 1
        return known

    def operation(
        self, text: str, name: str | None, variables: Mapping[str, Any], *, introspection: bool
    ) -> ValidatedDocument:
        """The operation that a request asks for, `known` and weighed. Raises `Invalid`."""
        known = self.lookup(text, name, introspection=introspection)
        self.weigh(known, variables)
        return known

    async def read_operation(
        self, text: str, name: str | None, variables: Mapping[str, Any], *, requester: RequesterProfile, charge: Charge
    ) -> ValidatedDocument:
        """Return the same for who has a turn in the queue; what it computes is charged. Raises `Invalid`.

        A large document is read in a thread.
        """
        found = self._recent.get((text, requester.introspection), is_signed_in=requester.is_signed_in)
        if found is None:
            found = await self._read(text, requester, charge)
        known = _named_failure(found, name)
        with charge.measure():
            self.weigh(known, variables, is_signed_in=requester.is_signed_in)
        return known

    async def _read(self, text: str, requester: RequesterProfile, charge: Charge) -> _CachedDocument | _Failure:
        with charge.measure():
            found, new = self._start(text, requester)
        work = partial(self._validate, new, requester.introspection)
        if found is None and len(new.canonical) > LARGE:
            found = await charge.in_thread(work)
        with charge.measure():
            return self._store(new, found or work(), requester)

    def lookup(
        self, text: str, operation_name: str | None, *, introspection: bool = True, is_signed_in: bool = True
    ) -> ValidatedDocument:
        """The operation of that name; without a name there must be exactly one. Raises `Invalid`.

        To whom `introspection` is closed, nothing of the schema is shown, not even in a suggestion.
        """
        found = self._recent.get((text, introspection), is_signed_in=is_signed_in)
        if found is not None:
            self.hits += 1
            return _named_failure(found, operation_name)
        requester = RequesterProfile(introspection, is_signed_in)
        found, new = self._start(text, requester)
        found = self._store(new, found or self._validate(new, introspection), requester)
        return _named_failure(found, operation_name)

    def _start(self, text: str, requester: RequesterProfile) -> tuple[_CachedDocument | _Failure | None, "_New"]:
        """A text that was not sent before; what is known of it, if another one had the same tokens."""
        self.misses += 1
        try:
            tokens = guard.check_text(text, self._limits)
        except LimitExceeded as excess:
            return _limit_error(excess), _New(text, text)
        new = _New(text, canonical(text, tokens))
        if new.canonical == text:
            return None, new
        return self._recent.get((new.canonical, requester.introspection), is_signed_in=requester.is_signed_in), new

    def _store(
        self, new: "_New", found: _CachedDocument | _Failure, requester: RequesterProfile
    ) -> _CachedDocument | _Failure:
        """Remember what was found for the text and for all that have the same tokens; answers what is told of it."""
        told = found
        if isinstance(found, _Failure) and found.code == PARSE_FAILED:
            pass  # the lexer has told of the very text
        elif new.canonical != new.sent:
            self._recent.put((new.canonical, requester.introspection), found, is_signed_in=requester.is_signed_in)
            told = found.placed(SentText(new.sent, new.canonical)) if isinstance(found, _Failure) else found
        self._recent.put((new.sent, requester.introspection), told, is_signed_in=requester.is_signed_in)
        return told

    def weigh(self, known: ValidatedDocument, variables: Mapping[str, Any], *, is_signed_in: bool = True) -> None:
        """Refuse an operation whose cost is too high with the page sizes that these variables ask for."""
        # Costs only grow with sizes: what does not ask for more was weighed already.
        if not (sizes := _larger(known, variables)):
            return
        key = _list_sizes(known, sizes)
        found = self._weighed.get(key, is_signed_in=is_signed_in)
        if found is None:
            found = self._weight(known, sizes)
            self._weighed.put(key, found, is_signed_in=is_signed_in)
        if isinstance(found, _Failure):
            raise Invalid(found.errors, found.code)

    def _weight(self, known: ValidatedDocument, sizes: Mapping[str, int]) -> "_Failure | Literal['light']":
        try:
            guard.check_document(known.document, self._limits, sizes)
        except LimitExceeded as excess:
            return _limit_error(excess)
        return "light"

    def _validate(self, new: "_New", introspection: bool) -> _CachedDocument | _Failure:
        """What a document comes to; a thread may work it out, since nothing is remembered here."""
        try:
            document = self._parse(new)
            weight = guard.check_document(document, self._limits)
        except LimitExceeded as excess:
            return _limit_error(excess)
        except GraphQLSyntaxError as error:
            return _failure([error], PARSE_FAILED)
        except InvalidFragments as broken:
            return _failure([GraphQLError(broken.message, broken.node)], VALIDATION_FAILED)
        if errors := self._violations(document, introspection):
            return _failure(errors, VALIDATION_FAILED)
        nodes = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
        fragments = {node.name.value: node for node in nodes}
        return _CachedDocument(document, new.canonical, weight, fragments, shaping_variables(document))

    def _parse(self, new: "_New") -> DocumentNode:
        """The tree of the canonical text; what is wrong with it is told of the text as it was sent."""
        try:
            return parse(new.canonical, max_tokens=self._limits.tokens)
        except GraphQLSyntaxError:
            if new.canonical != new.sent:
                parse(new.sent, max_tokens=self._limits.tokens)
            raise

    def _violations(self, document: DocumentNode, introspection: bool) -> list[GraphQLError]:
        rules = specified_rules if introspection else (*specified_rules, _Closed)
        return validate(self._schema, document, rules, self._most_errors, hide_suggestions=not introspection)


@dataclass(frozen=True, slots=True)
class _New:
    """A text as it was sent, and its canonical form."""

    sent: str
    canonical: str


def _named_failure(found: "_CachedDocument | _Failure", name: str | None) -> ValidatedDocument:
    if isinstance(found, _Failure):
        raise Invalid(found.errors, found.code)
    return found.operation(name)


def _length(key: _Key | _Sized, _: object) -> int:
    return len(key[0])


def _larger(known: ValidatedDocument, variables: Mapping[str, Any]) -> dict[str, int]:
    """The sizes of pages that these variables set, if one of them is larger than was taken for granted."""
    if not variables:
        return {}
    sizes = {name: variables[name] for name in known.pages if type(variables.get(name)) is int}
    return sizes if any(size > known.pages[name] for name, size in sizes.items()) else {}


def _list_sizes(known: ValidatedDocument, sizes: Mapping[str, int]) -> _Sized:
    # Which operation is meant does not matter: all of a document are weighed.
    return known.text, tuple(sorted(sizes.items()))


def _unresolved(message: str) -> Invalid:
    error = GraphQLError(message, extensions={"code": RESOLUTION_FAILURE})
    return Invalid([error], RESOLUTION_FAILURE)


def _locate(error: GraphQLError, sent: SentText) -> GraphQLError:
    if not error.positions:
        return error
    positions = [sent.position(each) for each in error.positions]
    return GraphQLError(error.message, source=sent.source, positions=positions, extensions=error.extensions)


def _limit_error(excess: LimitExceeded) -> _Failure:
    facts = {"code": TOO_COMPLEX, "limit": excess.limit, "maximum": excess.most, "value": excess.value}
    return _Failure((GraphQLError(excess.message, extensions=facts),), TOO_COMPLEX)


def _failure(errors: Sequence[GraphQLError], code: str) -> _Failure:
    """Copies without nodes and tracebacks: what is remembered must not hold a whole tree or the parser's frames."""
    bare = (
        GraphQLError(error.message, source=error.source, positions=error.positions, extensions={"code": code})
        for error in errors
    )
    return _Failure(tuple(bare), code)
