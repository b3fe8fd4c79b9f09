"""One database's part of the comparison, in a process of its own."""

import asyncio
import gc
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from app import db
from app.db import migrations
from tests.support.differential import Both, Tally
from tests.support.postgres import Postgres
from tests.support.runs import compare_in_world

LEAST_SHARE = 0.97
"""The share of answers without errors that must come from plans."""

MAX_REPORTED = 10
"""Failures printed on each database."""

GARBAGE = 100_000
"""Objects between two collections: questions leave little garbage, and each collection visits all statements."""

PROGRESS_SECONDS = 30
"""Time between two lines of progress."""


@dataclass
class Comparison:
    """The results of one database."""

    database: str
    tally: Tally = field(default_factory=Tally)
    worlds: int = 0
    failures: int = 0
    seconds: float = 0

    @property
    def summary(self) -> str:
        """The results so far, as one line."""
        plans, total = self.tally.questions["compiled"], self.tally.questions.total() + self.tally.mistaken.total()
        answered = f"{total:,} answers, {plans:,} by plans ({self.tally.share:.2%} of those without errors)"
        return f"{self.worlds} worlds in {self.seconds:.0f} s: {answered}, {self.failures} failures"

    @property
    def passes(self) -> bool:
        """True without failures and with enough answers by plans."""
        return not self.failures and self.tally.share >= LEAST_SHARE


def compare(kind: str, seed: int, worlds: int, questions: int) -> Comparison:
    """Compare the executors in all worlds on one database, in this process."""
    logging.disable(logging.CRITICAL)
    gc.freeze()
    gc.set_threshold(GARBAGE)
    with _database(kind) as url:
        migrations.upgrade(url)
        return asyncio.run(_compare(kind, url, range(seed, seed + worlds), questions))


@contextmanager
def _database(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="ostiary-compare-") as folder:
            yield f"sqlite:///{Path(folder) / 'ostiary.db'}"
        return
    server = Postgres()
    server.start()
    try:
        yield server.url()
    finally:
        server.stop()


OF_QUERIES = {
    "provider": None,
    "storage_policy": SimpleNamespace(enforced=True),
    "password_policy": None,
    "group_contact": "the team of the registry",
}
"""What queries need of the app context besides the database, for `Query.registry`."""


async def _compare(kind: str, url: str, numbers: Sequence[int], questions: int) -> Comparison:
    database = await db.open_database(url)
    both = Both(cast("Any", SimpleNamespace(database=database, **OF_QUERIES)))
    comparison = Comparison(kind, both.tally)
    began = last_line = time.monotonic()
    for number in numbers:
        async for failure in compare_in_world(both, database, number, questions):
            comparison.failures += 1
            if comparison.failures <= MAX_REPORTED:
                say(f"{kind}: {failure}\n  again: scripts/compare-executors {questions} 1 {number}")
        comparison.worlds += 1
        comparison.seconds = time.monotonic() - began
        if time.monotonic() - last_line > PROGRESS_SECONDS:
            last_line = time.monotonic()
            say(f"{kind}: {comparison.summary}")
    await database.close()
    return comparison


def say(text: str) -> None:
    """Print a line of progress."""
    sys.stderr.write(f"compare-executors: {text}\n")
    sys.stderr.flush()
