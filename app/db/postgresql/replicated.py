"""A PostgreSQL primary with read replicas. The primary answers all that is not a read with `Freshness.REPLICA_OK`.

Each read of a request on the primary also selects the position of its log; the first one is the authentication. A
replica answers a later read of the request only after it has replayed this position.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from app.db.cancellation import cancel_and_wait
from app.db.failures import Failure, classify
from app.db.interface import (
    Below,
    BoundStatement,
    Freshness,
    Read,
    ReplicaState,
    SnapshotLost,
    Transaction,
    count_statements,
)
from app.db.postgresql.connection import ROLLBACK
from app.db.postgresql.database import SETTINGS, PostgresDatabase
from app.db.postgresql.replica import CHECK_SECONDS, Behind, Problem, Replica, fetch
from app.db.postgresql.wal_position import (
    FLUSHED,
    NOWHERE,
    WRITTEN,
    Position,
    flush_statement,
    position_of,
    read_cluster,
)
from app.db.statements import Row
from app.observability import counters, request_stats
from app.observability.request_stats import RequestStats

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Seconds between two looks at the replicas. A replica that is further behind than this is left out."""

FLUSH_SECONDS = 0.2
"""Seconds between two flushes of the log for the sake of replicas."""

READS = "ostiary_replica_reads_total"
BY_REPLICA, IS_BEHIND, HAS_FAILED, NONE_USABLE = "replica", "behind", "failed", "none"

RESULTS = (BY_REPLICA, IS_BEHIND, HAS_FAILED, NONE_USABLE)

counters.declare(READS, result=RESULTS)


@dataclass(eq=False)
class ReplicatedDatabase(PostgresDatabase):
    """A PostgreSQL server, and replicas by their URLs."""

    checks_conditions = False  # the first read on the primary has the position that a replica must have replayed
    shares_reads = False  # a read notes the position of its own request
    logs_changes = False  # a replica has another snapshot, with which that of the primary cannot be compared
    replica_urls: Sequence[str] = ()
    _replicas: list[Replica] = field(init=False)
    _looking: asyncio.Task[None] | None = field(default=None, init=False)
    _flushing: asyncio.Task[None] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._replicas = [Replica(url, self.size, SETTINGS) for url in self.replica_urls]
        self._fetch = self._fetch_with_position

    async def open(self) -> None:
        await super().open()
        self._looking = asyncio.create_task(self._look_forever())

    async def close(self) -> None:
        for task in (self._looking, self._flushing):
            if task is not None:
                await cancel_and_wait(task)
        await asyncio.gather(*(replica.close() for replica in self._replicas))
        await super().close()

    def replicas(self) -> Sequence[ReplicaState]:
        return [replica.state for replica in self._replicas]

    async def _connect(self) -> Any:
        connection = await super()._connect()
        if not self._has_pooler:  # behind one, the next statement may run on another server
            try:
                connection.cluster = await read_cluster(connection)
            except BaseException:
                connection.terminate()
                raise
        return connection

    async def _fetch_with_position(
        self, connection: Any, statements: Sequence[BoundStatement], below: Below = (), *, begins: bool = False
    ) -> list[list[Row]]:
        """Fetch rows from the primary, and note its position for later reads of this request."""
        stats = request_stats.CURRENT.get()
        if stats is None or not any(replica.is_usable for replica in self._replicas):
            if stats is not None and stats.position is not None:
                stats.position = NOWHERE  # these rows may be newer than the position
            rows: list[list[Row]] = await connection.fetch_all(statements, below, begins=begins)
            if stats is not None and stats.position is not None:  # another read of the request has noted one meanwhile
                stats.position = NOWHERE
            return rows
        count_statements(-1)
        rows = await connection.fetch_all([*statements, (WRITTEN, {})], below, begins=begins)
        _advance(stats, position_of(connection.cluster, rows.pop(len(statements))[0]))
        return rows

    async def read_joined(
        self, statements: Sequence[BoundStatement], below: Below, *, freshness: Freshness
    ) -> list[list[Row]]:
        if not statements:
            return []
        every = [*statements, *(bound for bound, _ in below)]
        if chosen := await self._choose(every, freshness):
            replica, stats = chosen
            try:
                async with replica.session(stats.position) as connection:
                    rows, lsn = await fetch(connection, statements, below)
            except Exception as error:
                self._note_failure(replica, stats, error)
            else:
                _note_answer(stats, lsn)
                return rows
        return await super().read_joined(statements, below, freshness=freshness)

    async def _choose(
        self, statements: Sequence[BoundStatement], freshness: Freshness
    ) -> tuple[Replica, RequestStats] | None:
        """Return the replica for a read, and the request with its position; None if the primary answers it.

        The audit feed stays on the primary: only that knows the settled event.
        """
        stats = request_stats.CURRENT.get()
        if freshness is Freshness.PRIMARY or stats is None or _reads_feed(statements):
            return None
        usable = [replica for replica in self._replicas if replica.is_usable]
        if not usable:
            has_resting = any(replica.problem is None for replica in self._replicas)
            counters.increment(READS, result=IS_BEHIND if has_resting else NONE_USABLE)
            return None
        if stats.position is None:  # an anonymous viewer
            await super().read_joined((), (), freshness=Freshness.PRIMARY)
        if stats.position is None or stats.position is NOWHERE:
            return None
        return min(usable, key=lambda replica: replica.in_flight), stats

    @asynccontextmanager
    async def snapshot(self, *, freshness: Freshness) -> AsyncIterator[Read]:
        async with AsyncExitStack() as stack:
            source: Read | None = None

            async def read(statements: Sequence[BoundStatement]) -> list[list[Row]]:
                nonlocal source
                if source is not None:
                    return await source(statements)
                if chosen := await self._choose(statements, freshness):
                    opened = AsyncExitStack()
                    try:
                        source, rows = await self._begin_on(opened, *chosen, statements)
                    except Exception as error:
                        self._note_failure(*chosen, error)
                    else:
                        stack.push_async_exit(opened)
                        return rows
                source = await stack.enter_async_context(PostgresDatabase.snapshot(self, freshness=freshness))
                return await source(statements)

            yield read

    async def _begin_on(
        self, stack: AsyncExitStack, replica: Replica, stats: RequestStats, statements: Sequence[BoundStatement]
    ) -> tuple[Read, list[list[Row]]]:
        """Begin a snapshot on a replica, and return the function of its later reads and the rows of the first one."""

        async def read(statements: Sequence[BoundStatement]) -> list[list[Row]]:
            if _reads_feed(statements):
                raise SnapshotLost
            try:
                rows, _ = await fetch(connection, statements)
            except Exception as error:  # often a conflict with the replay, which says nothing about the next read
                counters.increment(READS, result=HAS_FAILED)
                if isinstance(error, TimeoutError) or classify(error) is Failure.TIMED_OUT:
                    replica.note_failure(error)
                raise SnapshotLost from error
            return rows

        try:
            connection = await stack.enter_async_context(replica.session(stats.position, is_transaction=True))
            rows, lsn = await fetch(connection, statements, begins=True)
        except BaseException:
            await stack.aclose()
            raise
        _note_answer(stats, lsn)
        return read, rows

    @asynccontextmanager
    async def write(self, *, dry_run: bool = False, is_large: bool = False) -> AsyncIterator[Transaction]:
        if (stats := request_stats.CURRENT.get()) is not None:
            stats.position = NOWHERE  # its own change is newer than any position that it knows
        async with super().write(dry_run=dry_run, is_large=is_large) as tx:
            yield tx

    def _note_failure(self, replica: Replica, stats: RequestStats, error: Exception) -> None:
        """Note a read that a replica did not answer. Raises TimedOut for one that took too long."""
        is_behind = isinstance(error, Behind)
        counters.increment(READS, result=IS_BEHIND if is_behind else HAS_FAILED)
        if is_behind:
            self._start_flush(stats.position.lsn)
        replica.note_failure(error)

    def _start_flush(self, lsn: int) -> None:
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush(lsn))

    async def _flush(self, lsn: int) -> None:
        """Put the log of the primary on the disk up to a position, so that replicas can get it."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                connection = await self._pool.acquire()
                try:
                    await connection.rows(flush_statement(connection.get_server_version().major), [lsn])
                except BaseException:
                    self._pool.release_after(connection, ROLLBACK)
                    raise
                self._pool.release(connection)
                await asyncio.sleep(FLUSH_SECONDS)
        except Exception as error:
            log.debug("the log was not flushed error=%r", error)

    async def _look_forever(self) -> None:
        """Look at the replicas from time to time."""
        least: int | None = None
        while True:
            try:
                least = await self._look(least)
            except Exception as error:  # the primary does not answer, which its reads report
                log.debug("the replicas were not checked error=%r", error)
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, least: int | None) -> int:
        """Check every replica and return the position of the primary, which they must have reached at the next look.

        The disk may have a part of a record alone, which no replica can replay: the rest is flushed if one is behind.
        """
        async with asyncio.timeout(CHECK_SECONDS):
            connection = await self._pool.acquire()
            try:
                ((flushed,), (written,)) = await connection.fetch_all([(FLUSHED, {}), (WRITTEN, {})])
            except BaseException:
                self._pool.release_after(connection, ROLLBACK)
                raise
            self._pool.release(connection)
        position = position_of(connection.cluster, flushed)
        await asyncio.gather(*(replica.check(position, least) for replica in self._replicas))
        if any(replica.problem is Problem.BEHIND for replica in self._replicas):
            self._start_flush(position_of(connection.cluster, written).lsn)
        return position.lsn


def _reads_feed(statements: Sequence[BoundStatement]) -> bool:
    return any(compiled.reads_feed for compiled, _ in statements)


def _advance(stats: RequestStats, position: Position) -> None:
    """Raise the position of a request. One that has met two primaries stays with the primary."""
    before = stats.position
    if before is None or (before[:2] == position[:2] and before.lsn < position.lsn):
        stats.position = position
    elif before[:2] != position[:2]:
        stats.position = NOWHERE


def _note_answer(stats: RequestStats, lsn: int) -> None:
    """Count a read on a replica. A later read of the request on any replica is at least as new.

    One on the primary has all that was acknowledged before the request. It may lack a change that this read has seen
    and that is not acknowledged yet: with synchronous replication, a replica shows a commit before the primary does.
    """
    counters.increment(READS, result=BY_REPLICA)
    if stats.position is not NOWHERE:
        stats.position = stats.position._replace(lsn=max(lsn, stats.position.lsn))
