"""How many worlds are generated, and how they are looked for."""

import os

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("AGREEMENT_EXAMPLES", "0"))
"""More worlds than usual, and new ones each time: for an evening."""


def generated(examples: int) -> settings:
    """Always the same few examples; or many new ones, and then the smallest that fails."""
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
