"""Claims about the order of the audit feed: numbers follow commits, and a reader that follows a cursor misses none.

`scripts/feed` runs the poller beside 16 writers until 100,000 events were written; here it is a few hundred.
"""

import asyncio
import os
from collections import Counter
from random import Random
from typing import Any

import pytest
from sqlalchemy import insert

from app import db
from app.db.tables import AuditChange, AuditEvent
from app.domain.viewer import SYSTEM
from app.services import audit
from tests.support.client import Api
from tests.support.factories import Entity, Make, Person

EVENTS = int(os.environ.get("FEED_EVENTS", "400"))
WRITERS = 16
LONG = 300
"""Objects of a long change: so many rows are inserted after its number is taken and before it is committed."""

FEED = """query ($after: String, $first: Int) {
  auditEvents(first: $first, after: $after, orderBy: [{field: CREATED_AT, direction: ASC}]) {
    pageInfo { endCursor } nodes { id requestId action }
  }
}"""
NEWEST = "{ auditEvents(first: 100) { totalCount nodes { action } } }"
OF_RESOURCE = """query ($id: ID!) {
  resource(by: {id: $id}) { name auditEvents(first: 100) { totalCount nodes { action } } }
}"""


class RolledBackError(Exception):
    """A change that fails after it took numbers."""


OVERLAPPING = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
"""On SQLite there is one writer: no change overlaps another one."""


@OVERLAPPING
async def test_an_event_whose_change_is_not_committed_hides_later_ones_until_it_is(
    api: Api, make: Make, database: db.Database, second_db: db.Database
) -> None:
    root = await make.admin()
    await _write(second_db, "first")
    assert await _actions(api, root) == ["first"]

    async with audit.transaction(second_db, SYSTEM, "outer") as tx:
        audit.note(tx, audit.USER, root.id, {"password": "changed"}, name="outer")
        async with audit.sub_event(tx, SYSTEM, "slow"):
            audit.note(tx, audit.USER, root.id, {"password": "changed"}, name="slow")
        await _write(database, "quick")
        assert await _actions(api, root) == ["first"]

    assert await _actions(api, root) == ["outer", "quick", "slow", "first"]


async def test_a_change_that_is_rolled_back_leaves_a_gap_that_hides_nothing(
    api: Api, make: Make, second_db: db.Database
) -> None:
    root = await make.admin()
    with pytest.raises(RolledBackError):
        await _fail(second_db, "failed")
    await _write(second_db, "kept")

    assert await _actions(api, root) == ["kept"]


@OVERLAPPING
async def test_a_worker_that_knows_no_settled_event_refuses_instead_of_showing_an_empty_log(
    api: Api, make: Make, second_db: db.Database
) -> None:
    root = await make.admin()
    async with second_db.write() as tx:
        await tx.rows(insert(AuditEvent).values(at=tx.now, face="COMMAND", action="slow"))
        reply = await api(NEWEST, as_=root)

    assert [error["extensions"]["code"] for error in reply["errors"]] == ["SERVICE_UNAVAILABLE"]
    assert await _actions(api, root) == ["slow"]


@OVERLAPPING
async def test_the_events_of_a_resource_follow_the_same_order(
    api: Api, make: Make, database: db.Database, second_db: db.Database
) -> None:
    root, reef = await make.admin(), await make.resource(await make.org("reef"), name="Corals")
    await _write(second_db, "first", reef)
    assert await _actions_of(api, root, reef) == ["first"]

    async with audit.transaction(second_db, SYSTEM, "outer") as tx:
        async with audit.sub_event(tx, SYSTEM, "slow"):
            audit.note(tx, audit.RESOURCE, reef.id, {"name": "slow"}, name="Corals")
        await _write(database, "quick", reef)
        assert await _actions_of(api, root, reef) == ["first"]

    assert await _actions_of(api, root, reef) == ["quick", "slow", "first"]


async def test_a_poller_beside_writers_of_long_and_short_changes_sees_every_event_once_and_in_order(
    api: Api, make: Make, database: db.Database, second_db: db.Database
) -> None:
    root = await make.admin()
    written: Counter[str] = Counter()
    writing = asyncio.create_task(_write_all([database, second_db], written))
    seen: list[str] = []
    cursor: str | None = None
    while True:
        is_last = writing.done()
        cursor, actions = await _follow(api, root, cursor)
        seen += actions
        await asyncio.sleep(0)  # a read of SQLite never waits, and the writers share this loop
        if is_last and not actions:
            break
    await writing

    assert Counter(seen) == written
    assert _in_order_of_each_writer(seen)


async def _write_all(databases: list[db.Database], written: Counter[str]) -> None:
    await asyncio.gather(*(_work(databases[at % 2], at, written) for at in range(WRITERS)))


async def _work(database: db.Database, writer: int, written: Counter[str]) -> None:
    """Make one change after another until all writers together made enough; every third one is long, some fail."""
    random, number = Random(writer), 0
    while written.total() < EVENTS:
        number += 1
        action = f"writer{writer}n{number}"
        chance = random.random()
        if chance < 0.05:
            with pytest.raises(RolledBackError):
                await _fail(database, action)
            continue
        if chance < 0.1 and number % 3 == 0:
            await _write_long(database, action)
        else:
            await _write(database, action)
        written[action] += 1


async def _write(database: db.Database, action: str, resource: Entity | None = None) -> None:
    async with audit.transaction(database, SYSTEM, action) as tx:
        kind, key = (audit.USER, 1) if resource is None else (audit.RESOURCE, resource.id)
        audit.note(tx, kind, key, {"name": action}, name="Corals")


async def _write_long(database: db.Database, action: str) -> None:
    async with audit.transaction(database, SYSTEM, action) as tx:
        for key in range(1, LONG):
            audit.note(tx, audit.USER, key, {"password": "changed"}, name=f"user{key}")


async def _fail(database: db.Database, action: str) -> None:
    async with database.write() as tx:
        event = await tx.value(
            insert(AuditEvent).values(at=tx.now, face="COMMAND", action=action).returning(AuditEvent.id)  # type: ignore[call-overload]  # the class attribute is a column
        )
        change = {"kind": audit.USER, "key": 1, "subject": "x", "name": "x", "before": None, "after": None}
        await tx.insert(AuditChange, [{"event_id": event, "at": tx.now, **change}])
        raise RolledBackError


async def _follow(api: Api, as_: Person, after: str | None) -> tuple[str | None, list[str]]:
    reply = await api(FEED, as_=as_, after=after, first=100)
    assert "errors" not in reply, reply
    page = reply["data"]["auditEvents"]
    return page["pageInfo"]["endCursor"] or after, [node["action"] for node in page["nodes"]]


def _in_order_of_each_writer(seen: list[str]) -> bool:
    last: dict[str, int] = {}
    for action in seen:
        writer, _, number = action.rpartition("n")
        if last.get(writer, 0) >= int(number):
            return False
        last[writer] = int(number)
    return True


async def _actions(api: Api, as_: Person) -> list[str]:
    page = (await api(NEWEST, as_=as_))["data"]["auditEvents"]
    actions: list[str] = [node["action"] for node in page["nodes"]]
    assert page["totalCount"] == len(actions)
    return actions


async def _actions_of(api: Api, as_: Person, resource: Entity) -> list[str]:
    reply: Any = await api(OF_RESOURCE, as_=as_, id=resource.node)
    page = reply["data"]["resource"]["auditEvents"]
    return [node["action"] for node in page["nodes"]]
