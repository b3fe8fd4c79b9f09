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
from tests.support.runs import soak

LEAST_SHARE = 0.97
"""How much of what can be answered without errors plans must answer."""

MOST_TOLD = 10
"""How many failures are told in full on each database."""

GARBAGE = 100_000
"""Objects between two looks for garbage: questions leave little of it, and each look goes through all statements."""

PROGRESS = 30
"""Seconds between two lines."""


@dataclass
class Soaked:
    """What came of it on one database."""

    database: str
    tally: Tally = field(default_factory=Tally)
    worlds: int = 0
    failures: int = 0
    seconds: float = 0

    @property
    def line(self) -> str:
        """How far it has come."""
        plans, whole = self.tally.asked["compiled"], self.tally.asked.total() + self.tally.mistaken.total()
        answered = f"{whole:,} answers, {plans:,} by plans ({self.tally.share:.2%} of those without errors)"
        return f"{self.worlds} worlds in {self.seconds:.0f} s: {answered}, {self.failures} failures"

    @property
    def holds(self) -> bool:
        """Whether it is as promised."""
        return not self.failures and self.tally.share >= LEAST_SHARE


def soaked(kind: str, seed: int, worlds: int, questions: int) -> Soaked:
    """All worlds on one database, in a process of its own."""
    logging.disable(logging.CRITICAL)
    gc.freeze()
    gc.set_threshold(GARBAGE)
    with _database(kind) as url:
        migrations.upgrade(url)
        return asyncio.run(_asked(kind, url, range(seed, seed + worlds), questions))


@contextmanager
def _database(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="ostiary-soak-") as folder:
            yield f"sqlite:///{Path(folder) / 'ostiary.db'}"
        return
    server = Postgres()
    server.start()
    try:
        yield server.url()
    finally:
        server.stop()


async def _asked(kind: str, url: str, numbers: Sequence[int], questions: int) -> Soaked:
    database = await db.open_database(url)
    # Reading needs nothing else of the desk.
    both = Both(cast("Any", SimpleNamespace(database=database)))
    found = Soaked(kind, both.tally)
    began = told = time.monotonic()
    for number in numbers:
        async for failure in soak(both, database, number, questions):
            found.failures += 1
            if found.failures <= MOST_TOLD:
                say(f"{kind}: {failure}\n  again: scripts/soak {questions} 1 {number}")
        found.worlds += 1
        found.seconds = time.monotonic() - began
        if time.monotonic() - told > PROGRESS:
            told = time.monotonic()
            say(f"{kind}: {found.line}")
    await database.close()
    return found


def say(text: str) -> None:
    """Show progress."""
    sys.stderr.write(f"soak: {text}\n")
    sys.stderr.flush()
