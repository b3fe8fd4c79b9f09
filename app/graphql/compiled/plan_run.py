"""One execution of a plan, and the objects that it makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphql.execution.values import VariableValues

from app.db import Database, Freshness, OpenedLists, OpenedSelection
from app.domain.viewer import Viewer

Objects = list[dict[str, Any]]


@dataclass(slots=True)
class PlanRun:
    """One execution of a plan."""

    viewer: Viewer
    database: Database
    variables: VariableValues
    bind_values: dict[str, Any]
    freshness: Freshness
    cached: Sequence[OpenedSelection] = ()
    """The cached rows of the plan, in the order in which it refers to them."""
    lists: OpenedLists | None = None
    """The cached lists, of a plan with cached rows."""
