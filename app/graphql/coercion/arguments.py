"""The arguments of one field of a plan, coerced as by graphql-core."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from graphql import FieldNode, GraphQLField, get_argument_values
from graphql.execution.values import VariableValues

from app.graphql.coercion import literals
from app.graphql.coercion.variable_usage import used_variables
from app.query import pagination
from app.query.pagination import PageRequest
from app.query.relations import Relation

Convert = Callable[[Any, dict[str, Any]], dict[str, Any]]
"""A function of a declared field and its coerced arguments; returns the arguments of its resolver."""

NO_VARIABLES = VariableValues({}, {})


class Arguments:
    """The arguments of one field. Arguments without variables are computed once; errors are raised at each call."""

    def __init__(self, field: GraphQLField, node: FieldNode, convert: Convert) -> None:
        self._field = field
        self._node = node
        self._convert = convert
        self._is_constant = not used_variables(*node.arguments or ())
        self._values = literals.of_field(field, node)
        self._constant: dict[str, Any] | None = None
        self._constant_page: PageRequest | None = None

    def values(self, variables: VariableValues) -> Mapping[str, Any]:
        """Return the arguments by their Python names; raises the errors that graphql-core would report."""
        if self._constant is not None:
            return self._constant
        arguments = self._convert(self._field.extensions["strawberry-definition"], self._coerce(variables))
        if self._is_constant:
            self._constant = arguments
        return arguments

    def _coerce(self, variables: VariableValues) -> dict[str, Any]:
        if self._values is not None:
            with suppress(literals.NeedsFullCoercion):
                return {name: value(variables.coerced) for name, value in self._values.items()}
        return get_argument_values(self._field, self._node, variables)

    def page_request(self, variables: VariableValues, relation: Relation, types: Mapping[str, type]) -> PageRequest:
        """Return the arguments of a connection as a page request; raises BadInput."""
        if self._constant_page is not None:
            return self._constant_page
        page_request = pagination.parse_page_request(
            types, relation.default_order, pagination.fold_arguments(self.values(variables))
        )
        if self._is_constant:
            self._constant_page = page_request
        return page_request
