"""What stands at the arguments of a field, as functions of the variables.

graphql-core looks at the literal anew for each request. Here it is looked at once, where what comes of it is plain;
whatever is not, it goes on telling.
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
"""From the variables to a value; raises Unsure."""


class NeedsFullCoercion(Exception):
    """What comes of these variables is for graphql-core to say."""


def of_field(field: GraphQLField, node: FieldNode) -> Mapping[str, Value] | None:
    """The arguments by their names, in the order of the field; None where graphql-core has to be asked."""
    return _parts(field.args, {each.name.value: each.value for each in node.arguments or ()})


def _parts(
    kinds: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField], given: Mapping[str, ValueNode]
) -> Mapping[str, Value] | None:
    found: dict[str, Value] = {}
    for name, kind in kinds.items():
        if name in given:
            value = _value(kind.type, given[name])
            if value is None:
                return None
            found[name] = value
        elif is_non_null_type(kind.type) or coerce_default_value(kind) is not Undefined:
            return None
    return found


def _value(kind: GraphQLInputType, node: ValueNode) -> Value | None:
    if isinstance(node, VariableNode):
        return partial(_variable, node.name.value)
    if not used_variables(node):
        fixed = coerce_input_literal(node, kind)
        return None if fixed is Undefined else lambda variables: fixed
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
    """Null and absent differ, and either may be refused."""
    value = variables.get(name)
    if value is None:
        raise NeedsFullCoercion
    return value
