"""The leaf types that are not GraphQL's own: moments and JSON."""

from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from app.db.tables import MAX_BYTES
from app.db.types import format_instant

JSON = NewType("JSON", object)
"""Any JSON value, in Python's dictionaries, lists, texts and numbers."""


BigInt = NewType("BigInt", int)
"""An integer beyond 32 bits."""


def parse_moment(text: Any) -> datetime:
    """Read a moment; one without a time zone is refused, since nobody could know which it means."""
    try:
        read = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise GraphQLError(f"DateTime is ISO-8601 text like 2026-01-31T12:00:00Z, not {text!r}.") from None
    if read.tzinfo is None:
        raise GraphQLError("DateTime needs a time zone: end it with Z or an offset like +01:00.")
    try:
        return read.astimezone(UTC)
    except OverflowError:
        raise GraphQLError("DateTime is out of range.") from None


def big_int(value: Any) -> int:
    """Read an integer that is exact in every client; a float that is whole is one, a bool is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MAX_BYTES <= value <= MAX_BYTES:
        raise GraphQLError(f"BigInt is an integer from {-MAX_BYTES} to {MAX_BYTES}.")
    if value != int(value):
        raise GraphQLError("BigInt is an integer, without a fraction.")
    return int(value)


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment: ISO-8601 text with a time zone. Answers are in UTC with microseconds and end in `Z`.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=format_instant,
        parse_value=parse_moment,
    ),
    BigInt: strawberry.scalar(
        name="BigInt",
        description="An integer of up to 53 bits, as a JSON number.",
        serialize=int,
        parse_value=big_int,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value. Integers are kept to 64 bits.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}
