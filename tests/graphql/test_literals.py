"""Claims about the arguments of a field, with variables anywhere in them: they equal those of graphql-core."""

import json
from collections.abc import Callable
from itertools import islice
from random import Random
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    get_argument_values,
    get_named_type,
    get_variable_values,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    print_ast,
)
from graphql.execution.values import VariableValues

from app.graphql import schema
from app.graphql.coercion import arguments
from app.graphql.coercion.arguments import Arguments
from app.graphql.documents.cache import Invalid
from tests.graphql.test_inputs import DOCUMENTS, FIELDS, ROOTS, Guesses
from tests.support.walking import SCHEMA

TIMES = 12
MOST = 1000
"""Generated questions at most; some fields refuse most of them."""


class Writing:
    """A writer of literals. It replaces some parts by variables, a few of them null or absent."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.declarations: dict[str, str] = {}
        self.variables: dict[str, Any] = {}

    def literal(self, kind: Any, value: Any) -> str:
        """Return the text of a value."""
        inner = kind.of_type if is_non_null_type(kind) else kind
        if self._random.random() < 0.4 or get_named_type(kind).name == "JSON":
            return self._variable(kind, value)
        if value is None:
            return "null"
        if is_list_type(inner) and isinstance(value, list):
            return f"[{', '.join(self.literal(inner.of_type, each) for each in value)}]"
        if isinstance(inner, GraphQLInputObjectType) and isinstance(value, dict):
            fields = {name: inner.fields[name].type for name in value if name in inner.fields}
            return "{" + ", ".join(f"{name}: {self.literal(of, value[name])}" for name, of in fields.items()) + "}"
        return str(value) if isinstance(inner, GraphQLEnumType) else json.dumps(value)

    def _variable(self, kind: Any, value: Any) -> str:
        name = f"v{len(self.declarations)}"
        self.declarations[f"${name}"] = str(kind)
        if self._random.random() < 0.95:
            self.variables[name] = value
        return f"${name}"


def _text_or_error(make: Callable[..., Any], *arguments: Any) -> str:
    try:
        return repr(make(*arguments))
    except (GraphQLError, ValueError) as error:
        return str(error)


def _random_call(random: Random, kind: str, name: str) -> tuple[FieldNode, VariableValues] | None:
    """Return a field with generated arguments and their variables, None if the request is invalid."""
    writing, field = Writing(random), ROOTS[kind][name]
    values = Guesses(random).arguments(field)
    call = ", ".join(f"{each}: {writing.literal(field.args[each].type, value)}" for each, value in values.items())
    header = ", ".join(f"{each}: {of}" for each, of in writing.declarations.items())
    below = "" if is_leaf_type(get_named_type(field.type)) else "{ __typename }"
    text = f"{kind} {f'({header})' if header else ''} {{ {name}{f'({call})' if call else ''} {below} }}"
    try:
        document = DOCUMENTS.lookup(text, None)
    except Invalid:
        return None
    coerced = get_variable_values(SCHEMA, document.operation.variable_definitions or (), writing.variables)
    node = document.operation.selection_set.selections[0]
    assert isinstance(node, FieldNode)
    return None if isinstance(coerced, list) else (node, coerced)


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_arguments_are_those_of_graphql_core_wherever_variables_stand(kind: str, name: str) -> None:
    random, field = Random(name), ROOTS[kind][name]
    declared = field.extensions["strawberry-definition"]
    questions = (_random_call(random, kind, name) for _ in range(MOST))
    for node, variables in islice(filter(None, questions), TIMES):
        ours = _text_or_error(Arguments(field, node, schema.converted).values, variables)
        theirs = _text_or_error(
            lambda *of: schema.converted(declared, get_argument_values(*of)), field, node, variables
        )
        assert ours == theirs, (print_ast(node), variables.coerced)
    assert next(filter(None, questions), None) is not None


def test_graphql_core_does_not_coerce_simple_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    document = DOCUMENTS.lookup(
        "query ($a: ID!, $b: ID!) { checkAccess(user: {id: $a}, resource: {id: $b}, role: ADMIN) }", None
    )
    node, values = document.operation.selection_set.selections[0], {"a": "VXNlcjox", "b": "x"}
    variables = get_variable_values(SCHEMA, document.operation.variable_definitions or (), values)
    assert isinstance(node, FieldNode)
    assert not isinstance(variables, list)
    converter = Arguments(ROOTS["query"]["checkAccess"], node, schema.converted)
    monkeypatch.setattr(arguments, "get_argument_values", None)

    converted = converter.values(variables)

    assert (converted["user"].id, converted["resource"].id) == ("VXNlcjox", "x")
