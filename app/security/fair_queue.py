"""Gives a few turns at once to many callers: in rotation among addresses, and among the accounts of each address.

A caller that waits leaves when its client hangs up, when its time is over, or when it is cancelled. Turns are given in
one event loop: each worker has queues of its own.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from math import ceil

from app.domain.errors import BadRequest, RateLimited
from app.observability import request_stats

LONGEST_SECONDS = 30.0
"""How long a caller waits for its turns in all."""

TURNS_A_SECOND = 10
"""About how many turns one place gives in a second where passwords are hashed: only told to those who come again."""


class QueueFull(RateLimited):
    """The caller may not wait, or waited in vain."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who waits: an address, an account there, and keys of which each may be held back for a while."""

    address: str
    account: str
    keys: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class _Waiter:
    caller: Caller
    granted: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class FairQueue:
    """A queue with `places` turns at once, in which at most `most` callers wait.

    When it is full, a newcomer replaces the last one of the account that waits most often at the address that waits
    most often, or is refused if it is one of those.
    """

    def __init__(self, places: int, most: int, seconds: float = LONGEST_SECONDS) -> None:
        self._size = self._free = places
        self._most = most
        self._seconds = seconds
        self._waiting: dict[str, dict[str, deque[_Waiter]]] = {}
        self._lengths: dict[str, int] = {}
        self._held: dict[str, asyncio.TimerHandle] = {}

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(self._lengths.values())

    @property
    def jobs(self) -> int:
        """How many have a turn, or wait for one."""
        return self.waiting + self._size - self._free

    @asynccontextmanager
    async def turn(self, caller: Caller) -> AsyncIterator["QueueTurn"]:
        """Wait for a turn, and have it until the end of the block; raises QueueFull."""
        turn = QueueTurn(self, caller, asyncio.get_running_loop().time() + self._seconds)
        await self.enter(caller, turn.deadline)
        try:
            yield turn
        finally:
            if turn.is_held:
                self.leave()

    def hold(self, key: str, seconds: float) -> None:
        """Give no turn to a caller with this key for a while."""
        self.release([key], grant=False)
        self._held[key] = asyncio.get_running_loop().call_later(seconds, self.release, [key])

    def release(self, keys: Iterable[str], *, grant: bool = True) -> None:
        """End the holding back of these keys."""
        for key in keys:
            if (timer := self._held.pop(key, None)) is not None:
                timer.cancel()
        if grant:
            self._grant()

    def leave(self) -> None:
        """End a turn."""
        self._free += 1
        self._grant()

    async def enter(self, caller: Caller, deadline: float, *, again: bool = False) -> None:
        """Begin a turn as soon as it is the caller's; one who had a turn in vain (`again`) goes to the head."""
        waiter = _Waiter(caller)
        if not again and self.waiting >= self._most:
            self._make_room(caller)
        self._put(waiter, first=again)
        self._grant()
        if waiter.granted.done():
            return
        try:
            await self._wait(waiter.granted, deadline)
        except BaseException:
            if _is_granted(waiter):
                self.leave()
            else:
                self._drop(waiter)
            raise

    async def _wait(self, granted: asyncio.Future[None], deadline: float) -> None:
        with _leaving() as left:
            watched = {granted} if left is None else {granted, left}
            seconds = deadline - asyncio.get_running_loop().time()
            await asyncio.wait(watched, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if granted.done():
            return granted.result()
        if left is not None and left.done():
            raise BadRequest("The client closed the connection before its turn.")
        raise self._full()

    def _full(self) -> QueueFull:
        seconds = max(1, ceil(self.waiting / (self._size * TURNS_A_SECOND)))
        return QueueFull("Too many passwords are being checked at once. Try again soon.", seconds)

    def _make_room(self, caller: Caller) -> None:
        """Refuse one who waits in favour of the caller; raises QueueFull when it is the caller's turn to be refused."""
        address = max(self._lengths, key=self._lengths.__getitem__)
        accounts = self._waiting[address]
        account = max(accounts, key=lambda name: len(accounts[name]))
        if address == caller.address:
            is_refused = len(accounts[account]) <= len(accounts.get(caller.account, ())) + 1
        else:
            is_refused = self._lengths[address] <= self._lengths.get(caller.address, 0) + 1
        if is_refused:
            raise self._full()
        last = accounts[account][-1]
        self._drop(last)
        last.granted.set_exception(self._full())

    def _put(self, waiter: _Waiter, *, first: bool) -> None:
        caller = waiter.caller
        line = self._waiting.setdefault(caller.address, {}).setdefault(caller.account, deque())
        self._lengths[caller.address] = self._lengths.get(caller.address, 0) + 1
        if first:
            line.appendleft(waiter)
        else:
            line.append(waiter)

    def _drop(self, waiter: _Waiter) -> None:
        """Take out one who waits; nothing happens when it does not."""
        caller = waiter.caller
        accounts = self._waiting.get(caller.address, {})
        line = accounts.get(caller.account, deque())
        with suppress(ValueError):
            line.remove(waiter)
            self._lengths[caller.address] -= 1
        if not line:
            accounts.pop(caller.account, None)
        if not accounts:
            self._waiting.pop(caller.address, None)
            self._lengths.pop(caller.address, None)

    def _grant(self) -> None:
        while self._free and (waiter := self._next()) is not None:
            self._drop(waiter)
            self._free -= 1
            self._rotate(waiter.caller)
            waiter.granted.set_result(None)

    def _next(self) -> _Waiter | None:
        """Return the first one in rotation of whose keys none is held back."""
        for accounts in self._waiting.values():
            for line in accounts.values():
                if self._held.keys().isdisjoint(line[0].caller.keys):
                    return line[0]
        return None

    def _rotate(self, caller: Caller) -> None:
        """Let the other addresses go next, and at this address the other accounts."""
        if (accounts := self._waiting.pop(caller.address, None)) is not None:
            self._waiting[caller.address] = accounts
            if (line := accounts.pop(caller.account, None)) is not None:
                accounts[caller.account] = line


@dataclass(slots=True)
class QueueTurn:
    """A turn that a caller has."""

    queue: FairQueue
    caller: Caller
    deadline: float
    is_held: bool = True

    async def retry(self, key: str, seconds: float) -> None:
        """Give the turn back, and take the next one when this key is released, or some seconds have passed."""
        self.queue.hold(key, seconds)
        self.is_held = False
        self.queue.leave()
        await self.queue.enter(self.caller, self.deadline, again=True)
        self.is_held = True


def _is_granted(waiter: _Waiter) -> bool:
    return waiter.granted.done() and not waiter.granted.cancelled() and waiter.granted.exception() is None


@contextmanager
def _leaving() -> Iterator[asyncio.Task[None] | None]:
    """Watch for the end of the client's connection; None where there is none to watch."""
    if request_stats.current_request().receive is None:
        yield None
        return
    task = asyncio.ensure_future(_left())
    try:
        yield task
    finally:
        task.cancel()


async def _left() -> None:
    receive = request_stats.current_request().receive
    assert receive is not None
    with suppress(Exception):  # what cannot be received any more has left
        while (await receive())["type"] != "http.disconnect":
            pass
