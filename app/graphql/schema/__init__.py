"""The GraphQL schema, assembled from its types and mutations."""

from dataclasses import replace
from functools import cache
from typing import Any, cast

import strawberry
from graphql import (
    GraphQLInputObjectType,
    GraphQLSchema,
    Node,
    Visitor,
    is_object_type,
    parse,
    print_ast,
    visit,
)
from strawberry.schema.config import StrawberryConfig

from app.graphql.coercion.inputs import Conversion
from app.graphql.schema import list_limits, optional_inputs
from app.graphql.schema.decorators import object_type
from app.graphql.schema.directives import REQUIRES
from app.graphql.schema.fields import DeclaredField
from app.graphql.schema.mutations.access import AccessMutations
from app.graphql.schema.mutations.accounts import AccountMutations
from app.graphql.schema.mutations.api_tokens import ApiTokenMutations
from app.graphql.schema.mutations.groups import GroupMutations
from app.graphql.schema.mutations.locks import LockMutations
from app.graphql.schema.mutations.metadata import MetadataMutations
from app.graphql.schema.mutations.org_administration import OrgAdministrationMutations
from app.graphql.schema.mutations.orgs import OrgMutations
from app.graphql.schema.mutations.resources import ResourceMutations
from app.graphql.schema.mutations.roles import RoleMutations
from app.graphql.schema.mutations.session import SessionMutations
from app.graphql.schema.mutations.storage import StorageMutations
from app.graphql.schema.mutations.users import UserMutations
from app.graphql.schema.payloads import Conflict, InvalidInput, Locked, NotFound, Protected, QuotaExceeded
from app.graphql.schema.query import Query
from app.graphql.schema.scalars import SCALARS


@object_type
class Mutation(
    SessionMutations,
    UserMutations,
    AccountMutations,
    MetadataMutations,
    RoleMutations,
    OrgMutations,
    OrgAdministrationMutations,
    GroupMutations,
    ResourceMutations,
    AccessMutations,
    LockMutations,
    StorageMutations,
    ApiTokenMutations,
):
    """Mutations. Each mutation is one transaction."""


SCHEMA = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[InvalidInput, NotFound, Conflict, Locked, QuotaExceeded, Protected],
    config=StrawberryConfig(scalar_map=SCALARS),
)


def core() -> GraphQLSchema:
    """Return the schema as graphql-core sees it. Only this function reads the private attribute."""
    return SCHEMA._schema  # noqa: SLF001 - Strawberry has no public name for it


for _kind in core().type_map.values():  # Strawberry prints @oneOf without setting it in graphql-core
    if getattr(_kind.extensions.get("strawberry-definition"), "is_one_of", False):
        cast("GraphQLInputObjectType", _kind).is_one_of = True

optional_inputs.relax(core())
list_limits.set_limits(core())

_requires_permission = next(each for each in core().directives if each.name == "requiresPermission")
for _argument, _description in REQUIRES.items():  # Strawberry has no parameter for these descriptions
    _requires_permission.args[_argument].description = _description


converted = Conversion(SCHEMA.config, SCHEMA.schema_converter.scalar_registry)
"""Converts the arguments of a field as Strawberry does before it calls a resolver."""

for _kind in core().type_map.values():  # Strawberry would inspect the types of a field for each call
    for _field in _kind.fields.values() if is_object_type(_kind) else ():
        if isinstance(_declared := _field.extensions.get("strawberry-definition"), DeclaredField):
            _field.resolve = converted.resolver(_declared)
        elif _field.args and _field.resolve is not None:
            _field.resolve = list_limits.guard_arguments(_field.args, _field.resolve)


class _Sorted(Visitor):
    """Sorts definitions and their parts by name. Sorting the schema itself would lose Strawberry's enums."""

    def leave(self, node: Node, *_: Any) -> Node:
        """Sort the children of a node after their own children are sorted. The values of an enum keep their order."""
        if node.kind == "enum_type_definition":
            return node
        children = {key: _without_nulls(getattr(node, key, None)) for key in node.keys}
        sorted_children: dict[str, Any] = {
            key: tuple(sorted(each, key=_name))
            for key, each in children.items()
            if isinstance(each, tuple) and each and hasattr(each[0], "name")
        }
        return replace(node, **sorted_children) if sorted_children else node


def _without_nulls(children: Any) -> Any:
    """Return the parts of a node without arguments that are null, which Strawberry prints for a directive."""
    if not isinstance(children, tuple):
        return children
    return tuple(each for each in children if not (each.kind == "argument" and each.value.kind == "null_value"))


def _name(node: Any) -> tuple[bool, str]:
    return node.kind != "directive_definition", node.name.value if node.name else ""


@cache
def sdl() -> str:
    """Return the SDL, sorted by name, with directives."""
    document = parse(SCHEMA.as_str())
    return print_ast(visit(document, _Sorted())) + "\n"
