"""The settings of Hypothesis for generated worlds."""

import os

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("AGREEMENT_EXAMPLES", "0"))
"""A larger number of worlds, new ones each time, for a long run."""


def generated(examples: int) -> settings:
    """Return settings for the same few examples each time, or for many new ones with shrinking."""
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        deadline=None,
        database=None,
        # To look for the smallest world that fails takes minutes.
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
        # Each example empties the database; a world costs more than the plan of one.
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
