"""Send the arguments of a document as variables: some values are possible only there."""

import json
from random import Random
from typing import Any

import graphql
from graphql import ArgumentNode, FieldNode, IntValueNode, NameNode, ObjectValueNode, VariableNode

ODD: tuple[Any, ...] = (
    "\ud800",  # half of a pair
    "a\udfffb",
    "\0",
    "a\0b",
    10**400,
    2**63,
    -(2**63) - 1,
    1.7e308,
    -0.0,
    True,
    [],
    {},
    [[[[[]]]]],
    "9" * 5000,
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59.999999-14:00",
)
KEYS = ("", "\0", "\ud800", "é", "k" * 5000)


def body(document: graphql.DocumentNode, schema: graphql.GraphQLSchema, chance: Random) -> bytes:
    """Return the same request, with each argument of a root field in a variable."""
    operation = document.definitions[0]
    assert isinstance(operation, graphql.OperationDefinitionNode)
    root = schema.get_root_type(operation.operation)
    assert root is not None
    variables: dict[str, Any] = {}
    defined: list[str] = []
    selections = []
    for node in operation.selection_set.selections:
        if not isinstance(node, FieldNode):
            continue
        arguments = []
        for argument in node.arguments or ():
            name = f"v{len(variables)}"
            variables[name] = _odd(_plain(argument.value), chance)
            defined.append(f"${name}: {root.fields[node.name.value].args[argument.name.value].type}")
            arguments.append(ArgumentNode(name=argument.name, value=VariableNode(name=NameNode(value=name))))
        parts = {key: getattr(node, key) for key in node.keys}
        selections.append(graphql.print_ast(FieldNode(**parts | {"arguments": tuple(arguments)})))
    head = f"{operation.operation.value} Fuzz({', '.join(defined)})" if defined else operation.operation.value
    text = f"{head} {{ {' '.join(selections)} }}"
    return json.dumps({"query": text, "variables": variables}).encode()


def _plain(node: graphql.ValueNode) -> Any:
    """Return the value of a literal as JSON; an integer of any size stays one."""
    if isinstance(node, IntValueNode):
        return int(node.value)
    if isinstance(node, ObjectValueNode):
        return {each.name.value: _plain(each.value) for each in node.fields}
    if isinstance(node, graphql.ListValueNode):
        return [_plain(each) for each in node.values]
    return graphql.value_from_ast_untyped(node)


def _odd(value: Any, chance: Random) -> Any:
    """Return the same value, sometimes with an odd leaf."""
    if isinstance(value, dict):
        more = {chance.choice(KEYS): 1} if chance.random() < 0.01 else {}
        return {name: _odd(each, chance) for name, each in value.items()} | more
    if isinstance(value, list):
        return [_odd(each, chance) for each in value]
    return chance.choice(ODD) if chance.random() < 0.03 else value
