"""Reads that several requests need at the same time: those that wait for the same read share the next one.

A data service asks with one token, so the reads that confirm it and find what has changed are the same for all its
requests. What it asks about differs, and is one list in the shared read (see `Mergeable`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import accumulate, islice, repeat
from typing import Any

from app.db.interface import Below, BoundStatement, ConditionFailed, count_statements
from app.db.statements import Row

READS_AT_ONCE = 2
"""Equal reads that are under way before a request waits. With one, two clients would wait for each other."""

MAX_KEYS = 100
"""Values of a list in a read that is shared. Longer ones are seldom equal, and comparing them takes time."""

MAX_MERGED = 8
"""Requests whose lists are one read: it takes as long as all of them, if they have no read in common otherwise."""

PATIENCE_SECONDS = 0.1
"""Time that a request waits for another read to end before its own begins."""

Rows = list[list[Row]]


class _ReadAlone(Enum):
    """The outcome of waiting if the shared read has failed."""

    READ_ALONE = "read alone"


@dataclass(slots=True, eq=False)
class _Turn:
    """The outcome of waiting for a request that is to read for itself and for others."""

    sharing: list["_Request"] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Request:
    """A request that waits until there is an outcome: the rows that another request has read, or what to do."""

    statements: Sequence[BoundStatement]
    outcome: asyncio.Future[Rows | _Turn | _ReadAlone]

    def end(self, outcome: Rows | _Turn | _ReadAlone) -> None:
        """End the wait, unless the request was cancelled."""
        if not self.outcome.done():
            self.outcome.set_result(outcome)


@dataclass(slots=True, eq=False)
class _Queue:
    """The requests for one read: the number of reads under way, and those that wait, in their order."""

    identity: Hashable
    """The statements and values that these requests have in common."""
    maximum: int | None
    """The number of requests that one read answers; None for any number."""

    under_way: int = 0
    waiting: dict[_Request, None] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None

    def add(self, request: _Request) -> None:
        """Let a request wait until a read ends, or for its patience."""
        self.waiting[request] = None
        if self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        """Begin a read although others are under way, and go on so while requests wait."""
        self.timer = None
        self.start()
        if self.waiting:
            self.timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._lose_patience)

    def start(self) -> None:
        """Let one of the waiting requests read for itself and for others, up to the maximum."""
        requests = [*islice((each for each in self.waiting if not each.outcome.done()), self.maximum)]
        for each in requests:
            del self.waiting[each]
        self.hand_over(requests)

    def hand_over(self, requests: Sequence[_Request]) -> None:
        """Let the first of some requests read for all of them, but for those that were cancelled."""
        active = [each for each in requests if not each.outcome.done()]
        if active:
            self.under_way += 1
            active[0].end(_Turn(active[1:]))

    def close(self) -> None:
        """Stop the timer: nobody waits."""
        if self.timer is not None:
            self.timer.cancel()


class SharedReads:
    """The reads that several requests may share, each by what is equal for these requests.

    A read answers only requests that came before it began. `read` executes the statements of one read.
    """

    def __init__(self, read: Callable[[Sequence[BoundStatement], Below], Awaitable[Rows]]) -> None:
        self._read = read
        self._queues: dict[Hashable, _Queue] = {}

    async def read(self, statements: Sequence[BoundStatement], below: Below) -> Rows:
        """Return the rows of the statements, read by this request or by another one that waited for the same.

        The values in the rows may belong to other requests too. Raises what a read for this request alone raises.
        """
        try:
            identity = _identity_of(statements, below)
            queue = self._queues.get(identity)
        except TypeError:  # the identity cannot be hashed: a value is an object or a long list
            return await self._read(statements, below)
        if queue is None:
            is_merged = any(compiled.mergeable for compiled, _ in statements)
            queue = self._queues[identity] = _Queue(identity, MAX_MERGED if is_merged else None)
        if queue.under_way < READS_AT_ONCE:
            queue.under_way += 1
            return await self._read_for_all(queue, statements, below, ())
        outcome = await self._wait(queue, statements)
        if isinstance(outcome, _Turn):
            return await self._read_for_all(queue, statements, below, outcome.sharing)
        if isinstance(outcome, _ReadAlone):
            return await self._read(statements, below)
        count_statements(len(statements))
        return outcome

    async def _wait(self, queue: _Queue, statements: Sequence[BoundStatement]) -> Rows | _Turn | _ReadAlone:
        request = _Request(statements, asyncio.get_running_loop().create_future())
        queue.add(request)
        try:
            return await request.outcome
        except asyncio.CancelledError:
            if request in queue.waiting:
                del queue.waiting[request]
            elif not request.outcome.cancelled() and isinstance(turn := request.outcome.result(), _Turn):
                queue.hand_over(turn.sharing)
                self._end(queue)
            raise

    async def _read_for_all(
        self,
        queue: _Queue,
        statements: Sequence[BoundStatement],
        below: Below,
        sharing: Sequence[_Request],
    ) -> Rows:
        """Read for this request and for those that share the read. If it fails, each of them reads alone."""
        requests = [statements, *(each.statements for each in sharing)]
        try:
            rows, *others = _split(requests, await self._read(_merge(requests), below))
        except Exception as error:
            for each in sharing:
                each.end(_ReadAlone.READ_ALONE)
            if len(requests) == 1 or queue.maximum is None or isinstance(error, ConditionFailed):
                raise
            return await self._read(statements, below)  # the lists of the others may be the reason
        except BaseException:  # this request was cancelled
            queue.hand_over(sharing)
            raise
        else:
            for each, own in zip(sharing, others, strict=True):
                each.end(own)
            return rows
        finally:
            self._end(queue)

    def _end(self, queue: _Queue) -> None:
        """Note the end of a read, and let the next one begin if requests wait for it."""
        queue.under_way -= 1
        if queue.waiting and queue.under_way < READS_AT_ONCE:
            queue.start()
        if not queue.under_way:  # requests that still wait were cancelled
            queue.close()
            self._queues.pop(queue.identity, None)


def _identity_of(statements: Sequence[BoundStatement], below: Below) -> Any:
    """Return what two reads have in common if they can be one. That of a read that is not shared has no hash."""
    parts: list[Any] = [len(statements)]
    for compiled, values in statements:
        parts.append(compiled)
        if compiled.mergeable is None:
            parts += map(values.get, compiled.names, _UNBOUND)
        elif below:  # the rows below would be those of all requests
            return []
    for (compiled, values), columns in below:
        parts += (compiled, columns, *map(values.get, compiled.names, _UNBOUND))
    for at, part in enumerate(parts):
        if type(part) is list and len(part) <= MAX_KEYS:
            parts[at] = tuple(part)
    return tuple(parts)


_UNBOUND = repeat(object())
"""Stands for each value that is a constant of its statement."""


def _merge(requests: Sequence[Sequence[BoundStatement]]) -> Sequence[BoundStatement]:
    """Return the statements that read for all requests: those of the first one, with the lists of all."""
    if len(requests) == 1:
        return requests[0]
    merged = [*requests[0]]
    for at, (compiled, values) in enumerate(merged):
        if compiled.mergeable is not None:
            every = [request[at][1] for request in requests]
            keys = compiled.mergeable.keys
            # Each request is answered as of a time between its beginning and its answer.
            now = max(each["now"] for each in every)
            merged[at] = compiled, {**values, keys: [key for each in every for key in each[keys]], "now": now}
    return merged


def _split(requests: Sequence[Sequence[BoundStatement]], rows: Rows) -> list[Rows]:
    """Return the rows of each request, in lists of its own."""
    if len(requests) == 1:
        return [rows]
    split = [[[*of_statement] for of_statement in rows] for _ in requests]
    for at, (compiled, _) in enumerate(requests[0]):
        if compiled.mergeable is not None:
            lengths = (len(request[at][1][compiled.mergeable.keys]) for request in requests)
            starts = [*accumulate(lengths, initial=0)][:-1]
            for own, of_request in zip(split, compiled.mergeable.split(rows[at], starts), strict=True):
                own[at] = of_request
    return split
