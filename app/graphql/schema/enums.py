"""Enums whose members are (value, description), so that the schema's description is next to the member."""

from enum import Enum
from typing import Any, TypeVar

import strawberry

from app.graphql.schema.decorators import description_of

T = TypeVar("T", bound="type[DescribedEnum]")
E = TypeVar("E", bound="DescribedEnum")


class DescribedEnum(Enum):
    """An enum that describes its members."""

    def __new__(cls, value: str | int, description: str) -> "DescribedEnum":
        """Store the description beside the value."""
        made = object.__new__(cls)
        made._value_ = value
        made.__dict__["description"] = description
        return made


def of_value(kind: type[E], value: Any) -> E:
    """Return the member with a value. mypy reads the call as the creation of an enum."""
    find: Any = kind
    member: E = find(value)
    return member


def enum(cls: T) -> T:
    """Put an enum with its descriptions into the schema."""
    strawberry.enum(cls, description=description_of(cls))
    definition: Any = cls.__strawberry_definition__  # type: ignore[attr-defined]  # Strawberry's mark
    for value in definition.values:
        value.value = cls[value.name].value
        value.description = cls[value.name].__dict__["description"]
    return cls
