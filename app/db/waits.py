"""Counters of the waits for the database: for a connection, or for the turn to write."""

from contextlib import AbstractContextManager
from time import perf_counter

from app.observability import counters

WAITS = "ostiary_database_waits_total"
SECONDS = "ostiary_database_wait_seconds_total"

CONNECTION, TURN = "connection", "turn"
RESOURCES = (CONNECTION, TURN)
"""Values of the label `resource`."""

COMMITS_FAILED = "ostiary_commits_failed_total"

counters.declare(WAITS, resource=RESOURCES)
counters.declare(SECONDS, resource=RESOURCES)
counters.declare(COMMITS_FAILED)


class CountedWait(AbstractContextManager[None]):
    """Count the block as a wait for a connection or a turn, also if it ends with an error.

    Callers enter it only if they have to wait, so that other requests do not pay for it.
    """

    __slots__ = ("_began", "_resource")

    def __init__(self, resource: str) -> None:
        self._resource = resource

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, *_: object) -> None:
        waits, seconds = _SAMPLES[self._resource]
        counters.add_to(waits, 1)
        counters.add_to(seconds, perf_counter() - self._began)


_SAMPLES = {
    each: (counters.sample(WAITS, resource=each), counters.sample(SECONDS, resource=each)) for each in RESOURCES
}
