"""Decorators that put a class into the GraphQL schema; the docstring of the class is its description.

`optional` declares a field of an input that may be absent.
"""

from typing import Any, TypeVar, cast, dataclass_transform

import strawberry
from strawberry.types.field import StrawberryField

T = TypeVar("T")


def description_of(cls: type) -> str | None:
    """Return the docstring of a class as one line of text; None where Python runs without docstrings."""
    return " ".join(cls.__doc__.split()) if cls.__doc__ else None


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field, StrawberryField))
def object_type(cls: type[T]) -> type[T]:
    """Put an object type into the schema."""
    return strawberry.type(cls, description=description_of(cls))


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field, StrawberryField))
def interface_type(cls: type[T]) -> type[T]:
    """Put an interface into the schema."""
    return strawberry.interface(cls, description=description_of(cls))


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field, StrawberryField))
def input_type(cls: type[T]) -> type[T]:
    """Put an input object into the schema."""
    return strawberry.input(cls, description=description_of(cls))


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field, StrawberryField))
def one_of_input(cls: type[T]) -> type[T]:
    """Put an input object into the schema of which exactly one field must be set. The other ones are None."""
    decorated = strawberry.input(cls, description=description_of(cls), one_of=True)
    for field in cast("Any", decorated).__strawberry_definition__.fields:
        field.default_value = strawberry.UNSET  # the schema must not have the default None of the Python class
    return decorated


def optional(description: str, name: str | None = None) -> Any:
    """Declare a field of an input that is None if it is absent. `name` replaces the Python name in the schema.

    It returns `Any`, so that mypy and Strawberry read the annotation.
    """
    return strawberry.field(default=None, name=name, description=description)
