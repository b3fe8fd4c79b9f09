"""Maximum lengths of the lists in arguments and inputs that a service limits by a rule of its own.

The items of a longer list are neither coerced nor converted, since the service checks the length first. Other lists
may have `coercion.list_lengths.DEFAULT_MAX_ITEMS` items, and longer ones are rejected with the variables.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from graphql import GraphQLArgument, GraphQLSchema, get_named_type, is_input_object_type, is_object_type

from app.domain import refs
from app.domain.errors import BadInput
from app.graphql.coercion.list_lengths import ListLocation, declared_max_items, set_max_items
from app.query import pagination
from app.services import api_tokens, bulk, checks, grants

Item = TypeVar("Item")

INPUTS: Mapping[tuple[str, str], int] = {
    ("AddGroupMembersInput", "members"): bulk.MAX_ENTRIES,
    ("RemoveGroupMembersInput", "members"): bulk.MAX_ENTRIES,
    ("AddOrgMembersInput", "members"): bulk.MAX_ENTRIES,
    ("RemoveOrgMembersInput", "members"): bulk.MAX_ENTRIES,
    ("CreateGroupsInput", "groups"): bulk.MAX_ENTRIES,
    ("DeleteGroupsInput", "groups"): bulk.MAX_ENTRIES,
    ("CreateOrgsInput", "orgs"): bulk.MAX_ENTRIES,
    ("CreateResourcesInput", "resources"): bulk.MAX_ENTRIES,
    ("DeleteResourcesInput", "resources"): bulk.MAX_ENTRIES,
    ("DeleteUsersInput", "users"): bulk.MAX_ENTRIES,
    ("RevokeAccessBatchInput", "grants"): bulk.MAX_ENTRIES,
    ("CreateApiTokenInput", "orgs"): api_tokens.MAX_TARGETS,
    ("CreateApiTokenInput", "resources"): api_tokens.MAX_TARGETS,
    ("CreateUsersInput", "users"): bulk.MAX_ENTRIES,
    ("GrantAccessBatchInput", "grants"): bulk.MAX_ENTRIES,
    ("SubmitAccessInput", "groups"): grants.MAX_ENTRIES,
    ("SubmitAccessInput", "users"): grants.MAX_ENTRIES,
}
"""Limits by the input type and the name of its field."""

IN_EVERY_INPUT = {
    "and": pagination.MAX_COMPARISONS,
    "or": pagination.MAX_COMPARISONS,
    "in": pagination.MAX_CHOICES,
}
"""Limits by the name of the field, in every filter and comparison."""

ARGUMENTS: Mapping[str, int] = {
    "ids": refs.MAX_NODES,
    "orderBy": pagination.MAX_TERMS,
    "users": checks.MAX_CHECKS,
    "resources": checks.MAX_CHECKS,
    "roles": checks.MAX_CHECKS,
    "userNames": checks.MAX_CHECKS,
    "resourcePaths": checks.MAX_CHECKS,
}
"""Limits by the name of the argument, in every field."""


def max_items_of_input(kind: str, name: str) -> int | None:
    """Return the maximum length of a list in a field of an input; None if no service limits it."""
    return INPUTS.get((kind, name), IN_EVERY_INPUT.get(name))


def set_limits(schema: GraphQLSchema) -> None:
    """Store the limits in the schema of graphql-core, where the coercion of arguments reads them."""
    for kind in schema.type_map.values():
        if is_input_object_type(kind):
            for name, field in kind.fields.items():
                set_max_items(field, max_items_of_input(kind.name, name))
        elif is_object_type(kind):
            for field in kind.fields.values():
                for name, argument in field.args.items():
                    set_max_items(argument, ARGUMENTS.get(name))


def guard_arguments(arguments: Mapping[str, GraphQLArgument], resolve: Callable[..., Any]) -> Callable[..., Any]:
    """Return a resolver that rejects long lists first. Strawberry would convert every item of its arguments."""

    def resolve_guarded(source: Any, info: Any, **values: Any) -> Any:
        for name, value in values.items():
            _require_short(arguments[name], value, (name,))
        return resolve(source, info, **values)

    return resolve_guarded


def _require_short(location: ListLocation, value: Any, place: tuple[str | int, ...]) -> None:
    maximum = declared_max_items(location)
    if isinstance(value, list) and maximum is not None and len(value) > maximum:
        raise BadInput(f"`{place[-1]}` has {len(value):,} items; at most {maximum:,} are allowed.", *place)
    kind = get_named_type(location.type)
    if not is_input_object_type(kind):
        return
    for at, item in enumerate(value if isinstance(value, list) else (value,)):
        inside = (*place, at) if isinstance(value, list) else place
        for field_name, field_value in item.items() if isinstance(item, dict) else ():
            _require_short(kind.fields[field_name], field_value, (*inside, field_name))


def read_each(read: Callable[[Any], Item], items: Sequence[Any], maximum: int) -> list[Item]:
    """Read each item. A list that is too long stays unread, since its length is rejected later."""
    return [*map(read, items)] if len(items) <= maximum else list(items)
