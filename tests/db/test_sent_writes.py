"""Claims about writes that PostgreSQL gets with the next statement: they are done in order, once, or not at all."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, delete, func, insert, select, update

from app import db
from app.db import tables
from app.db.postgresql import connection
from app.db.postgresql.connection import MAX_KEYS
from app.db.postgresql.transaction import MAX_UNSENT
from app.db.statements import compile_insert
from app.db.tables import KeyText, UTCDateTime, col
from app.domain import errors
from app.query.relations import among, integers
from tests.conftest import open_db
from tests.db.test_snapshots import Wire
from tests.support.fetching import fetch

WAIT_MILLISECONDS = 30_000
NOW = datetime(2031, 1, 2, 3, 4, 5, 678901, UTC)
NAMES = select(col(tables.User.user_name)).order_by(col(tables.User.user_key))
RENAME = (
    update(tables.User)
    .where(col(tables.User.user_key) == bindparam("key", type_=KeyText()))
    .values(
        user_name=bindparam("name", type_=KeyText()),
        email=bindparam("mail", type_=KeyText()),
        created_at=bindparam("at", type_=UTCDateTime()),
    )
)
INSERT = compile_insert(tables.User, ("user_name", "user_key", "token_generation", "details", "created_at"))


def _row(name: str) -> dict[str, Any]:
    return {"user_name": name, "user_key": name, "token_generation": 0, "details": {"a": [1, None]}, "created_at": NOW}


def _values(name: str) -> dict[str, Any]:
    return {f"new_{column}": value for column, value in _row(name).items()}


async def _names(database: db.Database) -> list[str]:
    return [name for (name,) in await fetch(database, NAMES)]


async def test_writes_are_done_in_their_order_before_what_follows(own_db: db.Database) -> None:
    async with own_db.write() as tx:
        await tx.send(INSERT, **_values("ann"))
        await tx.send(RENAME, key="ann", name="Ann", mail=None, at=NOW)
        seen = await tx.rows(NAMES)
        await tx.insert(tables.User, [_row("bea"), _row("cleo")], is_sent=True)
        await tx.send(delete(tables.User).where(col(tables.User.user_key) == "bea"))

    assert seen == [("Ann",)]
    assert await _names(own_db) == ["Ann", "cleo"]


async def test_more_writes_than_may_wait_are_done_all_the_same(own_db: db.Database) -> None:
    names = [f"user-{number:04}" for number in range(3 * MAX_UNSENT + 1)]

    async with own_db.write() as tx:
        for name in names[:-MAX_UNSENT]:
            await tx.send(INSERT, **_values(name))
        await tx.insert(tables.User, [_row(name) for name in names[-MAX_UNSENT:]], is_sent=True)
        await tx.insert(tables.User, [_row(f"very-{number:04}") for number in range(2 * MAX_UNSENT)], is_sent=True)

    assert await _names(own_db) == [*names, *(f"very-{number:04}" for number in range(2 * MAX_UNSENT))]


async def _write_a_duplicate(database: db.Database, ends: str) -> None:
    async with database.write(dry_run=ends == "dry run") as tx:
        await tx.send(INSERT, **_values("bea"))
        await tx.send(INSERT, **_values("ann"))
        await tx.send(INSERT, **_values("cleo"))
        if ends == "read":
            await tx.rows(NAMES)
        elif ends == "write":
            await tx.insert(tables.User, [_row("dora"), _row("ella")])


@pytest.mark.parametrize("ends", ["read", "write", "commit", "dry run"])
async def test_the_error_of_a_write_is_raised_before_anything_is_stored(own_db: db.Database, ends: str) -> None:
    async with own_db.write() as tx:
        await tx.send(INSERT, **_values("ann"))

    with pytest.raises(db.UniqueViolation) as raised:
        await _write_a_duplicate(own_db, ends)

    assert raised.value.columns == "users.user_key"
    assert await _names(own_db) == ["ann"]
    async with own_db.write() as tx:  # the connection is good for the next transaction
        await tx.send(INSERT, **_values("bea"))
    assert await _names(own_db) == ["ann", "bea"]


async def test_a_dry_run_and_a_cancelled_change_leave_nothing(own_db: db.Database) -> None:
    async with own_db.write(dry_run=True) as tx:
        await tx.send(INSERT, **_values("ann"))
    async with own_db.write() as tx:
        await tx.send(INSERT, **_values("bea"))
        tx.undo()
    with pytest.raises(asyncio.CancelledError):
        await _write_until_cancelled(own_db)

    assert await _names(own_db) == []


async def _write_until_cancelled(database: db.Database) -> None:
    async with database.write() as tx:
        await tx.send(INSERT, **_values("cleo"))
        raise asyncio.CancelledError


@pytest.mark.parametrize(
    "name", ["it's", 'say "a"', "{a,b}", "back\\slash", "\u4f60\u597d", "a b\tc", "NULL", "\\N", "$1"]
)
@pytest.mark.parametrize("at", [NOW, NOW + timedelta(days=365_000), datetime(1, 1, 1, tzinfo=UTC)])
async def test_values_are_stored_as_they_are(own_db: db.Database, name: str, at: datetime) -> None:
    async with own_db.write() as tx:
        await tx.send(INSERT, **_values("ann"))
        await tx.send(RENAME, key="ann", name=name, mail=name, at=at)

    user = tables.User
    columns = (user.user_name, user.email, user.created_at, user.details)
    assert await fetch(own_db, select(*map(col, columns))) == [(name, name, at, {"a": [1, None]})]


async def test_keys_are_sent_as_a_list(own_db: db.Database) -> None:
    async with own_db.write() as tx:
        await tx.insert(tables.User, [_row("ann"), _row("bea"), _row("cleo")])
        ids = [key for (key,) in await tx.rows(select(col(tables.User.id)).order_by(col(tables.User.user_key)))]
        await tx.send(delete(tables.User).where(among(col(tables.User.id), integers([]))))
        await tx.send(delete(tables.User).where(among(col(tables.User.id), integers([ids[0], ids[2], 2**40]))))

    assert await _names(own_db) == ["bea"]


async def test_a_statement_with_rows_is_never_sent_without_waiting(own_db: db.Database) -> None:
    with pytest.raises(AssertionError, match="a statement with rows"):
        async with own_db.write() as tx:
            await tx.send(insert(tables.User).values(**_row("ann")).returning(col(tables.User.id)))

    assert await _names(own_db) == []


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_a_change_costs_one_round_trip_for_each_answer_that_it_waits_for(url: str) -> None:
    """The answers of writes, a read and COMMIT; what waits costs nothing of its own, nor does BEGIN."""
    wire = Wire(url)
    async with wire as through, open_db(through, size=1) as own_db:
        spent = []
        for turn in range(3):
            before = wire.turns
            async with own_db.write() as tx:
                await tx.send(INSERT, **_values(f"ann-{turn}"))
                await tx.insert(tables.User, [_row(f"{name}-{turn}") for name in ("bea", "cleo")], is_sent=True)
            between = wire.turns
            async with own_db.write() as tx:
                await tx.send(RENAME, key=f"ann-{turn}", name=f"Ann {turn}", mail=None, at=NOW)
                await tx.rows(NAMES)
            async with own_db.write():
                pass
            spent.append((between - before, wire.turns - between))
        names = await _names(own_db)

    assert spent[0] > spent[1] == spent[2] == (2, 2)
    assert len(names) == 9


@pytest.mark.parametrize("backend", ["postgresql"])
@pytest.mark.parametrize(("keys", "waits"), [(MAX_KEYS, True), (MAX_KEYS + 1, False)])
async def test_a_write_of_many_keys_is_sent_by_itself(url: str, keys: int, waits: bool) -> None:
    """Fifty of them in one message could take longer than one statement may."""
    wire = Wire(url)
    async with wire as through, open_db(through, size=1) as own_db:
        for _ in range(2):
            async with own_db.write() as tx:
                await tx.rows(NAMES)
                before = wire.turns
                await tx.send(delete(tables.User).where(among(col(tables.User.id), integers(range(keys)))))
                spent = wire.turns - before

    assert spent == (0 if waits else 1)


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_a_connection_that_died_while_it_was_idle_costs_no_change(url: str) -> None:
    async with open_db(url, size=2) as own_db, open_db(url, size=1) as killer:
        for turn in range(3):
            async with own_db.write() as tx:
                await tx.send(INSERT, **_values(f"ann-{turn}"))
                pid = await tx.value(select(func.pg_backend_pid()))
            async with killer.write() as tx:
                await tx.value(select(func.pg_terminate_backend(pid, WAIT_MILLISECONDS)))
            async with own_db.write() as tx:
                await tx.send(INSERT, **_values(f"bea-{turn}"))
                await tx.rows(NAMES)
            assert own_db.connections() == (0, 1)

        assert len(await _names(own_db)) == 6


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_a_connection_that_is_seen_to_die_before_the_first_statement_costs_no_change(url: str) -> None:
    async with open_db(url, size=2) as own_db, open_db(url, size=1) as killer:
        for turn in range(3):
            async with own_db.write() as tx:
                pid = await tx.value(select(func.pg_backend_pid()))
                await tx.rows(NAMES)
            async with own_db.write() as tx:
                async with killer.write() as other:
                    await other.value(select(func.pg_terminate_backend(pid, WAIT_MILLISECONDS)))
                await asyncio.sleep(0.05)  # for the event loop to see that the connection is closed
                await tx.rows(NAMES)
                await tx.send(INSERT, **_values(f"ann-{turn}"))
            assert own_db.connections() == (0, 1)

        assert len(await _names(own_db)) == 3


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_a_commit_that_takes_too_long_is_never_made_later(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last write waits for the lock of another transaction, and so does the commit in the same message."""
    monkeypatch.setattr(connection, "COMMIT_SECONDS", 0.3)
    async with open_db(url, size=2) as own_db, open_db(url, size=1) as other:
        async with own_db.write() as tx:
            await tx.insert(tables.User, [_row("ann")])
        async with other.write() as holder:
            await holder.rows(NAMES.with_for_update())
            with pytest.raises(errors.OstiaryError):
                await _rename_late(own_db)

        assert await _names(own_db) == ["ann"]
        await _rename_late(own_db)
        assert await _names(own_db) == ["Ann"]


async def _rename_late(database: db.Database) -> None:
    async with database.write() as tx:
        await tx.value(select(func.pg_current_xact_id()))
        await tx.send(RENAME, key="ann", name="Ann", mail=None, at=NOW)
