"""Executes the fields of a mutation one after the other, each with its own end: what was made is told of each."""

from collections.abc import Awaitable
from typing import Any

from graphql import GraphQLObjectType
from graphql.execution.incremental.incremental_executor import IncrementalExecutor
from graphql.pyutils import Path

from app.domain.errors import Refusal
from app.graphql.context import GraphQLContext


class SerialExecutor(IncrementalExecutor):
    """graphql-core's executor, which takes an end of the time or of the server for an error of one field alone."""

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_details_list: Any, path: Path, position_context: Any
    ) -> Any:
        """Execute a field; one of the mutation type within its time."""
        found = super().execute_field(parent_type, source, field_details_list, path, position_context)
        if parent_type is self.schema.mutation_type and self.is_awaitable(found):
            return self._told(found, parent_type, field_details_list, path)
        return found

    async def _told(self, found: Awaitable[Any], parent: GraphQLObjectType, details: Any, path: Path) -> Any:
        context: GraphQLContext = self.context_value
        try:
            async with context.times.answering(is_done=context.outcome is not None):
                return await found
        except Refusal as refusal:
            field = self.schema.get_field(parent, details[0].node.name.value)
            assert field is not None
            self.handle_field_error(refusal, field.type, details, path)
            return None
        finally:
            if context.times.has_committed:
                context.made.add(str(path.key))
