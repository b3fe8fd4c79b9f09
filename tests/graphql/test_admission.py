"""Claims about the admission queue: validation delays the senders of new documents, and no other request."""

import asyncio
from contextlib import nullcontext

import pytest
from starlette.applications import Starlette

from app.domain.errors import RateLimited
from app.graphql.documents.admission import MAX_WAITING, MIN_CHARGE, AdmissionPolicy, AdmissionQueue
from app.graphql.documents.cache import Invalid
from app.graphql.handler import GraphQLHandler
from tests.support.client import Api, codes
from tests.support.factories import Make

POLICY = AdmissionPolicy(share=1 / 8, share_of_invalid=1 / 32, allowance=0.125)


class Clock:
    """A clock that advances only by sleeping and working."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def new_queue(clock: Clock, policy: AdmissionPolicy = POLICY) -> AdmissionQueue:
    return AdmissionQueue(clock, clock.sleep, policy)


async def _validate(queue: AdmissionQueue, clock: Clock, seconds: float, *, refuse: bool = False) -> None:
    async with queue.slot() as charge:
        clock.now += seconds
        charge.seconds += seconds
        if refuse:
            raise Invalid([], "OPERATION_TOO_COMPLEX")


async def _validate_often(
    queue: AdmissionQueue, clock: Clock, times: int, seconds: float, *, refuse: bool = False
) -> None:
    for _ in range(times):
        with pytest.raises(Invalid) if refuse else nullcontext():
            await _validate(queue, clock, seconds, refuse=refuse)


@pytest.mark.parametrize(("refuse", "number"), [(False, 16), (True, 4)])
async def test_the_first_documents_of_a_page_follow_each_other_without_a_rest(refuse: bool, number: int) -> None:
    clock = Clock()

    await _validate_often(new_queue(clock), clock, number, 1 / 128, refuse=refuse)

    assert clock.slept == []


@pytest.mark.parametrize(("refuse", "share"), [(False, 1 / 8), (True, 1 / 32)])
async def test_a_flood_takes_its_share_of_a_worker_and_no_more(refuse: bool, share: float) -> None:
    clock = Clock()
    queue, began = new_queue(clock), clock.now

    await _validate_often(queue, clock, 1_000, 1 / 64, refuse=refuse)

    computed = 1_000 / 64
    assert computed / (clock.now - began) == pytest.approx(share, rel=0.05)


async def test_a_refused_document_costs_its_sender_nothing_but_the_next_one_waits() -> None:
    clock = Clock()
    queue = new_queue(clock, AdmissionPolicy(share=1 / 16, share_of_invalid=1 / 16, allowance=0.0))

    with pytest.raises(Invalid):
        await _validate(queue, clock, 0.0625, refuse=True)
    assert clock.slept == []

    await _validate(queue, clock, 0.25)
    await _validate(queue, clock, 0.0)
    assert clock.slept == [16 * 0.0625, 16 * 0.25]


async def test_the_allowance_comes_back_with_time_and_is_never_more() -> None:
    clock = Clock()
    queue = new_queue(clock)
    for _ in range(2):
        clock.now += 1_000  # ever so long
        clock.slept.clear()
        await _validate_often(queue, clock, 16, 1 / 128)
        assert clock.slept == []
        await _validate_often(queue, clock, 9, 1 / 8)
        assert sum(clock.slept) == pytest.approx(8 * 1, rel=0.2)


async def test_what_others_are_answered_meanwhile_is_not_charged() -> None:
    clock = Clock()
    queue = new_queue(clock, AdmissionPolicy(share=1 / 16, share_of_invalid=1 / 16, allowance=0.0))
    async with queue.slot():
        clock.now += 5
    await _validate(queue, clock, 0.0)

    assert clock.slept == [pytest.approx(16 * MIN_CHARGE)], "as for every new document, and not for five seconds"


async def test_a_full_queue_refuses_with_a_time_to_retry() -> None:
    queue, gate, done = AdmissionQueue(), asyncio.Event(), []

    async def look() -> None:
        async with queue.slot():
            await gate.wait()
            done.append(1)

    waiting = [asyncio.create_task(look()) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await look()
    waiting.pop().cancel()
    gate.set()
    await asyncio.gather(*waiting)
    await look()

    assert len(done) == MAX_WAITING


HANGING = 30
"""Seconds after which a request has waited that should not wait."""

CACHED = "query Known($n: Int = 1) { users(first: $n) { totalCount } }"


async def test_cached_documents_and_other_callers_do_not_wait_in_the_queue(
    api: Api, make: Make, app: Starlette
) -> None:
    ann = await make.user("ann")
    answering: GraphQLHandler = app.state.answering
    await api(CACHED)
    await api(CACHED, n=50)

    async with asyncio.timeout(HANGING), answering.admission[False].slot():
        waiting = asyncio.create_task(api("{ new: __typename }"))
        heavier = asyncio.create_task(api(CACHED, n=60))
        cached = [await api(CACHED), await api(CACHED, n=50), await api(CACHED, n=1)]
        signed_in = await api("{ new: __typename }", as_=ann)
        assert not waiting.done()
        assert not heavier.done()

    assert cached == [{"data": {"users": {"totalCount": 0}}}] * 3
    assert signed_in == await waiting == {"data": {"new": "Query"}}
    assert await heavier == cached[0]


async def test_a_full_queue_is_429_with_a_time_to_come_back(api: Api, app: Starlette) -> None:
    answering: GraphQLHandler = app.state.answering
    await api(CACHED)

    async with asyncio.timeout(HANGING), answering.admission[False].slot():
        waiting = [asyncio.create_task(api(f"{{ a{at}: __typename }}")) for at in range(MAX_WAITING)]
        done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        refused = await api.post("{ b: __typename }")
        cached = await api(CACHED)

    assert [codes(each.result()) for each in done] == [["RATE_LIMITED"]]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert cached == {"data": {"users": {"totalCount": 0}}}
    assert all("data" in each for each in await asyncio.gather(*rest))
