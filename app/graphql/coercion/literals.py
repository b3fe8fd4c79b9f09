"""Arguments of a field as functions of the variables.

graphql-core reads the literals again for each request. Here simple literals are read once; all others, and all errors,
are left to graphql-core.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    is_input_object_type,
    is_non_null_type,
)
from graphql.utilities import coerce_input_literal
from graphql.utilities.coerce_input_value import coerce_default_value

from app.graphql.coercion.variable_usage import used_variables

Value = Callable[[Mapping[str, Any]], Any]
"""A function from the variables to a value; raises NeedsFullCoercion."""


class NeedsFullCoercion(Exception):
    """graphql-core has to coerce the arguments with these variables."""


def of_field(field: GraphQLField, node: FieldNode) -> Mapping[str, Value] | None:
    """Return for each argument a function from the variables to its value; None if graphql-core has to coerce them."""
    return _parts(field.args, {each.name.value: each.value for each in node.arguments or ()})


def _parts(
    kinds: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField], nodes: Mapping[str, ValueNode]
) -> Mapping[str, Value] | None:
    parts: dict[str, Value] = {}
    for name, kind in kinds.items():
        if name in nodes:
            value = _value(kind.type, nodes[name])
            if value is None:
                return None
            parts[name] = value
        elif is_non_null_type(kind.type) or coerce_default_value(kind) is not Undefined:
            return None
    return parts


def _value(kind: GraphQLInputType, node: ValueNode) -> Value | None:
    if isinstance(node, VariableNode):
        return partial(_variable, node.name.value)
    if not used_variables(node):
        constant = coerce_input_literal(node, kind)
        return None if constant is Undefined else lambda variables: constant
    plain = kind.of_type if is_non_null_type(kind) else kind
    if isinstance(node, ObjectValueNode) and is_input_object_type(plain):
        return _object(plain, node)
    return None


def _object(kind: GraphQLInputObjectType, node: ObjectValueNode) -> Value | None:
    parts = _parts(kind.fields, {each.name.value: each.value for each in node.fields})
    if parts is None:
        return None
    return lambda variables: {name: value(variables) for name, value in parts.items()}


def _variable(name: str, variables: Mapping[str, Any]) -> Any:
    """Return the value of a variable; raises NeedsFullCoercion for null or absent, which graphql-core tells apart."""
    value = variables.get(name)
    if value is None:
        raise NeedsFullCoercion
    return value
