"""Tests that the response to any query of any viewer in any world is equal to that of the naive oracle."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from random import Random
from typing import Any

import httpx
import orjson
import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    parse,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import db
from tests.oracle.naive import SDL
from tests.oracle.naive.capabilities import GROUP_CONTACT
from tests.oracle.naive.fields import answered
from tests.oracle.naive.kinds import KINDS
from tests.oracle.naive.lists import COMPARE, EXACT, exactly, narrowed, ordered
from tests.oracle.questions import Asker
from tests.oracle.questions.complete import complete_questions, probes
from tests.oracle.worlds import Question, World, crowded, lonely, worlds
from tests.support.client import Api

EXAMPLES = int(os.environ.pop("OSTIARY_DIFFERENTIAL", "3"))  # the settings refuse what they do not know
"""A measure of how much is asked; several hundred are for a night."""

QUESTIONS = 2
FLOOR = 1
SCHEMA_QUESTIONS = complete_questions(SDL)
LEFT_BEHIND = 0.1
"""Seconds for reads that no task waits for any more, since another field took all the data with it."""


@pytest.fixture
def overrides() -> dict[str, str]:
    """Raise the limits that the oracle does not know: a random query may cost more, and have more errors."""
    return {
        "OSTIARY_LIMITS": '{"Cost": 1000000000}',
        "OSTIARY_REQUEST_LIMITS": '{"Errors": 1000}',
        "OSTIARY_GROUP_CONTACT": GROUP_CONTACT,
    }


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a smaller example costs minutes; the message of a failure says it all
    database=None,
    suppress_health_check=list(HealthCheck),  # the fixtures serve all examples: each world replaces the one before
)
@given(world=worlds(), seed=st.integers(0, 2**32))
async def test_every_question_in_a_small_world(api: Api, database: db.Database, world: World, seed: int) -> None:
    await world.write(database)
    random, cursors = Random(seed), dict[str, list[str]]()
    questions = [Asker(SDL, random, world, cursors).question() for _ in range(QUESTIONS)]
    for question in [*SCHEMA_QUESTIONS, *questions]:
        await _compared(api, world, question, _some(random, world), Counter(), cursors)
    await asyncio.sleep(LEFT_BEHIND)


async def test_every_lookup_in_a_nearly_empty_world(api: Api, database: db.Database) -> None:
    """In worlds that are almost empty, so that one membership or one grant is all that a user has."""
    for seed in range(EXAMPLES * 4):
        world = lonely(Random(seed))
        await world.write(database)
        kinds = ["nobody", "stranger", "plain", "plain, limited", "admin, limited and bare"]
        await _compared(api, world, world.lookups, kinds, Counter(), {})


async def test_every_question_in_a_large_world(api: Api, database: db.Database) -> None:
    random, seen, cursors = Random(4), Counter[str](), dict[str, list[str]]()
    world = crowded(random)
    await world.write(database)
    for question in [*SCHEMA_QUESTIONS, *probes(Asker(SDL, random, world))]:
        await _compared(api, world, question, ["plain", "admin", random.choice([*world.tokens])], seen, cursors)
    for number in range(EXAMPLES * 120):
        if number >= EXAMPLES * 8 and not _rare(seen):
            break
        question = Asker(SDL, random, world, cursors, _rare(seen).keys()).question()
        kinds = {random.choice(("admin", "registrar", "keeping")), *_some(random, world)}
        await _compared(api, world, question, sorted(kinds), seen, cursors)
    await asyncio.sleep(LEFT_BEHIND)
    assert _rare(seen) == {}


def _some(random: Random, world: World) -> list[str]:
    """Choose one of all viewers, and one who asks by a token."""
    return [random.choice([*world.viewers]), random.choice([*world.tokens])]


async def _compared(
    api: Api, world: World, question: Question, kinds: list[str], seen: Counter[str], cursors: dict[str, list[str]]
) -> None:
    document = parse(question.text)
    for kind in kinds:
        reading = world.reading(kind)
        response = await api.post(question.text, world.viewers[kind], **question.variables)
        if kind == "gone":
            assert (response.status_code, _refused(response)) == (401, ["UNAUTHENTICATED"])
            continue
        expected = answered(reading, document, question.variables)
        reply = response.json()
        if _outcome(reply) != _outcome(expected.formatted):
            request = f"{kind} asks {question.text}\nwith {orjson.dumps(question.variables).decode()}"
            differences = "\n".join(islice(_differences(reply, expected.formatted, ""), 5))
            pytest.fail(f"{request}\n{differences}\nerrors {_errors(reply)}\nnot {_errors(expected.formatted)}", False)
        seen.update(reading.seen)
        seen.update(kind for kind in ["errors"] if "errors" in reply)
        if expected.data is not None:
            seen.update(set(_covered(document.definitions, expected.data)))
            for name, some in reading.cursors.items():
                cursors[name] = [*cursors.get(name, []), *some][-10:]


def _refused(response: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]


def _outcome(reply: Mapping[str, Any]) -> Any:
    """The data to the byte, and what was refused."""
    return orjson.dumps(reply.get("data", "nothing was executed")), _errors(reply)


def _differences(actual: Any, expected: Any, path: str) -> Iterator[str]:
    if type(actual) is not type(expected) or not isinstance(actual, dict | list):
        yield from [] if actual == expected else [f"at {path} got {actual}\nnot {expected}"]
    elif isinstance(actual, list):
        yield from [] if len(actual) == len(expected) else [f"at {path} got {len(actual)}, not {len(expected)}"]
        for at, pair in enumerate(zip(actual, expected, strict=False)):
            yield from _differences(*pair, f"{path}.{at}")
    else:
        for name in actual:
            yield from _differences(actual[name], expected.get(name), f"{path}.{name}")


def _errors(reply: Mapping[str, Any]) -> Any:
    """Codes and places; only codes where an error took all the data with it, since others may not have been reached."""
    errors = [(_code(error), error.get("path"), error.get("locations")) for error in reply.get("errors", [])]
    return sorted(errors, key=repr) if reply.get("data") is not None else {code for code, _, _ in errors}


def _code(error: Mapping[str, Any]) -> str:
    return str(error.get("extensions", {}).get("code", error))


def _covered(definitions: Iterable[Any], data: Any) -> Iterator[str]:
    fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
    (operation,) = (each for each in definitions if isinstance(each, OperationDefinitionNode))
    return _below(operation.selection_set, SDL.query_type, data, fragments)


def _below(selections: SelectionSetNode, kind: Any, data: Any, fragments: Mapping[str, Any]) -> Iterator[str]:
    for node in selections.selections:
        if isinstance(node, FieldNode):
            labels = list(_field(node, kind, data, fragments))
        else:
            is_named = isinstance(node, FragmentSpreadNode)
            inside: Any = fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            on = SDL.type_map[inside.type_condition.name.value] if inside.type_condition else kind
            labels = list(_below(inside.selection_set, on, data, fragments))
            labels += (
                ["fragment" if is_named else "inline fragment", *([f"on {on}"] if on is not kind else [])]
                if labels
                else []
            )
        yield from labels
        yield from (f"@{each.name.value}" for each in node.directives or () if labels)


def _field(node: FieldNode, kind: Any, data: Any, fragments: Mapping[str, Any]) -> Iterator[str]:
    name, value = node.name.value, data.get((node.alias or node.name).value)
    if not _is_something(value):
        return
    yield from ["alias"] if node.alias else []
    if name == "__typename":
        yield name
        return
    yield f"{kind}.{name}"
    yield from (f"{kind}.{name}({each.name.value}:)" for each in node.arguments or ())
    yield from ("variable" for each in node.arguments or () if isinstance(each.value, VariableNode))
    for inner in value[:3] if isinstance(value, list) else [value]:
        if node.selection_set and inner is not None:
            yield from _below(node.selection_set, get_named_type(kind.fields[name].type), inner, fragments)


def _is_something(value: Any) -> bool:
    """Neither null nor empty; of a page neither its rows nor its number."""
    if isinstance(value, dict):
        return any(_is_something(inner) and inner != 0 for inner in value.values())
    return value is not None and value != []


def _rare(seen: Mapping[str, int]) -> dict[str, int]:
    return {name: seen[name] for name in EXPECTED if seen[name] < FLOOR}


def _expected() -> Iterator[str]:
    """Yield the features that the queries must cover with visible data, so that the test cannot pass without them."""
    yield from ("alias", "variable", "fragment", "inline fragment", "@skip", "@include", "__typename", "errors")
    yield from (f"narrowed with {name}" for name in ("and", "or", "not", *COMPARE))
    yield from (f"cut with {name}" for name in ("first", "last", "after", "before"))
    yield "ordered both ways"
    for each in KINDS.values():
        yield from (narrowed(each, name) for name in each.filters)
        yield from (exactly(each, name) for name in each.filters if name in EXACT)
        if f"{each.name}Order" in SDL.type_map:
            yield from (ordered(each, name, down=down) for name in each.orders for down in (True, False))
    for kind in _readable():
        yield from ([f"on {kind}"] if kind.interfaces else [])
        for name, field in kind.fields.items():
            yield f"{kind}.{name}"
            yield from (f"{kind}.{name}({argument}:)" for argument in field.args)


def _readable() -> list[GraphQLObjectType]:
    """The object types that a query can lead to."""
    object_types: dict[str, object] = {}
    waiting: list[Any] = [SDL.query_type]
    while waiting:
        kind: Any = waiting.pop()
        if kind.name not in object_types and isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            object_types[kind.name] = kind
            waiting += [get_named_type(each.type) for each in kind.fields.values()]
            waiting += [] if isinstance(kind, GraphQLObjectType) else SDL.get_possible_types(kind)
    return [kind for kind in object_types.values() if isinstance(kind, GraphQLObjectType)]


EXPECTED = frozenset(_expected())
