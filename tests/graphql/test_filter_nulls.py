"""Tests that null in a filter is refused in every place, by both executors, since it would widen the list."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, get_named_type

from tests.query.test_complements import LISTS, FilteredList
from tests.support.client import Api, codes
from tests.support.factories import Make

Case = tuple[str, dict[str, Any], str]
"""A query, its variables, and what its refusal names."""


def _filters(kind: GraphQLInputObjectType) -> Iterator[tuple[str, Any, str]]:
    """Yield each place of a filter: its path, its type, and the filter with `%s` there."""
    for name, field in kind.fields.items():
        of: Any = get_named_type(field.type)
        yield f"filter.{name}", field.type, f"{{{name}: %s}}"
        if isinstance(of, GraphQLInputObjectType) and of is not kind:
            for comparison, each in of.fields.items():
                yield f"filter.{name}.{comparison}", each.type, f"{{{name}: {{{comparison}: %s}}}}"
                yield f"filter.not.{name}.{comparison}", each.type, f"{{not: {{{name}: {{{comparison}: %s}}}}}}"
                inside = f"{{or: [{{{name}: {{{comparison}: %s}}}}]}}"
                yield f"filter.or[0].{name}.{comparison}", each.type, inside


def _cases(each: FilteredList) -> Iterator[Case]:
    for path, of, condition in _filters(each.filter):
        yield _query(each, "", condition % "null"), {}, f"Argument `filter`: `{path.removeprefix('filter.')}` is null"
        values = {"v": None} if len(path) % 2 else dict[str, Any]()
        told = f"Variable `$v` is null or absent, and `{path}` compares"
        yield _query(each, f"($v: {of})", condition % "$v"), values, told
    yield _query(each, f"($f: {each.filter})", "$f"), {"f": {"not": {"not": None}}}, "`not.not` is null"
    yield _query(each, "", "{and: [{not: {}}, {createdAt: {}}]}"), {}, "`and[1].createdAt` has no comparison"


def _query(each: FilteredList, definitions: str, condition: str) -> str:
    text = f"{each.name}(first: 1, filter: {condition}) {{ nodes {{ id }} }}"
    for parent in reversed(each.parents):
        text = f"{parent}(first: 1) {{ nodes {{ {text} }} }}"
    return f"query Asked{definitions} {{ {text} }}"


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # no database is asked
@pytest.mark.parametrize("each", LISTS, ids=[each.path for each in LISTS])
async def test_null_is_refused_in_every_place_of_a_filter(api: Api, make: Make, each: FilteredList) -> None:
    root = await make.admin()
    await make.org(owner=root)
    await make.group()
    for text, variables, told in _cases(each):
        if "createdAt" in text and "createdAt" not in each.filter.fields:
            continue
        for _ in range(2):  # the second time by the plan, if there is one
            reply = await api(text, as_=root, **variables)
            assert codes(reply) == ["BAD_USER_INPUT"], (text, variables, reply)
            assert told in reply["errors"][0]["message"], (text, variables, reply)


@pytest.mark.parametrize("each", LISTS, ids=[each.path for each in LISTS])
async def test_no_filter_is_no_filter(api: Api, make: Make, each: FilteredList) -> None:
    """A variable for the whole filter, absent or null, and an empty filter."""
    root = await make.admin()
    text = _query(each, f"($f: {each.filter})", "$f")
    every: list[dict[str, Any]] = [{}, {"f": None}, {"f": {}}, {"f": {"not": {"not": {}}}}]
    for values in every:
        for _ in range(2):
            assert "errors" not in await api(text, as_=root, **values), values
