"""Claims about a replica that fails, with connections that are stubs: who finds it out, and what is said about it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest

from app import administration
from app.config import Settings
from app.db import inspection
from app.db.interface import ReplicaState
from app.db.postgresql import replica as replicas
from app.db.postgresql.replica import Behind, NotUsable, Problem, Replica
from app.db.postgresql.replicated import ReplicatedDatabase
from app.db.postgresql.wal_position import FLUSHED, NOWHERE, WRITTEN, Cluster, Position
from app.observability import request_stats
from app.services import doctor
from app.services.doctor import State

URL = "postgresql://ann:secret@db2/o"
CLUSTER = Cluster(1, 2, 3, 8192, 2**24)
POSITION = Position(CLUSTER, 1, 1000)


class Connection:
    """A connection to a standby that has replayed everything; its statements fail with `error`."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.is_ended = error, False
        self.cluster: Cluster | None = CLUSTER
        self.replayed: Any = None

    async def rows(self, *_: Any) -> list[Any]:
        if self.error is not None:
            raise self.error
        return [(True, 1000, 1)]

    async def execute(self, *_: Any, **__: Any) -> None: ...

    async def close(self, **_: Any) -> None:
        self.terminate()

    def terminate(self) -> None:
        self.is_ended = True

    def is_closed(self) -> bool:
        return self.is_ended


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The outcomes of the next attempts to connect, each a connection, an exception, or None for no answer."""
    outcomes: list[Any] = []

    async def connect(*_: Any, **__: Any) -> Any:
        outcome = outcomes.pop(0)
        if outcome is None:
            await asyncio.Event().wait()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def is_direct(_: Any) -> bool:
        return True

    async def read_cluster(_: Any) -> Cluster:
        return CLUSTER

    monkeypatch.setattr(replicas, "connect", connect)
    monkeypatch.setattr(replicas, "is_direct", is_direct)
    monkeypatch.setattr(replicas, "read_cluster", read_cluster)
    return outcomes


def sound(size: int = 1) -> Replica:
    """Return a replica without a known problem."""
    replica = Replica(URL, size, {})
    replica.problem = None
    return replica


async def read(replica: Replica) -> str:
    """Read as the database does, and return the name of the error."""
    try:
        async with replica.session(POSITION):
            return ""
    except Exception as error:
        replica.note_failure(error)
        return type(error).__name__


async def test_one_group_of_attempts_finds_out_that_a_replica_is_frozen(
    made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "ANSWER_SECONDS", 0.02)
    made += [None] * 20
    replica = sound(size=2)
    assert await asyncio.gather(*(read(replica) for _ in range(10))) == [NotUsable.__name__] * 10
    assert (replica.problem, len(made)) == (Problem.AWAY, 18)


async def test_a_read_does_not_wait_long_for_a_connection(made: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "ACQUIRE_SECONDS", 0.02)
    made += [Connection()]
    replica = sound()
    async with replica.session(POSITION):
        assert await read(replica) == Behind.__name__
        replica.problem = Problem.AWAY
        assert await read(replica) == NotUsable.__name__


LASTING = [
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidPasswordError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedTableError,
    asyncpg.DataCorruptedError,
    asyncpg.DiskFullError,
    asyncpg.OutOfMemoryError,
]


@pytest.mark.parametrize("kind", LASTING)
def test_a_failure_that_may_last_rests_the_replica_and_is_logged_once(
    kind: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    replica = sound()
    for _ in range(3):
        replica.note_failure(kind("secret"))
        assert not replica.is_usable
        assert replica.problem is None
    assert caplog.messages == [f"replica db2 fails reads, which the primary answers: {kind.__name__}"]


@pytest.mark.parametrize("kind", [asyncpg.SerializationError, asyncpg.QueryCanceledError, asyncpg.DataError])
def test_a_failure_of_one_read_leaves_the_replica_in_use(
    kind: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    replica = sound()
    replica.note_failure(kind("canceling statement due to conflict with recovery"))
    assert replica.is_usable
    assert caplog.messages == []


async def test_a_connection_that_ended_alone_is_replaced(made: list[Any]) -> None:
    dead, new, used = Connection(), Connection(), Connection()
    made += [dead, used, new]
    replica = sound()
    await replica.check(POSITION, None)
    async with replica.session(POSITION):
        dead.error = ConnectionResetError()
        await replica.check(POSITION, None)
        assert (replica.problem, dead.is_ended, used.is_ended) == (None, True, False)
    replica.note_failure(asyncpg.ConnectionDoesNotExistError("connection was closed"))
    await asyncio.sleep(0)
    assert (replica.problem, used.is_ended) == (None, True)


@pytest.mark.parametrize("answers", [[TimeoutError()], [ConnectionResetError(), OSError()]])
async def test_a_server_that_does_not_answer_loses_its_reads(made: list[Any], answers: list[Exception]) -> None:
    checking, used = Connection(), Connection()
    made += [checking, used, *answers[1:]]
    replica = sound()
    await replica.check(POSITION, None)
    async with replica.session(POSITION):
        checking.error = answers[0]
        await replica.check(POSITION, None)
        assert (replica.problem, used.is_ended, made) == (Problem.AWAY, True, [])


async def test_an_unknown_position_of_the_primary_is_not_a_fault_of_the_replica(made: list[Any]) -> None:
    made += [Connection()]
    replica = sound()
    await replica.check(NOWHERE, None)
    assert replica.state == ReplicaState("db2", str(Problem.NO_POSITION), None)


class Primary(ReplicatedDatabase):
    """A primary whose pool has one stub, and that notes what it would flush."""

    def __init__(self, connection: Any, *own: Any) -> None:
        super().__init__("postgresql://h/d", 1)
        self._replicas, self.flushed = list(own), [0][:0]

        async def acquire() -> Any:
            return connection

        self._pool = SimpleNamespace(acquire=acquire, release=lambda _: None)  # type: ignore[assignment]

    async def _flush(self, lsn: int) -> None:
        self.flushed.append(lsn)


@pytest.mark.parametrize(("problem", "flushed"), [(Problem.BEHIND, [2000]), (Problem.AWAY, []), (None, [])])
async def test_what_a_replica_lacks_is_put_on_the_disk(problem: Problem | None, flushed: list[int]) -> None:
    async def fetch_all(statements: Sequence[Any]) -> list[Any]:
        lsns = {FLUSHED: 1500, WRITTEN: 2000}
        return [[("000000010000000000000001", lsns[compiled])] for compiled, _ in statements]

    async def check(*_: Any) -> None: ...

    own = SimpleNamespace(check=check, problem=problem)
    primary = Primary(SimpleNamespace(fetch_all=fetch_all, cluster=CLUSTER), own)
    assert await primary._look(None) == 1500
    await asyncio.sleep(0)
    assert primary.flushed == flushed


async def test_rows_that_a_position_does_not_cover_leave_the_request_with_the_primary() -> None:
    stats = request_stats.RequestStats("", "")

    async def fetch_all(*_: Any, **__: Any) -> list[Any]:
        stats.position = POSITION  # by another read of the same request
        return []

    request_stats.CURRENT.set(stats)
    await Primary(None)._fetch_with_position(SimpleNamespace(fetch_all=fetch_all), [])
    assert stats.position is NOWHERE


class Looked:
    """A replica that reaches a position after some looks; it keeps what it had to reach."""

    made: list["Looked"]

    def __init__(self, url: str, *_: Any, **__: Any) -> None:
        self.name, self.is_closed, self.wanted = url, False, [0][:0]
        self.problem: Problem | None = None
        Looked.made.append(self)

    async def check(self, position: Position, least: int) -> None:
        if self.name == "broken":
            raise ValueError
        self.wanted.append(least)
        has_reached = 1000 + 10 * len(self.wanted) >= least + 30 and self.name != "late"
        self.problem = None if has_reached else Problem.BEHIND

    @property
    def state(self) -> ReplicaState:
        return ReplicaState(self.name, self.problem, 5)

    async def close(self) -> None:
        self.is_closed = True


async def test_doctor_gives_a_replica_a_second_to_reach_one_position(monkeypatch: pytest.MonkeyPatch) -> None:
    lsns = iter(range(1000, 9000, 100))

    async def fetch(_: str) -> list[Any]:
        return [("000000010000000000000001", next(lsns))]

    async def read_cluster(_: Any) -> Cluster:
        return CLUSTER

    async def look(*urls: str) -> tuple[ReplicaState, ...]:
        Looked.made = []
        connection: Any = SimpleNamespace(fetch=fetch)
        return await inspection._inspect_replicas(connection, urls, has_pooler=False)

    monkeypatch.setattr(inspection, "Replica", Looked)
    monkeypatch.setattr(inspection, "read_cluster", read_cluster)
    monkeypatch.setattr(asyncio, "sleep", lambda _, sleep=asyncio.sleep: sleep(0))
    (state,) = await look("quick")
    assert (Looked.made[0].wanted, Looked.made[0].is_closed) == ([1000] * 3, True)
    line = doctor._check_replica(state)
    assert (line.state, line.text) == (State.OK, "quick can answer reads; it is 5 bytes behind")
    (late,) = await look("late")
    line = doctor._check_replica(late)
    assert (line.state, line.text) == (State.WARNING, f"late is left out: {Problem.BEHIND}")
    with suppress(ValueError):
        await look("quick", "broken")
    assert all(each.is_closed for each in Looked.made)


def test_a_command_opens_no_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSTIARY_DATABASE_URL", "postgresql://h/d")
    monkeypatch.setenv("OSTIARY_DATABASE_REPLICAS", f'["{URL}"]')
    opened: list[Any] = []

    async def open_database(*_: Any, replicas: Any, **__: Any) -> Any:
        opened.append(replicas)
        raise InterruptedError

    async def act(_: Any) -> None: ...

    monkeypatch.setattr("app.db.open_database", open_database)
    with pytest.raises(InterruptedError):
        administration._with_context(Settings.read(), act)
    assert opened == [()]
