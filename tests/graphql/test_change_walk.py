"""Claims about every mutation: what `validateOnly` answers, and what a repeated idempotency key answers."""

from collections.abc import Iterator

import pytest
from graphql import GraphQLObjectType, get_named_type, is_non_null_type, is_object_type

from app import db
from app.graphql import schema
from app.graphql.schema import outcomes
from tests.oracle.matrix import World
from tests.policy.test_policy import MUTATION_MATRIX
from tests.support.changes import unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make

CORE = schema.core()
MUTATIONS = CORE.mutation_type
assert MUTATIONS is not None
PAYLOADS: dict[str, GraphQLObjectType] = {name: get_named_type(field.type) for name, field in MUTATIONS.fields.items()}
TRIED = sorted(name for name, case in MUTATION_MATRIX.items() if case.has_trial)
SIGN_OUT = {"changePassword"}
"""The second request of such a mutation needs a new token; it has a test of its own."""

SECRET_NAMES = ("token", "session", "secret", "password")

NUMBERS = {"deletedResources", "revokedFrom", "orgsTransferred", "resourcesTransferred"}
"""What a deletion would take along: a tried change counts it."""

on_both_executors = pytest.mark.parametrize("overrides", [{}, {"OSTIARY_EXECUTOR": "reference"}], ids=["", "reference"])


def _selection(kind: GraphQLObjectType, levels: int) -> str:
    """Return a selection of all fields without arguments, down to some levels."""
    return "{ " + " ".join(_fields(kind, levels)) + " }"


def _fields(kind: GraphQLObjectType, levels: int) -> Iterator[str]:
    yield "__typename"
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if name == "errors":
            yield "errors { code path }"
        elif name == "query":
            yield "query { __typename }"
        elif not is_object_type(inner):
            yield name
        elif levels:
            yield f"{name} {_selection(inner, levels - 1 if name == 'results' else 0)}"


def _document(name: str) -> str:
    kind = f"{name[0].upper()}{name[1:]}Input"
    selection = _selection(PAYLOADS[name], 2)
    return f"mutation ($input: {kind}!) {{ {name}(input: $input) {selection} }}"


@on_both_executors
@pytest.mark.parametrize("name", TRIED)
async def test_a_tried_change_answers_nothing_that_was_not_done(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)
    async with unchanged(database):
        reply = await api(_document(name), root, input={**(scene.input or {}), "validateOnly": True})
    assert codes(reply) == []
    payload = reply["data"][name]
    items = payload.pop("results", [])
    for item in items:
        assert item.pop("index") is not None
    for part in (payload, *items):
        kept = {each: value for each, value in part.items() if value is not None}
        assert kept.keys() <= {"__typename", "errors", "query", *NUMBERS}


@on_both_executors
@pytest.mark.parametrize(("name", "number"), [("deleteOrg", "deletedResources"), ("deleteGroup", "revokedFrom")])
async def test_a_tried_deletion_counts_what_it_would_take_along(
    api: Api, make: Make, database: db.Database, name: str, number: str
) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)
    tried = await api(_document(name), root, input={**(scene.input or {}), "validateOnly": True})
    done = await api(_document(name), root, input=scene.input)
    assert tried["data"][name][number] == done["data"][name][number] is not None


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_a_payload_can_answer_nothing(name: str) -> None:
    items = [] if (results := PAYLOADS[name].fields.get("results")) is None else [get_named_type(results.type)]
    for kind in (PAYLOADS[name], *items):
        required = {each for each, field in kind.fields.items() if is_non_null_type(field.type)}
        assert required <= {"errors", "query", "results", "index"}


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_a_payload_marks_its_secrets(name: str) -> None:
    definition = PAYLOADS[name].extensions["strawberry-definition"]
    for field in definition.fields:
        name_ = field.python_name
        is_secret = any(part in name_ for part in SECRET_NAMES) and not name_.endswith(("token_id", "edge"))
        assert bool(field.metadata.get("secret")) is (is_secret and field.python_name != "api_token")


@pytest.mark.parametrize("name", sorted({*TRIED} - SIGN_OUT))
async def test_a_repeated_change_answers_the_same(api: Api, make: Make, database: db.Database, name: str) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)
    given = {**(scene.input or {}), "clientMutationKey": "k"}
    first = await api(_document(name), root, input=given)
    assert codes(first) == []
    async with unchanged(database):
        second = await api(_document(name), root, input=given)
    secrets = {
        field.python_name
        for field in PAYLOADS[name].extensions["strawberry-definition"].fields
        if field.metadata == outcomes.SECRET
    }
    assert second == {"data": {name: {**first["data"][name], **dict.fromkeys(secrets)}}}


@on_both_executors
@pytest.mark.parametrize("name", sorted({*TRIED} - SIGN_OUT))
async def test_a_key_of_another_change_is_an_error_of_the_input(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)
    group = {"slug": "other-change", "displayName": "Other", "clientMutationKey": "k"}
    assert codes(await api(_document("createGroup"), root, input=group)) == []
    for key, code in {"": "INVALID_INPUT", "k": "CONFLICT"}.items():
        async with unchanged(database):
            reply = await api(_document(name), root, input={**(scene.input or {}), "clientMutationKey": key})
        assert "errors" not in reply
        assert reply["data"][name].get("results", []) == []
        assert reply["data"][name]["errors"] == [{"code": code, "path": ["input", "clientMutationKey"]}]


def test_every_change_with_an_input_takes_a_key() -> None:
    assert MUTATIONS is not None
    without = {
        name
        for name, field in MUTATIONS.fields.items()
        if "input" not in field.args or "clientMutationKey" not in get_named_type(field.args["input"].type).fields
    }
    assert without == {"login", "logout", "refreshToken"}
