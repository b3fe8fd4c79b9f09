"""The cache of documents: their limits are checked, then they are parsed, validated and cached, for both executors."""

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
    validate,
)

from app.caching import AudienceLRU
from app.config import Limits
from app.graphql.coercion.variable_usage import shaping_variables
from app.graphql.documents.canonical import IndexedSource, SentText, canonical
from app.graphql.documents.charges import Charge
from app.graphql.documents.limits import Cost, InvalidFragments, LimitExceeded, check_document, check_text
from app.graphql.documents.literal_rule import RULES, without_value

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
TOO_COMPLEX = LimitExceeded.code

MAX_ERRORS = 50
SEARCHED_CHARACTERS = 500_000
"""Errors times characters of a document: validation may search the text for each error that it reports."""

MAX_CACHED_LENGTH = 65_536
"""Characters of a text that is cached."""
VARIABLE = re.compile(r"\$ (\w+)", re.ASCII)
"""A variable in a canonical text. A match within a string counts too, which only overestimates the uses."""

MAX_NAME_LENGTH = 100
"""Characters of the name of an operation that are logged."""

CHARACTERS_PER_ENTRY = 500
"""Average length of a cached text. A syntax tree takes up to 300 bytes for a character of its text."""


class Invalid(Exception):
    """A request error: nothing was executed. Each error has the code."""

    def __init__(self, errors: Sequence[GraphQLError], code: str) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = list(errors)
        self.code = code
        self.sent: SentText | None = None
        """The sent text, if the errors have positions of the canonical text."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ValidatedDocument:
    """A valid document with its requested operation. `name` is shortened for the log.

    `text` is the canonical text, `cost` the cost computed by the limits. `pages` has the assumed page size of each
    variable that sets one; `shaping_variables` are the variables in directives, which decide what is selected.
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
        """Return the number of uses of each variable in the operation and all fragments, its definition included."""
        parts = (node.loc for node in (self.operation, *self.fragments.values()) if node.loc is not None)
        return Counter(name for loc in parts for name in VARIABLE.findall(self.text, loc.start, loc.end))


@dataclass(frozen=True, slots=True)
class _Failure:
    errors: tuple[GraphQLError, ...]
    code: str

    def located_in(self, sent: SentText) -> "_Failure":
        """Return a copy with positions of the sent text."""
        return _Failure(tuple(_locate(error, sent) for error in self.errors), self.code)


@dataclass(frozen=True, slots=True, eq=False)
class _CachedDocument:
    """A valid document with its operations, which are added when they are requested."""

    document: DocumentNode
    text: str
    cost: Cost
    fragments: Mapping[str, FragmentDefinitionNode]
    shaping: tuple[str, ...]
    operations: dict[str | None, ValidatedDocument] = field(default_factory=dict)

    def operation(self, name: str | None) -> ValidatedDocument:
        """Return the operation of a name, without a name the only one; raises Invalid."""
        operation = self.operations.get(name)
        if operation is None:
            operation = self.operations[name] = self._select(name)
        return operation

    def _select(self, name: str | None) -> ValidatedDocument:
        operations = [node for node in self.document.definitions if isinstance(node, OperationDefinitionNode)]
        if name is None and len(operations) > 1:
            raise _unresolved("The document has several operations. Set `operationName` to one of their names.")
        matches = [node for node in operations if name is None or (node.name and node.name.value == name)]
        if not matches:
            which = "operation" if name is None else f"operation named '{name[:200]}'"
            raise _unresolved(f"The document has no {which}.")
        operation = matches[0]
        log_name = operation.name.value[:MAX_NAME_LENGTH] if operation.name else None
        kind, cost = operation.operation.value, self.cost
        return ValidatedDocument(
            self.document, operation, kind, log_name, self.fragments, self.text, cost.cost, cost.pages, self.shaping
        )


class _NoIntrospection(ValidationRule):
    """A rule that forbids introspection. It reports one error for a document."""

    has_reported = False

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Report the first introspection field; `__typename` is allowed."""
        if node.name.value in ("__schema", "__type") and not self.has_reported:
            self.has_reported = True
            self.report_error(GraphQLError("This server does not show its schema to you.", node))


_Key = tuple[str, bool]
"""A sent or canonical text, and whether introspection is allowed."""

_SizesKey = tuple[str, tuple[tuple[str, int], ...]]
"""A canonical text, and the page sizes set by variables."""

THREAD_LENGTH = 1_500
"""A document with more characters is validated in a thread, so that it does not block the event loop."""


class RequesterProfile(NamedTuple):
    """The facts about a viewer that matter to the cache: may they use introspection, and are they signed in."""

    introspection: bool
    is_signed_in: bool


class DocumentCache:
    """The recent documents of one schema, invalid ones included."""

    def __init__(
        self, schema: GraphQLSchema, limits: Limits, size: int = 1000, *, max_errors: int = MAX_ERRORS
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._max_errors = max_errors
        max_weight = size * CHARACTERS_PER_ENTRY
        self._recent: AudienceLRU[_Key, _CachedDocument | _Failure] = AudienceLRU(
            size, max_weight, MAX_CACHED_LENGTH, _length
        )
        self._checked_sizes: AudienceLRU[_SizesKey, _Failure | Literal["allowed"]] = AudienceLRU(
            size, max_weight, MAX_CACHED_LENGTH, _length
        )

        self.hits = 0
        self.misses = 0

    @property
    def cached_count(self) -> int:
        """The number of cached texts."""
        return len(self._recent)

    def get_cached(
        self, text: str, name: str | None, variables: Mapping[str, Any], *, requester: RequesterProfile
    ) -> ValidatedDocument | None:
        """Return the operation of a cached text, None if it is not cached with these page sizes; raises Invalid."""
        is_signed_in = requester.is_signed_in
        entry = self._recent.get((text, requester.introspection), is_signed_in=is_signed_in)
        if entry is None or (isinstance(entry, _CachedDocument) and name not in entry.operations):
            return None
        document = _operation_of(entry, name)
        if sizes := _larger_sizes(document, variables):
            if self._checked_sizes.get(_sizes_key(document, sizes), is_signed_in=is_signed_in) is None:
                return None
            self.check_sizes(document, variables, is_signed_in=is_signed_in)
        self.hits += 1
        return document

    def operation(
        self, text: str, name: str | None, variables: Mapping[str, Any], *, introspection: bool
    ) -> ValidatedDocument:
        """Return the operation of a text, checked with these page sizes; raises Invalid."""
        document = self.lookup(text, name, introspection=introspection)
        self.check_sizes(document, variables)
        return document

    async def read_operation(
        self, text: str, name: str | None, variables: Mapping[str, Any], *, requester: RequesterProfile, charge: Charge
    ) -> ValidatedDocument:
        """Return the same for a request in the admission queue, and charge the time of computing; raises Invalid.

        A large document is validated in a thread.
        """
        entry = self._recent.get((text, requester.introspection), is_signed_in=requester.is_signed_in)
        if entry is None:
            entry = await self._read(text, requester, charge)
        document = _operation_of(entry, name)
        with charge.measure():
            self.check_sizes(document, variables, is_signed_in=requester.is_signed_in)
        return document

    async def _read(self, text: str, requester: RequesterProfile, charge: Charge) -> _CachedDocument | _Failure:
        with charge.measure():
            entry, new = self._start(text, requester)
        validate_new = partial(self._validate, new, requester.introspection)
        if entry is None and len(new.canonical) > THREAD_LENGTH:
            entry = await charge.in_thread(validate_new)
        with charge.measure():
            return self._store(new, entry or validate_new(), requester)

    def lookup(
        self, text: str, operation_name: str | None, *, introspection: bool = True, is_signed_in: bool = True
    ) -> ValidatedDocument:
        """Return the operation of a name; without a name, the document must have exactly one. Raises Invalid.

        Without `introspection`, errors have no suggestions, since these reveal the schema.
        """
        entry = self._recent.get((text, introspection), is_signed_in=is_signed_in)
        if entry is not None:
            self.hits += 1
            return _operation_of(entry, operation_name)
        requester = RequesterProfile(introspection, is_signed_in)
        entry, new = self._start(text, requester)
        entry = self._store(new, entry or self._validate(new, introspection), requester)
        return _operation_of(entry, operation_name)

    def _start(self, text: str, requester: RequesterProfile) -> tuple[_CachedDocument | _Failure | None, "_New"]:
        """Return the entry of an earlier text with the same tokens or None, and the new text."""
        self.misses += 1
        try:
            tokens = check_text(text, self._limits)
        except LimitExceeded as error:
            return _limit_error(error), _New(text, text)
        new = _New(text, canonical(text, tokens))
        if new.canonical == text:
            return None, new
        return self._recent.get((new.canonical, requester.introspection), is_signed_in=requester.is_signed_in), new

    def _store(
        self, new: "_New", entry: _CachedDocument | _Failure, requester: RequesterProfile
    ) -> _CachedDocument | _Failure:
        """Cache an entry for the sent and the canonical text; returns the entry of the sent text."""
        sent_entry = entry
        if isinstance(entry, _Failure) and entry.code == PARSE_FAILED:
            pass  # the positions of syntax errors are those of the sent text
        elif new.canonical != new.sent:
            self._recent.put((new.canonical, requester.introspection), entry, is_signed_in=requester.is_signed_in)
            sent_entry = entry.located_in(SentText(new.sent, new.canonical)) if isinstance(entry, _Failure) else entry
        self._recent.put((new.sent, requester.introspection), sent_entry, is_signed_in=requester.is_signed_in)
        return sent_entry

    def check_sizes(
        self, document: ValidatedDocument, variables: Mapping[str, Any], *, is_signed_in: bool = True
    ) -> None:
        """Raise Invalid for an operation that costs too much with the page sizes in these variables."""
        # Costs grow with page sizes, so sizes that are not larger than the assumed ones are allowed.
        if not (sizes := _larger_sizes(document, variables)):
            return
        key = _sizes_key(document, sizes)
        result = self._checked_sizes.get(key, is_signed_in=is_signed_in)
        if result is None:
            result = self._check_sizes(document, sizes)
            self._checked_sizes.put(key, result, is_signed_in=is_signed_in)
        if isinstance(result, _Failure):
            raise Invalid(result.errors, result.code)

    def _check_sizes(self, document: ValidatedDocument, sizes: Mapping[str, int]) -> "_Failure | Literal['allowed']":
        try:
            check_document(document.document, self._limits, sizes)
        except LimitExceeded as error:
            return _limit_error(error)
        return "allowed"

    def _validate(self, new: "_New", introspection: bool) -> _CachedDocument | _Failure:
        """Return the entry of a new document. This changes no state, so that it may run in a thread."""
        try:
            document = self._parse(new)
            cost = check_document(document, self._limits)
        except LimitExceeded as error:
            return _limit_error(error)
        except GraphQLSyntaxError as error:
            return _failure([without_value(error)], PARSE_FAILED)
        except InvalidFragments as error:
            return _failure([GraphQLError(error.message, error.node)], VALIDATION_FAILED)
        if errors := self._violations(document, len(new.canonical), introspection):
            return _failure(errors, VALIDATION_FAILED)
        nodes = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
        fragments = {node.name.value: node for node in nodes}
        return _CachedDocument(document, new.canonical, cost, fragments, shaping_variables(document))

    def _parse(self, new: "_New") -> DocumentNode:
        """Return the syntax tree of the canonical text. A syntax error has the position in the sent text."""
        try:
            return parse(IndexedSource(new.canonical), max_tokens=self._limits.tokens)
        except GraphQLSyntaxError:
            if new.canonical != new.sent:
                parse(IndexedSource(new.sent), max_tokens=self._limits.tokens)
            raise

    def _violations(self, document: DocumentNode, length: int, introspection: bool) -> list[GraphQLError]:
        rules = RULES if introspection else (*RULES, _NoIntrospection)
        max_errors = min(self._max_errors, max(1, SEARCHED_CHARACTERS // length))
        return validate(self._schema, document, rules, max_errors, hide_suggestions=not introspection)


@dataclass(frozen=True, slots=True)
class _New:
    """A sent text and its canonical form."""

    sent: str
    canonical: str


def _operation_of(entry: "_CachedDocument | _Failure", name: str | None) -> ValidatedDocument:
    if isinstance(entry, _Failure):
        raise Invalid(entry.errors, entry.code)
    return entry.operation(name)


def _length(key: _Key | _SizesKey, _: object) -> int:
    return len(key[0])


def _larger_sizes(document: ValidatedDocument, variables: Mapping[str, Any]) -> dict[str, int]:
    """Return the page sizes in these variables, if one of them is larger than the assumed size."""
    if not variables or not document.pages:
        return {}
    sizes = {name: variables[name] for name in document.pages if type(variables.get(name)) is int}
    return sizes if any(size > document.pages[name] for name, size in sizes.items()) else {}


def _sizes_key(document: ValidatedDocument, sizes: Mapping[str, int]) -> _SizesKey:
    # The key needs no operation, since the limits are checked for all operations of a document.
    return document.text, tuple(sorted(sizes.items()))


def _unresolved(message: str) -> Invalid:
    error = GraphQLError(message, extensions={"code": RESOLUTION_FAILURE})
    return Invalid([error], RESOLUTION_FAILURE)


def _locate(error: GraphQLError, sent: SentText) -> GraphQLError:
    if not error.positions:
        return error
    positions = [sent.position(each) for each in error.positions]
    return GraphQLError(error.message, source=sent.source, positions=positions, extensions=error.extensions)


def _limit_error(error: LimitExceeded) -> _Failure:
    extensions = {"code": TOO_COMPLEX, "limit": error.limit, "maximum": error.maximum, "value": error.value}
    return _Failure((GraphQLError(error.message, extensions=extensions),), TOO_COMPLEX)


def _failure(errors: Sequence[GraphQLError], code: str) -> _Failure:
    """Return a failure with copies of errors. They have no nodes and tracebacks, so that the cache holds no trees."""
    copies = (
        GraphQLError(
            error.message,
            source=error.source,
            positions=error.positions,
            extensions={"code": code, **(error.extensions or {})},
        )
        for error in errors
    )
    return _Failure(tuple(copies), code)
