"""Claims about concurrent uploads at two workers: no byte is reserved twice, and no deadlock occurs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import db
from app.config import Settings
from app.db import tables
from app.domain.viewer import ALL_PERMISSIONS, Viewer
from app.services import locks, orgs, resources, storage
from app.services.quotas import StoragePolicy
from tests.db.test_at_once import TIMES, behind, outcomes, seen
from tests.support.changes import another, answered, change
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person, rows_of
from tests.support.server import Server, graphql
from tests.support.storing import BEGIN, LIMITED, MEGABYTE, Storing, sizes, summed

PASSWORD = "a password for these tests"
TERMS = StoragePolicy(True, storage.RETENTION)
CLIENTS = 8
ROUNDS = 5


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Enforce quotas."""
    return LIMITED


@pytest.fixture
async def other(api: Api, settings: Settings) -> AsyncIterator[Storing]:
    """Return the second worker."""
    async with another(settings) as worker:
        yield Storing(worker)


@pytest.fixture
def storing(api: Api) -> Storing:
    """Return the first worker."""
    return Storing(api)


@pytest.fixture
async def ann(make: Make) -> Person:
    """Return a user whose quota is a megabyte."""
    return await make.user("ann", details={"maxStorageMB": 1})


async def test_of_uploads_that_race_for_the_last_bytes_one_is_accepted(tmp_path: Path, url: str) -> None:
    """A real server with two workers; each client has its own connection."""
    own = {"OSTIARY_DATABASE_URL": url, "OSTIARY_DEFAULT_ADMIN__PASSWORD": PASSWORD, **LIMITED}
    with Server(tmp_path, "--workers", "2", **own) as server:
        server.ready()
        things = await _two_datasets(server)
        async with AsyncExitStack() as stack:
            token = await server.token("ann", PASSWORD)
            clients = [await stack.enter_async_context(server.client(token)) for _ in range(CLIENTS)]
            for _ in range(ROUNDS):
                await _one_wins(clients, things)


async def _two_datasets(server: Server) -> list[str]:
    """Create Ann with a quota of a megabyte and a dataset in each of two orgs; return the ids of the datasets."""
    fields = {"userName": "ann", "password": PASSWORD, "metadata": {"maxStorageMB": 1}}
    async with server.client(await server.token("admin", PASSWORD)) as client:
        answered(await graphql(client, change("createUser"), input=fields), "createUser")
    ids = []
    async with server.client(await server.token("ann", PASSWORD)) as client:
        for slug in ("one", "two"):
            answered(await graphql(client, change("createOrg"), input={"slug": slug, "name": slug}), "createOrg")
            fields = {"org": {"slug": slug}, "type": "DATASET", "slug": "reef", "name": "Reef"}
            reply = await graphql(client, change("createResource", "resource { id }"), input=fields)
            ids.append(answered(reply, "createResource")["resource"]["id"])
    return ids


async def _one_wins(clients: list[httpx.AsyncClient], things: list[str]) -> None:
    """Reserve more than half of the megabyte with all clients at once, and cancel the one ticket."""
    requests = [
        graphql(client, BEGIN, input={"resource": {"id": thing}, "sizeBytes": MEGABYTE // 2 + 1})
        for client, thing in zip(clients, cycle(things), strict=False)
    ]
    replies = await asyncio.gather(*requests)

    assert outcomes(*replies) == [[], *[["QUOTA_EXCEEDED"]] * (CLIENTS - 1)]
    (won,) = (reply["data"]["beginUpload"]["ticket"]["id"] for reply in replies if codes(reply) == [])
    assert codes(await graphql(clients[0], change("cancelUpload"), input={"ticket": won})) == []


async def test_a_running_reservation_counts_for_the_next_upload(
    other: Storing, make: Make, database: db.Database, ann: Person
) -> None:
    """It counts in another org of the same owner, too. A rolled-back one does not count."""
    one, two = [await make.resource(await make.org(owner=ann), owner=ann) for _ in range(2)]
    first = partial(_begin, ann=ann, resource=one, size=MEGABYTE)
    for _ in range(TIMES):
        reply = await behind(database, first, other.begin(two, ann, 1))
        assert codes(reply) == ["QUOTA_EXCEEDED"]
        async with database.write() as tx:
            await tx.rows(tables.Ticket.__table__.delete())  # type: ignore[attr-defined]  # every mapped class has one


async def _begin(tx: db.Transaction, ann: Person, resource: Entity, size: int) -> Any:
    return await storage.begin_upload(tx, seen(ann), ("id", resource.id), size, TERMS)


async def test_more_than_was_reserved_is_not_promised_twice_either(
    storing: Storing, other: Storing, make: Make, ann: Person
) -> None:
    one, two = [await make.resource(await make.org(owner=ann), owner=ann) for _ in range(2)]
    for _ in range(TIMES):
        tickets = [await storing.ticket(each, ann, 0) for each in (one, two)]
        left = MEGABYTE - await storing.used(ann)

        replies = await asyncio.gather(storing.finish(tickets[0], left), other.finish(tickets[1], left))

        if left:
            assert outcomes(*replies) == [[], ["QUOTA_EXCEEDED"]]
        assert await storing.used(ann) == MEGABYTE


async def test_an_upload_that_waited_finds_what_was_done_meanwhile(
    storing: Storing, other: Storing, make: Make, database: db.Database, ann: Person
) -> None:
    boss, org = Viewer((await make.admin()).id, ALL_PERMISSIONS), await make.org(owner=ann)
    locking = partial(locks.lock_resource, viewer=boss, reason="Why.")
    deleting = partial(resources.delete_resource, viewer=boss)
    for changing, codes_ in ((locking, "LOCKED"), (deleting, "NOT_FOUND")):
        for name in ("begin", "finish"):
            reef = await make.resource(org, owner=ann)
            ticket = await storing.ticket(reef, ann, 1)
            second = other.begin(reef, ann, 1) if name == "begin" else other.finish(ticket, 1)
            reply = await behind(database, partial(changing, resource=("id", reef.id)), second)
            assert (name, codes(reply)) == (name, [codes_])
    assert await sizes(database, tables.Org) == await summed(database)


async def test_an_upload_is_finished_or_cancelled_once(
    storing: Storing, other: Storing, make: Make, database: db.Database, ann: Person
) -> None:
    reef = await make.resource(await make.org(owner=ann), owner=ann)
    for at in range(TIMES):
        ticket = await storing.ticket(reef, ann, 10)
        same = await asyncio.gather(*(each.finish(ticket, 10) for each in (storing, other, storing, other)))
        assert outcomes(*same) == [[]] * 4
        assert await storing.used(ann) == 10 * (at + 1)
    ticket = await storing.ticket(reef, ann, 10)

    replies = await asyncio.gather(storing.finish(ticket, 10), other.cancel(ticket))

    assert outcomes(*replies) == [[], ["CONFLICT"]]
    assert await storing.used(ann) == 10 * (TIMES + (codes(replies[0]) == []))
    assert await sizes(database, tables.Org) == await summed(database)


@pytest.mark.parametrize("name", ["deleteOrg", "deleteResource", "transferResource", "deleteUser"])
async def test_nobody_waits_in_a_circle_with_an_upload_that_is_counted(
    storing: Storing, other: Storing, make: Make, database: db.Database, name: str
) -> None:
    """Otherwise PostgreSQL would end one of the two with a CONFLICT."""
    root = await make.admin()
    for _ in range(TIMES * 3):
        ann = await make.user()
        org, there = await make.org(owner=ann), await make.org(owner=ann)
        things = [await make.resource(org, owner=ann, size_bytes=5) for _ in range(4)]
        tickets = [await storing.ticket(each, root, 1) for each in things]
        fields: dict[str, Any] = {
            "deleteOrg": {"org": {"id": org.node}},
            "deleteUser": {"user": {"id": ann.node}},
            "deleteResource": {"resource": {"id": things[1].node}},
            "transferResource": {"resource": {"id": things[0].node}, "org": {"id": there.node}},
        }[name]

        replies = await asyncio.gather(
            *(each.finish(ticket, 1) for each, ticket in zip(cycle((storing, other)), tickets, strict=False)),
            other.api(change(name), as_=root, input=fields),
            *(each.begin(things[-1], root, 1) for each in (storing, other)),
        )

        assert {code for reply in replies for code in codes(reply)} <= {"NOT_FOUND"}
        assert await sizes(database, tables.Org) == await summed(database)


async def test_an_org_that_goes_takes_what_was_reserved_in_it(
    storing: Storing, other: Storing, make: Make, database: db.Database, ann: Person
) -> None:
    org = await make.org(owner=ann)
    reef = await make.resource(org, owner=ann)
    deleting = partial(orgs.delete_org, viewer=seen(ann), org=("id", org.id))

    reply = await behind(database, deleting, other.begin(reef, ann, 5))

    assert codes(reply) == ["NOT_FOUND"]
    assert await rows_of(database, tables.Ticket) == 0
    assert await storing.used(ann) == 0
