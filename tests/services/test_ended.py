"""Claims about the removal of what ended long ago: it changes no answer but the lists of what has ended."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app import db
from app.db.tables import ApiToken, Grant, GroupMember, OrgMember, Resource, col
from app.services import ended, housekeeping
from tests.support.changes import unchanged
from tests.support.factories import Entity, Make, Person, rows_of, stale
from tests.support.fetching import fetch
from tests.support.logged import events, logged

TABLES: tuple[Any, ...] = (ApiToken, OrgMember, GroupMember, Grant)
DAYS = 10


async def _make_all(make: Make, end: datetime | None, name: str = "ann") -> tuple[Person, Entity]:
    """Make one row of each kind with an end."""
    ann, org = await make.user(name), await make.org()
    await make.member(org, ann, expires_at=end)
    await make.group_member(await make.group(), ann, expires_at=end)
    resource = await make.resource(org)
    await make.grant(resource, ann, expires_at=end)
    _, token = await make.api_token(ann)
    async with make.app.database.write() as tx:
        await tx.rows(update(ApiToken).where(col(ApiToken.id) == token).values(expires_at=end))
    return ann, resource


async def _count(database: db.Database) -> list[int]:
    return [await rows_of(database, table) for table in TABLES]


@pytest.mark.parametrize("days", [None, -1, DAYS - 1])
async def test_what_goes_on_or_ended_lately_stays(make: Make, database: db.Database, days: int | None) -> None:
    now = database.clock()
    await _make_all(make, None if days is None else now - timedelta(days=days))

    async with unchanged(database):
        assert await ended.remove(database, now - timedelta(days=DAYS)) == 0


async def test_what_ended_long_ago_is_removed_with_an_event_of_each_kind(make: Make, database: db.Database) -> None:
    now = database.clock()
    await _make_all(make, now - timedelta(days=DAYS - 1), "bob")
    before = await _count(database)
    _, resource = await _make_all(make, now - timedelta(days=DAYS + 1))
    ((revision,),) = await fetch(database, select(col(Resource.revision)).where(col(Resource.id) == resource.id))

    async with logged(database) as since:
        await housekeeping.run_once(make.app, housekeeping.Retention(ended=timedelta(days=DAYS)))

    general = 1  # the grant to all signed-in users of the new resource
    assert await _count(database) == [*before[:3], before[3] + general]
    assert [(event.action, event.actor_id) for event in since.events] == [("removeEnded", None)] * 4
    assert [event.kinds for event in since.events] == [
        ["ApiToken"],
        ["Org", "User"],
        ["Group", "User"],
        ["Resource", "User"],
    ]
    assert await stale(database) == set()
    new_revision = await fetch(database, select(col(Resource.revision)).where(col(Resource.id) == resource.id))
    assert new_revision == [(revision + 1,)]


async def test_each_round_removes_a_bounded_number(
    make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = database.clock() - timedelta(days=DAYS + 1)
    for name in ("ann", "bob", "cid"):
        await _make_all(make, old, name)
    monkeypatch.setattr(ended, "_TOKENS", ended._TOKENS.limit(2))
    numbers = []
    for _ in range(3):
        await ended.remove(database, database.clock() - timedelta(days=DAYS))
        numbers.append(await rows_of(database, ApiToken))

    assert numbers == [1, 0, 0]


async def test_a_locked_resource_and_the_grants_to_everyone_are_left(make: Make, database: db.Database) -> None:
    old = database.clock() - timedelta(days=DAYS + 1)
    ann, org = await make.user("ann"), await make.org()
    locked, public = await make.resource(org), await make.resource(org)
    await make.grant(locked, ann, expires_at=old)
    await make.locked(locked)
    await make.grant(public, None, expires_at=old)

    async with unchanged(database):
        assert await ended.remove(database, database.clock() - timedelta(days=DAYS)) == 0

    assert await events(database) == []
