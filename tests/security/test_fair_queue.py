"""Tests of the queue before password hashing: turns rotate, the limits hold, and a leaving caller frees its turn."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from random import Random

import pytest

from app.domain.errors import BadRequest
from app.observability import request_stats
from app.observability.request_stats import RequestStats
from app.security.fair_queue import Caller, FairQueue, QueueFull, QueueTurn, run_while_connected
from tests.support.waiting import until

HOME, AWAY, LAB = "192.0.2.1", "198.51.100.1", "203.0.113.1"


@dataclass
class Work:
    """Turns that end on demand. `order` lists the accounts in the order of their turns."""

    queue: FairQueue
    order: list[str] = field(default_factory=list)
    ends: dict[str, asyncio.Event] = field(default_factory=dict)
    running: list[str] = field(default_factory=list)

    def start(self, address: str, account: str, *keys: str) -> asyncio.Task[None]:
        return asyncio.create_task(self._take(Caller(address, account, keys)))

    async def _take(self, caller: Caller) -> None:
        async with self.queue.turn(caller) as turn:
            await self.work(caller, turn)

    async def work(self, caller: Caller, turn: QueueTurn) -> None:
        self.order.append(caller.account)
        self.running.append(caller.account)
        try:
            await self.ends.setdefault(caller.account, asyncio.Event()).wait()
            self.ends[caller.account].clear()
        finally:
            self.running.remove(caller.account)

    async def end(self, account: str) -> None:
        """End one turn of an account."""
        self.ends[account].set()
        await settle()


async def settle() -> None:
    """Run every task that is ready."""
    for _ in range(10):
        await asyncio.sleep(0)


async def _all(work: Work, tasks: list[asyncio.Task[None]]) -> None:
    while not all(task.done() for task in tasks):
        await work.end(work.running[0])
    await asyncio.gather(*tasks)


@pytest.fixture
def work() -> Work:
    return Work(FairQueue(1, 1_000))


async def test_one_that_comes_170_times_lets_others_go_next(work: Work) -> None:
    tasks = [work.start(HOME, "ann") for _ in range(170)]
    await settle()
    tasks += [work.start(HOME, "bob"), work.start(AWAY, "cid"), work.start(AWAY, "ann")]
    await settle()

    await _all(work, tasks)

    assert work.order[0] == "ann"
    assert {*work.order[1:5]} == {"ann", "bob", "cid"}
    assert work.queue.jobs == 0


async def test_addresses_rotate_and_accounts_within_an_address(work: Work) -> None:
    tasks = [work.start(HOME, "first")]
    await settle()
    tasks += [work.start(HOME, name) for name in ("a", "a", "a", "b", "b")]
    tasks += [work.start(AWAY, name) for name in ("x", "x", "x")]
    await settle()

    await _all(work, tasks)

    assert work.order == ["first", "a", "x", "b", "x", "a", "x", "b", "a"]


async def test_a_blocked_key_stops_no_other_key(work: Work) -> None:
    first = work.start(HOME, "first")
    await settle()
    work.queue.pause("key", 60)
    tasks = [work.start(HOME, "held", "key", "other"), work.start(HOME, "held", "key"), work.start(HOME, "free", "x")]
    await settle()
    await work.end("first")
    await work.end("free")
    assert (work.order, work.queue.jobs) == (["first", "free"], 2)

    work.queue.resume(["key"])
    await settle()
    await _all(work, tasks)
    await first

    assert work.order == ["first", "free", "held", "held"]


async def test_a_key_is_held_back_for_its_time_only(work: Work) -> None:
    work.queue.pause("key", 60)
    work.queue.pause("key", 0.01)
    task = work.start(HOME, "ann", "key")

    await until(lambda: work.running)

    assert work.running == ["ann"]
    await _all(work, [task])


async def test_who_had_a_turn_in_vain_is_the_next_of_its_account(work: Work) -> None:
    order = []

    async def tried(name: str, *, again: bool) -> None:
        async with work.queue.turn(Caller(HOME, "ann", ("key",))) as turn:
            if again:
                await turn.retry("key", 60)
            order.append(name)

    tasks = [asyncio.create_task(tried(name, again=name == "one")) for name in ("one", "two", "three")]
    await settle()
    assert order == []
    work.queue.resume(["key"])
    await asyncio.gather(*tasks)

    assert order == ["one", "two", "three"]
    assert work.queue.jobs == 0


async def test_a_full_queue_takes_those_that_wait_least_in_place_of_those_that_wait_most() -> None:
    work = Work(FairQueue(1, 6))
    tasks = [work.start(HOME, "ann") for _ in range(5)]
    tasks += [work.start(HOME, "bob"), work.start(AWAY, "cid")]
    await settle()  # one has its turn, six wait: four of ann, one of bob, one of cid

    late = {name: work.start(address, name) for address, name in ((LAB, "dan"), (AWAY, "eve"), (HOME, "fay"))}
    await settle()
    more = [work.start(HOME, "ann"), work.start(LAB, "gil")]
    await settle()

    refused = [task for task in [*tasks, *late.values(), *more] if task.done()]
    assert [type(task.exception()) for task in refused] == [QueueFull] * len(refused)
    assert {id(task) for task in refused} == {id(task) for task in (*tasks[1:5], more[0])}
    assert work.queue.waiting == 6
    await _all(work, [task for task in [*tasks, *late.values(), *more] if task not in refused])


async def test_the_refusal_says_when_to_come_again() -> None:
    work = Work(FairQueue(1, 40))
    tasks = [work.start(HOME, "ann") for _ in range(42)]
    await settle()

    refused = tasks[-1].exception()

    assert isinstance(refused, QueueFull)
    assert (refused.code, refused.status, refused.retry_after) == ("RATE_LIMITED", 429, 4)
    await _all(work, tasks[:-1])


async def _leaves_by_time(work: Work) -> None:
    work.queue._seconds = 0.02
    with pytest.raises(QueueFull):
        await work.start(HOME, "ann")


async def _leaves_by_cancellation(work: Work) -> None:
    task = work.start(HOME, "ann")
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _leaves_by_hanging_up(work: Work) -> None:
    with _receiving() as hang_up:
        task = work.start(HOME, "ann")
    await settle()
    assert not task.done()
    hang_up.set()
    with pytest.raises(BadRequest):
        await task


class _receiving:  # noqa: N801 - used as a function
    """A request whose client disconnects when the event is set, after an empty last part of its body."""

    def __enter__(self) -> asyncio.Event:
        event, about = asyncio.Event(), RequestStats("id", "POST")
        parts: Iterator[dict[str, object]] = iter([{"type": "http.request"}])

        async def receive() -> dict[str, object]:
            if (part := next(parts, None)) is not None:
                return part
            await event.wait()
            return {"type": "http.disconnect"}

        about.receive = receive
        self._before = request_stats.CURRENT.set(about)
        return event

    def __exit__(self, *_: object) -> None:
        request_stats.CURRENT.reset(self._before)


@pytest.mark.parametrize("leave", [_leaves_by_time, _leaves_by_cancellation, _leaves_by_hanging_up])
async def test_who_leaves_has_no_turn(work: Work, leave: Callable[[Work], Awaitable[None]]) -> None:
    first = work.start(HOME, "first")
    await settle()

    await leave(work)

    assert work.queue.jobs == 1
    last = work.start(HOME, "last")
    await settle()
    await _all(work, [first, last])
    assert work.order == ["first", "last"]


async def test_a_turn_that_comes_at_the_moment_of_leaving_is_the_next_ones(work: Work) -> None:
    first, second, third = work.start(HOME, "first"), work.start(HOME, "second"), work.start(HOME, "third")
    await settle()
    work.ends["first"].set()
    await asyncio.sleep(0)  # the first one ends, and the second one has its turn without knowing it
    second.cancel()
    await settle()

    assert work.running == ["third"]
    await _all(work, [first, third])
    assert work.queue.jobs == 0


@pytest.mark.parametrize("leave", ["cancellation", "hanging up"])
async def test_long_work_of_one_who_leaves_has_ended_when_they_are_told(leave: str) -> None:
    ended: list[bool] = []

    async def long_work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await settle()  # what has to be put away takes a few turns of the loop
            ended.append(True)

    with _receiving() as hang_up:
        task = asyncio.create_task(run_while_connected(long_work()))
    await settle()

    hang_up.set() if leave == "hanging up" else task.cancel()
    with pytest.raises((BadRequest, asyncio.CancelledError)):
        await task

    assert ended == [True]


@pytest.mark.parametrize("seed", range(20))
async def test_in_any_crowd_the_bounds_hold_and_everybody_is_served(seed: int) -> None:
    """Callers come, end and leave at random; in the end the queue is empty."""
    random = Random(seed)
    work = Work(FairQueue(random.randint(1, 3), 30))
    tasks: list[asyncio.Task[None]] = []
    for _ in range(300):
        match random.random():
            case chance if chance < 0.5:
                name = random.choice("abcdefg")
                tasks.append(work.start(random.choice([HOME, AWAY, LAB]), name, f"key {name}"))
            case chance if chance < 0.7 and work.running:
                work.ends[random.choice(work.running)].set()
            case chance if chance < 0.8 and tasks:
                random.choice(tasks).cancel()
            case chance if chance < 0.9:
                work.queue.pause(f"key {random.choice('abcdefg')}", 60)
            case _:
                work.queue.resume([f"key {name}" for name in "abcdefg"])
        await settle()
        assert len(work.running) <= work.queue._size
        assert work.queue.waiting <= 30
    work.queue.resume([f"key {name}" for name in "abcdefg"])
    await settle()
    while work.running:
        await work.end(work.running[0])
    outcomes = Counter(type(each) for each in await asyncio.gather(*tasks, return_exceptions=True))

    assert work.queue.jobs == 0
    assert outcomes.keys() <= {type(None), QueueFull, asyncio.CancelledError}
    assert outcomes[type(None)] > 50
