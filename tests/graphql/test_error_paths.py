"""Claims about the errors of payloads: each path leads from `input` to a field or an item of the input type."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
)

from tests.oracle.matrix import World
from tests.policy.test_policy import MUTATION_MATRIX
from tests.support.changes import change
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.walking import SCHEMA, mutation_type

NUL = "a\0b"
INVALID: dict[str, list[Any]] = {
    "String": [NUL, "", "x" * 2_000, " "],
    "ID": ["nothing"],
    "Int": [-1],
    "BigInt": [-1],
    "Boolean": [False],
    "DateTime": ["2001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"],
    "JSON": [[], {"a": "x" * 70_000}, {"roles": [NUL], "maxStorageMB": -1}],
}
PAIRED = {"validateOnly"}

Way = tuple[str | int, ...]


def _ways(kind: GraphQLInputObjectType, value: dict[str, Any], way: Way = ()) -> Iterator[tuple[Way, str]]:
    """Yield the way to each scalar of an input, and the name of its type; optional ones need no value."""
    for name, field in kind.fields.items():
        yield from _below(get_nullable_type(field.type), value.get(name), (*way, name))


def _below(kind: Any, value: Any, way: Way) -> Iterator[tuple[Way, str]]:
    if is_list_type(kind):
        inner = get_nullable_type(kind.of_type)
        items = value or ([None] if not is_input_object_type(inner) else [])
        for index, item in enumerate(items):
            yield from _below(inner, item, (*way, index))
    elif is_input_object_type(kind):
        if isinstance(value, dict):
            yield from _ways(kind, value, way)
    elif way[-1] not in PAIRED:
        yield way, kind.name


def _with(kind: GraphQLInputObjectType, data: dict[str, Any], way: Way, value: Any) -> dict[str, Any]:
    """Return a copy of an input with another value at a way. A `@oneOf` input gets this field alone."""
    data = deepcopy(data)
    target: Any = data
    inner: Any = kind
    for part, after in pairwise(way):
        inner = get_nullable_type(inner.of_type if isinstance(part, int) else inner.fields[part].type)
        if isinstance(target, dict) and target.get(str(part)) is None:
            target[str(part)] = [] if isinstance(after, int) else {}
        target = target[part]
    if is_input_object_type(inner) and inner.is_one_of:
        target.clear()
    if isinstance(target, list) and way[-1] == len(target):
        target.append(value)
    else:
        target[way[-1]] = value
    return data


def _require_path(kind: Any, path: list[str]) -> None:
    for part in path:
        kind = get_nullable_type(kind)
        if is_list_type(kind):
            assert part.isdecimal()
            kind = kind.of_type
        elif is_input_object_type(kind):
            assert part in kind.fields
            kind = kind.fields[part].type
        else:
            assert get_named_type(kind).name == "JSON"
            return


@pytest.mark.parametrize("name", sorted(MUTATION_MATRIX))
async def test_the_path_of_each_error_leads_to_a_field(api: Api, make: Make, name: str) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)
    argument = mutation_type().fields[name].args.get("input")
    if argument is None or name == "login":
        return
    kind = get_nullable_type(argument.type)
    assert isinstance(kind, GraphQLInputObjectType)
    data, wrong = scene.input or {}, set()
    rejected = 0
    for way, scalar in _ways(kind, data):
        for value in INVALID.get(scalar) or [*SCHEMA.type_map[scalar].values]:  # type: ignore[attr-defined]  # an enum
            given = _with(kind, data, way, value) | {"validateOnly": True}
            reply = await api(change(name), root, input=given)
            for error in ((reply.get("data") or {}).get(name) or {}).get("errors", []):
                rejected += 1
                assert error["path"][0] == "input"
                try:
                    _require_path(kind, error["path"][1:])
                except (AssertionError, KeyError):
                    wrong.add((way, str(value)[:20], error["message"], ".".join(error["path"])))
                if NUL in str(value) or scalar == "ID":
                    expected = [*map(str, way)]
                    if error["path"][1:] != expected[: len(error["path"]) - 1]:
                        wrong.add((way, str(value)[:20], error["message"], ".".join(error["path"])))
    assert wrong == set()
    assert rejected
