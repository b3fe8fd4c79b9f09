"""Work, counted in calls of functions: unlike a time, it is the same on each machine and under each load."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Effort:
    """Calls of functions of Python and of C in this thread, those of the event loop included."""

    calls: int = 0


@contextmanager
def counted() -> Iterator[Effort]:
    """Count the calls that are made in the body; what C does inside of one call is not seen."""
    effort, before = Effort(), sys.getprofile()

    def count(_frame: object, event: str, _function: object) -> None:
        if event in {"call", "c_call"}:
            effort.calls += 1

    sys.setprofile(count)
    try:
        yield effort
    finally:
        sys.setprofile(before)
