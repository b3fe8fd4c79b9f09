"""Inputs of every mutation with a hidden object in each place where an input names an object."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import GraphQLInputField, GraphQLInputObjectType, get_named_type, is_leaf_type, is_list_type
from graphql.type import get_nullable_type, is_required_input_field

from tests.support.walking import mutation_type

Ways = Mapping[str, Sequence[Mapping[str, Any]]]
"""References to objects, by their input type: `OrgBy`, `UserBy`, …"""

Place = tuple[str, ...]

SESSION = {"login", "refreshToken", "logout", "changePassword", "updateViewer"}
"""Mutations that name no object except the viewer."""

VALUES: Mapping[str, Any] = {
    "description": "Text.",
    "displayName": "Fresh",
    "email": "fresh@example.org",
    "general": True,
    "hasData": True,
    "isManager": True,
    "level": "READ_ONLY",
    "metadata": {},
    "name": "Fresh",
    "patch": {},
    "newPassword": "correct horse battery staple",
    "reason": "Because.",
    "revision": 1,
    "sizeBytes": 1,
    "slug": "fresh",
    "type": "DATASET",
    "userName": "fresh",
    "validateOnly": True,
}
"""Values of the fields that name no object."""


def probes(hidden: Ways, visible: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every mutation with every hidden object in every place where an input names one; the rest is visible."""
    for name, field in mutation_type().fields.items():
        if name not in SESSION:
            kind: Any = get_named_type(field.args["input"].type)
            for values in inputs(kind, hidden, visible):
                yield document(name), values


def inputs(
    kind: GraphQLInputObjectType, hidden: Ways, visible: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return inputs of a type with one hidden object each."""
    return [
        _filled(kind, visible, place, name_of)
        for place, named in _places(kind)
        for name_of in hidden.get(named.name, ())
    ]


def document(name: str) -> str:
    """Return a mutation that selects its errors, and a little of its other fields."""
    field = mutation_type().fields[name]
    payload: Any = get_named_type(field.type)
    selection = errors = "errors { __typename code message path }"
    for each, below in payload.fields.items():
        if each == "results":
            selection += f" results {{ index {errors} }}"
        elif each not in {"errors", "query"}:
            selection += f" {each}" if is_leaf_type(get_named_type(below.type)) else f" {each} {{ __typename }}"
    return f"mutation ($input: {field.args['input'].type}) {{ {name}(input: $input) {{ {selection} }} }}"


def _places(kind: Any) -> Iterator[tuple[Place, GraphQLInputObjectType]]:
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        if isinstance(below, GraphQLInputObjectType):
            if below.name.endswith("By"):
                yield (name,), below
            else:
                yield from (((name, *place), named) for place, named in _places(below))


def _filled(kind: Any, visible: Mapping[str, Any], place: Place, name_of: Any) -> dict[str, Any]:
    if kind.is_one_of:
        name = place[0] if place else "general"
        return {name: _value(kind.fields[name], name, visible, place[1:], name_of)}
    names = [name for name, field in kind.fields.items() if is_required_input_field(field) or name in _OFTEN]
    chosen = {*names, *place[:1]}
    return {
        name: _value(kind.fields[name], name, visible, place[1:] if place[:1] == (name,) else None, name_of)
        for name in sorted(chosen)
    }


_OFTEN = {"validateOnly", "general"}
"""Optional fields that every input has."""


def _value(field: GraphQLInputField, name: str, visible: Mapping[str, Any], place: Place | None, name_of: Any) -> Any:
    below = get_named_type(field.type)
    if below.name.endswith("By"):
        value: Any = visible[below.name] if place is None else name_of
    elif isinstance(below, GraphQLInputObjectType):
        value = _filled(below, visible, place or (), name_of)
    elif is_list_type(get_nullable_type(field.type)):
        return ["user"] if below.name == "String" else ["METADATA_READ"] if below.name == "ResourceRole" else []
    else:
        value = VALUES[name]
    return [value] if is_list_type(get_nullable_type(field.type)) else value


def names_in(kind: Any) -> set[str]:
    """Return the input types that name an object, anywhere in an input."""
    return {named.name for _, named in _places(kind)}
