"""Reads under a condition: PostgreSQL checks it in the round trip of the first read."""

from asyncio import gather
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import pytest
from sqlalchemy import bindparam, func, literal_column, select

from app import db
from app.db import BoundStatement, ConditionalDatabase, ConditionFailed, Database, Freshness
from app.db.statements import condition
from app.db.tables import RowId, User, col
from app.query.relations import Keys, among
from tests.support.factories import Make

pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)

_ALL_KEYS = [*range(1, 9)]
_NAMES = (
    select(col(User.user_name))
    .where(among(col(User.id), bindparam("keys", type_=Keys(RowId()))))
    .order_by(col(User.id))
)
_NO_USER = condition(
    select(literal_column("1")).select_from(User).where(col(User.user_key) == bindparam("key")).having(func.count() > 0)
)
"""The condition that no user has the name `key`."""

Read = Callable[[Database, Sequence[BoundStatement]], Awaitable[Any]]


async def _read(database: Database, statements: Sequence[BoundStatement]) -> Any:
    return await database.read(statements, freshness=Freshness.PRIMARY)


async def _read_joined(database: Database, statements: Sequence[BoundStatement]) -> Any:
    return await database.read_joined(statements, (), freshness=Freshness.PRIMARY)


async def _read_with_changes(database: Database, statements: Sequence[BoundStatement]) -> Any:
    return (await database.read_with_changes(None, statements))[1]


async def _read_in_snapshot(database: Database, statements: Sequence[BoundStatement]) -> Any:
    async with database.snapshot(freshness=Freshness.PRIMARY) as read:
        return await read(statements)


READS: list[Read] = [_read, _read_joined, _read_with_changes, _read_in_snapshot]


def _without(database: Database, key: str) -> ConditionalDatabase:
    return ConditionalDatabase(database, (database.prepare(_NO_USER), {"key": key}), lambda: None)


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("read", READS)
async def test_the_first_read_fails_with_its_condition_and_no_later_one_checks_it(
    database: db.Database, make: Make, read: Read, number: int
) -> None:
    statements = [(database.prepare(_NAMES), {"keys": _ALL_KEYS})] * number
    for key in ("ann", "ben"):
        conditional = _without(database, key)
        expected = await read(database, statements)
        for _ in range(2):  # a statement is prepared first, and sent with its condition from then on
            assert await read(_without(database, key), statements) == expected

        assert await read(conditional, statements) == expected
        await make.user(key)
        for _ in range(3):
            with pytest.raises(ConditionFailed):
                await read(_without(database, key), statements)
        assert await read(conditional, statements) == await read(database, statements)
        await conditional.confirm()


async def test_a_failed_condition_leaves_the_connection_as_it_was(database: db.Database, make: Make) -> None:
    ann = await make.user("ann")
    names = [(database.prepare(_NAMES), {"keys": _ALL_KEYS})]
    for _ in range(3):
        with pytest.raises(ConditionFailed):
            await _without(database, "ann").confirm()
        with pytest.raises(ConditionFailed):
            await _read_in_snapshot(_without(database, "ann"), names)
        assert await _read(database, names) == [[(ann.user_name,)]]
        async with database.write() as tx:
            assert await tx.rows(_NAMES, keys=_ALL_KEYS) == [(ann.user_name,)]


async def test_a_refused_argument_after_an_unread_condition_ends_the_connection(database: db.Database) -> None:
    names = database.prepare(_NAMES)
    for keys in (_ALL_KEYS, _ALL_KEYS, [2**70]):
        conditional = _without(database, "ann")
        with pytest.raises(Exception, match="out of int64 range") if keys is not _ALL_KEYS else nullcontext():
            await _read(conditional, [(names, {"keys": keys})])
    assert await _read(database, [(names, {"keys": _ALL_KEYS})]) == [[]]


async def test_it_is_called_once_that_the_condition_holds(database: db.Database, make: Make) -> None:
    calls: list[str] = []
    for key in ("ann", "ben"):
        conditional = ConditionalDatabase(
            database, (database.prepare(_NO_USER), {"key": key}), partial(calls.append, key)
        )
        await gather(*(_read(conditional, []) for _ in range(3)))
        await conditional.confirm()
    await make.user("ann")
    with pytest.raises(ConditionFailed):
        await ConditionalDatabase(
            database, (database.prepare(_NO_USER), {"key": "ann"}), partial(calls.append, "no")
        ).confirm()

    assert calls == ["ann", "ben"]
