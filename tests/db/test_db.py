"""Claims about the interface to the database: both kinds behave alike, and what fails leaves nothing."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import bindparam, delete, insert, select, update

from app import db
from app.db import tables
from app.db.tables import JSONDocument, KeyText, UTCDateTime, col
from tests.support.factories import everything, rows_of
from tests.support.fetching import fetch

NOW = datetime(2031, 1, 2, 3, 4, 5, 678901, UTC)
ALL = select(col(tables.User.user_name)).order_by(col(tables.User.user_key))
LABEL = select(col(tables.Role.id)).where(col(tables.Role.name_key) == "user")


def _user(name: str, **columns: Any) -> Any:
    values = {
        "user_name": name,
        "user_key": name.lower(),
        "token_generation": 0,
        "details": {},
        "created_at": NOW,
        **columns,
    }
    return insert(tables.User).values(**values).returning(col(tables.User.id))


async def _add(database: db.Database, name: str, **columns: Any) -> int:
    async with database.write() as tx:
        return int(await tx.value(_user(name, **columns)))


async def _names(database: db.Database) -> list[str]:
    return [name for (name,) in await fetch(database, ALL)]


@pytest.mark.parametrize(
    ("name", "email", "columns"),
    [("Ann", None, "users.user_key"), ("bea", "a@b(c) = (d)", "users.email_key")],
)
async def test_a_duplicate_is_reported_with_its_column(
    own_db: db.Database, name: str, email: str | None, columns: str
) -> None:
    await _add(own_db, "ann", email_key="a@b(c) = (d)")

    with pytest.raises(db.UniqueViolation) as raised:
        await _add(own_db, name, email_key=email)

    assert raised.value.columns == columns
    assert await _names(own_db) == ["ann"]


async def test_many_rows_are_updated_and_deleted_by_the_values_of_some_columns(own_db: db.Database) -> None:
    ann, bea = await _add(own_db, "ann"), await _add(own_db, "bea")
    columns = select(col(tables.User.user_name), col(tables.User.details)).order_by(col(tables.User.user_key))

    async with own_db.write() as tx:
        await tx.update_many(tables.User, [{"user_name": "Ann!", "id": ann}, {"user_name": "Bea!", "id": bea}])
        await tx.update_many(tables.User, [{"user_key": "bea", "details": {"a": None}}], ("user_key",))
        await tx.delete_many(tables.User, [{"id": ann, "user_key": "bea"}])
        rows = await tx.rows(columns)
        await tx.delete_many(tables.User, [{"id": ann, "user_key": "ann"}])
        await tx.delete_many(tables.User, [])

    assert rows == [("Ann!", {}), ("Bea!", {"a": None})]
    assert await _names(own_db) == ["Bea!"]


async def test_a_duplicate_of_several_columns_is_reported_with_each(own_db: db.Database) -> None:
    user, ((role,),) = await _add(own_db, "ann"), await fetch(own_db, LABEL)
    user_role = {"user_id": user, "role_id": role}

    with pytest.raises(db.UniqueViolation) as raised:
        async with own_db.write() as tx:
            await tx.insert(tables.UserRole, [user_role, user_role])

    assert raised.value.columns == "user_roles.user_id,user_roles.role_id"
    assert await rows_of(own_db, tables.UserRole) == 0


async def test_a_duplicate_among_many_is_reported_too(own_db: db.Database) -> None:
    row = {"user_key": "ann", "token_generation": 0, "details": {}, "created_at": NOW}

    with pytest.raises(db.UniqueViolation) as raised:
        async with own_db.write() as tx:
            await tx.insert(tables.User, [row | {"user_name": name} for name in ("ann", "ANN")])

    assert raised.value.columns == "users.user_key"
    assert await _names(own_db) == []


async def test_a_foreign_key_violation_is_reported(own_db: db.Database) -> None:
    user, ((role,),) = await _add(own_db, "ann"), await fetch(own_db, LABEL)

    with pytest.raises(db.ForeignKeyViolation):
        async with own_db.write() as tx:
            await tx.rows(insert(tables.UserRole).values(user_id=user, role_id=999))
    async with own_db.write() as tx:
        await tx.rows(insert(tables.UserRole).values(user_id=user, role_id=role))
    with pytest.raises(db.ForeignKeyViolation):
        async with own_db.write() as tx:
            await tx.rows(delete(tables.Role).where(col(tables.Role.id) == role))

    assert await fetch(own_db, LABEL) == [(role,)]


async def test_a_deleted_user_loses_their_roles(own_db: db.Database) -> None:
    user, ((role,),) = await _add(own_db, "ann"), await fetch(own_db, LABEL)

    async with own_db.write() as tx:
        await tx.rows(insert(tables.UserRole).values(user_id=user, role_id=role))
        await tx.rows(delete(tables.User).where(col(tables.User.id) == user))

    assert await rows_of(own_db, tables.UserRole) == 0


async def test_an_id_is_never_used_twice(own_db: db.Database) -> None:
    first = await _add(own_db, "ann")
    async with own_db.write() as tx:
        await tx.rows(delete(tables.User).where(col(tables.User.id) == first))

    assert await _add(own_db, "ann") > first


async def test_a_change_that_fails_leaves_nothing(own_db: db.Database) -> None:
    before = await everything(own_db)

    async def fail() -> None:
        async with own_db.write() as tx:
            await tx.value(_user("ann"))
            assert await tx.value(ALL) == "ann"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await everything(own_db) == before
    assert await _add(own_db, "ann")


async def test_a_dry_change_sees_itself_and_leaves_nothing(own_db: db.Database) -> None:
    before = await everything(own_db)

    async with own_db.write(dry_run=True) as tx:
        await tx.value(_user("ann"))
        assert await tx.value(ALL) == "ann"

    assert await everything(own_db) == before


async def test_no_reader_sees_a_change_before_its_end(own_db: db.Database, second_db: db.Database) -> None:
    async with own_db.write() as tx:
        await tx.value(_user("ann"))
        assert (await _names(own_db), await _names(second_db)) == ([], [])

    assert (await _names(own_db), await _names(second_db)) == (["ann"], ["ann"])


async def test_a_change_of_a_cancelled_task_is_complete_or_absent(own_db: db.Database) -> None:
    async def two(at: int) -> None:
        async with own_db.write() as tx:
            await tx.lock("admins")
            await tx.value(_user(f"ann{at}"))
            await asyncio.sleep(0)
            await tx.value(_user(f"bea{at}"))

    for at in range(25):
        task = asyncio.create_task(two(at))
        for _ in range(at % 5):
            await asyncio.sleep(0)
        await asyncio.sleep(at * 0.0002)
        task.cancel()
        await asyncio.wait([task])
        await _add(own_db, f"cleo{at}")
        names = await _names(own_db)
        assert (f"ann{at}" in names) == (f"bea{at}" in names)
        assert f"cleo{at}" in names


async def test_a_task_cancelled_while_it_waits_takes_no_turn(own_db: db.Database) -> None:
    async def add(name: str) -> None:
        async with own_db.write() as tx:
            await tx.lock("turn")
            await tx.value(_user(name))

    async with own_db.write() as tx:
        await tx.lock("turn")
        waiting = asyncio.create_task(add("ann"))
        await asyncio.sleep(0.02)
        waiting.cancel()
        await asyncio.wait([waiting])

    await asyncio.wait_for(add("bea"), 5)
    assert await _names(own_db) == ["bea"]


async def test_writers_behind_two_doors_take_turns(own_db: db.Database, second_db: db.Database) -> None:
    user = await _add(own_db, "ann")
    counted = select(col(tables.User.token_generation)).where(col(tables.User.id) == user)

    async def add(which: db.Database) -> None:
        async with which.write() as tx:
            await tx.lock("counter")
            number = await tx.value(counted)
            await asyncio.sleep(0.001)
            await tx.rows(update(tables.User).values(token_generation=number + 1))

    await asyncio.gather(*(add(which) for _ in range(20) for which in (own_db, second_db)))

    assert await fetch(own_db, counted) == await fetch(second_db, counted) == [(40,)]


async def test_a_writer_does_not_block_readers(own_db: db.Database, second_db: db.Database) -> None:
    await _add(own_db, "ann")

    async with second_db.write() as tx:
        await tx.rows(update(tables.User).values(token_generation=7))
        assert await asyncio.wait_for(_names(own_db), 1) == ["ann"]


MOMENTS = [
    NOW,
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(9999, 12, 30, 23, 59, 59, 999999, UTC),
    NOW.astimezone(timezone(timedelta(hours=5, minutes=30))),
]


async def test_a_moment_comes_back_in_utc_to_the_microsecond(own_db: db.Database) -> None:
    keys = [await _add(own_db, f"user{at}", created_at=moment) for at, moment in enumerate(MOMENTS)]
    query = select(col(tables.User.id), col(tables.User.created_at), col(tables.User.last_login_at))

    rows = {key: (moment, none) for key, moment, none in await fetch(own_db, query)}

    assert rows == {key: (moment, None) for key, moment in zip(keys, MOMENTS, strict=True)}
    assert {moment.utcoffset() for moment, _ in rows.values()} == {timedelta(0)}


async def test_moments_sort_and_compare_as_time_does(own_db: db.Database) -> None:
    for at, moment in enumerate(MOMENTS[:4]):
        await _add(own_db, f"user{at}", created_at=moment)
    created = col(tables.User.created_at)

    ordered = await fetch(own_db, select(created).order_by(created))
    later = await fetch(own_db, select(created).where(created > bindparam("now", type_=UTCDateTime())), now=MOMENTS[4])

    assert [moment for (moment,) in ordered] == sorted(MOMENTS[:4])
    assert later == [(MOMENTS[3],)]


async def test_a_document_comes_back_as_it_went_in(own_db: db.Database) -> None:
    nested = {"z": 1, "a": [None, True, 1.5, -0.0, "ü\0\u2028"], "": {"": {}}}
    documents: list[Any] = [{}, nested, {"n": 2**64 - 1, "m": -(2**63), "f": 1e-300}]
    for at, document in enumerate(documents):
        await _add(own_db, f"user{at}", details=document)

    rows = await fetch(own_db, select(col(tables.User.details)).order_by(col(tables.User.id)))

    assert [str(document) for (document,) in rows] == [*map(str, documents)]
    assert await fetch(own_db, select(bindparam("document", type_=JSONDocument())), document=nested) == [(nested,)]


async def test_keys_sort_by_their_bytes(own_db: db.Database) -> None:
    keys = ["a", "B", "_", "ä", "z", "-", "Z", "é", "0", "aa", "a b", "\U0001f600", "\uffff"]
    for key in keys:
        await _add(own_db, key, user_key=key)

    ordered = [
        key for (key,) in await fetch(own_db, select(col(tables.User.user_key)).order_by(col(tables.User.user_key)))
    ]
    beyond = await fetch(
        own_db,
        select(col(tables.User.user_key)).where(col(tables.User.user_key) > bindparam("key", type_=KeyText())),
        key="a",
    )

    assert ordered == sorted(keys, key=str.encode)
    assert {key for (key,) in beyond} == {key for key in keys if key.encode() > b"a"}
