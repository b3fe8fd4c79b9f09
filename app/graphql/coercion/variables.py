"""Variables, coerced as graphql-core does it; what is plainly right, as most of it is, without a call for each value.

A thousand ids in a list are a thousand calls there. Here they are one look at their types; whatever is not plainly
right goes the long way, which tells what is wrong (`Careful`).
"""

from collections.abc import Mapping
from functools import partial
from itertools import islice
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
    get_variable_values,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.pyutils import print_path_list
from graphql.utilities import coerce_input_value, validate_input_value
from graphql.utilities.coerce_input_value import coerce_default_value

from app.graphql.coercion.arguments import NO_VARIABLES
from app.graphql.coercion.fast import MOST_OBJECTS, FastCoercion, NeedsCoercion, is_recursive, number_of_objects
from app.graphql.coercion.list_lengths import DEFAULT_MAX_ITEMS, declared_max_items, max_items_of_variables
from app.graphql.documents.cache import MAX_ERRORS, Invalid, ValidatedDocument

Path = list[str | int]


class _TooMany(Exception):
    """So many errors that no more are looked for."""


class VariableCoercion:
    """The variables of one schema's operations; of those that do not fit, `most_errors` are told at most."""

    def __init__(self, schema: GraphQLSchema, most_errors: int = MAX_ERRORS) -> None:
        self._schema = schema
        self._most_errors = most_errors
        self._quick = FastCoercion()
        self._known: WeakKeyDictionary[ValidatedDocument, list[_Variable]] = WeakKeyDictionary()

    def coerce(self, known: ValidatedDocument, given: Mapping[str, Any], *, hide_suggestions: bool) -> VariableValues:
        """The variables of a request; raises `Invalid` for those that do not fit."""
        if not known.operation.variable_definitions:
            return NO_VARIABLES
        plan = self._known.get(known)
        if plan is None:
            plan = self._known[known] = self._plan(known)
        try:
            return _coerce_fast(plan, given)
        except NeedsCoercion:
            return self._coerce_fully(plan, given, hide_suggestions)

    def _coerce_fully(
        self, plan: "list[_Variable]", given: Mapping[str, Any], hide_suggestions: bool
    ) -> VariableValues:
        careful = FullCoercion(self._quick, self._most_errors, hide_suggestions)
        sources, coerced = {}, {}
        try:
            for variable in plan:
                name, signature = variable.signature.name, variable.signature
                if name in given:
                    sources[name] = VariableValueSource(signature, given[name])
                    coerced[name] = careful.value(variable, given[name])
                else:
                    found = self._absent(variable, careful, hide_suggestions)
                    sources |= found.sources
                    coerced |= found.coerced
        except _TooMany:
            pass
        if careful.errors:
            raise Invalid(careful.errors, "BAD_USER_INPUT")
        return VariableValues(sources, coerced)

    def _absent(self, variable: "_Variable", careful: "FullCoercion", hide_suggestions: bool) -> VariableValues:
        """A variable that is not given, as graphql-core sees it: its default, nothing, or an error."""
        found = get_variable_values(self._schema, [variable.node], {}, hide_suggestions=hide_suggestions)
        if isinstance(found, VariableValues):
            return found
        for error in found:
            careful.add(error)
        return NO_VARIABLES

    def _plan(self, known: ValidatedDocument) -> "list[_Variable]":
        nodes = known.operation.variable_definitions or ()
        signatures = [get_variable_signature(self._schema, node) for node in nodes]
        has_lists = any(isinstance(each, GraphQLVariableSignature) and _is_list(each.type) for each in signatures)
        most = max_items_of_variables(self._schema, known.document) if has_lists else {}
        found = []
        for node, signature in zip(nodes, signatures, strict=True):
            if isinstance(signature, GraphQLError):
                raise Invalid([signature], "BAD_USER_INPUT")
            found.append(_Variable(node, signature, self._quick, most.get(signature.name)))
        return found


class _Variable:
    """A variable of an operation: its definition, how it is coerced quickly, and how many items it may have."""

    __slots__ = ("most", "node", "quick", "signature")

    def __init__(
        self, node: VariableDefinitionNode, signature: GraphQLVariableSignature, quick: FastCoercion, most: int | None
    ) -> None:
        self.node, self.signature, self.most = node, signature, most
        self.quick = quick.of(signature.type, most)


def _is_list(kind: GraphQLInputType) -> bool:
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


def _coerce_fast(plan: "list[_Variable]", given: Mapping[str, Any]) -> VariableValues:
    sources, coerced = {}, {}
    for variable in plan:
        signature = variable.signature
        name = signature.name
        if name in given:
            sources[name] = VariableValueSource(signature, given[name])
            coerced[name] = variable.quick(given[name])
        elif signature.default is None and not is_non_null_type(signature.type):
            sources[name] = VariableValueSource(signature)
        else:
            raise NeedsCoercion
    return VariableValues(sources, coerced)


class FullCoercion:
    """The long way: goes down to the values that are not plainly right, and asks graphql-core about those alone.

    So a wrong value among thousands costs no more than a few calls, and nobody looks for more errors than are told.
    """

    def __init__(self, quick: FastCoercion, most: int, hide_suggestions: bool) -> None:
        self.errors: list[GraphQLError] = []
        self._quick, self._most, self._hide_suggestions = quick, most, hide_suggestions
        self._variable: _Variable | None = None

    def add(self, error: GraphQLError) -> None:
        """Note an error; raises _TooMany where one more would not be told."""
        if len(self.errors) >= self._most:
            # In the words of graphql-core.
            end = "Too many errors processing variables, error limit reached. Execution aborted."
            self.errors.append(GraphQLError(end))
            raise _TooMany
        self.errors.append(error)

    def value(self, variable: _Variable, value: Any) -> Any:
        """Return what the value of a variable is coerced to; what is wrong with it is noted."""
        self._variable = variable
        return self._either(variable.signature.type, value, [], variable.most)

    def _either(self, kind: GraphQLInputType, value: Any, path: Path, most: int | None) -> Any:
        try:
            return self._quick.of(kind, most)(value)
        except NeedsCoercion:
            return self._slowly(kind, value, path, most)

    def _slowly(self, kind: GraphQLInputType, value: Any, path: Path, most: int | None) -> Any:
        plain = kind.of_type if is_non_null_type(kind) else kind
        if value is not None and is_list_type(plain):
            return self._list(plain.of_type, value, path, most)
        if type(value) is dict and is_input_object_type(plain):
            if is_recursive(plain) and number_of_objects(value) > MOST_OBJECTS:
                self._report(path, GraphQLError(f"At most {MOST_OBJECTS} objects within each other are taken here."))
            return self._object(plain, value, path)
        coerced = coerce_input_value(value, kind)
        if coerced is Undefined:
            validate_input_value(value, kind, partial(self._record, path), self._hide_suggestions)
        return coerced

    def _list(self, inner: GraphQLInputType, value: Any, path: Path, most: int | None) -> Any:
        if type(value) is not list:
            return [self._either(inner, value, path, None)]
        if len(value) > (most or DEFAULT_MAX_ITEMS):
            text = f"A list has {len(value):,} items, and at most {most or DEFAULT_MAX_ITEMS:,} are taken here."
            self._report(path, GraphQLError(text))
        quick, found = self._quick.of(inner), []
        for at, each in enumerate(value):
            try:
                found.append(quick(each))
            except NeedsCoercion:
                found.append(self._slowly(inner, each, [*path, at], None))
        return found

    def _object(self, kind: GraphQLInputObjectType, value: dict[str, Any], path: Path) -> Any:
        fields = kind.fields
        needed = {name for name, field in fields.items() if is_required_input_field(field)}
        if kind.is_one_of or not needed <= value.keys() <= fields.keys():
            return self._odd(kind, value, path)
        found = {}
        for name, field in fields.items():
            if name in value:
                found[name] = self._either(field.type, value[name], [*path, name], declared_max_items(field))
            elif (default := coerce_default_value(field)) is not Undefined:
                found[name] = default
        return found

    def _odd(self, kind: GraphQLInputObjectType, value: dict[str, Any], path: Path) -> Any:
        """An object that lacks a field or has one too many; graphql-core is shown a part of it that tells so too."""
        part = _cut(kind, value, self._most + 1)
        validate_input_value(part, kind, partial(self._record, path), self._hide_suggestions)
        return coerce_input_value(part, kind)

    def _record(self, path: Path, error: GraphQLError, below: Path) -> None:
        assert self._variable is not None
        where = print_path_list([*path, *below])
        message = f"Variable '${self._variable.signature.name}' has invalid value{where}: {error.message}"
        self.add(GraphQLError(message, self._variable.node, original_error=error))

    def _report(self, path: Path, error: GraphQLError) -> NoReturn:
        """Note an error of our own, and look no further."""
        assert self._variable is not None
        name = self._variable.signature.name
        self.add(GraphQLError(f"Variable '${name}'{print_path_list(path)}: {error.message}", self._variable.node))
        raise _TooMany


def _cut(kind: GraphQLInputType, value: Any, few: int) -> Any:
    """A value with so many of its items and unknown names: more are not told of."""
    if is_non_null_type(kind):
        return _cut(kind.of_type, value, few)
    if is_list_type(kind) and type(value) is list:
        return [_cut(kind.of_type, each, few) for each in value[:few]]
    if is_input_object_type(kind) and type(value) is dict:
        fields = kind.fields
        unknown = set(islice((name for name in value if name not in fields), few))
        part = ((name, each) for name, each in value.items() if name in fields or name in unknown)
        return {name: _cut(fields[name].type, each, few) if name in fields else each for name, each in part}
    return value
