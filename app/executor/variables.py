"""Variables, coerced as graphql-core does it; what is plainly right, as most of it is, without a call for each value.

A thousand ids in a list are a thousand calls there. Here they are one look at their types; whatever is not plainly
right goes the long way, which tells what is wrong.
"""

from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from graphql import (
    GraphQLEnumType,
    GraphQLInputType,
    GraphQLSchema,
    get_variable_values,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource

from app.executor.arguments import NO_VARIABLES
from app.executor.documents import Invalid, Known

LARGEST = 2**31

Quick = Callable[[Any], Any]
"""From a value to what it is coerced to; raises _Unsure."""


class _Unsure(Exception):
    """The long way has to say what this is."""


class Variables:
    """The variables of one schema's operations."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: WeakKeyDictionary[Known, list[tuple[GraphQLVariableSignature, Quick]]] = WeakKeyDictionary()

    def coerced(self, known: Known, given: Mapping[str, Any], *, hide_suggestions: bool) -> VariableValues:
        """The variables of a request; raises `Invalid` for those that do not fit."""
        definitions = known.operation.variable_definitions
        if not definitions:
            return NO_VARIABLES
        try:
            return self._quickly(known, given)
        except _Unsure:
            found = get_variable_values(self._schema, definitions, dict(given), hide_suggestions=hide_suggestions)
        if isinstance(found, list):
            raise Invalid(found, "BAD_USER_INPUT")
        return found

    def _quickly(self, known: Known, given: Mapping[str, Any]) -> VariableValues:
        plan = self._known.get(known)
        if plan is None:
            plan = self._known[known] = self._plan(known)
        sources, coerced = {}, {}
        for signature, quick in plan:
            name = signature.name
            if name in given:
                sources[name] = VariableValueSource(signature, given[name])
                coerced[name] = quick(given[name])
            elif signature.default is None and not is_non_null_type(signature.type):
                sources[name] = VariableValueSource(signature)
            else:
                raise _Unsure
        return VariableValues(sources, coerced)

    def _plan(self, known: Known) -> list[tuple[GraphQLVariableSignature, Quick]]:
        found = []
        for node in known.operation.variable_definitions or ():
            signature = get_variable_signature(self._schema, node)
            if not isinstance(signature, GraphQLVariableSignature):
                raise _Unsure
            found.append((signature, _quick(signature.type)))
        return found


def _quick(kind: GraphQLInputType) -> Quick:
    if is_non_null_type(kind):
        return _of(kind.of_type)
    plain = _of(kind)
    return lambda value: None if value is None else plain(value)


def _of(kind: GraphQLInputType) -> Quick:
    """For values that are not null."""
    if is_list_type(kind):
        inner: GraphQLInputType = kind.of_type
        return _many(inner.of_type) if is_non_null_type(inner) else _unsure
    if isinstance(kind, GraphQLEnumType):
        members = {name: kind.coerce_input_value(name) for name in kind.values}
        return lambda value: _member(members, value)
    types: dict[str, type] = {"ID": str, "String": str, "Boolean": bool, "Int": int}
    expected = types.get(getattr(kind, "name", ""))
    return _unsure if expected is None else lambda value: _typed(value, expected)


def _many(kind: GraphQLInputType) -> Quick:
    """A list without nulls."""
    if isinstance(kind, GraphQLEnumType):
        members = {name: kind.coerce_input_value(name) for name in kind.values}
        return lambda value: [_member(members, each) for each in _list(value)]
    if getattr(kind, "name", "") in {"ID", "String"}:
        return _texts
    return _unsure


def _texts(value: Any) -> list[Any]:
    if {*map(type, _list(value))} <= {str}:
        return list(value)
    raise _Unsure


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise _Unsure
    return value


def _member(members: Mapping[str, Any], value: Any) -> Any:
    if type(value) is str and value in members:
        return members[value]
    raise _Unsure


def _typed(value: Any, expected: type) -> Any:
    if type(value) is not expected or (type(value) is int and not -LARGEST <= value < LARGEST):
        raise _Unsure
    return value


def _unsure(value: Any) -> Any:
    raise _Unsure
