"""A queue with a limited number of turns at once, granted in rotation among addresses, then among their accounts.

A waiting caller leaves the queue when its client disconnects, when its time is over, or when it is cancelled. A queue
belongs to one event loop, so each worker has its own.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Any, TypeVar

from app.db.cancellation import cancel_and_wait
from app.domain.errors import BadRequest, RateLimited
from app.observability import request_stats

MAX_WAIT_SECONDS = 30.0
"""Maximum time that a caller waits, for its first turn and for each retry together."""

TURNS_PER_SECOND = 10
"""Estimated turns of one place in a second of password hashing. It serves only for `retry_after`."""


DISCONNECTED = "The client closed the connection before the request was processed."

T = TypeVar("T")


class QueueFull(RateLimited):
    """The queue is full, or the caller waited too long."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller of the queue: its address, its account, and keys by which its turn can be paused."""

    address: str
    account: str
    keys: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class _Waiter:
    caller: Caller
    granted: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class FairQueue:
    """A queue that grants `places` turns at once, and in which at most `max_waiting` callers wait.

    In a full queue a new caller replaces the last waiter of the busiest account at the busiest address. If the new
    caller would become the busiest itself, it is refused.
    """

    def __init__(self, places: int, max_waiting: int, seconds: float = MAX_WAIT_SECONDS) -> None:
        self._size = self._free = places
        self._max_waiting = max_waiting
        self._seconds = seconds
        self._waiting: dict[str, dict[str, deque[_Waiter]]] = {}
        self._lengths: dict[str, int] = {}
        self._paused: dict[str, asyncio.TimerHandle] = {}

    @property
    def waiting(self) -> int:
        """Number of waiting callers."""
        return sum(self._lengths.values())

    @property
    def jobs(self) -> int:
        """Number of callers that have a turn or wait for one."""
        return self.waiting + self._size - self._free

    @asynccontextmanager
    async def turn(self, caller: Caller) -> AsyncIterator["QueueTurn"]:
        """Wait for a turn that lasts until the end of the block; raise QueueFull."""
        turn = QueueTurn(self, caller, asyncio.get_running_loop().time() + self._seconds)
        await self.enter(caller, turn.deadline)
        try:
            yield turn
        finally:
            if turn.is_active:
                self.leave()

    def pause(self, key: str, seconds: float) -> None:
        """Grant no turn to callers with this key until the seconds have passed or the key is resumed."""
        self.resume([key], grant=False)
        self._paused[key] = asyncio.get_running_loop().call_later(seconds, self.resume, [key])

    def resume(self, keys: Iterable[str], *, grant: bool = True) -> None:
        """End the pause of these keys."""
        for key in keys:
            if (timer := self._paused.pop(key, None)) is not None:
                timer.cancel()
        if grant:
            self._grant()

    def leave(self) -> None:
        """End a turn and grant the next."""
        self._free += 1
        self._grant()

    async def enter(self, caller: Caller, deadline: float, *, again: bool = False) -> None:
        """Wait until the caller has a turn; raise QueueFull, or BadRequest when the client disconnects.

        A caller that retries (`again`) becomes the first of its account, even in a full queue.
        """
        waiter = _Waiter(caller)
        if not again and self.waiting >= self._max_waiting:
            self._make_room(caller)
        self._add(waiter, first=again)
        self._grant()
        if waiter.granted.done():
            return
        try:
            await self._wait(waiter.granted, deadline)
        except BaseException:
            if _is_granted(waiter):
                self.leave()
            else:
                self._remove(waiter)
            raise

    async def _wait(self, granted: asyncio.Future[None], deadline: float) -> None:
        with _watch_disconnect() as disconnect:
            watched = {granted} if disconnect is None else {granted, disconnect}
            seconds = deadline - asyncio.get_running_loop().time()
            await asyncio.wait(watched, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if granted.done():
            return granted.result()
        if disconnect is not None and disconnect.done():
            raise BadRequest(DISCONNECTED)
        raise self._queue_full()

    def _queue_full(self) -> QueueFull:
        seconds = max(1, ceil(self.waiting / (self._size * TURNS_PER_SECOND)))
        return QueueFull("Too many passwords are being checked at once. Try again later.", seconds)

    def _make_room(self, caller: Caller) -> None:
        """Refuse one waiter in favor of the caller; raise QueueFull if the caller has as many waiters itself."""
        address = max(self._lengths, key=self._lengths.__getitem__)
        accounts = self._waiting[address]
        account = max(accounts, key=lambda name: len(accounts[name]))
        if address == caller.address:
            is_refused = len(accounts[account]) <= len(accounts.get(caller.account, ())) + 1
        else:
            is_refused = self._lengths[address] <= self._lengths.get(caller.address, 0) + 1
        if is_refused:
            raise self._queue_full()
        last = accounts[account][-1]
        self._remove(last)
        last.granted.set_exception(self._queue_full())

    def _add(self, waiter: _Waiter, *, first: bool) -> None:
        caller = waiter.caller
        waiters = self._waiting.setdefault(caller.address, {}).setdefault(caller.account, deque())
        self._lengths[caller.address] = self._lengths.get(caller.address, 0) + 1
        if first:
            waiters.appendleft(waiter)
        else:
            waiters.append(waiter)

    def _remove(self, waiter: _Waiter) -> None:
        """Remove a waiter; do nothing if it is not in the queue."""
        caller = waiter.caller
        accounts = self._waiting.get(caller.address, {})
        waiters = accounts.get(caller.account, deque())
        with suppress(ValueError):
            waiters.remove(waiter)
            self._lengths[caller.address] -= 1
        if not waiters:
            accounts.pop(caller.account, None)
        if not accounts:
            self._waiting.pop(caller.address, None)
            self._lengths.pop(caller.address, None)

    def _grant(self) -> None:
        while self._free and (waiter := self._next()) is not None:
            self._remove(waiter)
            self._free -= 1
            self._rotate(waiter.caller)
            waiter.granted.set_result(None)

    def _next(self) -> _Waiter | None:
        """Return the first waiter in rotation that has no paused key."""
        for accounts in self._waiting.values():
            for waiters in accounts.values():
                if self._paused.keys().isdisjoint(waiters[0].caller.keys):
                    return waiters[0]
        return None

    def _rotate(self, caller: Caller) -> None:
        """Move the caller's address to the end of the rotation, and its account to the end of that address."""
        if (accounts := self._waiting.pop(caller.address, None)) is not None:
            self._waiting[caller.address] = accounts
            if (waiters := accounts.pop(caller.account, None)) is not None:
                accounts[caller.account] = waiters


@dataclass(slots=True)
class QueueTurn:
    """A granted turn of a caller."""

    queue: FairQueue
    caller: Caller
    deadline: float
    is_active: bool = True

    async def retry(self, key: str, seconds: float) -> None:
        """End the turn, and wait for another one that begins when this key is resumed or the seconds have passed."""
        self.queue.pause(key, seconds)
        self.is_active = False
        self.queue.leave()
        await self.queue.enter(self.caller, self.deadline, again=True)
        self.is_active = True


async def run_while_connected(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of long work; cancel it and raise BadRequest when the client disconnects.

    Work that is cancelled has ended when this returns, so that none of it uses what a stop of the server closes.
    """
    with _watch_disconnect() as disconnect:
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait(
                {task} if disconnect is None else {task, disconnect}, return_when=asyncio.FIRST_COMPLETED
            )
            if task.done():
                return task.result()
        finally:
            await cancel_and_wait(task)
    raise BadRequest(DISCONNECTED)


def _is_granted(waiter: _Waiter) -> bool:
    return waiter.granted.done() and not waiter.granted.cancelled() and waiter.granted.exception() is None


@contextmanager
def _watch_disconnect() -> Iterator[asyncio.Task[None] | None]:
    """Yield a task that ends when the client disconnects; None outside a request."""
    if request_stats.current_request().receive is None:
        yield None
        return
    task = asyncio.ensure_future(_wait_for_disconnect())
    try:
        yield task
    finally:
        task.cancel()


async def _wait_for_disconnect() -> None:
    receive = request_stats.current_request().receive
    assert receive is not None
    with suppress(Exception):  # a connection that cannot be read is closed
        while (await receive())["type"] != "http.disconnect":
            pass
