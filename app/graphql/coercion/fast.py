"""Fast coercion of variables: checks of Python types instead of a call of graphql-core for each value."""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLScalarType,
    Undefined,
    get_named_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
    specified_scalar_types,
)
from graphql.utilities.coerce_input_value import coerce_default_value

from app.graphql.coercion.list_lengths import DEFAULT_MAX_ITEMS, declared_max_items

INT32_LIMIT = 2**31

MAX_OBJECTS = 500
"""Nested objects in a value of a recursive type, as a filter. Every valid filter has fewer."""

FastCoercer = Callable[[Any], Any]
"""A function from a value to its coerced value; raises NeedsCoercion."""


class NeedsCoercion(Exception):
    """A value is not obviously valid; `FullCoercion` has to coerce it or to report the errors."""


class FastCoercion:
    """Fast coercers of the types of one schema. That of an input type is made when it is first used."""

    def __init__(self) -> None:
        self._inputs: dict[GraphQLInputObjectType, FastCoercer] = {}

    def coercer(self, kind: GraphQLInputType, maximum: int | None = None) -> FastCoercer:
        """Return the coercer of a type. It leaves a list with more than `maximum` items to the service."""
        if is_non_null_type(kind):
            return self._not_null(kind.of_type, maximum)
        plain = self._not_null(kind, maximum)
        return lambda value: None if value is None else plain(value)

    def _not_null(self, kind: GraphQLInputType, maximum: int | None) -> FastCoercer:
        """Return the coercer of values that are not null."""
        if is_list_type(kind):
            inner: GraphQLInputType = kind.of_type
            return _bound_list(self._many(inner.of_type), maximum) if is_non_null_type(inner) else _needs_coercion
        if isinstance(kind, GraphQLEnumType):
            members = _members(kind)
            return lambda value: _member(members, value)
        if isinstance(kind, GraphQLInputObjectType):
            return self._input(kind)
        types: dict[str, type] = {"ID": str, "String": str, "Boolean": bool, "Int": int}
        expected = types.get(getattr(kind, "name", ""))
        if expected is None:
            is_custom = isinstance(kind, GraphQLScalarType) and kind.name not in specified_scalar_types
            return _custom_scalar(kind) if isinstance(kind, GraphQLScalarType) and is_custom else _needs_coercion
        return lambda value: _typed(value, expected)

    def _many(self, kind: GraphQLInputType) -> FastCoercer:
        """Return the coercer of lists without nulls."""
        if getattr(kind, "name", "") in {"ID", "String"}:
            return _strings
        if isinstance(kind, GraphQLEnumType):
            members = _members(kind)
            return lambda value: _choose_member(members, _strings(value))
        each = self._not_null(kind, None)
        return lambda value: [each(one) for one in value]

    def _input(self, kind: GraphQLInputObjectType) -> FastCoercer:
        coerce = self._inputs.get(kind)
        if coerce is None:
            # A recursive type finds this entry, which is replaced below.
            self._inputs[kind] = lambda value: self._inputs[kind](value)  # noqa: PLW0108 - replaced before the call
            coerce = self._one_of(kind) if kind.is_one_of else self._object(kind)
            coerce = self._inputs[kind] = _count_objects(coerce) if is_recursive(kind) else coerce
        return coerce

    def _fields(self, kind: GraphQLInputObjectType) -> dict[str, FastCoercer]:
        return {name: self.coercer(field.type, declared_max_items(field)) for name, field in kind.fields.items()}

    def _object(self, kind: GraphQLInputObjectType) -> FastCoercer:
        """Return the coercer of an input object, which keeps the declared order of fields."""
        coercers = self._fields(kind)
        required = {name for name, field in kind.fields.items() if is_required_input_field(field)}
        defaults = {
            name: each for name, field in kind.fields.items() if (each := coerce_default_value(field)) is not Undefined
        }

        def coerce(value: Any) -> dict[str, Any]:
            if type(value) is not dict or not (required <= value.keys() <= coercers.keys()):
                raise NeedsCoercion
            return {
                name: each(value[name]) if name in value else defaults[name]
                for name, each in coercers.items()
                if name in value or name in defaults
            }

        return coerce

    def _one_of(self, kind: GraphQLInputObjectType) -> FastCoercer:
        """Return the coercer of a `@oneOf` input: one field, not null."""
        coercers = self._fields(kind)

        def coerce(value: Any) -> dict[str, Any]:
            if type(value) is not dict or len(value) != 1:
                raise NeedsCoercion
            ((name, field_value),) = value.items()
            if name not in coercers or field_value is None:
                raise NeedsCoercion
            return {name: coercers[name](field_value)}

        return coerce


def _bound_list(many: FastCoercer, maximum: int | None) -> FastCoercer:
    """Return a coercer that checks the length. A service rejects lists longer than `maximum`, else `FullCoercion`."""

    def coerce(value: Any) -> Any:
        if type(value) is not list:
            raise NeedsCoercion
        if len(value) <= (maximum or DEFAULT_MAX_ITEMS):
            return many(value)
        if maximum is None:
            raise NeedsCoercion
        return value

    return coerce


def is_recursive(kind: GraphQLInputObjectType) -> bool:
    """Return whether an input type has a field of its own type."""
    return any(get_named_type(field.type) is kind for field in kind.fields.values())


def _count_objects(coerce: FastCoercer) -> FastCoercer:
    """Return a coercer that checks the number of nested objects, since each level of lists multiplies them."""

    def coerce_counted(value: Any) -> Any:
        if number_of_objects(value) > MAX_OBJECTS:
            raise NeedsCoercion
        return coerce(value)

    return coerce_counted


def number_of_objects(value: Any) -> int:
    """Return the number of nested objects, the value included. The count stops above `MAX_OBJECTS`."""
    level, number = [value] if isinstance(value, dict | list) else [], 0
    while level and number <= MAX_OBJECTS:
        number += sum(type(each) is dict for each in level)
        items = (each.values() if type(each) is dict else each for each in level)
        level = [child for each in items for child in each if type(child) is dict or type(child) is list]
    return number


def _members(kind: GraphQLEnumType) -> Mapping[str, Any]:
    return {name: kind.coerce_input_value(name) for name in kind.values}


def _custom_scalar(kind: GraphQLScalarType) -> FastCoercer:
    """Return the coercer of a scalar of this schema."""

    def coerce(value: Any) -> Any:
        if value is None:
            raise NeedsCoercion
        try:
            return kind.coerce_input_value(value)
        except Exception:  # FullCoercion reports it
            raise NeedsCoercion from None

    return coerce


def _strings(value: list[Any]) -> list[Any]:
    if {*map(type, value)} <= {str}:
        return list(value)
    raise NeedsCoercion


def _choose_member(members: Mapping[str, Any], values: list[str]) -> list[Any]:
    try:
        return [*map(members.__getitem__, values)]
    except KeyError:
        raise NeedsCoercion from None


def _member(members: Mapping[str, Any], value: Any) -> Any:
    if type(value) is str and value in members:
        return members[value]
    raise NeedsCoercion


def _typed(value: Any, expected: type) -> Any:
    if type(value) is not expected or (type(value) is int and not -INT32_LIMIT <= value < INT32_LIMIT):
        raise NeedsCoercion
    return value


def _needs_coercion(value: Any) -> NoReturn:
    raise NeedsCoercion
