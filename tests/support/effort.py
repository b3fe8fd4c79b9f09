"""Work, counted in calls of functions: unlike a time, it is the same on each machine and under each load."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Effort:
    """Calls of functions of Python and of C in this thread, those of the event loop included, and processor time.

    The time is for work that makes no calls, such as a pattern that backtracks. Claims about it need large limits.
    """

    calls: int = 0
    seconds: float = 0.0


@contextmanager
def counted() -> Iterator[Effort]:
    """Count the calls that are made in the body; what C does inside of one call takes only time."""
    effort, before, began = Effort(), sys.getprofile(), time.thread_time()

    def count(_frame: object, event: str, _function: object) -> None:
        if event in {"call", "c_call"}:
            effort.calls += 1

    sys.setprofile(count)
    try:
        yield effort
    finally:
        sys.setprofile(before)
        effort.seconds = time.thread_time() - began
