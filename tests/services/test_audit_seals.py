"""Claims about the seals of the audit log: tampering is found and named, and lawful removals are none."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from app import db
from app.db.tables import AuditChange, AuditEvent, AuditPermit, AuditSeal, col
from app.domain.viewer import Viewer
from app.security.seal_key import SealKey
from app.services import audit, housekeeping
from app.services.audit import pruning, sealing, seals
from app.services.audit.pruning import LogDiffers, prune
from app.services.audit.verification import Verified, verify
from tests.conftest import open_db
from tests.support.factories import Make
from tests.support.fetching import fetch
from tests.support.logged import events
from tests.support.truncate import unguarded

KEY = SealKey(b"a secret that is long enough for tests alone")
FOREIGN = SealKey(b"another secret, which the attacker has chosen")
START = datetime(2025, 1, 1, tzinfo=UTC)


def ignore(*_: object) -> None:
    """Report nothing."""


async def _write(database: db.Database, number: int, start: datetime = START) -> None:
    """Write events of two changes each, a minute apart."""
    for at in range(number):
        database.clock = lambda at=at: start + timedelta(minutes=at)  # type: ignore[misc]
        async with audit.transaction(database, Viewer(0), "updateUser") as tx:
            for user in (1, 2):
                audit.note(tx, audit.USER, user, {"email": f"{at}@reef.example"}, name=f"user{user}")


async def _verify(database: db.Database, key: SealKey = KEY, head: str | None = None) -> Verified:
    return await verify(database, key, ignore, head)


async def _tamper(database: db.Database, *statements: Any) -> None:
    """Run statements as an attacker who may do everything in the database."""
    async with database.write() as tx, unguarded(database, tx):
        for statement in statements:
            await tx.rows(statement)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make stretches of four events, and read their changes in pages of three."""
    monkeypatch.setattr(sealing, "STRETCH", 4)
    monkeypatch.setattr(pruning, "STRETCH", 4)
    monkeypatch.setattr(seals, "PAGE", 3)


@pytest.fixture
async def log(own_db: db.Database, small: None) -> db.Database:
    """A log of ten events in three seals."""
    await _write(own_db, 10)
    assert await sealing.seal_all(own_db, KEY) == 10
    return own_db


async def test_an_untouched_log_is_as_it_was_sealed(log: db.Database) -> None:
    await _write(log, 2)

    result = await _verify(log)

    assert (result.problem, result.seals, result.events, result.unsealed) == (None, 3, 10, 2)
    assert (result.removed, result.forgotten, result.foreign) == (0, 0, 0)


async def test_a_seal_is_made_of_a_full_stretch_or_after_an_hour(own_db: db.Database, small: None) -> None:
    numbers = []
    await _write(own_db, 3)
    for hours in (0.9, 1.1):
        own_db.clock = lambda hours=hours: START + timedelta(hours=hours)  # type: ignore[misc]
        numbers.append(await sealing.seal_next(own_db, KEY))
    await _write(own_db, 5, START + timedelta(days=1))
    numbers += [await sealing.seal_next(own_db, KEY) for _ in range(2)]

    assert numbers == [0, 3, 4, 0]


async def test_workers_that_seal_at_the_same_time_make_one_chain(own_db: db.Database, url: str, small: None) -> None:
    await _write(own_db, 30)
    async with open_db(url) as other:
        await asyncio.gather(*(sealing.seal_all(each, KEY) for each in (own_db, other, own_db, other)))

    result = await _verify(own_db)

    assert (result.problem, result.events, result.unsealed, result.seals) == (None, 30, 0, 8)


def _set(table: Any, column: Any, number: int, /, **values: Any) -> Any:
    return update(table).where(col(column) == number).values(**values)


def _event(number: int) -> dict[str, Any]:
    return {"id": number, "at": START, "face": "REST", "action": "deleteUser"}


_CHANGE = {"at": START, "kind": "User", "key": 9, "subject": "x", "name": "eve"}


def _delete_changes(event: int) -> Any:
    return delete(AuditChange).where(col(AuditChange.event_id) == event)


TAMPERED: dict[str, tuple[list[Any], str]] = {
    "an action": ([_set(AuditEvent, AuditEvent.id, 6, action="login")], "event 6 was changed"),
    "an actor": ([_set(AuditEvent, AuditEvent.id, 2, actor_name="eve")], "event 2 was changed"),
    "a time": ([_set(AuditEvent, AuditEvent.id, 10, at=START)], "event 10 was changed"),
    "a value": ([_set(AuditChange, AuditChange.id, 9, after={"email": None})], "event 5 was changed"),
    "the object of a change": ([_set(AuditChange, AuditChange.id, 9, key=7)], "event 5 was changed"),
    "a change less": ([delete(AuditChange).where(col(AuditChange.id) == 9)], "event 5 was changed"),
    "a change more": ([insert(AuditChange).values(event_id=8, **_CHANGE)], "event 8 was changed"),
    "an event less": ([_delete_changes(5), delete(AuditEvent).where(col(AuditEvent.id) == 5)], "event 5 is missing"),
    "an event more": ([_delete_changes(5), _set(AuditEvent, AuditEvent.id, 5, id=-5)], "event 5 is missing"),
    "a seal less": ([delete(AuditSeal).where(col(AuditSeal.number) == 2)], "seal 2 is missing"),
    "the digest of a seal": ([_set(AuditSeal, AuditSeal.number, 2, digest="0" * 64)], "seal 2 was changed"),
    "the end of a seal": ([_set(AuditSeal, AuditSeal.number, 2, last_event=7)], "seal 2 was changed"),
    "the signature of a seal": ([_set(AuditSeal, AuditSeal.number, 3, signature="0" * 64)], "seal 3 was changed"),
    "the mark of a removal": ([_set(AuditSeal, AuditSeal.number, 1, amended_at=START)], "seal 1 was changed"),
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_tampering_is_found_and_named(log: db.Database, what: str) -> None:
    statements, problem = TAMPERED[what]
    assert (await _verify(log)).problem is None

    await _tamper(log, *statements)

    assert problem in str((await _verify(log)).problem)


async def test_an_event_that_was_added_is_named(log: db.Database) -> None:
    """A number that a rolled-back change has left out is filled in."""
    await _write(log, 3)
    await _tamper(
        log,
        _set(AuditChange, AuditChange.event_id, 12, event_id=11),
        delete(AuditEvent).where(col(AuditEvent.id) == 12),
    )
    await sealing.seal_all(log, KEY)

    await _tamper(log, insert(AuditEvent).values(**_event(12)))

    assert "event 12 was added" in str((await _verify(log)).problem)


async def test_removing_an_event_with_its_digest_needs_the_secret(log: db.Database) -> None:
    """Somebody without the secret can write a seal again, but cannot sign it as this server does."""
    last = await seals.last_seal(log)
    assert last is not None
    entries = {event: digest for event, digest in seals.unpack(last.entries).items() if event != 9}
    gone = [
        delete(table).where(col(key) == 9)
        for table, key in ((AuditChange, AuditChange.event_id), (AuditEvent, AuditEvent.id))
    ]
    forged = [
        replace(last, entries=seals.pack(entries)),
        last.amended(entries, START, FOREIGN),
        replace(last.amended(entries, START, FOREIGN), key_id=KEY.id),
    ]
    results = []
    for seal in forged:
        await _tamper(log, *gone, _set(AuditSeal, AuditSeal.number, 3, **seal.values()))
        results.append(await _verify(log))

    assert [each.problem is None for each in results] == [False, True, False]
    assert results[1].foreign == 1, "it is told that another secret has signed it"


async def test_a_chain_that_was_cut_or_written_again_is_found_by_its_head(log: db.Database) -> None:
    head = (await _verify(log)).head
    assert (await _verify(log, head=head)).problem is None

    await _tamper(log, delete(AuditSeal).where(col(AuditSeal.number) == 3))
    cut = await _verify(log, head=head)
    await _tamper(log, _set(AuditEvent, AuditEvent.id, 10, action="login"))
    await sealing.seal_all(log, KEY)
    again = await _verify(log, head=head)

    assert (await _verify(log)).problem is None
    assert "no seal has the head" in str(cut.problem)
    assert "no seal has the head" in str(again.problem)


async def test_events_before_a_moment_are_removed_and_the_log_says_so(log: db.Database) -> None:
    before = await events(log)

    pruned = await prune(log, KEY, START + timedelta(minutes=6), ignore)

    after, result = await events(log), await _verify(log)
    assert (pruned.events, pruned.rounds) == (6, 2)
    assert [event.action for event in after[-2:]] == ["pruneAuditLog"] * 2
    assert after[:-2] == before[6:]
    assert (result.problem, result.removed, result.events, result.unsealed) == (None, 6, 4, 2)
    _, said = after[-2].changes["AuditLog audit log"]
    entries = {event.id: event for event in before[:4]}
    assert {key: said[key] for key in ("events", "firstEvent", "lastEvent")} == {
        "events": 4,
        "firstEvent": min(entries),
        "lastEvent": max(entries),
    }
    assert said["before"] == "2025-01-01T00:06:00.000000Z"


async def test_everything_can_be_removed_and_the_chain_goes_on(log: db.Database) -> None:
    await prune(log, KEY, START + timedelta(days=1), ignore)
    await _write(log, 5, START + timedelta(days=2))
    await sealing.seal_all(log, KEY)

    result = await _verify(log)

    assert (result.problem, result.removed) == (None, 10)
    assert result.events == 3 + 5, "the events of the removal are sealed too"


@pytest.mark.parametrize("what", ["an action", "a value", "an event less", "the signature of a seal"])
async def test_a_log_that_was_tampered_with_is_not_removed(log: db.Database, what: str) -> None:
    """Else a removal would destroy the evidence."""
    await _tamper(log, *TAMPERED[what][0])
    before = await events(log)

    with pytest.raises(LogDiffers, match=TAMPERED[what][1]):
        await prune(log, KEY, START + timedelta(days=1), ignore)

    left = [event for event in await events(log) if event.action != "pruneAuditLog"]
    assert left == before[-len(left) :]
    assert (await _verify(log)).problem is not None


async def test_those_who_remove_at_the_same_time_remove_each_event_once(log: db.Database, url: str) -> None:
    async with open_db(url) as other:
        both = await asyncio.gather(*(prune(each, KEY, START + timedelta(days=1), ignore) for each in (log, other)))

    assert sum(each.events for each in both) == 10
    result = await _verify(log)
    assert (result.problem, result.removed) == (None, 10)


@pytest.mark.parametrize("table", [AuditEvent, AuditChange, AuditSeal])
async def test_after_a_removal_the_database_refuses_as_before(log: db.Database, table: Any) -> None:
    await prune(log, KEY, START + timedelta(minutes=2), ignore)
    column = next(iter(table.__table__.columns))

    for statement in (delete(table), update(table).values({column: column + 100})):
        with pytest.raises(Exception, match="the audit log is append-only"):
            async with log.write() as tx:
                await tx.rows(statement)

    assert await fetch(log, select(col(AuditPermit.number))) == []


async def test_not_even_a_removal_deletes_seals(log: db.Database) -> None:
    async def remove() -> None:
        async with log.write() as tx:
            await tx.rows(insert(AuditPermit).values(number=1))
            await tx.rows(delete(AuditSeal))

    with pytest.raises(Exception, match="the audit log is append-only"):
        await remove()


async def test_the_server_seals_and_removes_by_itself(make: Make, database: db.Database) -> None:
    app = make.app
    await _write(database, 5)
    database.clock = lambda: START + timedelta(days=3)

    await housekeeping.run_once(app, housekeeping.Retention())
    sealed = await verify(database, app.seal_key, ignore)
    rounds = []
    for days in (10, 2, 2):
        await housekeeping.run_once(app, housekeeping.Retention(audit=timedelta(days=days)))
        rounds.append([event.action for event in await events(database)])

    assert (sealed.problem, sealed.events) == (None, 5)
    assert rounds == [["updateUser"] * 5, ["pruneAuditLog"], ["pruneAuditLog"]]


async def test_a_failure_of_one_piece_of_work_is_logged(
    make: Make, database: db.Database, caplog: pytest.LogCaptureFixture
) -> None:
    await _write(database, 2)
    await sealing.seal_all(database, make.app.seal_key)
    database.clock = lambda: START + timedelta(days=3)
    await _tamper(database, update(AuditEvent).values(action="login"))

    await housekeeping.run_once(make.app, housekeeping.Retention(audit=timedelta(days=1)))

    assert "was changed since it was sealed" in caplog.text
    assert len(await events(database)) == 2
