"""Asks both executors many questions in many worlds, on both databases at once, and tells what they made of them."""

import argparse
import multiprocessing
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from random import SystemRandom

from scripts.soaking.running import Soaked, say, soaked

DATABASES = ("sqlite", "postgresql")


def main(argv: Sequence[str]) -> int:
    """Run it; answers the exit code."""
    asked = _arguments(argv)
    each = max(1, asked.questions // asked.worlds)
    say(f"{each} questions in each of {asked.worlds} worlds; seed {asked.seed}")
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(DATABASES), spawning) as pool:
        running = [pool.submit(soaked, database, asked.seed, asked.worlds, each) for database in DATABASES]
        found = [each.result() for each in running]
    for each in found:
        _tell(each)
    return 0 if all(each.holds for each in found) else 1


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("scripts/soak", description=__doc__)
    parser.add_argument("questions", type=int, nargs="?", default=20_000, help="in all, on each database (%(default)s)")
    parser.add_argument("worlds", type=int, nargs="?", default=500, help="(%(default)s)")
    parser.add_argument(
        "seed", type=int, nargs="?", default=SystemRandom().randrange(10**6), help="that of the first world"
    )
    return parser.parse_args(argv)


def _tell(found: Soaked) -> None:
    tally = found.tally
    print(f"\n{found.database}: {found.line}")
    for what, counted in (("without errors by stock", tally.asked), ("with errors, so by stock", tally.mistaken)):
        print(f"  {what}: {_causes(counted) or 'none'}")
    kinds = Counter({name: number for name, number in tally.shown.items() if "." not in name})
    print(f"  plans showed {len(tally.shown)} things: {_causes(kinds)}")


def _causes(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counted.most_common() if name != "compiled")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
