"""The form of optional arguments and input fields in the schema, one for all of them.

Null is as absent, so a value with a default is nullable, and null means the default. A default of null says nothing
and is left out: tools read `= null` as a value of its own.
"""

from collections.abc import Iterator

from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLSchema,
    Undefined,
    is_input_object_type,
    is_interface_type,
    is_non_null_type,
    is_object_type,
)

InputValue = GraphQLArgument | GraphQLInputField


def relax(schema: GraphQLSchema) -> None:
    """Remove the defaults of null, and make every value with another default nullable."""
    for value in input_values(schema):
        if value.default_value is None:
            value.default_value = Undefined
        elif value.default_value is not Undefined and is_non_null_type(value.type):
            value.type = value.type.of_type


def input_values(schema: GraphQLSchema) -> Iterator[InputValue]:
    """Yield every argument of fields and directives, and every field of input objects."""
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue
        if is_input_object_type(kind):
            yield from kind.fields.values()
        elif is_object_type(kind) or is_interface_type(kind):
            for field in kind.fields.values():
                yield from field.args.values()
    for directive in schema.directives:
        yield from directive.args.values()
