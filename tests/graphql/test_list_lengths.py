"""Claims about lists that are too long: each is refused by its length, before its items are read."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

from app import db
from app.graphql.coercion.list_lengths import DEFAULT_MAX_ITEMS, declared_max_items
from tests.support.changes import unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make
from tests.support.walking import mutation_type, query_type

ROOTS = {"mutation": mutation_type().fields, "query": query_type().fields}
UNREADABLE = 7.25
"""An item that no type accepts, so that reading it raises an error."""

PLAIN: Mapping[str, Any] = {
    "Boolean": True,
    "DateTime": "2999-01-31T12:00:00Z",
    "ID": "VXNlcjox",
    "Int": 1,
    "JSON": {},
    "String": "fresh",
}
Place = GraphQLArgument | GraphQLInputField
By = Mapping[str, Mapping[str, str]]


def _least(kind: Any, by: By) -> Any:
    """Return the smallest value of a type."""
    plain = get_nullable_type(kind)
    if is_list_type(plain):
        return []
    if isinstance(plain, GraphQLInputObjectType):
        return by.get(plain.name) or _object(plain, by)
    return next(iter(plain.values)) if isinstance(plain, GraphQLEnumType) else PLAIN.get(plain.name, 1)


def _object(kind: GraphQLInputObjectType, by: By) -> dict[str, Any]:
    fields = kind.fields.items()
    names = [name for name, field in fields if is_required_input_field(field)]
    if kind.is_one_of:
        names = ["general" if "general" in kind.fields else next(iter(kind.fields))]
    return {name: _least(kind.fields[name].type, by) for name in names}


def _too_long(place: Place, by: By, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield values of a location with one list that is too long, and the path to that list."""
    kind = get_nullable_type(place.type)
    if is_list_type(kind):
        yield path, [UNREADABLE] * ((declared_max_items(place) or DEFAULT_MAX_ITEMS) + 1)
        for at, item in _inside(get_nullable_type(kind.of_type), by, (*path, 0)):
            yield at, [item]
    else:
        yield from _inside(kind, by, path)


def _inside(kind: Any, by: By, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if not isinstance(kind, GraphQLInputObjectType) or len(path) > 4:
        return
    for name, field in kind.fields.items():
        for at, value in _too_long(field, by, (*path, name)):
            yield at, ({} if kind.is_one_of else _object(kind, by)) | {name: value}


def _document(kind: str, name: str, field: GraphQLField) -> str:
    variables = ", ".join(f"${each}: {argument.type}" for each, argument in field.args.items())
    arguments = ", ".join(f"{each}: ${each}" for each in field.args)
    below = "" if is_leaf_type(get_named_type(field.type)) else "{ __typename }"
    if kind == "mutation":
        below = "{ errors { code message } }"
    return f"{kind} ({variables}) {{ {name}({arguments}) {below} }}"


def _cases(by: By) -> Iterator[tuple[str, str, dict[str, Any], tuple[Any, ...]]]:
    for kind, fields in ROOTS.items():
        for name, field in fields.items():
            needed = {each: _least(one.type, by) for each, one in field.args.items() if is_required_argument(one)}
            for each, argument in field.args.items():
                for path, value in _too_long(argument, by, (each,)):
                    yield name, _document(kind, name, field), needed | {each: value}, path


async def test_every_list_is_refused_by_its_length_alone(api: Api, make: Make, database: db.Database) -> None:
    root, group = await make.admin(), await make.group("divers")
    org = await make.org(owner=root)
    reef = await make.resource(org, owner=root)
    by = {"UserBy": {"id": root.node}, "GroupBy": {"slug": group.slug}, "ResourceBy": {"id": reef.node}}
    by["OrgBy"] = {"slug": org.slug}
    seen = set()

    async with unchanged(database):
        for name, text, values, path in _cases(by):
            # The columns of this query must have the same length.
            variables = dict.fromkeys(values, values[path[0]]) if name == "checkAccessBatch" else values
            reply = await api(text, as_=root, **variables)
            message = f"{name} {path}: {str(reply)[:300]}"
            assert set(codes(reply)) <= {"BAD_USER_INPUT", "INVALID_INPUT"}, message
            assert codes(reply), message
            assert "7.25" not in str(reply), message
            seen.add((name, path[-1]))

    assert {("nodes", "ids"), ("createUsers", "users"), ("users", "or"), ("users", "in"), ("users", "orderBy")} <= seen
    assert {("checkAccessBatch", "users"), ("grantAccessBatch", "grants"), ("submitAccess", "groups")} <= seen
    assert {("addGroupMembers", "members"), ("createApiToken", "orgs"), ("assignRoles", "roles")} <= seen


@pytest.mark.parametrize("maximum", [DEFAULT_MAX_ITEMS])
async def test_an_error_names_the_place_of_a_list_without_its_own_limit(api: Api, make: Make, maximum: int) -> None:
    text = "mutation ($input: AssignRolesInput!) { assignRoles(input: $input) { errors { code } } }"
    value = {"user": {"userName": "ann"}, "roles": ["x"] * (maximum + 1)}

    reply = await api(text, as_=await make.admin(), input=value)

    (error,) = reply["errors"]
    said = "Variable `$input`: `roles` has 1,001 items; at most 1,000 are allowed."
    assert error["message"] == said
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "variable": "input", "path": ["roles"]}


def test_the_cases_include_every_list_argument() -> None:
    lists = [
        (name, each)
        for fields in ROOTS.values()
        for name, field in fields.items()
        for each, argument in field.args.items()
        if is_list_type(argument.type.of_type if is_non_null_type(argument.type) else argument.type)
    ]
    met = {(name, path[0]) for name, _, _, path in _cases({}) if len(path) == 1}
    assert set(lists) == met
