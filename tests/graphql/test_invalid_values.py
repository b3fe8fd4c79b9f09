"""Claims about invalid variables and literals: errors name the variable or argument and the path, never a value."""

import json
import logging
from random import Random
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, get_named_type, get_nullable_type, is_leaf_type, is_list_type

from app.graphql.documents.cache import Invalid
from app.graphql.errors import format_errors
from tests.graphql.test_inputs import DOCUMENTS, FIELDS, ROOTS, VARIABLES, Guesses, _document_of
from tests.support.changes import change
from tests.support.client import Api

MARKER = "correct-horse-7f3a"
ODD: list[Any] = [MARKER, [MARKER], {"a": MARKER}, [[MARKER]], {MARKER: MARKER}, [{"a": [MARKER]}], 7351.25, True]
UNKNOWN = {"unknown", "zz", "a", MARKER.replace("-", "_")}
TIMES = 40

CREATE = "mutation ($input: CreateUsersInput!) { createUsers(input: $input) { errors { code } } }"


class Marked(Guesses):
    """Generate values that have the marker wherever a text may be, and that are often of a wrong kind."""

    def _some(self, kind: Any, depth: int) -> Any:
        if self._is(0.1):
            return self._random.choice(ODD)
        if get_named_type(kind) is kind and getattr(kind, "name", "") in {"String", "ID", "JSON", "DateTime"}:
            return MARKER
        return super()._some(kind, depth)

    def _object(self, kind: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
        values = super()._object(kind, depth)
        if values and self._is(0.1):
            del values[self._random.choice([*values])]
        return values | {"unknown": MARKER} if self._is(0.1) else values


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name.replace('-', '_')}: {_literal(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return json.dumps(value)


def _require_path(kind: Any, path: list[str]) -> None:
    """Check that a path leads to a field or an item of a type; its last part may be an unknown name."""
    for number, part in enumerate(path):
        kind = get_nullable_type(kind)
        if part.isdecimal():
            kind = kind.of_type
            continue
        while is_list_type(kind):
            kind = get_nullable_type(kind.of_type)
        if part not in kind.fields:
            assert part in UNKNOWN
            assert number == len(path) - 1
            return
        kind = kind.fields[part].type


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_an_error_of_a_variable_names_its_path_and_repeats_no_value(kind: str, name: str) -> None:
    guesses, document, field = Marked(Random(name)), _document_of(kind, name), ROOTS[kind][name]
    invalid = 0
    for _ in range(TIMES):
        try:
            VARIABLES.coerce(document, guesses.arguments(field), hide_suggestions=False)
        except Invalid as error:
            invalid += 1
            entries = format_errors(error.errors)
            assert MARKER not in str(entries)
            assert "7351" not in str(entries)
            for entry in entries:
                extensions = entry["extensions"]
                assert extensions["code"] == "BAD_USER_INPUT"
                _require_path(field.args[extensions["variable"]].type, extensions["path"])
                assert entry["message"].startswith(f"Variable `${extensions['variable']}`")
    assert invalid


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_an_error_of_a_literal_names_its_path_and_repeats_no_value(kind: str, name: str) -> None:
    guesses, field = Marked(Random(name)), ROOTS[kind][name]
    below = "" if is_leaf_type(get_named_type(field.type)) else "{ __typename }"
    invalid = 0
    for _ in range(TIMES):
        arguments = ", ".join(f"{each}: {_literal(value)}" for each, value in guesses.arguments(field).items())
        try:
            DOCUMENTS.lookup(f"{kind} {{ {name}{f'({arguments})' if arguments else ''} {below} }}", None)
        except Invalid as error:
            entries = format_errors(error.errors)
            assert MARKER not in str(entries)
            assert "7351" not in str(entries)
            for entry in entries:
                if "argument" in entry["extensions"]:
                    invalid += 1
                    _require_path(field.args[entry["extensions"]["argument"]].type, entry["extensions"]["path"])
    assert invalid


@pytest.mark.parametrize(
    ("users", "path", "requirement"),
    [
        ([{"userName": "ann"}] * 3 + [{"userName": "bob", "email": 7}], "users[3].email", "must be a text."),
        ([{"email": MARKER, "password": MARKER}], "users[0].userName", "is missing."),
        ([{"userName": MARKER, "emial": MARKER}], "users[0].emial", "is unknown. Did you mean 'email'?"),
        ([{"userName": None, "password": MARKER}], "users[0].userName", "must not be null."),
        (7, "users", "must be an object."),
        ([{"userName": "ann", "roles": [{"a": MARKER}]}], "users[0].roles[0]", "must be a text."),
    ],
)
async def test_a_response_names_the_variable_and_the_path(
    api: Api, caplog: pytest.LogCaptureFixture, users: Any, path: str, requirement: str
) -> None:
    caplog.set_level(logging.DEBUG)
    response = await api.post(CREATE, input={"users": users})
    (error,) = response.json()["errors"]
    assert error["message"] == f"Variable `$input`: `{path}` {requirement}"
    parts = path.replace("[", ".").replace("]", "").split(".")
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "variable": "input", "path": parts}
    assert MARKER not in response.text
    assert MARKER not in caplog.text


async def test_a_missing_variable_is_named(api: Api) -> None:
    (error,) = (await api(change("createUser")))["errors"]
    assert (error["message"], error["extensions"]["path"]) == ("Variable `$input` is missing.", [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{ users(first: "%s") { totalCount } }', "Argument `first` must be an integer of 32 bits."),
        ('{ users(orderBy: [{field: "%s"}]) { totalCount } }', "Argument `orderBy`: `[0].field` must be a value of"),
        ('query ($n: Int = "%s") { users(first: $n) { totalCount } }', "Variable `$n` must be an integer of 32 bits."),
        ('{ users(first: 1) "%s" }', "Syntax Error: Expected Name, found String."),
    ],
)
async def test_a_document_names_the_argument(api: Api, text: str, message: str) -> None:
    response = await api.post(text % MARKER)
    assert response.json()["errors"][0]["message"].startswith(message)
    assert MARKER not in response.text
