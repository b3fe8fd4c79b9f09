"""How values among the variables are coerced quickly: by a look at their types, without a call for each."""

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

LARGEST = 2**31

MOST_OBJECTS = 500
"""Objects in a value whose type holds itself, like a filter: any filter that is taken has fewer."""

FastCoercer = Callable[[Any], Any]
"""From a value to what it is coerced to; raises Unsure."""


class NeedsCoercion(Exception):
    """The long way has to say what this is."""


class FastCoercion:
    """How the types of one schema are coerced quickly; an input is looked at when the first one comes."""

    def __init__(self) -> None:
        self._inputs: dict[GraphQLInputObjectType, FastCoercer] = {}

    def of(self, kind: GraphQLInputType, most: int | None = None) -> FastCoercer:
        """From a value to what it is coerced to. A list beyond a declared `most` stays as it came, to be refused."""
        if is_non_null_type(kind):
            return self._of(kind.of_type, most)
        plain = self._of(kind, most)
        return lambda value: None if value is None else plain(value)

    def _of(self, kind: GraphQLInputType, most: int | None) -> FastCoercer:
        """For values that are not null."""
        if is_list_type(kind):
            inner: GraphQLInputType = kind.of_type
            return _bound_list(self._many(inner.of_type), most) if is_non_null_type(inner) else _needs_coercion
        if isinstance(kind, GraphQLEnumType):
            members = _members(kind)
            return lambda value: _member(members, value)
        if isinstance(kind, GraphQLInputObjectType):
            return self._input(kind)
        types: dict[str, type] = {"ID": str, "String": str, "Boolean": bool, "Int": int}
        expected = types.get(getattr(kind, "name", ""))
        if expected is None:
            is_ours = isinstance(kind, GraphQLScalarType) and kind.name not in specified_scalar_types
            return _read(kind) if isinstance(kind, GraphQLScalarType) and is_ours else _needs_coercion
        return lambda value: _typed(value, expected)

    def _many(self, kind: GraphQLInputType) -> FastCoercer:
        """A list without nulls."""
        if getattr(kind, "name", "") in {"ID", "String"}:
            return _texts
        if isinstance(kind, GraphQLEnumType):
            members = _members(kind)
            return lambda value: _choose_member(members, _texts(value))
        each = self._of(kind, None)
        return lambda value: [each(one) for one in value]

    def _input(self, kind: GraphQLInputObjectType) -> FastCoercer:
        found = self._inputs.get(kind)
        if found is None:
            # One that has fields of its own type finds itself here.
            self._inputs[kind] = lambda value: self._inputs[kind](value)  # noqa: PLW0108 - another one by then
            found = self._one(kind) if kind.is_one_of else self._object(kind)
            found = self._inputs[kind] = _count_objects(found) if is_recursive(kind) else found
        return found

    def _fields(self, kind: GraphQLInputObjectType) -> dict[str, FastCoercer]:
        return {name: self.of(field.type, declared_max_items(field)) for name, field in kind.fields.items()}

    def _object(self, kind: GraphQLInputObjectType) -> FastCoercer:
        """An object with the fields that it needs, and no other; in the order in which they are declared."""
        quick = self._fields(kind)
        needed = {name for name, field in kind.fields.items() if is_required_input_field(field)}
        defaults = {
            name: each for name, field in kind.fields.items() if (each := coerce_default_value(field)) is not Undefined
        }

        def filled(value: Any) -> dict[str, Any]:
            """Where every field has a default."""
            if type(value) is not dict or not value.keys() <= quick.keys():
                raise NeedsCoercion
            found = defaults.copy()
            for name, each in value.items():
                found[name] = quick[name](each)
            return found

        def read(value: Any) -> dict[str, Any]:
            if type(value) is not dict or not (needed <= value.keys() <= quick.keys()):
                raise NeedsCoercion
            return {
                name: each(value[name]) if name in value else defaults[name]
                for name, each in quick.items()
                if name in value or name in defaults
            }

        return filled if defaults.keys() == quick.keys() else read

    def _one(self, kind: GraphQLInputObjectType) -> FastCoercer:
        """An object of which just one field is given, and not null."""
        quick = self._fields(kind)

        def read(value: Any) -> dict[str, Any]:
            if type(value) is not dict or len(value) != 1:
                raise NeedsCoercion
            ((name, given),) = value.items()
            if name not in quick or given is None:
                raise NeedsCoercion
            return {name: quick[name](given)}

        return read


def _bound_list(many: FastCoercer, most: int | None) -> FastCoercer:
    """A list of so many items; a longer one is refused by whom it is for, or else by the long way."""

    def read(value: Any) -> Any:
        if type(value) is not list:
            raise NeedsCoercion
        if len(value) <= (most or DEFAULT_MAX_ITEMS):
            return many(value)
        if most is None:
            raise NeedsCoercion
        return value

    return read


def is_recursive(kind: GraphQLInputObjectType) -> bool:
    return any(get_named_type(field.type) is kind for field in kind.fields.values())


def _count_objects(quick: FastCoercer) -> FastCoercer:
    """An input that may hold itself, in lists of lists: each level multiplies what the levels below may hold."""

    def read(value: Any) -> Any:
        if number_of_objects(value) > MOST_OBJECTS:
            raise NeedsCoercion
        return quick(value)

    return read


def number_of_objects(value: Any) -> int:
    """Return how many objects a value holds, itself too; where they are too many, at least that."""
    level, number = [value] if isinstance(value, dict | list) else [], 0
    while level and number <= MOST_OBJECTS:
        number += sum(type(each) is dict for each in level)
        items = (each.values() if type(each) is dict else each for each in level)
        level = [child for each in items for child in each if type(child) is dict or type(child) is list]
    return number


def _members(kind: GraphQLEnumType) -> Mapping[str, Any]:
    return {name: kind.coerce_input_value(name) for name in kind.values}


def _read(kind: GraphQLScalarType) -> FastCoercer:
    """A scalar of our own."""

    def read(value: Any) -> Any:
        if value is None:
            raise NeedsCoercion
        try:
            return kind.coerce_input_value(value)
        except Exception:  # whatever it is, the long way tells it
            raise NeedsCoercion from None

    return read


def _texts(value: list[Any]) -> list[Any]:
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
    if type(value) is not expected or (type(value) is int and not -LARGEST <= value < LARGEST):
        raise NeedsCoercion
    return value


def _needs_coercion(value: Any) -> NoReturn:
    raise NeedsCoercion
