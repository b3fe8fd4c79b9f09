"""Claims about the measurements that /metrics shows beside the counters of requests."""

import asyncio
import time
from contextlib import suppress

import pytest

from app import db
from app.db import waits
from app.observability import counters
from app.services import measurements
from app.services.measurements import Measurements
from tests.support.factories import Make


async def _ready() -> str | None:
    return None


async def _full() -> str | None:
    return "full"


async def test_sizes_readiness_and_the_newest_event_are_measured(database: db.Database, make: Make) -> None:
    measured = Measurements(database, _ready)

    await measured.measure()

    samples = measured.samples()
    assert samples["ostiary_workers_ready"] == 1
    assert samples['ostiary_database_size_bytes{file="database"}'] > 4096
    assert ('ostiary_database_size_bytes{file="wal"}' in samples) == (database.dialect.name == "sqlite")
    assert samples["ostiary_audit_newest_event"] >= 0


async def test_a_worker_that_is_not_ready_keeps_its_last_sizes(database: db.Database) -> None:
    measured = Measurements(database, _ready)
    await measured.measure()
    before = measured.samples()

    measured._find_problem = _full
    await measured.measure()

    assert measured.samples() == before | {"ostiary_workers_ready": 0}


async def test_a_blocked_event_loop_shows_for_a_while(database: db.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "TICK_SECONDS", 0.02)
    measured = Measurements(database, _ready)
    running = asyncio.create_task(measured.run())
    await asyncio.sleep(0.05)

    time.sleep(0.3)  # noqa: ASYNC251 - the claim is about a blocked loop
    await asyncio.sleep(0.1)

    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert measured.samples()["ostiary_event_loop_lag_seconds"] > 0.2


async def test_a_wait_for_the_database_is_counted(database: db.Database) -> None:
    """More changes at once than connections, or than turns of the writer, wait for one another."""
    resource = waits.TURN if database.dialect.name == "sqlite" else waits.CONNECTION
    names = [counters.sample(family, resource=resource) for family in (waits.WAITS, waits.SECONDS)]
    before = counters.samples()

    async def change() -> None:
        async with database.write(dry_run=True):
            await asyncio.sleep(0.01)

    await asyncio.gather(*(change() for _ in range(40)))

    after = counters.samples()
    assert after[names[0]] > before[names[0]]
    assert after[names[1]] > before[names[1]] + 0.01


async def test_waits_cost_nothing_where_there_are_none(database: db.Database) -> None:
    before = counters.samples()

    async with database.write(dry_run=True):
        pass

    for resource in waits.RESOURCES:
        name = counters.sample(waits.WAITS, resource=resource)
        assert counters.samples()[name] == before[name]
