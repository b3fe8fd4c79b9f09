"""Run tests of the suite with large numbers, for scripts/faults and scripts/feed."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

import pytest

ROUNDS = 200
CROWD = 100_000
PIECE_SECONDS = 0.025
"""Longest piece of work on a machine that does nothing else, in seconds."""

EVENTS = 100_000
PYTEST = ("-q", "-p", "no:cacheprovider", "-o", "faulthandler_timeout=0")


def main(argv: Sequence[str]) -> int:
    """Run the tests that the first argument names, and return the exit code of pytest."""
    parsers = {"faults": _faults, "feed": _feed}
    name = argv[0] if argv else ""
    if name not in parsers:
        sys.exit(f"long_tests: the first argument must be one of {', '.join(parsers)}")
    environment, options = parsers[name](argv[1:])
    os.environ.update(environment)
    return int(pytest.main([*PYTEST, *options]))


def _faults(argv: Sequence[str]) -> tuple[Mapping[str, str], Sequence[str]]:
    parser = argparse.ArgumentParser(
        "scripts/faults",
        description="Cut changes off at every point, in every way, on both databases, and compare each answer with "
        "what is stored.",
    )
    parser.add_argument(
        "rounds", type=_positive, nargs="?", default=ROUNDS, help="how often each point is tried (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=_positive, default=1, help="another seed tries other moments (default: %(default)s)"
    )
    parser.add_argument(
        "--crowd",
        type=_positive,
        nargs="?",
        const=CROWD,
        metavar="NUMBER",
        help="instead, let so many resources change hands beside a heartbeat (without a number: %(const)s)",
    )
    arguments = parser.parse_args(argv)
    if arguments.crowd:
        environment = {"CROWD": str(arguments.crowd), "LONGEST_PIECE": str(PIECE_SECONDS)}
        return environment, ("--durations=10", "tests/services/test_big_changes.py")
    environment = {"FAULT_ROUNDS": str(arguments.rounds), "FAULT_SEED": str(arguments.seed)}
    return environment, ("--durations=10", "tests/services/test_faults.py")


def _feed(argv: Sequence[str]) -> tuple[Mapping[str, str], Sequence[str]]:
    parser = argparse.ArgumentParser(
        "scripts/feed",
        description="Poll the audit feed beside 16 writers of long, short and failing changes, on both databases. "
        "An event that is missed, seen twice or out of the order of its writer is an error.",
    )
    parser.add_argument(
        "events", type=_positive, nargs="?", default=EVENTS, help="events until it ends (default: %(default)s)"
    )
    arguments = parser.parse_args(argv)
    return {"FEED_EVENTS": str(arguments.events)}, ("--durations=2", "tests/db/test_event_order.py", "-k", "poller")


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
