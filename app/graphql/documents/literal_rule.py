"""The validation of literals in a document: its errors name the argument and the path, and repeat no value."""

import re
from typing import Any

from graphql import (
    ArgumentNode,
    ASTValidationRule,
    GraphQLError,
    GraphQLInputType,
    GraphQLSyntaxError,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VariableDefinitionNode,
    VisitorAction,
    specified_rules,
)
from graphql.utilities import validate_input_literal

from app.graphql.coercion.explanations import Place, explain

_VALUE = re.compile(r"\b(BlockString|Float|Int|String) '.*'", re.DOTALL)
"""Matches the description of a token with its value in the message of a syntax error."""


class LiteralRule(ValuesOfCorrectTypeRule):
    """The rule of graphql-core with other messages."""

    _place = Place("argument", "")

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        """Remember the argument whose value follows."""
        self._place = Place("argument", node.name.value)

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        """Remember the variable whose default follows."""
        self._place = Place("variable", node.variable.name.value)

    def is_valid_value_node(self, node: ValueNode, input_type: GraphQLInputType | None) -> VisitorAction:
        """Report the errors of a value, and skip its parts."""
        if input_type:
            hidden = self.context.hide_suggestions

            def report(error: GraphQLError, path: list[str | int]) -> None:
                explained = explain(error, input_type, node, path, hide_suggestions=hidden)
                self.report_error(self._place.error(*explained, nodes=error.nodes or node))

            validate_input_literal(node, input_type, report, None, None, hidden)
        return self.SKIP


RULES: tuple[type[ASTValidationRule], ...] = tuple(
    LiteralRule if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules
)
"""The rules of the GraphQL specification."""


def without_value(error: GraphQLSyntaxError) -> GraphQLError:
    """Return a syntax error without the value of the unexpected token."""
    return GraphQLError(_VALUE.sub(r"\1", error.message), source=error.source, positions=error.positions)
