"""The arguments of one field of a plan, coerced as the stock executor coerces them."""

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
"""From a declared field and coerced arguments to what its resolver would be called with."""

NO_VARIABLES = VariableValues({}, {})


class Arguments:
    """What stands at one field. Without variables it is worked out once; what is wrong is told when it is asked."""

    def __init__(self, field: GraphQLField, node: FieldNode, convert: Convert) -> None:
        self._field = field
        self._node = node
        self._convert = convert
        self._is_constant = not used_variables(*node.arguments or ())
        self._values = literals.of_field(field, node)
        self._known: dict[str, Any] | None = None
        self._wanted: PageRequest | None = None

    def of(self, variables: VariableValues) -> Mapping[str, Any]:
        """The arguments by their Python names; raises what the stock executor would tell."""
        if self._known is not None:
            return self._known
        given = self._convert(self._field.extensions["strawberry-definition"], self._coerce(variables))
        if self._is_constant:
            self._known = given
        return given

    def _coerce(self, variables: VariableValues) -> dict[str, Any]:
        if self._values is not None:
            with suppress(literals.NeedsFullCoercion):
                return {name: value(variables.coerced) for name, value in self._values.items()}
        return get_argument_values(self._field, self._node, variables)

    def page_request(self, variables: VariableValues, source: Relation, types: Mapping[str, type]) -> PageRequest:
        """The same as a question about a list; raises BadInput."""
        if self._wanted is not None:
            return self._wanted
        wanted = pagination.parse_page_request(
            types, source.default_order, pagination.fold_arguments(self.of(variables))
        )
        if self._is_constant:
            self._wanted = wanted
        return wanted
