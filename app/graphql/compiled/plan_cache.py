"""What a plan is; the plans of the most recent documents, and why a document has none."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from graphql.execution.values import VariableValues

from app.caching import AudienceLRU
from app.domain.viewer import Viewer
from app.graphql.compiled.fallback import NotPlannable
from app.graphql.compiled.row_builder import Children, Maker, RowBuilder
from app.graphql.compiled.steps import ServiceStep
from app.graphql.documents.cache import CHARACTERS_PER_ENTRY, LONGEST_REMEMBERED, ValidatedDocument

log = logging.getLogger(__name__)

SIZE = 1000
"""How many plans are remembered at most."""

P = TypeVar("P")


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a document comes to: how its root is made, what services are asked for it, and the steps below it."""

    build: Maker
    queries: Children
    steps: Children
    is_deep: bool
    """Whether steps follow on the first ones, so that the answer needs several reads."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """That the stock executor is to answer, and why."""

    reason: str


FIRST_REQUEST = Fallback("first request")

_Key = tuple[Any, ...]
"""The document, what its viewers hold alike, and the values of the variables that decide what is selected."""


def plan_for(root: RowBuilder) -> Plan:
    """The plan of what hangs on nothing else."""
    asked = tuple(child for child in root.children if isinstance(child[1], ServiceStep))
    steps = tuple(child for child in root.children if not isinstance(child[1], ServiceStep))
    return Plan(root.make, asked, steps, any(step.goes_on for _, step in steps))


class PlanCache(Generic[P]):
    """Plans by document, and by what else they depend on; never by who asks.

    A text is planned when it comes for the second time, unless `at_once`: most of those that come once never come
    again.
    """

    def __init__(
        self, make: Callable[[ValidatedDocument, VariableValues, Viewer], P], *, at_once: bool = False
    ) -> None:
        room = SIZE * CHARACTERS_PER_ENTRY
        self._make = make
        self._at_once = at_once
        self._recent: AudienceLRU[_Key, P | Fallback] = AudienceLRU(SIZE, room, LONGEST_REMEMBERED, _length)

    def of(self, known: ValidatedDocument, variables: VariableValues, viewer: Viewer) -> P | Fallback:
        """The plan of an operation, or why there is none."""
        key: _Key = known, viewer.permissions._value_, viewer.is_limited
        if known.shaping_variables:
            key = *key, *(variables.coerced.get(name) for name in known.shaping_variables)
        is_signed_in = viewer.user_id is not None
        found = self._recent.get(key, is_signed_in=is_signed_in)
        if found is None or found is FIRST_REQUEST:
            is_due = self._at_once or found is FIRST_REQUEST
            found = self._build(known, variables, viewer) if is_due else FIRST_REQUEST
            self._recent.put(key, found, is_signed_in=is_signed_in)
        return found

    def _build(self, known: ValidatedDocument, variables: VariableValues, viewer: Viewer) -> P | Fallback:
        try:
            return self._make(known, variables, viewer)
        except NotPlannable as error:
            return Fallback(error.reason)
        except Exception:
            log.exception("a document cannot be planned, so that the stock executor answers it")
            return Fallback("plan failed")


def _length(key: _Key, _: object) -> int:
    return len(key[0].text)
