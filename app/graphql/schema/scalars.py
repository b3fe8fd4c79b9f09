"""The scalars that GraphQL does not define: DateTime, BigInt and JSON."""

from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from graphql import FloatValueNode, GraphQLError, IntValueNode, ListValueNode, ObjectValueNode, ValueNode
from graphql.utilities import value_from_ast_untyped
from strawberry.types.scalar import ScalarDefinition

from app.db.tables import MAX_BYTES
from app.db.types import format_instant
from app.http.exact_json import is_exact, is_exact_integer

JSON = NewType("JSON", object)
"""Any JSON value, as Python dictionaries, lists, strings and numbers."""


BigInt = NewType("BigInt", int)
"""An integer of more than 32 bits."""


def parse_moment(text: Any) -> datetime:
    """Parse a point in time. A text without a time zone is ambiguous and raises GraphQLError."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise GraphQLError("DateTime must be ISO 8601 text like 2026-01-31T12:00:00Z.") from None
    if moment.tzinfo is None:
        raise GraphQLError("DateTime needs a time zone: end it with Z or an offset like +01:00.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise GraphQLError("DateTime is out of range.") from None


def big_int(value: Any) -> int:
    """Parse an integer that is exact in every client. A float without a fraction is accepted, a Boolean is not."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MAX_BYTES <= value <= MAX_BYTES:
        raise GraphQLError(f"BigInt must be an integer from {-MAX_BYTES} to {MAX_BYTES}.")
    if value != int(value):
        raise GraphQLError("BigInt must be an integer without a fraction.")
    return int(value)


def _json_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    """Return the value of a literal; raises GraphQLError for a number that would be rounded."""
    _require_exact(node)
    return value_from_ast_untyped(node, variables)


def _require_exact(node: ValueNode) -> None:
    match node:
        case IntValueNode() if not is_exact_integer(node.value):
            raise GraphQLError("An integer has more than 64 bits.", node)
        case FloatValueNode() if not is_exact(node.value):
            raise GraphQLError("A number has more digits than 64 bits keep.", node)
        case ListValueNode():
            for each in node.values:
                _require_exact(each)
        case ObjectValueNode():
            for field in node.fields:
                _require_exact(field.value)


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="ISO 8601 date and time with a time zone. Responses are in UTC with microseconds and end in `Z`.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=format_instant,
        parse_value=parse_moment,
    ),
    BigInt: strawberry.scalar(
        name="BigInt", description="An integer of up to 53 bits, as a JSON number.", serialize=int, parse_value=big_int
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value. Integers have at most 64 bits, other numbers at most 17 digits. A name occurs "
        "once in its object.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=lambda value: value,
        parse_value=lambda value: value,
        parse_literal=_json_literal,
    ),
}
