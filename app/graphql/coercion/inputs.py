"""Conversion of arguments to the Python objects of resolvers: as by Strawberry, but prepared once for each type.

Strawberry inspects the annotations of all input fields at each call, which takes longer than most mutations.
Null is as absent: an argument or a field with the value null gets its default. Both executors convert here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryList, StrawberryOptional, has_object_definition
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType

from app.graphql.coercion.variable_usage import FILTER
from app.graphql.schema import list_limits
from app.http.exact_json import Path, path_text
from app.query.pagination import InvalidFilter


@dataclass(slots=True)
class FieldCall:
    """The context and the declared field of a call of a resolver; `raw` is the info of graphql-core."""

    context: Any
    field: Any
    raw: Any


Convert = Callable[[Any], Any]
"""A function from a coerced value to the value that a resolver gets."""

ArgumentParts = Mapping[str, tuple[str, Convert | None]]
"""The Python names and conversions (None for none) of arguments or input fields, by their GraphQL names."""


class Conversion:
    """Conversions of the arguments of one schema."""

    def __init__(self, config: StrawberryConfig, scalars: Mapping[object, Any]) -> None:
        self._config = config
        self._scalars = scalars
        self._arguments = cache(self._arguments_of)
        self._inputs = cache(self._input)

    def __call__(self, field: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a field by their Python names."""
        return _argument_values(self._arguments(field), values)

    def resolver(self, field: Any) -> Callable[..., Any]:
        """Return the resolver of a declared field for graphql-core."""
        resolve, name = field.metadata["resolve"], field.python_name

        def resolve_field(source: Any, info: Any, **arguments: Any) -> Any:
            values = self(field, arguments) if arguments else arguments
            return resolve(source, FieldCall(info.context, field, info), values, name)

        return resolve_field

    def _arguments_of(self, field: Any) -> ArgumentParts:
        named = self._config.name_converter.from_argument
        parts = (
            (name := named(each), each.python_name, self._conversion(each.type, list_limits.ARGUMENTS.get(name)))
            for each in field.arguments
        )
        return {name: (key, _checked(convert) if name == FILTER else convert) for name, key, convert in parts}

    def _conversion(self, kind: Any, maximum: int | None = None) -> Convert | None:
        """Return the conversion of a type. It leaves a list with more than `maximum` items to the service."""
        return self._not_null(kind.of_type if isinstance(kind, StrawberryOptional) else kind, maximum)

    def _not_null(self, kind: Any, maximum: int | None = None) -> Convert | None:
        """Return the conversion of values that are not null."""
        if isinstance(kind, LazyType):
            return self._not_null(kind.resolve_type())
        if isinstance(kind, StrawberryList):
            each = self._conversion(kind.of_type)
            return list if each is None else lambda values: list_limits.read_each(each, values, maximum or len(values))
        if isinstance(kind, StrawberryEnumDefinition) or has_enum_definition(kind):
            return None
        return self._inputs(kind) if has_object_definition(kind) else None

    def _input(self, kind: Any) -> Convert:
        """Return the conversion of an input type. Its fields are prepared at first use, since it may be recursive."""
        definition = kind.__strawberry_definition__

        @cache
        def parts() -> ArgumentParts:
            named, maximum = self._config.name_converter.from_field, list_limits.max_items_of_input
            kinds = partial(_kind_of, definition)
            return {
                (name := named(field)): (
                    field.python_name,
                    self._conversion(kinds(field), maximum(definition.name, name)),
                )
                for field in definition.fields
            }

        return lambda value: kind(**_argument_values(parts(), value))


def _checked(convert: Convert | None) -> Convert:
    """Return the conversion of a filter. Null is not as absent there: the comparison would widen the list."""

    def convert_filter(value: Any) -> Any:
        problem = next(_reasons(value, ()), None)
        if problem is not None:
            path, reason = problem
            return InvalidFilter(f"Argument `{FILTER}`: `{path_text(path)}` {reason}", path)
        return value if convert is None else convert(value)

    return convert_filter


def _reasons(condition: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    """Yield a path and a reason for each null in a filter, and for each field without a comparison."""
    for name, value in condition.items():
        place = (*path, name)
        if value is None:
            yield place, "is null. Use `isNull` to find missing values, and leave out what is not compared."
        elif value == {} and name != "not":
            yield place, "has no comparison."
        elif isinstance(value, dict):
            yield from _reasons(value, place)
        elif isinstance(value, list):
            for at, each in enumerate(value):
                yield from _reasons(each, (*place, at)) if isinstance(each, dict) else ()


def _kind_of(definition: Any, field: Any) -> Any:
    return field.resolve_type(type_definition=definition)


def _argument_values(parts: ArgumentParts, values: Mapping[str, Any]) -> dict[str, Any]:
    converted = {}
    for key, value in values.items():
        if value is not None:
            name, convert = parts[key]
            converted[name] = value if convert is None else convert(value)
    return converted
