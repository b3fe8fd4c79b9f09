"""Counters of one worker that any layer may increment: limits that were exceeded, refused sign-ins, database failures.

Each counter belongs to a family of `metrics.FAMILIES`. Label values come from fixed sets in the code, never from a
client, so that the number of time series stays small.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import product

_COUNTS: defaultdict[str, float] = defaultdict(int)


def sample(family: str, **labels: str) -> str:
    """Return the name of a sample with its labels, as in `ostiary_errors_total{code="NOT_FOUND"}`."""
    text = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{family}{{{text}}}" if text else family


def declare(family: str, **labels: Iterable[str]) -> None:
    """Let the counters of all these label values begin at 0: an alert on an increase misses a first event otherwise."""
    for values in product(*labels.values()):
        _COUNTS[sample(family, **dict(zip(labels, values, strict=True)))] += 0


def increment(family: str, **labels: str) -> None:
    """Add one to the counter of this family with these labels."""
    add(family, 1, **labels)


def add(family: str, number: float, **labels: str) -> None:
    """Add a number to the counter of this family with these labels."""
    _COUNTS[sample(family, **labels)] += number


def add_to(sample_name: str, number: float) -> None:
    """Add a number to the counter that `sample` has named: for places where the name takes longer than the sum."""
    _COUNTS[sample_name] += number


def samples() -> dict[str, float]:
    """Return every counter that is declared or incremented, by family and labels."""
    return dict(_COUNTS)
