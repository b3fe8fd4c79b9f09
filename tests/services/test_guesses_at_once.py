"""Claims about concurrent guesses at two workers: correct ones wait and sign in, few incorrect ones are checked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from app import db, main
from app.config import Settings
from app.db.tables import Guess, col
from app.security.fair_queue import FairQueue
from app.security.passwords import PasswordHasher, Verification
from app.services import login_throttle, password_attempts
from app.services.app_context import AppContext
from app.services.password_attempts import GuessLimit, GuessTimes
from tests.support.changes import change
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make
from tests.support.fetching import fetch
from tests.support.password_guessing import LOGIN, WRONG_PASSWORD, Clock, Guesser
from tests.support.waiting import until

HOME, EVIL = "192.0.2.1", "203.0.113.66"
FREE, FREE_ELSEWHERE = 10, 20
TIMES = GuessTimes(timedelta(hours=1), timedelta(hours=2))


@dataclass
class SlowLooks:
    """Slow replacement for hashing that counts the passwords it checks."""

    seconds: float = 0.002
    incorrect: int = 0
    running: int = 0
    maximum: int = 0
    """Highest number of running and failed checks at one time."""

    async def verify(self, password: str, stored: str | None) -> Verification:
        self.running += 1
        self.maximum = max(self.maximum, self.running + self.incorrect)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.running -= 1
        is_right = stored is not None and password == PASSWORD
        self.incorrect += not is_right
        return Verification(ok=is_right, needs_rehash=False)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> SlowLooks:
    slow = SlowLooks()
    monkeypatch.setattr(PasswordHasher, "verify", slow.verify)
    return slow


@pytest.fixture
def clock(database: db.Database) -> Clock:
    return Clock(database)


@dataclass
class Workers:
    """Two workers on one database; guesses go to them in turn."""

    apps: list[Starlette]
    request_count: int = 0

    def __post_init__(self) -> None:
        self.guessers = [Guesser(app) for app in self.apps]

    async def rest(self, address: str, user_name: str, password: str = WRONG_PASSWORD) -> int:
        self.request_count += 1
        return (await self.guessers[self.request_count % 2].rest(address, user_name, password)).status_code

    @property
    def contexts(self) -> list[AppContext]:
        return [app.state.answering.app for app in self.apps]


@pytest.fixture
async def workers(app: Starlette, settings: Settings, clock: Clock) -> AsyncIterator[Workers]:
    other = main.create_app(settings)
    async with other.router.lifespan_context(other):
        other.state.answering.app.database.clock = lambda: clock.now  # one time for both
        yield Workers([app, other])


async def _in_progress(database: db.Database) -> int:
    rows = await fetch(database, select(col(Guess.checks), col(Guess.checks_before)))
    return sum(current + before for current, before in rows)


async def test_200_right_ones_of_one_account_are_all_let_in(
    workers: Workers, make: Make, looks: SlowLooks, database: db.Database
) -> None:
    await make.user("ann")

    outcomes = Counter(await asyncio.gather(*(workers.rest(HOME, "ann", PASSWORD) for _ in range(200))))

    assert outcomes == {200: 200}
    assert await _in_progress(database) == 0


async def test_200_users_at_one_address_sign_in_and_only_incorrect_guesses_count(
    workers: Workers, make: Make, looks: SlowLooks, database: db.Database
) -> None:
    names = [f"user{at}" for at in range(200)]
    await make.users(names)
    mistaken = {"user7", "user77", "user177"}

    outcomes = await asyncio.gather(
        *(workers.rest(HOME, name, WRONG_PASSWORD if name in mistaken else PASSWORD) for name in names)
    )

    assert {name for name, status in zip(names, outcomes, strict=True) if status != 200} == mistaken
    assert Counter(outcomes) == {200: 197, 401: 3}
    left = [await workers.rest(HOME, f"ghost{at}") for at in range(FREE_ELSEWHERE - 3 + 2)]
    assert left == [401] * (FREE_ELSEWHERE - 3) + [429] * 2
    assert await _in_progress(database) == 0


async def test_a_thousand_incorrect_guesses_at_once_are_checked_as_often_as_the_limit_allows(
    workers: Workers, make: Make, looks: SlowLooks, database: db.Database
) -> None:
    await make.user("ann")

    outcomes = Counter(await asyncio.gather(*(workers.rest(EVIL, "ann") for _ in range(1_000))))

    assert outcomes == {401: FREE, 429: 1_000 - FREE}
    assert (looks.incorrect, looks.maximum) == (FREE, FREE)
    assert await _in_progress(database) == 0


async def test_a_thousand_addresses_at_once_share_what_may_be_wrong_for_an_account(
    workers: Workers, make: Make, looks: SlowLooks
) -> None:
    await make.user("ann")
    addresses = [f"198.51.{at % 250}.{at // 250}" for at in range(1_000)]

    outcomes = Counter(await asyncio.gather(*(workers.rest(each, "ann") for each in addresses)))

    assert outcomes == {401: FREE_ELSEWHERE, 429: 1_000 - FREE_ELSEWHERE}
    assert looks.maximum == FREE_ELSEWHERE


@pytest.mark.parametrize("overrides", [{"OSTIARY_THROTTLE__FREE_GUESSES": "1"}])
async def test_where_one_may_be_wrong_one_is_looked_at_at_a_time(
    workers: Workers, make: Make, looks: SlowLooks, overrides: dict[str, Any]
) -> None:
    await make.user("ann")

    outcomes = Counter(await asyncio.gather(*(workers.rest(HOME, "ann", PASSWORD) for _ in range(12))))

    assert outcomes == {200: 12}
    assert looks.maximum == 1


@pytest.mark.parametrize("overrides", [{"OSTIARY_THROTTLE__FREE_GUESSES": "1"}])
async def test_within_a_worker_nobody_waits_for_a_clock(
    app: Starlette, make: Make, looks: SlowLooks, monkeypatch: pytest.MonkeyPatch, overrides: dict[str, Any]
) -> None:
    monkeypatch.setattr(login_throttle, "MIN_PAUSE", 60)
    await make.user("ann")

    replies = await asyncio.gather(*(Guesser(app).rest(HOME, "ann", PASSWORD) for _ in range(12)))

    assert [reply.status_code for reply in replies] == [200] * 12


@pytest.mark.parametrize("seed", range(3))
async def test_any_mixture_checks_as_many_incorrect_guesses_as_the_limit_allows(
    workers: Workers, make: Make, looks: SlowLooks, database: db.Database, seed: int
) -> None:
    """Correct passwords for one account, incorrect ones for another, from an address new to both."""
    await make.users(["ann", "bob"])
    attempts = [("ann", PASSWORD)] * 40 + [("bob", WRONG_PASSWORD)] * 40
    Random(seed).shuffle(attempts)

    outcomes = await asyncio.gather(*(workers.rest(EVIL, *each) for each in attempts))

    counts = Counter(zip((name for name, _ in attempts), outcomes, strict=True))
    assert counts == {("ann", 200): 40, ("bob", 401): FREE, ("bob", 429): 40 - FREE}
    assert looks.incorrect == FREE
    assert await _in_progress(database) == 0


async def test_what_a_killed_worker_checked_is_free_again_in_seconds(
    workers: Workers, make: Make, clock: Clock, looks: SlowLooks, database: db.Database
) -> None:
    await make.user("ann")
    context = workers.contexts[0]
    keys = [context.throttle._hash_key("pair", HOME, "ann"), context.throttle._hash_key("address", HOME)]
    for _ in range(FREE):
        async with database.write() as tx:
            await password_attempts.reserve(tx, {key: GuessLimit(FREE, 900) for key in keys}, TIMES)
    for each in workers.contexts:
        each.queue._seconds = 0.2

    outcomes = [await workers.rest(HOME, "ann", PASSWORD)]
    for _ in range(2):
        clock.wait(password_attempts.SLOT_SECONDS)
        outcomes.append(await workers.rest(HOME, "ann", PASSWORD))

    assert outcomes == [429, 429, 200]


async def test_one_that_waits_goes_on_when_another_worker_has_checked(
    workers: Workers, make: Make, looks: SlowLooks, database: db.Database
) -> None:
    await make.user("ann")
    limits = {workers.contexts[0].throttle._hash_key("pair", HOME, "ann"): GuessLimit(FREE, 900)}
    reservations = []
    for _ in range(FREE):
        async with database.write() as tx:
            reservations.append(await password_attempts.reserve(tx, limits, TIMES))

    waiting = [asyncio.create_task(workers.rest(HOME, "ann", PASSWORD)) for _ in range(4)]
    await asyncio.sleep(0.2)
    assert not any(task.done() for task in waiting)
    async with database.write() as tx:
        await password_attempts.release(tx, reservations[0])

    assert await asyncio.gather(*waiting) == [200] * 4


@pytest.mark.parametrize("overrides", [{"OSTIARY_THROTTLE__FREE_GUESSES": "1"}])
async def test_while_a_check_takes_long_no_further_one_is_looked_at(
    workers: Workers,
    make: Make,
    clock: Clock,
    looks: SlowLooks,
    monkeypatch: pytest.MonkeyPatch,
    database: db.Database,
    overrides: dict[str, Any],
) -> None:
    monkeypatch.setattr(login_throttle, "RENEW_SECONDS", 0.02)
    await make.user("ann")
    looks.seconds = 1.5

    checked = [asyncio.create_task(workers.rest(HOME, "ann")) for _ in range(2)]
    await until(lambda: looks.running)
    for _ in range(6):
        await asyncio.sleep(0.1)
        clock.wait(password_attempts.SLOT_SECONDS)
        assert looks.running == 1

    assert sorted(await asyncio.gather(*checked)) == [401, 429]
    assert (looks.incorrect, await _in_progress(database)) == (1, 0)


async def _cancelled(workers: Workers, looks: SlowLooks) -> None:
    task = asyncio.create_task(workers.rest(HOME, "ann", WRONG_PASSWORD))
    await until(lambda: looks.running)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _failed(workers: Workers, _: SlowLooks) -> None:
    with pytest.MonkeyPatch.context() as patched:

        async def broken(*_: object) -> None:
            raise RuntimeError

        patched.setattr(PasswordHasher, "verify", broken)
        with pytest.raises(RuntimeError):
            async with workers.contexts[0].throttle.attempt(
                workers.contexts[0].database, workers.contexts[0].queue, "ann"
            ):
                await broken()


@pytest.mark.parametrize("end", [_cancelled, _failed])
async def test_a_check_without_a_verdict_counts_as_no_failure_and_no_check(
    workers: Workers,
    make: Make,
    looks: SlowLooks,
    database: db.Database,
    end: Callable[[Workers, SlowLooks], Awaitable[None]],
) -> None:
    await make.user("ann")
    looks.seconds = 5

    await end(workers, looks)
    for context in workers.contexts:
        await context.throttle.flush()

    assert await _in_progress(database) == 0
    assert {failures for (failures,) in await fetch(database, select(col(Guess.failures)))} == {0}
    assert [context.queue.jobs for context in workers.contexts] == [0, 0]


@dataclass
class Hangup:
    """A client that sends a sign-in and breaks the connection while nobody has answered."""

    app: Starlette
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[Any] = field(default_factory=list)

    async def sign_in(self, path: str, body: bytes) -> None:
        request = httpx.Request("POST", f"http://testserver{path}", content=body)
        parts = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> dict[str, Any]:
            if (part := next(parts, None)) is not None:
                return part
            await self.gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            self.sent.append(message)

        headers = [(name.lower(), value) for name, value in request.headers.raw]
        scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": path, "raw_path": path.encode()}
        scope |= {"query_string": b"", "headers": [*headers, (b"content-type", b"application/json")], "root_path": ""}
        scope |= {"scheme": "http", "server": ("testserver", 80), "client": (HOME, 4000)}
        await self.app(scope, receive, send)


LOG_IN = 'mutation { login(input: {userName: "ann", password: "wrong"}) { errors { code } } }'
BODIES = {LOGIN: {"username": "ann", "password": WRONG_PASSWORD}, "/graphql": {"query": LOG_IN}}


@pytest.mark.parametrize("path", BODIES)
async def test_nothing_is_hashed_for_a_client_that_has_hung_up(
    app: Starlette, make: Make, clock: Clock, looks: SlowLooks, database: db.Database, path: str
) -> None:
    context: AppContext = app.state.answering.app
    await make.user("ann")
    context.hasher.queue = FairQueue(1, 100)
    looks.seconds = 2.0
    clients = [Hangup(app) for _ in range(20)]
    tasks = [asyncio.create_task(each.sign_in(path, orjson.dumps(BODIES[path]))) for each in clients]
    await until(lambda: context.queue.jobs == 20)  # one is checked and the others wait

    for each in clients[1:]:
        each.gone.set()
    await asyncio.gather(*tasks[1:])

    assert context.queue.jobs == 1
    await tasks[0]
    assert (looks.incorrect, await _in_progress(database)) == (1, 0)
    assert {each.sent[0]["status"] for each in clients[1:]} == {200 if path == "/graphql" else 400}


async def test_a_flood_of_one_account_leaves_the_others_a_few_hashes_to_wait(
    app: Starlette, make: Make, clock: Clock, looks: SlowLooks
) -> None:
    """Also to another one at the same address."""
    await make.users(["ann", "bob"])
    guesser, looks.seconds = Guesser(app), 0.01
    flood = [asyncio.create_task(guesser.rest(HOME, "ann", PASSWORD)) for _ in range(170)]
    await asyncio.sleep(0.05)
    done = sum(task.done() for task in flood)

    assert (await guesser.rest(HOME, "bob", PASSWORD)).status_code == 200

    assert sum(task.done() for task in flood) - done <= 4 * app.state.answering.app.queue._size
    assert {reply.status_code for reply in await asyncio.gather(*flood)} == {200}


async def test_new_passwords_take_turns_with_those_who_sign_in(
    app: Starlette, api: Api, make: Make, clock: Clock, looks: SlowLooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hashed(*_: object) -> str:
        order.append("new")
        await asyncio.sleep(0.005)
        return "hash"

    order: list[str] = []
    monkeypatch.setattr(PasswordHasher, "hash", hashed)
    root, _ = await make.admin(), await make.user("ann")
    users = [{"userName": f"new{at}", "password": f"correct horse {at}"} for at in range(60)]
    creating = asyncio.create_task(api(change("createUsers"), as_=root, input={"users": users}))
    await until(lambda: order)

    assert (await Guesser(app).rest("127.0.0.1", "ann", PASSWORD)).status_code == 200

    assert len(order) < 60
    assert codes(await creating) == []
    assert len(order) == 60
