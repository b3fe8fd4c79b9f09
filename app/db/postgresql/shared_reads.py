"""Reads that several requests need at the same time: those that wait for the same read share the next one.

A data service asks with one token, so the reads that confirm it and find what has changed are the same for all its
requests. What it asks about differs, and is one list in the shared read (see `Mergeable`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from app.db.interface import BoundStatement, count_statements
from app.db.statements import Row

MAX_KEYS = 100
"""Values of a list in a read that is shared. Longer ones are seldom equal, and comparing them takes time."""

MAX_MERGED = 32
"""Requests whose lists are merged. More are read at the same time by another connection."""

PATIENCE_SECONDS = 0.1
"""Time that a request waits for the read before its own, which may hang."""

Below = Sequence[tuple[BoundStatement, tuple[int, ...]]]


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request that waits: for its rows, which another one reads, or for its turn to read, which is None."""

    statements: Sequence[BoundStatement]
    turn: asyncio.Future[list[list[Row]] | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def give(self, rows: list[list[Row]] | None) -> None:
        """Give the request its rows, or its turn."""
        if not self.turn.done():
            self.turn.set_result(rows)

    def fail(self, error: Exception) -> None:
        """Let the read of the request raise an exception."""
        if not self.turn.done():
            self.turn.set_exception(error)

    @property
    def has_turn(self) -> bool:
        """Return whether the request has got its turn to read."""
        turn = self.turn
        return turn.done() and not turn.cancelled() and turn.exception() is None and turn.result() is None


class SharedReads:
    """The reads that are under way, each with the requests that wait for the next one that is the same.

    A read answers only requests that came before it began. `read` executes the statements of one read.
    """

    def __init__(self, read: Callable[[Sequence[BoundStatement], Below], Awaitable[list[list[Row]]]]) -> None:
        self._read = read
        self._waiting: dict[Hashable, list[_Waiting]] = {}

    async def read(self, statements: Sequence[BoundStatement], below: Below) -> list[list[Row]]:
        """Return the rows of the statements, read by this request or by another one that waited for the same.

        The values in the rows may belong to other requests too. Raises what the read raises.
        """
        identity = _identity_of(statements, below)
        if identity is None:
            return await self._read(statements, below)
        rows = await self._wait(identity, statements) if identity in self._waiting else None
        if rows is None:
            return await self._read_for_all(identity, statements, below)
        count_statements(len(statements))
        return rows

    async def _wait(self, identity: Hashable, statements: Sequence[BoundStatement]) -> list[list[Row]] | None:
        """Wait until another request has read, or until it is the turn of this one."""
        waiting = _Waiting(statements)
        self._waiting[identity].append(waiting)
        timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._lose_patience, identity, waiting)
        try:
            return await waiting.turn
        except asyncio.CancelledError:
            if waiting.has_turn:
                self._pass_on(identity)
            raise
        finally:
            timer.cancel()

    def _lose_patience(self, identity: Hashable, waiting: _Waiting) -> None:
        """Let a request read that has waited long, unless another one is about to read for it."""
        if not any(each.has_turn for each in self._waiting.get(identity, ())):
            waiting.give(None)

    async def _read_for_all(
        self, identity: Hashable, statements: Sequence[BoundStatement], below: Below
    ) -> list[list[Row]]:
        """Read for this request, and for those that wait when the read begins."""
        sharing = self._take(identity, statements)
        try:
            requests = [statements, *(each.statements for each in sharing)]
            rows, *others = _split(requests, await self._read(_merge(requests), below))
        except Exception as error:
            for each in sharing:
                each.fail(error)
            raise
        except BaseException:  # this request was cancelled, so another one reads for those that wait
            self._waiting.setdefault(identity, [])[:0] = sharing
            raise
        else:
            for each, own in zip(sharing, others, strict=True):
                each.give(own)
            return rows
        finally:
            self._pass_on(identity)

    def _take(self, identity: Hashable, statements: Sequence[BoundStatement]) -> list[_Waiting]:
        """Return the requests that share the read that begins. If these are not all, another one reads for the rest."""
        waiting = [each for each in self._waiting.get(identity, ()) if not each.turn.done()]
        maximum = MAX_MERGED if any(compiled.mergeable for compiled, _ in statements) else len(waiting)
        self._waiting[identity] = rest = waiting[maximum:]
        if rest:
            self._pass_on(identity)
        return waiting[:maximum]

    def _pass_on(self, identity: Hashable) -> None:
        """Let the first of the waiting requests read for all of them."""
        for each in self._waiting.get(identity, ()):
            if not each.turn.done():
                each.give(None)
                return
        self._waiting.pop(identity, None)


def _identity_of(statements: Sequence[BoundStatement], below: Below) -> Hashable | None:
    """Return what two reads have in common if they can be one; None for a read that is not shared."""
    parts: list[Any] = [len(statements)]
    for compiled, values in statements:
        parts.append(compiled)
        if compiled.mergeable is None:
            parts += compiled.arguments(values)
    for (compiled, values), columns in below:
        parts += (compiled, columns, *map(values.get, compiled.names))
    for at, part in enumerate(parts):
        if type(part) is list:
            if len(part) > MAX_KEYS:
                return None
            parts[at] = tuple(part)
    identity = tuple(parts)
    try:
        hash(identity)
    except TypeError:  # it has a value that cannot be compared by its hash
        return None
    return identity


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


def _split(requests: Sequence[Sequence[BoundStatement]], rows: list[list[Row]]) -> list[list[list[Row]]]:
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
