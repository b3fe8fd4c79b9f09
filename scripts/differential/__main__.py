"""Ask both executors many questions in many worlds, on both databases at once, and report the differences."""

import argparse
import multiprocessing
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from random import SystemRandom

from scripts.differential.running import Comparison, compare, say

DATABASES = ("sqlite", "postgresql")


def main(argv: Sequence[str]) -> int:
    """Run the comparison; returns the exit code."""
    arguments = _arguments(argv)
    questions = max(1, arguments.questions // arguments.worlds)
    say(f"{questions} questions in each of {arguments.worlds} worlds; seed {arguments.seed}")
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(DATABASES), spawning) as pool:
        running = [pool.submit(compare, each, arguments.seed, arguments.worlds, questions) for each in DATABASES]
        comparisons = [each.result() for each in running]
    for each in comparisons:
        _print(each)
    return 0 if all(each.passes for each in comparisons) else 1


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("scripts/compare-executors", description=__doc__)
    parser.add_argument("questions", type=int, nargs="?", default=20_000, help="in all, on each database (%(default)s)")
    parser.add_argument("worlds", type=int, nargs="?", default=500, help="(%(default)s)")
    parser.add_argument(
        "seed", type=int, nargs="?", default=SystemRandom().randrange(10**6), help="that of the first world"
    )
    return parser.parse_args(argv)


def _print(comparison: Comparison) -> None:
    tally = comparison.tally
    print(f"\n{comparison.database}: {comparison.summary}")
    for title, counts in (("fallbacks without errors", tally.questions), ("fallbacks with errors", tally.mistaken)):
        print(f"  {title}: {_counts(counts) or 'none'}")
    kinds = Counter({name: number for name, number in tally.features.items() if "." not in name})
    print(f"  plans returned values of {len(tally.features)} fields and types: {_counts(kinds)}")


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.most_common() if name != "compiled")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
