"""Copy a large registry from SQLite to PostgreSQL and back, kill each copy once, and compare answers and rows.

The same questions go to a server of each of the three databases, with the tokens of the first one.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.benchmark.world import Spec
from scripts.copying.trials import Trial, run
from tests.support.postgres import Postgres

WHOLE = Spec()


def main(argv: Sequence[str]) -> int:
    """Run all trials; return 1 if one fails."""
    parser = argparse.ArgumentParser(prog="scripts/copies", description=__doc__)
    parser.add_argument(
        "--resources", type=int, default=WHOLE.resources, metavar="N", help="resources of the registry (100,000)"
    )
    parser.add_argument("--questions", type=int, default=1_000, metavar="N", help="questions to each server (1,000)")
    arguments = parser.parse_args(argv)
    part = arguments.resources / WHOLE.resources
    others = {name: max(250, round(getattr(WHOLE, name) * part)) for name in ("users", "groups", "orgs")}
    postgres = Postgres()
    try:
        postgres.start()
        postgres.create("copy")
        with tempfile.TemporaryDirectory() as name:
            spec = Spec(resources=arguments.resources, **others)
            return _tell(run(spec, arguments.questions, Path(name), postgres.url("copy")))
    finally:
        postgres.stop()


def _tell(tried: Sequence[Trial]) -> int:
    for each in tried:
        print(f"{'ok   ' if each.is_right else 'WRONG'} {each.what:<66} {each.seen}")
    failed = sum(not each.is_right for each in tried)
    print(f"{len(tried) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
