"""Plans, and the cache of the plans of recent documents."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from graphql.execution.values import VariableValues

from app.caching import AudienceLRU
from app.db import Selection
from app.db.statements import CompiledStatement
from app.domain.viewer import Viewer
from app.graphql.compiled.fallback import NotPlannable, PlanFailed
from app.graphql.compiled.row_builder import Children, JoinableStep, KeyColumns, Maker, Path, RowBuilder, is_joinable
from app.graphql.compiled.service_step import ServiceStep
from app.graphql.documents.cache import CHARACTERS_PER_ENTRY, MAX_CACHED_LENGTH, ValidatedDocument
from app.observability import traces

log = logging.getLogger(__name__)

MAX_PLANS = 1000

P = TypeVar("P")


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The compiled form of a query: the row builder of its root, its service fields, and the steps below the root."""

    build: Maker
    services: tuple[tuple[Path, ServiceStep], ...]
    steps: Children
    is_deep: bool
    """True if steps follow the first ones, so that the query needs several reads."""
    joined_steps: Mapping[JoinableStep, KeyColumns | None] | None
    """The steps of the second level with their key columns, if one statement can read both levels; else None.

    It can if the query has one first step and no third level.
    """
    cached_form: "LazyCachedPlan | None" = None
    """The plan that reads less, since it completes rows with cached ones."""


@dataclass(slots=True, eq=False)
class CachedRowsPlan:
    """A plan, and the selections of cached rows that it refers to. It is not used before `retry_at`.

    `visible_ids` select the ids of cached rows that the viewer sees, besides the public ones.
    """

    plan: Plan
    selections: Sequence[Selection]
    visible_ids: Sequence[CompiledStatement]
    retry_at: float = 0.0
    complete_runs: int = 0
    """Positive if the last run had all lists and columns cached, so that the next one does not read them.

    Negative: the number of runs left that expect none, since some were missing.
    """


@dataclass(slots=True, eq=False)
class LazyCachedPlan:
    """The form of a plan with cached rows, if it has one. It is made after a number of uses."""

    make: Callable[[], CachedRowsPlan | None] | None
    uses: int = 0
    _plan: CachedRowsPlan | None = None

    def get(self, at: int) -> CachedRowsPlan | None:
        """Return the plan, from its use with this number on."""
        if self.uses < at:
            self.uses += 1
            if self.uses == at and self.make is not None:
                make, self.make = self.make, None  # it refers to the whole document
                self._plan = make()
        return self._plan


@dataclass(frozen=True, slots=True)
class Fallback:
    """The reason why the reference executor runs an operation."""

    reason: str


FIRST_REQUEST = Fallback("first request")


EXPENSIVE = 100
"""The cost of a document from which on a plan takes less time than one execution without it, see record 0043."""


def handle_plan_failure(error: Exception) -> Fallback:
    """Return the fallback after an error of a plan, and log one that is a fault of the server."""
    if not isinstance(error, PlanFailed):
        log.error("a plan failed by a fault of the server, the reference executor answers", exc_info=error)
    return Fallback("plan failed")


_Key = tuple[Any, ...]
"""The document, the permission profile of its viewers, and the values of the variables in `@skip` and `@include`."""


def plan_for(root: RowBuilder) -> Plan:
    """Return the plan of a root object."""
    steps = root.children
    is_deep = any(step.has_children for _, step in steps)
    return Plan(root.make, root.services, steps, is_deep, _joined_steps(steps) if is_deep else None)


def _joined_steps(steps: Children) -> Mapping[JoinableStep, KeyColumns | None] | None:
    """Return the steps of the second level with their key columns, None unless two statements could be one."""
    first = steps[0][1]
    if len(steps) > 1 or not is_joinable(first):
        return None
    columns: dict[JoinableStep, KeyColumns | None] = {}
    for builder in first.row_builders:
        for _, child in builder.children:
            if child not in builder.key_columns or not is_joinable(child) or child.has_children:
                return None
            columns[child] = builder.key_columns[child]
    return columns


class PlanCache(Generic[P]):
    """Plans by document, permission profile and selecting variables, not by viewer.

    An operation is planned at its second request, since most operations that are new never come again. With `at_once`,
    or at a cost of `EXPENSIVE`, it is planned at its first one.
    """

    def __init__(
        self, make: Callable[[ValidatedDocument, VariableValues, Viewer], P], *, at_once: bool = False
    ) -> None:
        max_weight = MAX_PLANS * CHARACTERS_PER_ENTRY
        self._make = make
        self._at_once = at_once
        self._recent: AudienceLRU[_Key, P | Fallback] = AudienceLRU(MAX_PLANS, max_weight, MAX_CACHED_LENGTH, _length)

    def plan_for(self, document: ValidatedDocument, variables: VariableValues, viewer: Viewer) -> P | Fallback:
        """Return the plan of an operation, or the reason why it has none."""
        key: _Key = document, viewer.permissions._value_, viewer.is_limited
        if document.shaping_variables:
            key = *key, *(variables.coerced.get(name) for name in document.shaping_variables)
        is_signed_in = viewer.user_id is not None
        entry = self._recent.get(key, is_signed_in=is_signed_in)
        if entry is None or entry is FIRST_REQUEST:
            is_due = self._at_once or entry is FIRST_REQUEST or document.cost >= EXPENSIVE
            entry = self._build(document, variables, viewer) if is_due else FIRST_REQUEST
            self._recent.put(key, entry, is_signed_in=is_signed_in)
        return entry

    def _build(self, document: ValidatedDocument, variables: VariableValues, viewer: Viewer) -> P | Fallback:
        try:
            with traces.span("compile the plan"):
                try:
                    return self._make(document, variables, viewer)
                except NotPlannable as error:  # an ordinary outcome, with which the span has not failed
                    return Fallback(error.reason)
        except Exception:
            log.exception("a document cannot be planned, the reference executor runs it")
            return Fallback("plan failed")


def _length(key: _Key, _: object) -> int:
    return len(key[0].text)
