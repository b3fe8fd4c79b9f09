"""Variables, coerced as graphql-core does it; what is plainly right, as most of it is, without a call for each value.

A thousand ids in a list are a thousand calls there. Here they are one look at their types; whatever is not plainly
right goes the long way, which tells what is wrong.
"""

from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
    get_variable_values,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
    specified_scalar_types,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.utilities.coerce_input_value import coerce_default_value

from app.executor.arguments import NO_VARIABLES
from app.executor.documents import Invalid, Known

LARGEST = 2**31

Quick = Callable[[Any], Any]
"""From a value to what it is coerced to; raises _Unsure."""


Within = frozenset[GraphQLInputObjectType]
"""Inputs that one stands in: one within itself goes the long way, so that nobody goes down without an end."""


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


def _quick(kind: GraphQLInputType, within: Within = frozenset()) -> Quick:
    if is_non_null_type(kind):
        return _of(kind.of_type, within)
    plain = _of(kind, within)
    return lambda value: None if value is None else plain(value)


def _of(kind: GraphQLInputType, within: Within) -> Quick:
    """For values that are not null."""
    if is_list_type(kind):
        inner: GraphQLInputType = kind.of_type
        return _many(inner.of_type, within) if is_non_null_type(inner) else _unsure
    if isinstance(kind, GraphQLEnumType):
        members = _members(kind)
        return lambda value: _member(members, value)
    if isinstance(kind, GraphQLInputObjectType):
        return _unsure if kind in within else _input(kind, within | {kind})
    types: dict[str, type] = {"ID": str, "String": str, "Boolean": bool, "Int": int}
    expected = types.get(getattr(kind, "name", ""))
    if expected is None:
        return (
            _read(kind) if isinstance(kind, GraphQLScalarType) and kind.name not in specified_scalar_types else _unsure
        )
    return lambda value: _typed(value, expected)


def _many(kind: GraphQLInputType, within: Within) -> Quick:
    """A list without nulls."""
    if getattr(kind, "name", "") in {"ID", "String"}:
        return _texts
    if isinstance(kind, GraphQLEnumType):
        members = _members(kind)
        return lambda value: _chosen(members, _texts(value))
    each = _of(kind, within)
    return lambda value: [each(one) for one in _list(value)]


def _members(kind: GraphQLEnumType) -> Mapping[str, Any]:
    return {name: kind.coerce_input_value(name) for name in kind.values}


def _read(kind: GraphQLScalarType) -> Quick:
    """A scalar of our own."""

    def read(value: Any) -> Any:
        if value is None:
            raise _Unsure
        try:
            return kind.coerce_input_value(value)
        except Exception:  # whatever it is, the long way tells it
            raise _Unsure from None

    return read


def _input(kind: GraphQLInputObjectType, within: Within) -> Quick:
    """An object with the fields that it needs, and none that it has not; in the order in which they are declared."""
    quick = {name: _quick(field.type, within) for name, field in kind.fields.items()}
    needed = {name for name, field in kind.fields.items() if is_required_input_field(field)}
    defaults = {
        name: each for name, field in kind.fields.items() if (each := coerce_default_value(field)) is not Undefined
    }
    if kind.is_one_of:
        return lambda value: _one(quick, value)

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict or not (needed <= value.keys() <= quick.keys()):
            raise _Unsure
        return {
            name: each(value[name]) if name in value else defaults[name]
            for name, each in quick.items()
            if name in value or name in defaults
        }

    return read


def _one(quick: Mapping[str, Quick], value: Any) -> dict[str, Any]:
    """An object of which just one field is given, and not null."""
    if type(value) is not dict or len(value) != 1:
        raise _Unsure
    ((name, given),) = value.items()
    if name not in quick or given is None:
        raise _Unsure
    return {name: quick[name](given)}


def _texts(value: Any) -> list[Any]:
    if {*map(type, _list(value))} <= {str}:
        return list(value)
    raise _Unsure


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise _Unsure
    return value


def _chosen(members: Mapping[str, Any], values: list[str]) -> list[Any]:
    try:
        return [*map(members.__getitem__, values)]
    except KeyError:
        raise _Unsure from None


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
