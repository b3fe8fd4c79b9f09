"""Tests that a filter and its `not` part every list: no row is in both halves, and none is in neither."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_list_type,
)
from hypothesis import given
from hypothesis import strategies as st

from app import db
from tests.oracle.generated import generated
from tests.oracle.naive import SDL
from tests.oracle.questions import Asker
from tests.oracle.worlds import World, worlds
from tests.support.client import Api

PARENTS = 20
WHOLE = 100
"""Items of a page; the lists of a generated world are shorter."""

SINGLE, COMBINED = 3, 1
"""Filters of each list in each world: some with one comparison, and some of several; each is a new statement."""

VIEWERS = 2


@dataclass(frozen=True, slots=True)
class FilteredList:
    """A list with a filter: the lists that lead to it, its own name, and the type of its filter."""

    parents: tuple[str, ...]
    name: str
    filter: GraphQLInputObjectType

    @property
    def path(self) -> str:
        return ".".join([*self.parents, self.name])

    def question(self, conditions: list[str]) -> str:
        """Return a query for the whole list and, for each condition, for its two halves."""
        page = "{ totalCount nodes { id } }"
        parts = [f"whole: {self.name}(first: {WHOLE}) {page}"]
        for at, condition in enumerate(conditions):
            parts.append(f"in{at}: {self.name}(first: {WHOLE}, filter: {condition}) {page}")
            parts.append(f"out{at}: {self.name}(first: {WHOLE}, filter: {{not: {condition}}}) {page}")
        text = " ".join(parts)
        for parent in reversed(self.parents):
            text = f"{parent}(first: {PARENTS}) {{ nodes {{ {text} }} }}"
        return f"{{ {text} }}"


def _filtered_lists() -> list[FilteredList]:
    """Return every list of the schema with a filter, by its shortest way from the root."""
    found: dict[str, FilteredList] = {}
    waiting: list[tuple[Any, tuple[str, ...]]] = [(SDL.query_type, ())]
    seen = set()
    while waiting:
        kind, parents = waiting.pop(0)
        seen.add(kind.name)
        for name, field in kind.fields.items():
            if "first" not in field.args:
                continue
            if "filter" in field.args:
                of: Any = get_named_type(field.args["filter"].type)
                found.setdefault(f"{kind.name}.{name}", FilteredList(parents, name, of))
            node = _node(field)
            if node.name not in seen and not any(field.type for _, each in waiting if each == (*parents, name)):
                waiting.append((node, (*parents, name)))
    return list(found.values())


def _node(field: GraphQLField) -> GraphQLObjectType:
    connection: Any = get_named_type(field.type)
    node: GraphQLObjectType = get_named_type(connection.fields["nodes"].type)
    return node


LISTS = _filtered_lists()


def test_lists_below_others_are_among_them() -> None:
    assert {"users", "orgs", "groups", "resources", "auditEvents"} <= {each.path for each in LISTS}
    assert len([each for each in LISTS if each.parents]) >= 6


@generated(1)
@given(world=worlds(), seed=st.integers(0, 2**32))
async def test_a_filter_and_its_complement_part_every_list(
    api: Api, database: db.Database, world: World, seed: int
) -> None:
    await world.write(database)
    random = Random(seed)
    for each in LISTS:
        conditions = _conditions(Asker(SDL, random, world, mistakes=False), each.filter)
        await _parted(api, world, random, each, conditions)


async def _parted(api: Api, world: World, random: Random, each: FilteredList, conditions: list[str]) -> None:
    text = each.question(conditions)
    for kind in random.sample([kind for kind in world.viewers if kind != "gone"], VIEWERS):
        response = await api.post(text, world.viewers[kind])
        reply = response.json()
        if "errors" in reply:
            pytest.fail(f"{kind} asks {text}\n{reply['errors']}", False)
        for parent in _parents(reply["data"], each.parents):
            for at, condition in enumerate(conditions):
                halves = parent["whole"], parent[f"in{at}"], parent[f"out{at}"]
                _assert_parted(halves, f"{kind} asks {each.path} with {condition}")


def _assert_parted(halves: tuple[Any, Any, Any], told: str) -> None:
    """Check the ids and the counts of the whole list and its halves; a list that is hidden has no halves either."""
    if None in halves:
        assert halves == (None, None, None), told
        return
    whole, inside, outside = ([row["id"] for row in half["nodes"]] for half in halves)
    assert set(inside) & set(outside) == set(), told
    assert sorted([*inside, *outside]) == sorted(whole), told
    counts = [half["totalCount"] for half in halves]
    assert counts == [len(whole), len(inside), len(outside)], told


def _parents(data: Any, names: tuple[str, ...]) -> Iterator[Any]:
    """Yield the objects below which the list was read."""
    if not names:
        yield data
        return
    for node in (data[names[0]] or {"nodes": []})["nodes"]:
        yield from _parents(node, names[1:])


def _conditions(asker: Asker, kind: GraphQLInputObjectType) -> list[str]:
    """Return filters by one comparison of one field each, then some random combinations."""
    comparisons: list[tuple[str, Any, str | None]] = []
    for name, field in kind.fields.items():
        of: Any = get_named_type(field.type)
        if isinstance(of, GraphQLInputObjectType) and of is not kind:
            comparisons += [(name, of, each) for each in of.fields]
        elif of is not kind:
            comparisons.append((name, of, None))
    chosen = asker.random.sample(comparisons, min(SINGLE, len(comparisons)))
    filters = [{name: _compared(asker, of, name, each)} for name, of, each in chosen]
    return [*map(asker.literal, [*filters, *(_combined(asker, kind, 2) for _ in range(COMBINED))])]


def _compared(asker: Asker, of: Any, name: str, comparison: str | None) -> Any:
    kind = of if comparison is None else get_named_type(of.fields[comparison].type)
    value = asker.value(GraphQLNonNull(kind), name, 0, variables=False)
    if comparison is None:
        return value
    return asker.worded({comparison: [value] if is_list_type(of.fields[comparison].type) else value})


def _combined(asker: Asker, kind: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
    """Return a filter by some fields, combined with others by `and`, `or` and `not`."""
    simple = [name for name, field in kind.fields.items() if get_named_type(field.type) is not kind]
    condition: dict[str, Any] = {}
    for name in asker.random.sample(simple, asker.random.randint(0, 2)):
        of: Any = get_named_type(kind.fields[name].type)
        names = asker.random.sample(list(of.fields), 1) if isinstance(of, GraphQLInputObjectType) else [None]
        condition[name] = _compared(asker, of, name, names[0])
    if depth and asker.chance(0.7):
        name = asker.random.choice(["and", "or", "not"])
        inner = [_combined(asker, kind, depth - 1) for _ in range(asker.random.randint(1, 3))]
        condition[name] = inner[0] if name == "not" else inner
    return condition
