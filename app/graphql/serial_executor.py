"""Execution of the root fields of a mutation by graphql-core, each with its own deadline."""

from collections.abc import Awaitable
from typing import Any

from graphql import GraphQLObjectType
from graphql.execution.incremental.incremental_executor import IncrementalExecutor
from graphql.pyutils import Path

from app.domain.errors import Refusal
from app.graphql.context import GraphQLContext


class SerialExecutor(IncrementalExecutor):
    """graphql-core's executor, in which a timeout or a shutdown is an error of one root field, not of the request."""

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_details_list: Any, path: Path, position_context: Any
    ) -> Any:
        """Execute a field; a root field within its deadline."""
        result = super().execute_field(parent_type, source, field_details_list, path, position_context)
        if parent_type is self.schema.mutation_type and self.is_awaitable(result):
            return self._complete(result, parent_type, field_details_list, path)
        return result

    async def _complete(self, result: Awaitable[Any], parent: GraphQLObjectType, details: Any, path: Path) -> Any:
        context: GraphQLContext = self.context_value
        try:
            async with context.times.answering(is_done=context.outcome is not None):
                return await result
        except Refusal as refusal:
            field = self.schema.get_field(parent, details[0].node.name.value)
            assert field is not None
            self.handle_field_error(refusal, field.type, details, path)
            return None
        finally:
            if context.times.has_committed:
                context.committed_keys.add(str(path.key))
