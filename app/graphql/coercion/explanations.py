"""Explanations of invalid variables and literals: where the value is and what it must be, never the value itself.

The messages of graphql-core repeat values, which may be passwords. So only its decision and its path are used, and the
text is made from the type at that path.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    EnumValueNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    ListValueNode,
    Node,
    NullValueNode,
    ObjectValueNode,
    Undefined,
    get_nullable_type,
    is_list_type,
    specified_scalar_types,
)
from graphql.pyutils import did_you_mean, suggestion_list

from app.http.exact_json import path_text

Path = Sequence[str | int]

LEAVES = {
    "Boolean": "must be true or false.",
    "Float": "must be a number.",
    "ID": "must be a text or an integer.",
    "Int": "must be an integer of 32 bits.",
    "String": "must be a text.",
}
"""Requirements of the scalars that GraphQL defines. Other scalars raise an error with their requirement."""

MAX_NAME_LENGTH = 128
"""Characters of an unknown field's name in a message."""

_MISSING = re.compile(r"to include required field '(\w+)'")
_UNKNOWN = re.compile(r"not to include unknown field '(?:([_A-Za-z][_0-9A-Za-z]*)')?")


@dataclass(frozen=True, slots=True)
class Place:
    """The variable or argument that an error is about."""

    kind: str
    name: str

    def error(self, path: Path, requirement: str, nodes: Node | Sequence[Node] | None = None) -> GraphQLError:
        """Return the error of the value at a path inside the variable or argument."""
        label = f"{self.kind.capitalize()} `{'$' if self.kind == 'variable' else ''}{self.name}`"
        text = f"{label}: `{path_text(path)}` {requirement}" if path else f"{label} {requirement}"
        return GraphQLError(text, nodes, extensions={self.kind: self.name, "path": [*map(str, path)]})


def explain(
    error: GraphQLError, kind: GraphQLInputType, value: Any, path: Path, *, hide_suggestions: bool
) -> tuple[Path, str]:
    """Return the path and the requirement of an error that graphql-core reports for a value or a literal.

    `kind` and `value` are those of the whole variable or argument, and `path` leads from there to the error.
    """
    for part in path:
        kind, value = _child(kind, value, part)
    plain: Any = get_nullable_type(kind)
    while is_list_type(plain) and not isinstance(value, list | ListValueNode):  # one value is a list of one
        plain = get_nullable_type(plain.of_type)
    requirement = _leaf(plain, error)
    if value is Undefined:
        requirement = "is missing."
    elif value is None or isinstance(value, NullValueNode):
        requirement = "must not be null."
    elif isinstance(plain, GraphQLInputObjectType):
        return _explain_object(plain, error.message, value, path, hide_suggestions=hide_suggestions)
    elif isinstance(plain, GraphQLEnumType):
        requirement = f"must be a value of the enum {plain.name}.{_suggest_value(plain, value, hide_suggestions)}"
    return path, requirement


def _child(kind: GraphQLInputType, value: Any, part: str | int) -> tuple[GraphQLInputType, Any]:
    """Return the type and the value of a field or an item."""
    plain: Any = get_nullable_type(kind)
    while is_list_type(plain) and isinstance(part, str):
        plain = get_nullable_type(plain.of_type)
    if isinstance(part, int):
        return plain.of_type, (value.values if isinstance(value, ListValueNode) else value)[part]
    if isinstance(value, ObjectValueNode):
        values = {field.name.value: field.value for field in value.fields}
        return plain.fields[part].type, values.get(part)
    return plain.fields[part].type, value.get(part)


def _explain_object(
    kind: GraphQLInputObjectType, message: str, value: Any, path: Path, *, hide_suggestions: bool
) -> tuple[Path, str]:
    """Explain the error of an object: a missing or unknown field, or several fields of a `@oneOf` input."""
    if not isinstance(value, dict | ObjectValueNode):
        return path, "must be an object."
    if missing := _MISSING.search(message):
        return [*path, missing[1]], "is missing."
    if kind.is_one_of and not (unknown := _UNKNOWN.search(message)):
        return path, f"must have exactly one of the fields {', '.join(f'`{name}`' for name in kind.fields)}."
    name = (unknown[1] if (unknown := _UNKNOWN.search(message)) else "") or ""
    if not name or len(name) > MAX_NAME_LENGTH:
        return path, "has an unknown field."
    suggestion = "" if hide_suggestions else did_you_mean(suggestion_list(name, [*kind.fields]))
    return [*path, name], f"is unknown.{suggestion}"


def _suggest_value(kind: GraphQLEnumType, value: Any, hide_suggestions: bool) -> str:
    name = value.value if isinstance(value, EnumValueNode) else value
    if hide_suggestions or not isinstance(name, str):
        return ""
    return did_you_mean(suggestion_list(name, [*kind.values]), "the enum value")


def _leaf(kind: Any, error: GraphQLError) -> str:
    name = getattr(kind, "name", "")
    if name in specified_scalar_types:
        return LEAVES[name]
    if error.message.startswith("Expected"):  # by graphql-core, with the value
        return f"must be a value of the type {name}."
    return f"is invalid. {error.message}"
