"""Tests of reads that several requests share: each answers only who asked before it began, and all get their answer."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from sqlalchemy import bindparam, select, update

from app import db, policy
from app.db import Freshness
from app.db.postgresql import shared_reads
from app.db.postgresql.shared_reads import MAX_MERGED, PATIENCE_SECONDS, SharedReads
from app.db.statements import CompiledStatement, Mergeable
from app.db.tables import RowId, User, col
from app.domain import errors, resource_roles
from app.services.access_cache import get_masks
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.other_worker import change_rows

NAMED = CompiledStatement("named", ("name",), {}, (), ())
LISTED = CompiledStatement("listed", ("keys",), {}, (), ())
MERGED = CompiledStatement(
    "merged", (), {}, (), (), mergeable=Mergeable("keys", lambda rows, starts: _cut([*rows], [*starts]))
)


def _cut(rows: list[Any], starts: list[int]) -> list[list[Any]]:
    return [rows[start:end] for start, end in zip(starts, [*starts[1:], len(rows)], strict=True)]


class _Source:
    """A source of rows. Each read returns its number and the keys that it was asked for, after a while."""

    def __init__(self) -> None:
        self.begun: list[Sequence[db.BoundStatement]] = []
        self.failures: dict[int, Exception] = {}
        self.gates: dict[int, asyncio.Event] = {}

    async def read(self, statements: Sequence[db.BoundStatement], below: Any) -> list[list[Any]]:
        number = len(self.begun)
        self.begun.append(statements)
        if number in self.gates:
            await self.gates[number].wait()
        await asyncio.sleep(0)
        if number in self.failures:
            raise self.failures[number]
        ((compiled, values),) = statements
        return [[(number, key) for key in values["keys"]]] if compiled is MERGED else [[(number,)]]


def _named(name: str = "a") -> list[db.BoundStatement]:
    return [(NAMED, {"name": name})]


def _merged(*keys: int, now: int = 0) -> list[db.BoundStatement]:
    return [(MERGED, {"keys": [*keys], "now": now})]


async def test_those_who_wait_for_the_same_read_share_the_next_one() -> None:
    source = _Source()
    shared = SharedReads(source.read)
    asked = [asyncio.create_task(shared.read(_named(), ())) for _ in range(10)]
    other = asyncio.create_task(shared.read(_named("b"), ()))
    answers = await asyncio.gather(*asked)
    assert answers == [[[(0,)]], [[(1,)]], *[[[(3,)]]] * 8]
    assert await other == [[(2,)]]
    assert len({id(each) for answer in answers for each in (answer, *answer)}) == 20
    assert await shared.read(_named(), ()) == [[(4,)]]
    assert not shared._queues


@pytest.mark.parametrize("hanging", [2, 5])
async def test_reads_that_hang_keep_others_waiting_for_a_moment(hanging: int) -> None:
    source = _Source()
    shared = SharedReads(source.read)
    source.gates |= {number: asyncio.Event() for number in range(hanging)}
    first = [asyncio.create_task(shared.read(_named(), ())) for _ in range(2)]
    await asyncio.sleep(0)
    others = [asyncio.create_task(shared.read(_named(), ())) for _ in range(4)]
    later = []
    for _ in range(2, hanging):  # the next reads hang too, each with the requests that share it
        await asyncio.sleep(1.5 * PATIENCE_SECONDS)
        later.append(asyncio.create_task(shared.read(_named(), ())))
    answers = await asyncio.wait_for(asyncio.gather(*(others if hanging == 2 else later[-1:])), 30)
    assert [*answers] == [[[(hanging,)]]] * len(answers)
    for gate in source.gates.values():
        gate.set()
    await asyncio.gather(*first, *others, *later)
    assert not shared._queues


async def test_a_slow_read_is_shared_until_it_ends() -> None:
    source = _Source()
    shared = SharedReads(source.read)
    source.gates |= {number: asyncio.Event() for number in range(3)}
    asked = [asyncio.create_task(shared.read(_named(), ())) for _ in range(12)]
    await asyncio.sleep(0)
    source.gates[0].set()
    await asyncio.sleep(2 * PATIENCE_SECONDS)
    for gate in source.gates.values():
        gate.set()
    assert await asyncio.gather(*asked) == [[[(0,)]], [[(1,)]], *[[[(2,)]]] * 10]


@pytest.mark.parametrize("make", [_named, _merged], ids=["equal", "merged"])
async def test_if_a_shared_read_fails_each_request_reads_alone(make: Callable[..., list[db.BoundStatement]]) -> None:
    source = _Source()
    shared = SharedReads(source.read)
    source.failures |= {2: errors.TimedOut("long"), 4: errors.Unavailable("away")}
    asked = [asyncio.create_task(shared.read(make(*[at] * (make is _merged)), ())) for at in range(6)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    failed = [each for each in answers if isinstance(each, Exception)]
    assert failed == [source.failures[4]] if make is _merged else failed == [source.failures[2], source.failures[4]]
    assert len(source.begun) == 3 + (4 if make is _merged else 3)
    assert not shared._queues


async def test_a_failed_condition_is_checked_for_each_request() -> None:
    source = _Source()
    shared = SharedReads(source.read)
    source.failures |= {number: db.ConditionFailed() for number in range(12)}
    asked = [asyncio.create_task(shared.read(_merged(at), ())) for at in range(6)]
    assert {type(each) for each in await asyncio.gather(*asked, return_exceptions=True)} == {db.ConditionFailed}
    assert len(source.begun) == 6
    assert not shared._queues


@pytest.mark.parametrize("cancelled", [[0], [1], [2], [0, 1], [1, 2], [0, 1, 2]], ids=str)
@pytest.mark.parametrize("steps", [*range(8)])
async def test_a_cancelled_request_leaves_the_others_their_answer(cancelled: list[int], steps: int) -> None:
    source = _Source()
    shared = SharedReads(source.read)
    asked = [asyncio.create_task(shared.read(_named(), ())) for _ in range(5)]
    for _ in range(steps):
        await asyncio.sleep(0)
    for at in cancelled:
        asked[at].cancel()
    answers = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 30)
    assert all(type(each) is list for at, each in enumerate(answers) if at not in cancelled)
    assert not shared._queues


class _Crowd:
    """Requests that come, are cancelled, fail, hang and give up waiting, in an order of chance."""

    def __init__(self, seed: int) -> None:
        self.random, self.source = Random(seed), _Source()
        self.shared = SharedReads(self.source.read)
        self.answered = 0
        self.tasks: list[asyncio.Task[None]] = []

    async def ask(self) -> None:
        keys = [self.random.randrange(1_000) for _ in range(self.random.randrange(1, 4))]
        statements = self.random.choice([_named("a"), _named("b"), _merged(*keys)])
        begun = len(self.source.begun)
        try:
            ((*rows,),) = await self.shared.read(statements, ())
        except errors.Unavailable:
            return
        self.answered += 1
        assert rows[0][0] >= begun
        assert statements[0][0] is not MERGED or [key for _, key in rows] == keys

    async def come(self, number: int) -> None:
        chance = self.random.random
        if chance() < 0.02:
            self.source.failures[number] = errors.Unavailable("away")
        if chance() < 0.05:
            self.source.gates[number] = gate = asyncio.Event()
            asyncio.get_running_loop().call_later(0.002, gate.set)
        self.tasks.append(asyncio.create_task(self.ask()))
        if chance() < 0.1:
            self.random.choice(self.tasks[-10:]).cancel()
        if chance() < 0.2:
            for _ in range(self.random.randrange(9)):
                await asyncio.sleep(0)


@pytest.mark.parametrize("seed", [*range(5)])
async def test_no_read_answers_who_asks_after_it_began(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(shared_reads, "PATIENCE_SECONDS", 0.0005)
    crowd = _Crowd(seed)
    for number in range(1_000):
        await crowd.come(number)
    results = await asyncio.wait_for(asyncio.gather(*crowd.tasks, return_exceptions=True), 60)
    assert [each for each in results if each is not None and not isinstance(each, asyncio.CancelledError)] == []
    assert crowd.answered > 500
    assert len(crowd.source.begun) < crowd.answered
    assert not crowd.shared._queues


async def test_lists_are_merged_up_to_a_bound() -> None:
    source = _Source()
    shared = SharedReads(source.read)
    asked = [asyncio.create_task(shared.read(_merged(key, -key, now=key), ())) for key in range(1, 51)]
    answers = await asyncio.gather(*asked)
    assert [[key for _, key in rows] for (rows,) in answers] == [[key, -key] for key in range(1, 51)]
    values = [values for ((_, values),) in source.begun]
    assert [len(each["keys"]) for each in values] == [2, 2, *[2 * MAX_MERGED] * 6]
    assert [each["now"] for each in values] == [1, 2, *range(10, 51, 8)]


async def test_reads_with_a_long_list_or_a_value_without_a_hash_are_not_shared() -> None:
    source = _Source()
    shared = SharedReads(source.read)
    for value in ([*range(shared_reads.MAX_KEYS + 1)], {"a": 1}):
        before = len(source.begun)
        statements = [(LISTED, {"keys": value})]
        await asyncio.gather(*(shared.read(statements, ()) for _ in range(5)))
        assert len(source.begun) == before + 5


@pytest.mark.parametrize("seed", [*range(20)])
def test_the_rows_of_merged_pairs_are_those_of_each_list(seed: int) -> None:
    random, width = Random(seed), policy.WIDTH
    mergeable = policy.masks_of_pairs("postgresql", are_few=True).get_execution_options()["mergeable"]
    starts, lists, rows = [], list[list[Any]](), list[Any]()
    start = 0
    for _ in range(random.randrange(1, 9)):
        size = random.randrange(1, 5)
        own = [random.randrange(size) * width + random.randrange(width) for _ in range(random.randrange(6))]
        rows += [(start * width + number,) for number in own]
        starts.append(start)
        lists.append(own)
        start += size
    random.shuffle(rows)
    split = mergeable.split(rows, starts)
    assert [sorted(number for (number,) in each) for each in split] == [sorted(each) for each in lists]


_NAMES = select(col(User.user_name)).where(col(User.id) == bindparam("id", type_=RowId()))


async def test_what_was_written_before_a_request_is_in_its_rows(database: db.Database, make: Make) -> None:
    ann = await make.user("ann")
    acknowledged = 0

    async def ask() -> None:
        for _ in range(100):
            least = acknowledged
            ((name,),) = await database.ask(_NAMES, freshness=Freshness.PRIMARY, id=ann.id)
            assert int(name) >= least

    async def write() -> None:
        nonlocal acknowledged
        for number in range(1, 60):
            await change_rows(database, update(User).where(col(User.id) == ann.id).values(user_name=str(number)))
            acknowledged = number

    await change_rows(database, update(User).where(col(User.id) == ann.id).values(user_name="0"))
    await asyncio.gather(write(), *(ask() for _ in range(8)))


async def test_checks_at_the_same_time_have_the_answers_of_single_ones(database: db.Database, make: Make) -> None:
    users = [await make.user(f"user{at}") for at in range(8)]
    org = await make.org()
    resources = [await make.resource(org, owner=users[at % 3], general=None) for at in range(6)]
    for at, user in enumerate(users):
        await make.grant(resources[at % 6], user)
    pairs = [user.id * policy.PAIR + each.id for user in users for each in resources] + [policy.PAIR * 9_999 + 1]
    expected = {}
    for pair in pairs:
        database.caches.clear()
        (expected[pair],) = await get_masks(database, [pair])
    assert {0, resource_roles.METADATA_READ} < {*expected.values()}
    for _ in range(3):
        database.caches.clear()
        lists = [pairs[at : at + 1 + at % 4] for at in range(len(pairs))]
        answers = await asyncio.gather(*(get_masks(database, each) for each in lists))
        assert answers == [[expected[pair] for pair in each] for each in lists]


async def test_a_shared_read_counts_for_each_request(api: Api, make: Make) -> None:
    ann, query = await make.user("ann"), "{ viewer { user { userName } } }"
    for _ in range(3):
        expected = (await api.post_with_stats(query, ann)).json()
    assert expected["data"] == {"viewer": {"user": {"userName": "ann"}}}
    replies = [each.json() for each in await asyncio.gather(*(api.post_with_stats(query, ann) for _ in range(20)))]
    for reply in (expected, *replies):
        del reply["extensions"]["stats"]["durationMs"]
    assert replies == [expected] * 20
