"""Counters of one worker that any layer may increment: limits that were exceeded, refused sign-ins, database failures.

Each counter belongs to a family of `metrics.FAMILIES`. Label values come from fixed sets in the code, never from a
client, so that the number of time series stays small.
"""

from collections import Counter

_COUNTS: Counter[str] = Counter()


def increment(family: str, **labels: str) -> None:
    """Add one to the counter of this family with these labels."""
    text = ",".join(f'{name}="{value}"' for name, value in labels.items())
    _COUNTS[f"{family}{{{text}}}" if text else family] += 1


def samples() -> dict[str, float]:
    """Return every counter that this process has incremented, by family and labels."""
    return dict(_COUNTS)
