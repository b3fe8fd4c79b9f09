"""The step of a field that is computed without rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.graphql.coercion.arguments import Arguments
from app.graphql.compiled.plan_run import Objects, PlanRun


@dataclass(frozen=True, slots=True, eq=False)
class ServiceStep:
    """A field whose leaf value is computed by a service."""

    response_key: str
    call: Callable[..., Any]
    arguments: Arguments
    serialize: Callable[[Any], Any]

    async def answer(self, run: PlanRun, parents: Objects) -> None:
        """Call the service, and write its value into the parents."""
        value = self.serialize(await self.call(run.database, run.viewer, self.arguments.values(run.variables)))
        for parent in parents:
            parent[self.response_key] = value
