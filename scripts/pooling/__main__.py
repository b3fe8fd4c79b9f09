"""Start PostgreSQL, PgBouncer in each mode and a server behind it, run all trials, and print the results as a table."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from scripts.pooling import trials
from scripts.pooling.trials import Trial
from tests.support.pooler import POOLED, Pooler
from tests.support.postgres import Postgres
from tests.support.server import Server

MODES = {"session": 40, "transaction": 3}
"""The modes, and the connections to PostgreSQL for each: in transaction mode fewer than the server has clients."""


SUITE = ("graphql", "http", "policy", "query", "rest", "services")
"""The folders of tests whose fixtures use the database as a server does."""


def main(argv: Sequence[str]) -> int:
    """Run all trials, or with `--suite` the tests; return 1 if one fails."""
    if [*argv] == ["--suite"]:
        return _run_suite()
    if argv:
        sys.exit(f"poolers: unknown arguments: {' '.join(argv)}; see `scripts/poolers --help`")
    with ExitStack() as stack:
        postgres = Postgres()
        stack.callback(postgres.stop)
        postgres.start()
        tried: list[Trial] = []
        for mode in MODES:
            tried += _try(mode, postgres)
    return _tell(tried)


def _run_suite() -> int:
    """Run the tests on PostgreSQL through PgBouncer in transaction mode; those marked `direct` do not concern it."""
    os.environ[POOLED] = "transaction"
    folders = [f"tests/{name}" for name in SUITE]
    return int(pytest.main(["-q", "-p", "no:cacheprovider", "-k", "postgresql", "-m", "not direct", *folders]))


def _try(mode: str, postgres: Postgres) -> Iterator[Trial]:
    postgres.create(mode)
    direct = postgres.url(mode)
    with tempfile.TemporaryDirectory() as name, Pooler(direct, mode, MODES[mode]) as pooler:
        url = pooler.url(direct)
        yield from asyncio.run(trials.of_clients(mode, url))
        home = Path(name) / "home"
        home.mkdir()
        environment = {"OSTIARY_DATABASE_URL": url, "OSTIARY_SECRET": "a secret of the trials that is long enough"}
        with Server(home, "--workers", "2", **environment) as server:
            server.ready()
            yield from asyncio.run(trials.of_server(mode, server, direct))
            yield from trials.of_commands(mode, home, environment, direct)
            yield from asyncio.run(trials.after_commands(mode, server))
            ended = asyncio.run(server.stopped())
            yield Trial(mode, "exit code of the server", ended.code, 0)
            yield Trial(
                mode, "workers that say in the log that there is a pooler", ended.err.count("a connection pooler"), 3
            )
            yield Trial(mode, "errors in the log", [line for line in ended.err.splitlines() if "ERROR" in line], [])
        yield from asyncio.run(trials.of_crash(mode, url, direct))


def _tell(tried: list[Trial]) -> int:
    for each in tried:
        mark = "ok   " if each.is_right else "WRONG"
        wrong = "" if each.is_right else f" not {each.expected}"
        print(f"{mark} {each.mode:<12} {each.what:<66} {each.seen}{wrong}")
    failed = sum(not each.is_right for each in tried)
    print(f"{len(tried) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
