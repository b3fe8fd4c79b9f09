"""Claims about what is read together: it is one moment of the database, and on PostgreSQL few round trips."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import ARRAY, Integer, bindparam, insert, literal, select, text
from sqlalchemy import cast as cast_to
from sqlmodel import SQLModel

from app import db
from app.db import Freshness, tables
from app.db.postgresql import pool
from app.db.sqlite import database as sqlite
from app.db.tables import JSONDocument, col
from app.domain import resource_roles
from app.domain.viewer import ALL_PERMISSIONS, Permission, Viewer
from app.query.relations import among, integers
from scripts.benchmark.cases import NESTED_RESOURCES, NESTED_USERS
from scripts.benchmark.executors import Executors
from tests.conftest import open_db
from tests.db.test_db import NOW
from tests.support.factories import Make
from tests.support.fetching import fetch

NAMES = select(col(tables.User.user_name)).order_by(col(tables.User.user_key))
KEYS = select(col(tables.User.id)).order_by(col(tables.User.id).desc())
SAID = select(bindparam("said", type_=JSONDocument()), literal("$1"), bindparam("number", type_=Integer()))
PEOPLE = select(
    col(tables.User.user_name), col(tables.User.created_at), col(tables.User.email), col(tables.User.details)
)


async def _add(database: db.Database, *names: str) -> None:
    row = {"token_generation": 0, "details": {"a": [1, None]}, "created_at": NOW}
    async with database.write() as tx:
        for name in names:
            await tx.rows(insert(tables.User).values(user_name=name, user_key=name, **row))


def _questions(database: db.Database, *statements: Any, **values: Any) -> Sequence[db.BoundStatement]:
    return [(database.prepare(statement), values) for statement in statements]


async def test_a_snapshot_stays_at_the_moment_of_its_first_question(
    own_db: db.Database, second_db: db.Database
) -> None:
    await _add(own_db, "ann")

    async with own_db.snapshot(freshness=Freshness.PRIMARY) as read:
        await _add(second_db, "bea")
        first = await read(_questions(own_db, NAMES))
        await _add(second_db, "cleo")
        await _add(own_db, "dora")
        later = await read(_questions(own_db, NAMES, KEYS))
        outside = await fetch(own_db, NAMES)

    assert first == [[("ann",), ("bea",)]]
    assert later == [*first, [(key,) for key in (later[1][0][0], later[1][1][0])]]
    assert outside == [("ann",), ("bea",), ("cleo",), ("dora",)]


async def test_each_of_many_snapshots_has_its_own_moment(own_db: db.Database, second_db: db.Database) -> None:
    async with AsyncExitStack() as stack:
        reads = []
        for number in range(6):
            await _add(second_db, f"user{number}")
            read = await stack.enter_async_context(own_db.snapshot(freshness=Freshness.PRIMARY))
            reads.append((number + 1, read, await read(_questions(own_db, NAMES))))
        again = [(number, first, await read(_questions(own_db, NAMES))) for number, read, first in reads]

    assert [(len(first[0]), len(later[0])) for _, first, later in again] == [(number, number) for number, *_ in again]


async def test_questions_that_are_asked_at_once_are_answered_in_their_order(own_db: db.Database) -> None:
    await _add(own_db, "bea", "ann", "cleo")
    keys = [key for (key,) in await fetch(own_db, KEYS)]
    few = select(col(tables.User.user_name)).where(among(col(tables.User.id), integers(keys[:2])))
    none = KEYS.where(col(tables.User.id) < 0)
    values: dict[str, Any] = {"said": {"ü": ["$2", 1.5]}, "number": 7}

    rows = await own_db.read(
        _questions(own_db, NAMES, SAID, none, few.order_by(col(tables.User.id)), SAID, KEYS, **values),
        freshness=Freshness.PRIMARY,
    )

    said = [({"ü": ["$2", 1.5]}, "$1", 7)]
    assert rows == [[("ann",), ("bea",), ("cleo",)], said, [], [("ann",), ("cleo",)], said, [(key,) for key in keys]]


async def test_values_are_the_same_whether_asked_for_alone_or_together(own_db: db.Database) -> None:
    await _add(own_db, "ann")
    alone = await fetch(own_db, PEOPLE)

    async with own_db.snapshot(freshness=Freshness.PRIMARY) as read:
        first, second = await read(_questions(own_db, PEOPLE, PEOPLE))

    assert alone == first == second == [("ann", NOW, None, {"a": [1, None]})]
    assert isinstance(alone[0][1], datetime)
    assert await own_db.read([], freshness=Freshness.PRIMARY) == []


async def test_a_snapshot_that_fails_leaves_its_connection_good(url: str) -> None:
    ask = select(col(tables.User.user_name)).where(col(tables.User.id) == bindparam("key", type_=Integer()))

    async def fail(database: db.Database, first: Sequence[db.BoundStatement]) -> None:
        async with database.snapshot(freshness=Freshness.PRIMARY) as read:
            await read(first)
            await read(_questions(database, ask, key=2**70))

    async with open_db(url, size=1) as own_db:
        await _add(own_db, "ann")
        for first in ([], _questions(own_db, NAMES)):
            with pytest.raises((OverflowError, asyncpg.DataError)):
                await fail(own_db, first)
        await _add(own_db, "bea")

        assert await fetch(own_db, NAMES) == [("ann",), ("bea",)]


async def test_a_task_cancelled_in_a_snapshot_blocks_no_other(url: str) -> None:
    async with open_db(url, size=2) as own_db:

        async def leave(at: int) -> None:
            async with own_db.snapshot(freshness=Freshness.PRIMARY) as read:
                await read(_questions(own_db, NAMES))
                await asyncio.sleep(0.0005 * at)
                await read(_questions(own_db, NAMES, KEYS))
                await asyncio.sleep(5)

        for at in range(12):
            task = asyncio.create_task(leave(at % 4))
            await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.wait([task])
        await _add(own_db, "ann")

        assert await fetch(own_db, NAMES) == [("ann",)]


async def test_more_snapshots_than_there_are_places_take_turns(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "READERS", 3)
    at_once, maximum = 0, 0

    async def look(database: db.Database) -> list[Any]:
        nonlocal at_once, maximum
        async with database.snapshot(freshness=Freshness.PRIMARY) as read:
            await read(_questions(database, NAMES))
            at_once += 1
            maximum = max(maximum, at_once)
            await asyncio.sleep(0.001)
            at_once -= 1
            return (await read(_questions(database, NAMES)))[0]

    async with open_db(url, size=3) as own_db:
        await _add(own_db, "ann")
        results = await asyncio.gather(*(look(own_db) for _ in range(12)))

    assert results == [[("ann",)]] * 12
    assert maximum <= 3


class Wire:
    """A way to a server that counts round trips: how often something was sent after the server had said something."""

    def __init__(self, url: str) -> None:
        self.turns = 0
        self._to = urlsplit(url)
        self._is_answered = True

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1")
        port = self._server.sockets[0].getsockname()[1]
        return self._to._replace(netloc=f"{self._to.username}:{self._to.password}@127.0.0.1:{port}").geturl()

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up, down = await asyncio.open_connection(self._to.hostname, self._to.port)
        await asyncio.gather(self._pump(reader, down, is_asking=True), self._pump(up, writer, is_asking=False))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_asking: bool) -> None:
        while data := await reader.read(65536):
            self.turns += is_asking and self._is_answered
            self._is_answered = not is_asking
            writer.write(data)
        writer.close()


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_a_level_is_one_round_trip_and_the_beginning_none(url: str) -> None:
    wire = Wire(url)
    async with wire as through, open_db(through, size=1) as own_db:
        level = _questions(own_db, NAMES, KEYS, PEOPLE)
        spent = []
        for _ in range(3):
            async with own_db.snapshot(freshness=Freshness.PRIMARY) as read:
                before = wire.turns
                await read(level[:1])
                await read(level)
                spent.append(wire.turns - before)
            await own_db.read(
                level, freshness=Freshness.PRIMARY
            )  # there is one connection, which comes back when the snapshot is at its end
        before = wire.turns
        await own_db.read(level, freshness=Freshness.PRIMARY)
        alone = wire.turns - before

    assert spent[0] > spent[1] == spent[2] == 2
    assert alone == 1


async def test_statements_read_together_have_the_rows_that_each_has_alone(make: Make, database: db.Database) -> None:
    """Of all tables, with every column: many rows, one and none, with nulls, and with a column that is an array."""
    ann = await make.user("ann", "user")
    org, group = await make.org(owner=ann), await make.group("crew", ann)
    await make.member(org, ann, resource_roles.MemberLevel.READ_ONLY)
    for name in ("Reef", "Wreck"):
        await make.grant(await make.resource(org, owner=ann, name=name), group, resource_roles.METADATA_READ)
    every = [select(table).order_by(*table.primary_key) for table in SQLModel.metadata.sorted_tables]
    ordered = [*every, select(literal(None), literal("a"), literal(None).label("a")), NAMES, KEYS, NAMES]
    if database.dialect.name == "postgresql":
        ordered.insert(3, select(cast_to([1, 2], ARRAY(Integer)), literal("a")))
    statements = _questions(database, *ordered)

    together = await database.read(statements, freshness=Freshness.PRIMARY)

    alone = [(await database.read([each], freshness=Freshness.PRIMARY))[0] for each in statements]
    assert together == alone
    assert len({len(rows) for rows in alone}) > 3


class Levels:
    """A database interface that counts its reads and their round trips."""

    def __init__(self, database: db.Database, wire: Wire | None = None) -> None:
        self.reads = self.turns = 0
        self.rows: list[list[Any]] = []
        self._database = database
        self._wire = wire

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def read(self, questions: Sequence[db.BoundStatement], *, freshness: Freshness) -> Any:
        return await self._counted(partial(self._database.read, freshness=freshness), questions)

    async def read_joined(self, questions: Any, below: Any, *, freshness: Freshness) -> Any:
        read = partial(self._database.read_joined, below=below, freshness=freshness)
        return await self._counted(read, questions)

    @asynccontextmanager
    async def snapshot(self, *, freshness: Freshness) -> AsyncIterator[db.Read]:
        async with self._database.snapshot(freshness=freshness) as read:
            yield partial(self._counted, read)

    async def _counted(self, read: db.Read, questions: Sequence[db.BoundStatement]) -> Any:
        before = self._wire.turns if self._wire else 0
        rows = await read(questions)
        self.reads, self.rows = self.reads + 1, rows
        self.turns += self._wire.turns - before if self._wire else 0
        return rows


@pytest.fixture
async def nested(make: Make) -> list[Viewer]:
    """Something of all that the nested queries ask for; answers who asks: one who sees it all, and a plain user."""
    ann = await make.user("ann", "user")
    org, group = await make.org(is_public=True, owner=ann), await make.group("crew", ann, display_name="Crew")
    await make.member(org, await make.user("bea", "user"), resource_roles.MemberLevel.READ_ONLY)
    for name in ("Reef", "Wreck"):
        await make.grant(await make.resource(org, owner=ann, name=name), group, resource_roles.METADATA_READ)
    return [Viewer((await make.admin()).id, ALL_PERMISSIONS), Viewer(ann.id, Permission.NONE)]


async def _spent(levels: Levels, query: str, viewers: Sequence[Viewer]) -> set[tuple[int, int]]:
    """Reads and round trips of what has a plan, and is prepared; the answers equal the reference executor's."""
    executors, counts = Executors(cast("db.Database", levels)), set()
    for viewer in viewers:
        planned = await executors.compiled(query, viewer)
        assert planned == await executors.reference(query, viewer)
        assert b"Crew" in planned
        levels.reads = levels.turns = 0
        await executors.compiled(query, viewer)
        counts.add((levels.reads, levels.turns))
    return counts


BENCH = pytest.mark.parametrize("query", [NESTED_USERS, NESTED_RESOURCES], ids=["users", "resources"])


@BENCH
async def test_a_nested_query_of_the_benchmark_is_two_levels_which_postgresql_reads_at_once(
    database: db.Database, nested: list[Viewer], query: str
) -> None:
    assert await _spent(Levels(database), query, nested) == {(1 if database.joins_levels else 2, 0)}


@BENCH
@pytest.mark.parametrize("backend", ["postgresql"])
async def test_a_nested_query_of_the_benchmark_is_one_round_trip(url: str, nested: list[Viewer], query: str) -> None:
    wire = Wire(url)
    async with wire as through, open_db(through, size=1) as own_db:
        assert await _spent(Levels(own_db, wire), query, nested) == {(1, 1)}


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_the_second_level_is_read_only_for_rows_that_the_viewer_may_look_into(
    make: Make, database: db.Database
) -> None:
    """Only administrators of a resource see its grants; a row that everybody may see must not cost their reading."""
    ann, org, crew = await make.user("ann", "user"), await make.org(is_public=True), await make.group("crew")
    own = await make.resource(org, owner=ann, name="Reef")
    seen = [await make.resource(org, name=name, general=resource_roles.METADATA_READ) for name in ("Wreck", "Bay")]
    for thing in (own, *seen):
        await make.grant(thing, crew, resource_roles.METADATA_READ)
    levels = Levels(database)
    executors, viewer = Executors(cast("db.Database", levels)), Viewer(ann.id, Permission.NONE)
    await executors.compiled(NESTED_RESOURCES, viewer)
    answer = await executors.compiled(NESTED_RESOURCES, viewer)
    resources, *_, grants = levels.rows  # the worker may have the orgs

    assert answer == await executors.reference(NESTED_RESOURCES, viewer)
    assert (len(resources), len(grants)) == (3, 1)


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_a_table_that_is_changed_while_others_read_it_is_read_on(url: str) -> None:
    async with open_db(url, size=1) as own_db, open_db(url) as second_db:
        async with second_db.write() as tx:
            await tx.rows(text("CREATE TABLE changing AS SELECT 1 AS a"))
        before = await fetch(own_db, text("SELECT * FROM changing"))
        async with second_db.write() as tx:
            await tx.rows(text("ALTER TABLE changing ALTER a TYPE text"))
        after = await fetch(own_db, text("SELECT * FROM changing"))
        async with second_db.write() as tx:
            await tx.rows(text("DROP TABLE changing"))

    assert (before, after) == ([(1,)], [("1",)])


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_a_connection_that_rested_for_long_is_not_lent_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    who = text("SELECT pg_backend_pid()")
    async with open_db(url) as own_db:
        first = await fetch(own_db, who)
        same = await fetch(own_db, who)
        monkeypatch.setattr(pool, "IDLE_SECONDS", -1.0)
        another = await fetch(own_db, who)

    assert first == same != another
