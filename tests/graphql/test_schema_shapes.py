"""Claims about how the schema is declared: one place for a description, a connection, a change and a reference."""

import ast
from typing import Any

from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.enum import StrawberryEnumDefinition

from app.graphql.schema import core, refs
from app.graphql.schema.connections import Connection, connection_of
from app.graphql.schema.decorators import description_of
from app.graphql.schema.fields import origin
from app.graphql.schema.payloads import ChangeInput
from app.graphql.schema.types import orgs, users
from tests.support.walking import mutation_type

MAY_BE_IMPORTED = {
    "app.domain",
    "app.domain.refs",
    "app.graphql.schema.decorators",
    "app.query.relations",
    "app.services",
}


def test_the_docstring_of_a_class_is_the_description_of_its_type() -> None:
    found = {}
    for kind in core().type_map.values():
        definition = kind.extensions.get("strawberry-definition")
        if isinstance(definition, StrawberryObjectDefinition):
            found[kind.name] = kind.description == description_of(definition.origin)
        elif isinstance(definition, StrawberryEnumDefinition):
            found[kind.name] = kind.description == description_of(definition.wrapped_cls)

    assert len(found) > 150
    assert [name for name, is_same in found.items() if not is_same] == []


def test_a_connection_is_made_once_for_a_type_and_its_facts() -> None:
    made: Any = Connection[users.User, orgs.OrgMemberFacts]
    fields = core().type_map["OrgMemberEdge"]

    assert Connection[users.User] is connection_of(users.User) is users.UserConnection
    assert made is orgs.OrgMemberConnection
    assert made.__name__ == "OrgMemberConnection"
    assert fields.description == description_of(orgs.OrgMemberFacts)


def test_every_change_has_the_same_base_but_signing_in() -> None:
    inputs: list[Any] = [field.args["input"].type for field in mutation_type().fields.values() if "input" in field.args]
    origins: list[Any] = [origin(kind) for kind in inputs]

    assert len(origins) > 30
    assert [each.__name__ for each in origins if not issubclass(each, ChangeInput)] == ["LoginInput"]


def test_references_import_neither_types_nor_mutations() -> None:
    assert refs.__file__ is not None
    with open(refs.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name for name in imported if name and name.startswith("app")} == MAY_BE_IMPORTED
