"""The GraphQL face: one file a subject, put together here."""

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

from app.schema import lists
from app.schema.api_tokens import ApiTokenMutations
from app.schema.conversion import Conversion
from app.schema.declare import DeclaredField
from app.schema.decorators import object_type
from app.schema.directives import REQUIRES
from app.schema.grants import AccessMutations
from app.schema.groups import GroupMutations
from app.schema.leaves import SCALARS
from app.schema.locks import LockMutations
from app.schema.mutations import Conflict, InvalidInput, Locked, NotFound, Protected, QuotaExceeded
from app.schema.orgs import OrgMutations
from app.schema.query import Query
from app.schema.resources import ResourceMutations
from app.schema.roles import RoleMutations
from app.schema.session import SessionMutations
from app.schema.storage import StorageMutations
from app.schema.users import UserMutations


@object_type
class Mutation(
    SessionMutations,
    UserMutations,
    RoleMutations,
    OrgMutations,
    GroupMutations,
    ResourceMutations,
    AccessMutations,
    LockMutations,
    StorageMutations,
    ApiTokenMutations,
):
    """Where changes begin. Each is one transaction."""


SCHEMA = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[InvalidInput, NotFound, Conflict, Locked, QuotaExceeded, Protected],
    config=StrawberryConfig(scalar_map=SCALARS),
)


def core() -> GraphQLSchema:
    """The schema as graphql-core knows it. The one place that reaches for it."""
    return SCHEMA._schema  # noqa: SLF001 - Strawberry has no public name for it


for _kind in core().type_map.values():  # Strawberry prints @oneOf, and leaves graphql-core to know nothing of it
    if getattr(_kind.extensions.get("strawberry-definition"), "is_one_of", False):
        cast("GraphQLInputObjectType", _kind).is_one_of = True

lists.mark(core())

for _argument, _meaning in REQUIRES.items():  # Strawberry has no place for them
    next(each for each in core().directives if each.name == "requiresPermission").args[_argument].description = _meaning


converted = Conversion(SCHEMA.config, SCHEMA.schema_converter.scalar_registry)
"""The arguments of a field as its resolver would be given them."""

for _kind in core().type_map.values():  # Strawberry would convert anew, and look at the field's types, for each call
    for _field in _kind.fields.values() if is_object_type(_kind) else ():
        if isinstance(_declared := _field.extensions.get("strawberry-definition"), DeclaredField):
            _field.resolve = converted.resolver(_declared)
        elif _field.args and _field.resolve is not None:
            _field.resolve = lists.guard_arguments(_field.args, _field.resolve)


class _Sorted(Visitor):
    """Puts what has a name in the order of the names; sorting the schema itself would lose Strawberry's enums."""

    def leave(self, node: Node, *_: Any) -> Node:
        """Sort what hangs on a node, once what is below it is sorted; the values of an enum keep their order."""
        if node.kind == "enum_type_definition":
            return node
        held = {key: getattr(node, key, None) for key in node.keys}
        named = {
            key: each for key, each in held.items() if isinstance(each, tuple) and each and hasattr(each[0], "name")
        }
        sorted_: dict[str, Any] = {key: tuple(sorted(each, key=_name)) for key, each in named.items()}
        return replace(node, **sorted_) if sorted_ else node


def _name(node: Any) -> tuple[bool, str]:
    return node.kind != "directive_definition", node.name.value if node.name else ""


@cache
def sdl() -> str:
    """The schema as text, sorted, with its directives."""
    document = parse(SCHEMA.as_str())
    return print_ast(visit(document, _Sorted())) + "\n"
