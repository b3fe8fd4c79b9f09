"""Claims about the declaration of the schema: one source of descriptions, connections, inputs and references."""

import ast
from pathlib import Path
from typing import Any

from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.enum import StrawberryEnumDefinition

from app.graphql.schema import core, refs, types
from app.graphql.schema.connections import Connection, connection_of
from app.graphql.schema.decorators import description_of
from app.graphql.schema.fields import origin
from app.graphql.schema.payloads import ChangeInput
from app.graphql.schema.types import orgs, users
from tests.support.walking import mutation_type

IMPORTS_OF_REFS = {
    "app.domain",
    "app.graphql.schema.decorators",
    "app.query.relations",
    "app.services",
    "app.domain.refs",
}


def test_the_docstring_of_a_class_is_the_description_of_its_type() -> None:
    is_same = {}
    for kind in core().type_map.values():
        definition = kind.extensions.get("strawberry-definition")
        if isinstance(definition, StrawberryObjectDefinition):
            is_same[kind.name] = kind.description == description_of(definition.origin)
        elif isinstance(definition, StrawberryEnumDefinition):
            is_same[kind.name] = kind.description == description_of(definition.wrapped_cls)

    assert len(is_same) > 150
    assert [name for name, same in is_same.items() if not same] == []


def test_a_connection_is_built_once_for_a_type_and_its_facts() -> None:
    connection: Any = Connection[users.User, orgs.OrgMemberFacts]
    edge = core().type_map["OrgMemberEdge"]

    assert Connection[users.User] is connection_of(users.User) is users.UserConnection
    assert connection is orgs.OrgMemberConnection
    assert connection.__name__ == "OrgMemberConnection"
    assert edge.description == description_of(orgs.OrgMemberFacts)


def test_all_mutation_inputs_but_that_of_login_have_the_same_base() -> None:
    inputs: list[Any] = [field.args["input"].type for field in mutation_type().fields.values() if "input" in field.args]
    origins: list[Any] = [origin(kind) for kind in inputs]

    assert len(origins) > 30
    assert [each.__name__ for each in origins if not issubclass(each, ChangeInput)] == ["LoginInput"]


def test_references_import_neither_types_nor_mutations() -> None:
    assert refs.__file__ is not None
    assert {name for name in _imports(Path(refs.__file__)) if name.startswith("app")} == IMPORTS_OF_REFS


def test_types_do_not_import_mutations() -> None:
    modules = sorted(Path(types.__path__[0]).glob("*.py"))

    assert len(modules) > 10
    assert [path.name for path in modules if any("schema.mutations" in name for name in _imports(path))] == []


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
