"""How a declared field's resolver is called, and with what: as Strawberry does it, worked out once for each type.

Its own way looks at the annotations of every field of every input anew, which costs more than most changes do.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from functools import cache, partial
from typing import Any

from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional, has_object_definition
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType
from strawberry.types.maybe import Some

from app.graphql.schema import list_limits


@dataclass(slots=True)
class FieldCall:
    """What a resolver is told besides its parent and its arguments; `raw` is what graphql-core tells it."""

    context: Any
    field: Any
    raw: Any


Convert = Callable[[Any], Any]
"""From a coerced value to what a resolver is given."""

Part = tuple[str, str, Convert | None]
"""The name of an argument or a field of an input in the API, its Python name, and what becomes of its value."""


class Conversion:
    """Converts the arguments of one schema's fields; None is what becomes of a value that stays as it is."""

    def __init__(self, config: StrawberryConfig, scalars: Mapping[object, Any]) -> None:
        self._config = config
        self._scalars = scalars
        self._arguments = cache(self._arguments_of)
        self._inputs = cache(self._input)

    def __call__(self, field: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a field as its resolver would be given them."""
        return _argument_values(self._arguments(field), values)

    def resolver(self, field: Any) -> Callable[..., Any]:
        """What graphql-core calls for a declared field."""
        resolve, name = field.metadata["resolve"], field.python_name

        def resolved(source: Any, info: Any, **arguments: Any) -> Any:
            given = self(field, arguments) if arguments else arguments
            return resolve(source, FieldCall(info.context, field, info), given, name)

        return resolved

    def _arguments_of(self, field: Any) -> tuple[Part, ...]:
        named = self._config.name_converter.from_argument
        return tuple(
            (name := named(each), each.python_name, self._conversion(each.type, list_limits.ARGUMENTS.get(name)))
            for each in field.arguments
        )

    def _conversion(self, kind: Any, most: int | None = None) -> Convert | None:
        """For any value of a type, nulls too; a list of more than `most` items stays as it is, to be refused."""
        if isinstance(kind, StrawberryMaybe):
            return self._maybe(kind)
        if isinstance(kind, StrawberryOptional):
            return self._conversion(kind.of_type, most)
        made = self._of(kind, most)
        return None if made is None else lambda value: None if value is None else made(value)

    def _maybe(self, kind: StrawberryMaybe) -> Convert:
        """What is absent is None, and what is there stands in a `Some`. Strawberry refuses nulls, unless told."""
        inner = self._conversion(kind.of_type)

        def convert(value: Any) -> Any:
            if value is None and not isinstance(kind.of_type, StrawberryOptional):
                return convert_argument(value, kind, self._scalars, self._config)
            return Some(value if inner is None else inner(value))

        return convert

    def _of(self, kind: Any, most: int | None = None) -> Convert | None:
        """For values that are not null."""
        if isinstance(kind, LazyType):
            return self._of(kind.resolve_type())
        if isinstance(kind, StrawberryList):
            each = self._conversion(kind.of_type)
            return list if each is None else lambda values: list_limits.read_each(each, values, most or len(values))
        if isinstance(kind, StrawberryEnumDefinition) or has_enum_definition(kind):
            return None
        return self._inputs(kind) if has_object_definition(kind) else None

    def _input(self, kind: Any) -> Convert:
        """An input can have fields of its own type: they are looked at when the first one comes."""
        definition = kind.__strawberry_definition__
        blank = {field.python_name: None for field in definition.fields if _is_required(field)}

        @cache
        def parts() -> tuple[Part, ...]:
            named, most = self._config.name_converter.from_field, list_limits.max_items_of_input
            kinds = partial(_kind_of, definition)
            return tuple(
                (name := named(field), field.python_name, self._conversion(kinds(field), most(definition.name, name)))
                for field in definition.fields
            )

        return lambda value: kind(**blank | _argument_values(parts(), value))


def _kind_of(definition: Any, field: Any) -> Any:
    return field.resolve_type(type_definition=definition)


def _is_required(field: Any) -> bool:
    return field.default_value is MISSING and field.default_factory is MISSING


def _argument_values(parts: tuple[Part, ...], values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: values[key] if convert is None else convert(values[key]) for key, name, convert in parts if key in values
    }
