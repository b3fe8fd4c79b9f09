"""Claims about the lane of new documents: refused ones cost their senders time, and nobody else."""

import asyncio

import pytest
from starlette.applications import Starlette

from app.errors import RateLimited
from app.executor.documents import Invalid
from app.executor.lane import LONGEST_REST, MOST_WAITING, Lane
from app.schema.execution import Answering
from tests.asking import Api, codes
from tests.make import Make


class Clock:
    """A clock that only sleeping and working move."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def lane(clock: Clock) -> Lane:
    return Lane(clock, clock.sleep)


async def _look(lane: Lane, clock: Clock, seconds: float, *, refuse: bool = False) -> None:
    async with lane.turn():
        clock.now += seconds
        if refuse:
            raise Invalid([], "OPERATION_TOO_COMPLEX")


async def test_good_documents_follow_each_other_without_a_rest() -> None:
    clock = Clock()
    made = lane(clock)

    for _ in range(3):
        await _look(made, clock, 0.25)

    assert clock.slept == []


async def test_after_a_refusal_the_next_one_waits_for_fifteen_times_as_long_as_it_took() -> None:
    clock = Clock()
    made = lane(clock)
    with pytest.raises(Invalid):
        await _look(made, clock, 0.0625, refuse=True)
    assert clock.slept == []  # who was refused is answered at once

    await _look(made, clock, 0.25)
    await _look(made, clock, 0.25)

    assert clock.slept == [15 * 0.0625]


async def test_a_rest_that_is_over_is_not_waited_for_and_none_is_long() -> None:
    clock = Clock()
    made = lane(clock)
    for passed in (10.0, 0.0):
        with pytest.raises(Invalid):
            await _look(made, clock, 8.0, refuse=True)
        clock.now += passed
        await _look(made, clock, 0.0)

    assert clock.slept == [LONGEST_REST]


async def test_whoever_finds_the_queue_full_is_told_to_come_back() -> None:
    made, gate, done = Lane(), asyncio.Event(), []

    async def look() -> None:
        async with made.turn():
            await gate.wait()
            done.append(1)

    waiting = [asyncio.create_task(look()) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await look()
    waiting.pop().cancel()
    gate.set()
    await asyncio.gather(*waiting)
    await look()

    assert len(done) == MOST_WAITING


HANGING = 30
"""Seconds after which it is sure that somebody waits who should not."""

KNOWN = "query Known($n: Int = 1) { users(first: $n) { totalCount } }"


async def test_known_documents_and_other_callers_do_not_wait_for_the_lane(api: Api, make: Make, app: Starlette) -> None:
    ann = await make.user("ann")
    answering: Answering = app.state.answering
    await api(KNOWN)
    await api(KNOWN, n=50)

    async with asyncio.timeout(HANGING), answering.lanes[False].turn():
        waiting = asyncio.create_task(api("{ new: __typename }"))
        heavier = asyncio.create_task(api(KNOWN, n=60))
        known = [await api(KNOWN), await api(KNOWN, n=50), await api(KNOWN, n=1)]
        signed_in = await api("{ new: __typename }", as_=ann)
        assert not waiting.done()
        assert not heavier.done()

    assert known == [{"data": {"users": {"totalCount": 0}}}] * 3
    assert signed_in == await waiting == {"data": {"new": "Query"}}
    assert await heavier == known[0]


async def test_a_full_lane_is_429_with_a_time_to_come_back(api: Api, app: Starlette) -> None:
    answering: Answering = app.state.answering
    await api(KNOWN)

    async with asyncio.timeout(HANGING), answering.lanes[False].turn():
        waiting = [asyncio.create_task(api(f"{{ a{at}: __typename }}")) for at in range(MOST_WAITING)]
        done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        refused = await api.post("{ b: __typename }")
        known = await api(KNOWN)

    assert [codes(each.result()) for each in done] == [["RATE_LIMITED"]]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert known == {"data": {"users": {"totalCount": 0}}}
    assert all("data" in each for each in await asyncio.gather(*rest))
