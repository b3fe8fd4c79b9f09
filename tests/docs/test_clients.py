"""The page about clients knows every scalar of the schema."""

import re
import tomllib

from graphql import GraphQLScalarType, is_specified_scalar_type

from app.graphql import schema
from tests.docs import markdown

TEXT = (markdown.ROOT / "docs/how-to/clients.md").read_text()
FILES = {block.title: block.text for block in markdown.blocks(TEXT) if block.title}


def _scalars() -> set[str]:
    types = schema.core().type_map.values()
    return {each.name for each in types if isinstance(each, GraphQLScalarType) and not is_specified_scalar_type(each)}


def test_the_table_has_every_scalar() -> None:
    assert set(re.findall(r"^\| `(\w+)` \| ", TEXT, re.MULTILINE)) == _scalars()


def test_the_configuration_for_typescript_has_every_scalar() -> None:
    (line,) = re.findall(r"scalars: \{(.*)\}", FILES["codegen.ts"])

    assert set(re.findall(r"(\w+): ", line)) == _scalars()


def test_the_configuration_for_python_has_every_scalar() -> None:
    settings = tomllib.loads(FILES["pyproject.toml"])["tool"]["ariadne-codegen"]

    assert set(settings["scalars"]) == _scalars()
