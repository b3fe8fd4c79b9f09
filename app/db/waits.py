"""Counters of the waits for the database: for a connection, or for the turn to write."""

from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def counted(resource: str) -> Iterator[None]:
    """Count the block as a wait for a connection or a turn, also if it ends with an error.

    Callers enter it only if they have to wait, so that other requests do not pay for it.
    """
    began = perf_counter()
    try:
        yield
    finally:
        counters.increment(WAITS, resource=resource)
        counters.add(SECONDS, perf_counter() - began, resource=resource)
