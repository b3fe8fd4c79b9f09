"""Blocks of a page that are generated: finding them and replacing their content."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.reference_tables import command_line, error_codes, graphql_index, limits, metrics, operations

FOLDER = Path(__file__).parents[2] / "docs" / "reference"

BLOCKS: Mapping[str, Callable[[], str]] = {
    "settings": operations.settings,
    "rest": operations.rest_operations,
    "permissions": operations.permissions,
    "permission uses": graphql_index.permission_uses,
    "codes": error_codes.codes,
    "document limits": limits.documents,
    "request limits": limits.requests,
    "list limits": limits.lists,
    "value limits": limits.values,
    "metrics": metrics.families,
    "metric labels": metrics.labels,
    "commands": command_line.commands,
    "options": command_line.options,
    "queries": graphql_index.queries,
    "mutations": graphql_index.mutations,
    "scalars": graphql_index.scalars,
    "directives": graphql_index.directives,
    "nodes": graphql_index.nodes,
}
"""Every block by its name, and the function that prints its content."""

_BLOCK = re.compile(r"(<!-- generated: ([a-z ]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def block_names(page: str) -> list[str]:
    """Return the names of the blocks of a page."""
    return [match[2] for match in _BLOCK.finditer(page)]


def updated(page: str) -> str:
    """Return a page with the content of its blocks printed from the code."""
    return _BLOCK.sub(lambda match: f"{match[1]}{BLOCKS[match[2]]()}\n{match[4]}", page)
