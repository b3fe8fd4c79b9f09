"""One read replica of PostgreSQL: its connections, its state, and reads that are as new as a position."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from time import monotonic
from typing import Any

import asyncpg

from app.config.postgres_url import server_name
from app.db.failures import LOG_INTERVAL_SECONDS, Failure, classify, refusal
from app.db.interface import Below, BoundStatement, ReplicaState, count_statements
from app.db.postgresql.connecting import connect, is_direct
from app.db.postgresql.connection import PREPARED_PER_CONNECTION, ROLLBACK, PostgresConnection
from app.db.postgresql.pool import ConnectionPool
from app.db.postgresql.wal_position import MAY_SEE_STREAM, REPLAYED, Position, Replayed, read_cluster
from app.db.statements import Row

log = logging.getLogger(__name__)

REACH_SECONDS = 0.005
"""Longest wait of a read for the replay of its position; then the primary answers."""

PAUSE_SECONDS = 0.001
"""Seconds between two questions during this wait."""

REST_SECONDS = 0.1
"""Seconds without reads for a replica that did not reach a position in time, or lost a connection."""

FAILED_SECONDS = 1.0
"""Seconds without reads for a replica whose failure may last: about the time until its next check."""

ANSWER_SECONDS = 1.0
"""Timeout of a connection attempt and of a question about the position."""

ACQUIRE_SECONDS = 1.2
"""Longest wait of a read for a connection: a little longer than an attempt, which names the problem."""

CHECK_SECONDS = 2.0
"""Timeout of one check."""

CONFLICTS = frozenset({"40001", "40P01", "57014"})
"""SQLSTATEs of a conflict with the replay, which says nothing about the next read."""


class Problem(StrEnum):
    """Reasons why a replica is left out."""

    UNKNOWN = "it is not checked yet"
    AWAY = "it does not answer"
    POOLER = "a connection pooler is in between"
    NOT_STANDBY = "it is not in recovery: it is the primary, or was promoted"
    NO_POSITION = (
        "the position of the primary is not known: a connection pooler is before it, it has no tables,"
        " or its role may not use pg_control_system"
    )
    OTHER_CLUSTER = "it is not a copy of the primary's database"
    NO_PRIVILEGE = "its role may not read pg_stat_wal_receiver"
    NO_STREAM = "it receives no stream"
    OTHER_TIMELINE = "it follows another timeline than the primary"
    BEHIND = "it is more than a second behind"


class Behind(Exception):
    """The replica did not reach a position in time."""


class NotUsable(Exception):
    """The replica must not be used."""

    def __init__(self, problem: Problem, text: str = "") -> None:
        super().__init__(text)
        self.problem = problem


class Replica:
    """A replica with a pool of connections, and one more connection for its checks.

    Each connection remembers what its server process last said about the replay. A replay never goes back while a
    connection lives: a server that recovers from a crash ends all of them.
    """

    def __init__(self, url: str, size: int, settings: dict[str, str], *, is_logged: bool = True) -> None:
        self.name = server_name(url)
        self.in_flight = 0
        self.problem: Problem | None = Problem.UNKNOWN
        self._url = url
        self._is_logged = is_logged
        self._settings = settings | {"default_transaction_read_only": "on"}
        self._pool = ConnectionPool(self._connect_for_read, size)
        self._checking: Any = None
        self._rests_until = 0.0
        self._lag: int | None = None
        self._next_log_at: dict[str, float] = {}

    @property
    def is_usable(self) -> bool:
        """Return whether reads may be sent to it now."""
        return self.problem is None and monotonic() >= self._rests_until

    @property
    def state(self) -> ReplicaState:
        """Return its state for the operator."""
        return ReplicaState(self.name, None if self.problem is None else str(self.problem), self._lag)

    async def _connect(self) -> Any:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                connection = await connect(
                    self._url,
                    settings=self._settings,
                    statements_cached=PREPARED_PER_CONNECTION,
                    command_timeout=60,
                    connection_class=PostgresConnection,
                    max_cached_statement_lifetime=0,
                )
        except asyncpg.ProtocolViolationError as error:
            raise NotUsable(Problem.POOLER, str(error)) from None
        except TimeoutError:
            raise NotUsable(Problem.AWAY, "no connection in time") from None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if not await is_direct(connection):  # the next statement may run on another server
                    raise NotUsable(Problem.POOLER)
                connection.cluster = await read_cluster(connection)
        except TimeoutError:
            connection.terminate()
            raise NotUsable(Problem.AWAY, "no answer in time") from None
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _connect_for_read(self) -> Any:
        """Connect, unless a problem is known: reads that waited for a connection must not find it out one by one."""
        if self.problem is not None:
            raise NotUsable(self.problem)
        return await self._connect()

    async def _acquire(self) -> Any:
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):
                return await self._pool.acquire()
        except TimeoutError:
            raise (Behind() if self.problem is None else NotUsable(self.problem)) from None

    @asynccontextmanager
    async def session(self, position: Position, *, is_transaction: bool = False) -> AsyncIterator[Any]:
        """Acquire a connection whose server has replayed a position. Raises Behind, NotUsable and those of asyncpg."""
        self.in_flight += 1
        try:
            connection = await self._acquire()
            try:
                await self._reach(connection, position)
                yield connection
            except Behind:
                self._pool.release(connection)
                raise
            except BaseException:
                self._pool.release_after(connection, ROLLBACK)
                raise
            if is_transaction:
                self._pool.release_after(connection, ROLLBACK)
            else:
                self._pool.release(connection)
        finally:
            self.in_flight -= 1

    async def _reach(self, connection: Any, position: Position) -> None:
        """Wait a short time until the server of this connection has replayed a position."""
        if position.cluster is None or connection.cluster != position.cluster:
            raise NotUsable(Problem.OTHER_CLUSTER)
        if connection.replayed is not None and connection.replayed.has_reached(position):
            return
        ends_at = monotonic() + REACH_SECONDS
        while not (await _ask(connection)).has_reached(position):
            if monotonic() >= ends_at:
                raise Behind
            await asyncio.sleep(PAUSE_SECONDS)

    def note_failure(self, error: Exception) -> None:
        """Note a read that failed. Raises TimedOut for a read that took too long: the primary would take as long."""
        failure = classify(error)
        if isinstance(error, Behind):
            self._rests_until = monotonic() + REST_SECONDS
        elif isinstance(error, NotUsable):
            self._set_problem(error.problem, str(error))
        elif failure is Failure.TIMED_OUT or isinstance(error, TimeoutError):
            raise refusal(Failure.TIMED_OUT) from error
        elif failure is Failure.AWAY:  # perhaps of one connection alone: the next check tells
            self._rests_until = monotonic() + REST_SECONDS
            self._pool.expire()
        elif getattr(error, "sqlstate", None) not in CONFLICTS and not isinstance(error, asyncpg.DataError):
            self._rests_until = monotonic() + FAILED_SECONDS
            self._log_failure(type(error).__name__)

    def _log_failure(self, name: str) -> None:
        """Log a class of failures, at most once a minute."""
        now = monotonic()
        if self._is_logged and now >= self._next_log_at.get(name, 0.0):
            self._next_log_at[name] = now + LOG_INTERVAL_SECONDS
            log.warning("replica %s fails reads, which the primary answers: %s", self.name, name)

    async def check(self, position: Position, least: int | None) -> None:
        """Find out whether it is usable beside a primary at a position; `least` is what it must have replayed."""
        text = ""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                problem = await self._judge_anew(position, least)
        except NotUsable as error:
            problem, text = error.problem, str(error)
        except Exception as error:
            problem, text = Problem.AWAY, str(error) or type(error).__name__
        if problem is Problem.AWAY:
            self._abandon()
        self._set_problem(problem, text)

    async def _judge_anew(self, position: Position, least: int | None) -> Problem | None:
        """Judge it by the connection for checks, which may have ended alone, or else by a new one."""
        if self._checking is not None and not self._checking.is_closed():
            try:
                return await self._judge(self._checking, position, least)
            except (NotUsable, TimeoutError):
                raise
            except Exception as error:
                log.debug("a check begins again error=%r", error)
                self._checking.terminate()
        self._checking = await self._connect()
        return await self._judge(self._checking, position, least)

    async def _judge(self, connection: Any, position: Position, least: int | None) -> Problem | None:
        if position.cluster is None:
            self._lag = None
            return Problem.NO_POSITION
        replayed = await _ask(connection)
        self._lag = max(position.lsn - (replayed.lsn or 0), 0)
        if not replayed.is_standby:
            return Problem.NOT_STANDBY
        if connection.cluster != position.cluster:
            return Problem.OTHER_CLUSTER
        if replayed.timeline is None:
            return Problem.NO_STREAM if await connection.fetchval(MAY_SEE_STREAM) else Problem.NO_PRIVILEGE
        if replayed.timeline != position.timeline:
            return Problem.OTHER_TIMELINE
        return Problem.BEHIND if least is not None and (replayed.lsn or 0) < least else None

    def _abandon(self) -> None:
        """End all connections, so that reads that wait for a server without an answer go to the primary."""
        if self._checking is not None:
            self._checking.terminate()
        self._lag = None
        self._pool.expire()
        self._pool.terminate_used()

    def _set_problem(self, problem: Problem | None, text: str = "") -> None:
        before, self.problem = self.problem, problem
        if not self._is_logged or problem is before:
            return
        if problem is None:
            log.warning("replica %s answers reads", self.name)
        else:
            log.warning("replica %s is left out: %s%s", self.name, problem, f": {text}" if text else "")

    async def close(self) -> None:
        """Close every connection."""
        if self._checking is not None:
            with suppress(Exception):
                await self._checking.close(timeout=ANSWER_SECONDS)
        await self._pool.close()


async def _ask(connection: Any) -> Replayed:
    """Ask how far a server has replayed, and remember it on the connection."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            (row,) = await connection.rows(REPLAYED.text, ())
    except TimeoutError:
        raise NotUsable(Problem.AWAY, "no answer in time") from None
    return _remember(connection, Replayed(*row))


def _remember(connection: Any, replayed: Replayed) -> Replayed:
    if replayed.timeline is not None:
        connection.replayed = replayed
    return replayed


async def fetch(
    connection: Any,
    statements: Sequence[BoundStatement],
    below: Below = (),
    *,
    begins: bool = False,
) -> tuple[list[list[Row]], int]:
    """Return rows as `PostgresConnection.fetch_all`, and a position that they are not newer than.

    The same statement says that the server is still in recovery: then no other server's commits are among the rows.
    Raises NotUsable.
    """
    count_statements(-1)
    try:
        rows: list[list[Row]] = await connection.fetch_all([*statements, (REPLAYED, {})], below, begins=begins)
        replayed = _remember(connection, Replayed(*rows.pop(len(statements))[0]))
        if not replayed.is_standby:
            raise NotUsable(Problem.NOT_STANDBY)
    except BaseException:
        count_statements(-len(statements))
        raise
    return rows, replayed.lsn or 0
