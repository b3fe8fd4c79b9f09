"""Claims about inputs: fast conversion returns the objects of graphql-core and Strawberry."""

import re
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    Undefined,
    get_named_type,
    get_variable_values,
    is_interface_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_required_argument,
    is_required_input_field,
)
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.types.arguments import convert_arguments

from app.config import Limits
from app.graphql import schema
from app.graphql.coercion.variables import VariableCoercion
from app.graphql.documents.cache import DocumentCache, Invalid, ValidatedDocument
from tests.support.walking import SCHEMA, mutation_type, query_type

DOCUMENTS = DocumentCache(SCHEMA, Limits())
VARIABLES = VariableCoercion(SCHEMA)
ROOTS = {"mutation": mutation_type().fields, "query": query_type().fields}
FIELDS = [(kind, name) for kind, fields in ROOTS.items() for name, field in fields.items() if field.args]
TIMES = 60
ODD_VALUES = [1, "x", True, {}, [], 1.5, None, {"a": 1}, 2**40]
SCALARS: Mapping[str, tuple[Any, ...]] = {
    "Int": (-3, 0, 7, 2**31 - 1),
    "String": ("", "a", "ä b"),
    "ID": ("VXNlcjoxMA", "x", 5),
    "Boolean": (True, False),
    "DateTime": ("2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00", "yesterday"),
    "BigInt": (5, 5.0, 2**60),
    "JSON": ({"a": [1, None]}, 1.0, "x"),
}


class Guesses:
    """Generate values of a type, most of them valid."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def arguments(self, field: GraphQLField) -> dict[str, Any]:
        """Generate values of all required fields, and of most others."""
        wanted = {name: each for name, each in field.args.items() if is_required_argument(each) or self._is(0.9)}
        return {name: self.of(each.type) for name, each in wanted.items()}

    def of(self, kind: Any, depth: int = 0) -> Any:
        """Generate a value, or null if the type allows it."""
        if is_non_null_type(kind):
            return self._some(kind.of_type, depth)
        return None if self._is(0.15) else self._some(kind, depth)

    def _is(self, share: float) -> bool:
        return self._random.random() < share

    def _some(self, kind: Any, depth: int) -> Any:
        if self._is(0.03):
            return self._random.choice(ODD_VALUES)
        if is_list_type(kind):
            many = [self.of(kind.of_type, depth + 1) for _ in range(self._random.randrange(4))]
            return many if many and self._is(0.9) else self.of(kind.of_type, depth + 1)
        if isinstance(kind, GraphQLInputObjectType):
            return self._object(kind, depth)
        return self._random.choice([*kind.values, "NONE"] if isinstance(kind, GraphQLEnumType) else SCALARS[kind.name])

    def _object(self, kind: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
        names = [*kind.fields]
        self._random.shuffle(names)
        share = 0.1 if depth > 3 else 0.6
        if kind.is_one_of:
            names = names[: 2 if self._is(0.05) else 1]
        else:
            names = [name for name in names if is_required_input_field(kind.fields[name]) or self._is(share)]
        values = {name: self.of(kind.fields[name].type, depth + 1) for name in names}
        return values | {"zz": 1} if self._is(0.02) else values


def _document_of(kind: str, name: str) -> ValidatedDocument:
    field = ROOTS[kind][name]
    variables = ", ".join(f"${each}: {argument.type}" for each, argument in field.args.items())
    arguments = ", ".join(f"{each}: ${each}" for each in field.args)
    below = "" if is_leaf_type(get_named_type(field.type)) else "{ __typename }"
    return DOCUMENTS.lookup(f"{kind} ({variables}) {{ {name}({arguments}) {below} }}", None)


def _by_graphql(document: ValidatedDocument, variables: dict[str, Any]) -> Any:
    coerced = get_variable_values(SCHEMA, document.operation.variable_definitions or (), variables)
    return f"{len(coerced)} errors" if isinstance(coerced, list) else coerced.coerced


def _by_us(document: ValidatedDocument, variables: dict[str, Any]) -> Any:
    try:
        return VARIABLES.coerce(document, variables, hide_suggestions=False).coerced
    except Invalid as invalid:
        return f"{len(invalid.errors)} errors"


def _by_strawberry(field: Any, values: dict[str, Any]) -> dict[str, Any]:
    converted: dict[str, Any] = convert_arguments(
        values, field.arguments, schema.SCHEMA.schema_converter.scalar_registry, schema.SCHEMA.config
    )
    return converted


def _without_nulls(kinds: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments or fields without those that are null, at every depth of input objects."""
    return {
        name: _inner(kinds[name].type, value)
        for name, value in values.items()
        if value is not None or is_non_null_type(kinds[name].type)
    }


def _inner(kind: Any, value: Any) -> Any:
    plain = kind.of_type if is_non_null_type(kind) else kind
    if is_list_type(plain):
        return (
            [_inner(plain.of_type, each) for each in value] if isinstance(value, list) else _inner(plain.of_type, value)
        )
    return _without_nulls(plain.fields, value) if isinstance(plain, GraphQLInputObjectType) else value


def _text_or_error(convert: Callable[[Any, dict[str, Any]], Any], field: Any, values: dict[str, Any]) -> str:
    try:
        return repr(convert(field, values))
    except StrawberryInputCoercionError as error:
        return str(error)


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_values_are_coerced_as_graphql_core_does_it_and_converted_as_strawberry_does(kind: str, name: str) -> None:
    guesses, document, field = Guesses(Random(name)), _document_of(kind, name), ROOTS[kind][name]
    right = 0
    for _ in range(TIMES):
        variables = guesses.arguments(field)
        expected, actual = _by_graphql(document, variables), _by_us(document, variables)
        assert repr(actual) == repr(expected), variables
        if isinstance(expected, dict):
            right += 1
            declared = field.extensions["strawberry-definition"]
            without_nulls = _without_nulls(field.args, expected)
            ours = _text_or_error(schema.converted, declared, expected)
            if "InvalidFilter(" not in ours:  # null is refused there; see test_filter_nulls.py
                assert ours == _text_or_error(_by_strawberry, declared, without_nulls)
    assert right > TIMES / 20


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_null_is_as_absent_in_every_input_at_every_depth(kind: str, name: str) -> None:
    guesses, document, field = Guesses(Random(f"null {name}")), _document_of(kind, name), ROOTS[kind][name]
    declared, right = field.extensions["strawberry-definition"], 0
    for _ in range(TIMES):
        variables = guesses.arguments(field)
        coerced = _by_us(document, variables)
        if isinstance(coerced, dict):
            right += 1
            without_nulls = _by_us(document, _without_nulls(field.args, variables))
            ours = _text_or_error(schema.converted, declared, coerced)
            if "InvalidFilter(" not in ours:
                assert ours == _text_or_error(schema.converted, declared, without_nulls)
    assert right >= TIMES / 20


def _places() -> list[tuple[str, Any]]:
    """Return every argument and input field of the schema, with its name."""
    fields = [(f"{kind}.{name}", each) for kind, fields in _named_fields() for name, each in fields.items()]
    directives = [(f"@{each.name}.{name}", place) for each in SCHEMA.directives for name, place in each.args.items()]
    return [*fields, *directives]


def _named_fields() -> list[tuple[str, Any]]:
    kinds = [each for each in SCHEMA.type_map.values() if not each.name.startswith("__")]
    inputs = [(str(each), each.fields) for each in kinds if isinstance(each, GraphQLInputObjectType)]
    fields = [each for each in kinds if is_object_type(each) or is_interface_type(each)]
    return [*inputs, *((f"{each}.{name}", field.args) for each in fields for name, field in each.fields.items())]


def test_optional_values_have_one_form_in_the_whole_schema() -> None:
    """They are nullable, a default is never null, and a list has no nulls."""
    for name, place in _places():
        assert place.default_value is not None, name
        assert not (is_non_null_type(place.type) and place.default_value is not Undefined), name
        plain = place.type.of_type if is_non_null_type(place.type) else place.type
        assert not is_list_type(plain) or is_non_null_type(plain.of_type), name


def test_the_sdl_has_no_null() -> None:
    assert not re.search(r"(= |unless: )null\b", schema.sdl())
