"""Tables of the GraphQL API, from the schema as text."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from graphql import DefinitionNode, parse

from app.graphql import schema
from app.graphql.schema.directives import Permission
from scripts.reference_tables.markdown import code, first_sentence, table

DIRECTIVE = "requires"
"""Beginning of the name of the directive that says which permission a field needs."""


def queries() -> str:
    """Return every field of Query."""
    return _fields_of("Query")


def mutations() -> str:
    """Return every field of Mutation."""
    return _fields_of("Mutation")


def scalars() -> str:
    """Return every scalar of this schema; those of GraphQL itself are not printed in it."""
    rows = [[code(each.name.value), _text(each)] for each in _of_kind("scalar_type_definition")]
    return table(["scalar", "is"], rows)


def directives() -> str:
    """Return every directive with the places where it stands."""
    rows = [
        [code(f"@{each.name.value}"), ", ".join(code(place.value) for place in each.locations), _text(each)]
        for each in _of_kind("directive_definition")
    ]
    return table(["directive", "on", "meaning"], rows)


def nodes() -> str:
    """Return every type that `node` finds."""
    rows = [
        [code(each.name.value), _text(each)]
        for each in _of_kind("object_type_definition")
        if "Node" in {interface.name.value for interface in each.interfaces or ()}
    ]
    return table(["type", "is"], rows)


def permission_uses() -> str:
    """Return for every permission the fields and mutations that need it, unless something else holds."""
    uses: dict[str, list[str]] = {each.name: [] for each in Permission}
    for kind in _of_kind("object_type_definition"):
        for field in kind.fields:
            if permission := _required(field)[0]:
                uses[permission].append(_place(kind, field))
    rows = [[code(name), ", ".join(map(code, fields)) or "none"] for name, fields in uses.items()]
    return table(["permission", "fields and mutations that ask for it"], rows)


def _place(kind: Any, field: Any) -> str:
    name: str = field.name.value
    return name if kind.name.value in {"Query", "Mutation"} else f"{kind.name.value}.{name}"


def _fields_of(name: str) -> str:
    kind = next(each for each in _of_kind("object_type_definition") if each.name.value == name)
    rows = [[code(field.name.value), first_sentence(_text(field)), _condition(field)] for field in kind.fields]
    return table([name.lower(), "does", "permission"], rows)


def _condition(field: Any) -> str:
    permission, unless = _required(field)
    return f"{code(permission)}{f', unless {unless}' if unless else ''}" if permission else ""


def _required(field: Any) -> tuple[str, str]:
    """Return the permission that a field needs, and when it does not; empty texts for none."""
    for directive in field.directives or ():
        if directive.name.value.startswith(DIRECTIVE):
            values = {each.name.value: getattr(each.value, "value", None) for each in directive.arguments}
            return values["permission"] or "", values.get("unless") or ""
    return "", ""


def _text(node: Any) -> str:
    return node.description.value if node.description else ""


def _of_kind(kind: str) -> Iterator[Any]:
    return (each for each in _definitions() if each.kind == kind)


@cache
def _definitions() -> tuple[DefinitionNode, ...]:
    return parse(schema.sdl()).definitions
