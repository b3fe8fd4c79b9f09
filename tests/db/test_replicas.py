"""Claims about read replicas: they take reads off the primary, and no answer is older than its request."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import literal, select, update

from app import db
from app.db import Freshness, SnapshotLost, tables
from app.db.postgresql import replica as replicas
from app.db.postgresql import replicated
from app.db.postgresql.connection import PostgresConnection
from app.db.postgresql.database import SETTINGS, PostgresDatabase
from app.db.postgresql.replica import Problem, Replica
from app.db.postgresql.replicated import ReplicatedDatabase
from app.db.postgresql.wal_position import NOWHERE
from app.db.tables import col
from app.observability import request_stats
from tests.support.changes import answered, change
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make
from tests.support.replication import NAME, Pair, by_primary, by_replica, execute, reads, until
from tests.support.rest_client import Rest

TOKEN = "a-token-for-metrics"
FLAT = "query ($like: String!) { orgs(first: 9, filter: { slug: { eq: $like } }) { nodes { slug name } } }"
RESOURCE = "query ($like: ID!) { resource(by: { id: $like }) { slug } }"
DEEP = """query ($like: String!) { orgs(first: 9, filter: { slug: { eq: $like } }) {
    nodes { slug resources(first: 3) { nodes { slug org { resources(first: 2) { nodes { slug } } } } } } } }"""
GRANT = change("grantAccess")
REVOKE = change("revokeAccess")


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """The two servers, which all tests of this module share. Each test makes rows of its own."""
    servers = Pair()
    yield servers
    servers.stop()


@pytest.fixture(params=["postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """The only database that has replicas."""
    return str(request.param)


@pytest.fixture
def url(pair: Pair) -> str:
    """The URL of the primary."""
    return pair.urls[0]


@pytest.fixture
def overrides(pair: Pair) -> dict[str, Any]:
    """The settings of the application."""
    return {"OSTIARY_DATABASE_REPLICAS": json.dumps(pair.urls[1:]), "OSTIARY_METRICS_TOKEN": TOKEN}


async def world(make: Make, slug: str) -> tuple[Any, Any, Entity]:
    """Make an org with an owner, a private resource, and a user who does not see it."""
    ann, bea = await make.user(f"{slug}-ann"), await make.user(f"{slug}-bea")
    org = await make.org(slug, ann, is_public=True)
    return ann, bea, await make.resource(org, owner=ann, general=None, slug=f"{slug}-reef")


async def test_a_replica_gives_the_answers_of_the_primary(
    api: Api, rest: Rest, make: Make, database: db.Database
) -> None:
    ann, bea, _ = await world(make, "equal")
    for viewer in (ann, bea, None):
        for query in (FLAT, DEEP):
            for _ in range(2):  # the reference executor answers first, then a plan

                async def ask(query: str = query, viewer: Any = viewer) -> Any:
                    return await api(query, as_=viewer, like="equal")

                answer = await by_replica(ask)
                assert answer["data"]["orgs"]["nodes"], answer
                assert answer == await by_primary(database, ask)

    async def list_orgs() -> Any:
        return (await rest("GET", "/orgs", as_=ann)).json()

    assert await by_replica(list_orgs) == await by_primary(database, list_orgs) != []


async def test_the_primary_gets_one_small_statement_for_a_read_of_a_replica(
    api: Api, make: Make, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, _, _ = await world(make, "small")
    sent: list[tuple[int, str]] = []
    rows, ports = PostgresConnection.rows, [int(url.rpartition(":")[2].partition("/")[0]) for url in pair.urls]

    async def noted(self: Any, text: str, *arguments: Any, **options: Any) -> Any:
        if request_stats.CURRENT.get() is not None:
            sent.append((ports.index(self._addr[1]), text))
        return await rows(self, text, *arguments, **options)

    monkeypatch.setattr(PostgresConnection, "rows", noted)
    for viewer in (ann, None):
        for query in (FLAT, DEEP):

            async def ask(query: str = query, viewer: Any = viewer) -> Any:
                sent.clear()
                return await api(query, as_=viewer, like="small")

            for _ in range(3):
                await by_replica(ask)
            at_primary = [text for server, text in sent if not server]
            assert len(at_primary) == 1
            assert "pg_current_wal_insert_lsn" in at_primary[0]
            assert "orgs" not in at_primary[0]
            assert [text for server, text in sent if server and "orgs" in text]


async def test_an_acknowledged_change_is_seen_by_the_next_request_of_anybody(
    api: Api, rest: Rest, make: Make, pair: Pair, database: db.Database
) -> None:
    ann, bea, reef = await world(make, "seen")

    async def ask() -> Any:
        return (await api(RESOURCE, as_=bea, like=reef.node))["data"]["resource"]

    assert await by_replica(ask) is None
    async with pair.paused():
        before, subject = reads("replica"), {"user": {"userName": bea.user_name}}
        entry = {"resource": {"id": reef.node}, "subject": subject}
        for _ in range(3):
            answered(await api(GRANT, as_=ann, input={**entry, "roles": ["METADATA_READ"]}), "grantAccess")
            assert await ask() == {"slug": "seen-reef"}
            answered(await api(REVOKE, as_=ann, input=entry), "revokeAccess")
            assert await ask() is None
            assert (await rest("GET", "/orgs/seen/ds/seen-reef", as_=bea)).status_code in {403, 404}
        async with database.write() as tx:  # by another worker
            await tx.rows(update(tables.Org).where(col(tables.Org.slug) == "seen").values(name="Anew"))
        for viewer in (ann, bea, None):
            reply = await api(FLAT, as_=viewer, like="seen")
            assert reply["data"]["orgs"]["nodes"] == [{"slug": "seen", "name": "Anew"}]
        assert reads("replica") == before
    assert await by_replica(ask) is None


async def test_an_ended_session_is_refused_while_the_replica_lags(api: Api, make: Make, pair: Pair) -> None:
    ann, bea, _ = await world(make, "ended")
    await by_replica(lambda: api(FLAT, as_=bea, like="ended"))
    async with pair.paused():
        async with make.app.database.write() as tx:
            await tx.rows(update(tables.User).where(col(tables.User.id) == bea.id).values(token_generation=7))
        assert codes(await api(FLAT, as_=bea, like="ended")) == ["UNAUTHENTICATED"]
        assert codes(await api(FLAT, as_=ann, like="ended")) == []


async def test_later_reads_of_a_request_are_never_older(pair: Pair, make: Make, database: db.Database) -> None:
    """A read of the primary or a change in between raises the position that a replica must have."""
    _, bea, _ = await world(make, "later")
    mail = select(col(tables.User.email)).where(col(tables.User.id) == bea.id)
    names: db.BoundStatement = database.prepare(mail), {}

    async def read(freshness: Freshness) -> Any:
        ((row,),) = await database.read([names], freshness=freshness)
        return row[0]

    async def begin() -> Any:
        request_stats.CURRENT.set(stats := request_stats.RequestStats("", ""))
        await read(Freshness.PRIMARY)
        return stats

    async def set_email(value: str) -> None:
        async with database.write() as tx:
            await tx.rows(update(tables.User).where(col(tables.User.id) == bea.id).values(email=value))

    async def first() -> Any:
        await begin()
        return await read(Freshness.REPLICA_OK)

    assert await by_replica(first) is None
    async with pair.paused():
        stats = await begin()
        assert await read(Freshness.REPLICA_OK) is None
        await asyncio.create_task(_without_request(lambda: set_email("a@x")))
        assert await read(Freshness.PRIMARY) == "a@x"
        assert await read(Freshness.REPLICA_OK) == "a@x"
        async with database.snapshot(freshness=Freshness.REPLICA_OK) as inside:
            assert await inside([names]) == [[("a@x",)]]
        await set_email("b@x")
        assert await read(Freshness.REPLICA_OK) == "b@x"
    stats = await begin()
    await set_email("c@x")
    before = reads("replica")
    assert await read(Freshness.REPLICA_OK) == "c@x"
    assert (reads("replica"), stats.position) == (before, NOWHERE)


async def _without_request(work: Callable[[], Awaitable[None]]) -> None:
    request_stats.CURRENT.set(None)
    await work()


async def test_outside_of_a_request_and_for_the_audit_feed_the_primary_answers(
    api: Api, make: Make, database: db.Database
) -> None:
    root = await make.admin("feed-root")
    await by_replica(lambda: api(FLAT, as_=root, like="none"))
    before = reads("replica")
    await database.ask(select(literal(1)), freshness=Freshness.REPLICA_OK)
    for _ in range(3):
        reply = await api("{ auditEvents(first: 3) { nodes { action } } }", as_=root)
        assert codes(reply) == []
    assert reads("replica") == before


FAILURES = [
    asyncpg.SerializationError("canceling statement due to conflict with recovery"),
    asyncpg.QueryCanceledError("canceling statement due to conflict with recovery"),
    asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
    asyncpg.AdminShutdownError("terminating connection due to administrator command"),
    ConnectionResetError(),
    replicas.NotUsable(Problem.NOT_STANDBY),
]


@pytest.mark.parametrize("query", [FLAT, DEEP])
async def test_the_primary_answers_once_where_a_replica_fails(
    api: Api, make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    slug = f"fails{len(query)}"
    ann, _, _ = await world(make, slug)

    async def ask() -> Any:
        return await api(query, as_=ann, like=slug)

    wanted = [await by_replica(ask) for _ in range(3)][-1]
    fetch = replicas.fetch
    for error in FAILURES:
        for fails_at in (1, 2):
            calls = 0

            async def failing(*arguments: Any, at: int = fails_at, error: Exception = error, **options: Any) -> Any:
                nonlocal calls
                calls += 1
                if calls == at:
                    raise error
                return await fetch(*arguments, **options)

            await by_replica(ask)
            monkeypatch.setattr(replicated, "fetch", failing)
            assert await ask() == wanted
            monkeypatch.setattr(replicated, "fetch", fetch)


async def _has_replayed(pair: Pair, lsn: str) -> bool:
    return await execute(pair.standby, f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'") == "True"


@pytest.mark.parametrize("is_conflict", [True, False])
async def test_a_snapshot_that_a_replica_loses_must_begin_again(
    make: Make, database: db.Database, pair: Pair, is_conflict: bool
) -> None:
    """It loses one by a lock that the primary had meanwhile, and by the end of its connections."""
    slugs: db.BoundStatement = database.prepare(select(col(tables.Org.slug))), {}

    async def is_lost() -> bool:
        request_stats.CURRENT.set(request_stats.RequestStats("", ""))
        before = reads("replica")
        async with database.snapshot(freshness=Freshness.REPLICA_OK) as read:
            await read([slugs])
            if reads("replica") == before:
                return False
            if is_conflict:
                await _lock_orgs(pair)
            else:
                database._replicas[0]._abandon()  # type: ignore[attr-defined]
            with pytest.raises(SnapshotLost):
                await read([slugs])
        return True

    await until(is_lost)


async def _lock_orgs(pair: Pair) -> None:
    """Lock a table on the primary, and wait until the replica has replayed that."""
    changing = await asyncpg.connect(pair.urls[0])
    await changing.execute("SET synchronous_commit = on")
    await changing.execute("BEGIN; LOCK TABLE orgs IN ACCESS EXCLUSIVE MODE; COMMIT")
    end = str(await changing.fetchval("SELECT pg_current_wal_flush_lsn()::text"))
    await changing.close()
    await until(lambda: _has_replayed(pair, end))


async def test_only_a_replica_of_this_primary_is_used(pair: Pair) -> None:
    pair.primary.create("elsewhere")
    await execute(pair.primary, "CREATE ROLE plain LOGIN PASSWORD 'plain'")
    async with _opened(pair.urls[0], pair.urls[1]) as database:
        look = database._look
        await until(lambda: _is_state(database, None))
        server = pair.standby.url(NAME).partition("@")[2]
        urls = [pair.primary.url(NAME), pair.standby.url("elsewhere")]
        urls += [f"postgresql://plain:plain@{server}", f"postgresql://postgres:wrong@{server}"]
        right, wrong = database._replicas, [Replica(url, 1, SETTINGS) for url in urls]
        database._replicas = wrong
        await until(lambda: _agrees(look, wrong))
        database._replicas = [*right, *wrong]


async def _agrees(look: Callable[[None], Awaitable[int]], wrong: list[Replica]) -> bool:
    await look(None)
    expected = [Problem.NOT_STANDBY, Problem.OTHER_CLUSTER, Problem.NO_PRIVILEGE, Problem.AWAY]
    return [replica.problem for replica in wrong] == expected


async def _is_state(database: db.Database, problem: str | None) -> bool:
    return [state.problem for state in database.replicas()] == [problem]


@asynccontextmanager
async def _opened(url: str, *urls: str) -> AsyncIterator[ReplicatedDatabase]:
    database = await db.open_database(url, replicas=urls)
    assert isinstance(database, ReplicatedDatabase)
    try:
        yield database
    finally:
        await database.close()


async def test_without_the_setting_nothing_of_it_runs(pair: Pair) -> None:
    database = await db.open_database(pair.urls[0])
    assert type(database) is PostgresDatabase
    assert database._fetch is PostgresConnection.fetch_all
    await database.close()


async def test_metrics_show_each_replica_without_its_password(
    client: httpx.AsyncClient, make: Make, api: Api, pair: Pair
) -> None:
    await by_replica(lambda: api(FLAT, like="none"))
    text = (await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})).text
    server = pair.urls[1].partition("@")[2].partition("/")[0]
    assert f'ostiary_replica_usable{{replica="{server}"}} 1\n' in text
    assert f'ostiary_replica_lag_bytes{{replica="{server}"}}' in text


async def test_clients_notice_no_stop_and_no_promotion_of_a_replica(
    api: Api, make: Make, pair: Pair, database: db.Database, caplog: pytest.LogCaptureFixture
) -> None:
    ann, _, _ = await world(make, "stop")

    async def ask() -> Any:
        reply = await api(FLAT, as_=ann, like="stop")
        assert reply["data"]["orgs"]["nodes"] == [{"slug": "stop", "name": "stop"}]
        return reply

    await by_replica(ask)
    pair.standby.freeze()
    await ask()
    pair.standby.freeze(frozen=False)
    await by_replica(ask)

    await asyncio.to_thread(pair.standby.halt)
    await asyncio.gather(*(ask() for _ in range(20)))
    await until(lambda: _is_state(database, Problem.AWAY))
    await asyncio.to_thread(pair.standby.resume)
    await by_replica(ask)
    assert sum("is left out: it does not answer" in line for line in caplog.messages) == 2

    await execute(pair.standby, "SELECT pg_promote()")
    await execute(pair.standby, "UPDATE orgs SET name = 'another primary'", NAME)
    for _ in range(3):
        await ask()
    await until(lambda: _is_state(database, Problem.NOT_STANDBY))
