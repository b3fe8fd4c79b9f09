"""Claims about guessed passwords: few are checked, the guessing client has to wait, and the owner signs in."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from app import db
from app.config import Settings
from app.db.tables import Guess, col
from app.domain.errors import RateLimited
from app.domain.request_origin import RequestOrigin, current_origin
from app.security.passwords import PasswordHasher
from app.services import login_throttle
from app.services.login_throttle import GuessLimit
from tests.support.changes import another
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make, Person, everything, rows_of
from tests.support.fetching import fetch
from tests.support.password_guessing import ALIASES, LOGIN, WRONG_PASSWORD, Clock, Guesser, Verifications, outcomes
from tests.support.server import Server

HOME, EVIL = "192.0.2.1", "203.0.113.66"
FREE, FREE_ELSEWHERE = 10, 20
"""Default limits: for an account from one address; for an account or an address in all."""

OFF = pytest.mark.parametrize("overrides", [{"OSTIARY_THROTTLE__ENABLED": "false"}])
OWNER_PASSWORD = "a password for these tests"


@pytest.fixture
def clock(database: db.Database) -> Clock:
    return Clock(database)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Verifications:
    return Verifications(monkeypatch)


@pytest.fixture
def guess(app: Starlette) -> Guesser:
    return Guesser(app)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (9, 0), (10, 1), (11, 2), (12, 4), (19, 512), (20, 900), (10_000, 900)]
)
def test_each_wait_is_twice_the_one_before_up_to_the_longest(failures: int, seconds: int) -> None:
    assert GuessLimit(FREE, 900).wait(failures) == seconds


async def test_who_guesses_waits_longer_and_longer_and_is_not_looked_at_meanwhile(
    guess: Guesser, make: Make, clock: Clock, looks: Verifications, database: db.Database
) -> None:
    await make.user("ann")
    free = [await guess.rest(EVIL, "ann") for _ in range(FREE)]
    before = await everything(database)

    waits = []
    for _ in range(12):
        early = await guess.rest(EVIL, "ANN", PASSWORD)
        waits.append(int(early.headers["retry-after"]))
        clock.wait(waits[-1] - 0.001)
        assert (await guess.rest(EVIL, "ann", PASSWORD)).headers["retry-after"] == "1"
        clock.wait(0.001)
        assert (await guess.rest(EVIL, "ann")).status_code == 401

    assert {reply.status_code for reply in free} == {401}
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert looks.at == ["wrong"] * (FREE + 12)
    assert await everything(database) == before


@pytest.mark.parametrize("user_name", ["ann", "ghost", "gone", "\0", "ä" * 5_000])
async def test_a_refusal_says_the_seconds_and_nothing_of_the_account(
    guess: Guesser, make: Make, clock: Clock, looks: Verifications, user_name: str
) -> None:
    await make.user("ann")
    await make.user("gone", "deactivated")

    replies = [await guess.rest(EVIL, user_name) for _ in range(FREE + 1)]

    assert outcomes(replies) == [(401, None)] * FREE + [(429, "1")]
    assert replies[-1].json() == {"error": "Too many failed sign-in attempts. Try again in 1 second.", "noRetry": False}
    assert len(looks.at) == FREE


async def test_aliases_are_guesses_each_and_are_told_to_wait_at_the_top(
    guess: Guesser, make: Make, clock: Clock, looks: Verifications
) -> None:
    await make.user("ann")
    for _ in range(FREE - 2):
        await guess.rest(EVIL, "ann")

    errors = await guess.graphql(EVIL, "ann", "one", "two", "three", PASSWORD)

    assert [error["extensions"]["code"] for error in errors] == ["UNAUTHENTICATED"] * 2 + ["RATE_LIMITED"] * 2
    assert errors[-1]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 1}
    assert looks.at[-2:] == ["one", "two"]


async def test_a_hundred_guesses_at_once_are_a_hundred_guesses(
    guess: Guesser, make: Make, clock: Clock, looks: Verifications
) -> None:
    await make.user("ann")

    replies = await asyncio.gather(*(guess.rest(EVIL, "ann") for _ in range(100)))

    assert sorted(reply.status_code for reply in replies) == [401] * FREE + [429] * 90
    assert len(looks.at) == FREE


async def test_a_dictionary_of_ten_thousand_gets_the_few_guesses_that_are_free(
    guess: Guesser, make: Make, clock: Clock, looks: Verifications
) -> None:
    """From one address and from hundreds, over both APIs; the clock is fixed, so only the free guesses are checked."""
    await make.user("ann")
    aliases = [f"guess {at}" for at in range(ALIASES)]

    for at in range(400):
        await guess.rest(EVIL, "ann", f"one {at}")
    for _ in range(115):
        await guess.graphql(EVIL, "ann", *aliases)
    assert len(looks.at) == FREE
    for at in range(400):
        await guess.rest(f"198.51.{at % 250}.{at // 250}", "ann", f"many {at}")
    for at in range(115):
        await guess.graphql(f"198.18.{at}.1", "ann", *aliases)

    assert len(looks.at) == FREE_ELSEWHERE
    assert await _signs_in(guess, clock, "192.0.2.99") <= 30


async def test_one_address_tries_few_accounts(guess: Guesser, make: Make, clock: Clock, looks: Verifications) -> None:
    replies = [await guess.rest(EVIL, f"user{at}") for at in range(FREE_ELSEWHERE + 2)]

    assert outcomes(replies) == [(401, None)] * FREE_ELSEWHERE + [(429, "1")] * 2
    assert (await guess.rest(HOME, "user1")).status_code == 401


async def test_strangers_slow_an_owner_by_seconds_and_not_at_all_where_they_were_before(
    guess: Guesser, make: Make, clock: Clock, looks: Verifications
) -> None:
    await make.user("ann")
    assert (await guess.rest(HOME, "ann", PASSWORD)).status_code == 200

    for at in range(1_000):
        reply = await guess.rest(f"198.51.{at % 250}.{at // 250}", "ann")
        if at % 10 == 0 and reply.status_code == 429:
            clock.wait(int(reply.headers["retry-after"]))

    assert (await guess.rest(HOME, "ann", PASSWORD)).status_code == 200
    assert await _signs_in(guess, clock, "192.0.2.99") <= 30
    assert (await guess.rest("192.0.2.99", "ann", PASSWORD)).status_code == 200


async def test_guesses_from_the_address_of_the_owner_delay_them_a_minute_at_most(
    guess: Guesser, make: Make, clock: Clock, looks: Verifications
) -> None:
    await make.user("ann")
    assert (await guess.rest(HOME, "ann", PASSWORD)).status_code == 200
    for at in range(FREE_ELSEWHERE * 2):  # others of that address, too
        await guess.rest(HOME, f"user{at}")
    for _ in range(30):
        reply = await guess.rest(HOME, "ann")
        clock.wait(int(reply.headers.get("retry-after", 0)))

    assert await _signs_in(guess, clock, HOME) <= 60


async def test_a_right_password_is_forgiven_its_wrong_ones_and_nobody_elses(
    guess: Guesser, make: Make, clock: Clock, looks: Verifications
) -> None:
    await make.users(["ann", "eve"])
    for at in range(FREE_ELSEWHERE - 2):
        await guess.rest(EVIL, f"user{at}")

    assert [(await guess.rest(EVIL, "eve", PASSWORD)).status_code for _ in range(5)] == [200] * 5
    replies = [await guess.rest(EVIL, "ann") for _ in range(3)]

    assert outcomes(replies) == [(401, None)] * 2 + [(429, "1")]


async def test_wrong_passwords_are_forgotten_and_their_rows_are_cleared(
    guess: Guesser, make: Make, clock: Clock, looks: Verifications, database: db.Database
) -> None:
    for at in range(FREE_ELSEWHERE):
        await guess.rest(EVIL, f"ghost{at}")
    assert await rows_of(database, Guess) == 2 * FREE_ELSEWHERE + 1

    clock.wait(3_600 + 900 + 1)
    replies = [await guess.rest(EVIL, f"late{at}") for at in range(5)]

    assert outcomes(replies) == [(401, None)] * 5
    assert await rows_of(database, Guess) == 2 * 5 + 1


async def test_stored_keys_name_no_user(
    guess: Guesser, make: Make, clock: Clock, looks: Verifications, database: db.Database
) -> None:
    await guess.rest(EVIL, "ann")

    keys = [key for (key,) in await fetch(database, select(col(Guess.key)))]

    assert len(keys) == 3
    assert all(set(key) <= set("0123456789abcdef") and len(key) == 32 for key in keys)


async def test_a_full_pool_is_nobodys_wrong_password(
    guess: Guesser, make: Make, clock: Clock, monkeypatch: pytest.MonkeyPatch, database: db.Database
) -> None:
    async def full(*_: object) -> None:
        raise RateLimited("Too many.", 1)

    await make.user("ann")
    with monkeypatch.context() as patched:
        patched.setattr(PasswordHasher, "verify", full)
        replies = [await guess.rest(HOME, "ann", PASSWORD) for _ in range(FREE * 3)]

    assert outcomes(replies) == [(429, "1")] * FREE * 3
    assert {failures for (failures,) in await fetch(database, select(col(Guess.failures)))} == {0}
    assert (await guess.rest(HOME, "ann", PASSWORD)).status_code == 200


async def test_two_workers_count_as_one(
    guess: Guesser, make: Make, clock: Clock, looks: Verifications, settings: Settings
) -> None:
    await make.user("ann")

    async with another(settings) as elsewhere:
        elsewhere._context.database.clock = lambda: clock.now
        own = [await guess.rest("127.0.0.1", "ann") for _ in range(FREE - 1)]
        body = {"username": "ann", "password": "wrong"}
        others = [await elsewhere.client.post(LOGIN, json=body) for _ in range(2)]

    assert outcomes([*own, *others]) == [(401, None)] * FREE + [(429, "1")]


async def test_a_real_server_of_two_workers_looks_at_the_free_guesses_alone(tmp_path: Path, url: str) -> None:
    own = {"OSTIARY_DATABASE_URL": url, "OSTIARY_DEFAULT_ADMIN__PASSWORD": OWNER_PASSWORD}
    own["OSTIARY_TRUSTED_PROXIES"] = '["127.0.0.1"]'
    with Server(tmp_path, "--workers", "2", **own, OSTIARY_THROTTLE__FREE_GUESSES="3") as server:
        server.ready()

        async def tried(password: str, address: str) -> httpx.Response:
            async with server.client() as client:
                form = {"username": "admin", "password": password}
                return await client.post(LOGIN, data=form, headers={"x-forwarded-for": address})

        replies = await asyncio.gather(*(tried("wrong", EVIL) for _ in range(20)))
        owner = await tried(OWNER_PASSWORD, HOME)

    assert sorted(reply.status_code for reply in replies) == [401] * 3 + [429] * 17
    assert all("retry-after" in reply.headers for reply in replies if reply.status_code == 429)
    assert owner.status_code == 200


CHANGE = 'mutation {{ changePassword(input: {{oldPassword: "{}", newPassword: "{}"}}) {{ errors {{ code }} }} }}'
FRESH = "another horse another staple"


async def test_the_old_password_is_throttled_too(
    guess: Guesser, api: Api, make: Make, clock: Clock, looks: Verifications, database: db.Database
) -> None:
    ann, root = await make.user("ann"), await make.admin()
    before = await everything(database)
    for at in range(FREE):
        await [_over_graphql, _over_rest, _as_current][at % 3](guess, api, ann, root)

    response = await guess.ask(EVIL, CHANGE.format(PASSWORD, FRESH), api.token(ann))
    changed, reset = await _over_rest(guess, api, ann, root), await _as_current(guess, api, ann, root)

    assert codes(response.json()) == ["RATE_LIMITED"]
    assert outcomes([changed, reset]) == [(429, "1")] * 2
    assert (await guess.rest(EVIL, "ann", PASSWORD)).status_code == 429
    assert len(looks.at) == FREE
    assert await everything(database) == before


async def _over_graphql(guess: Guesser, api: Api, ann: Person, _: Person) -> httpx.Response:
    return await guess.ask(EVIL, CHANGE.format(WRONG_PASSWORD, FRESH), api.token(ann))


async def _over_rest(guess: Guesser, api: Api, ann: Person, _: Person) -> httpx.Response:
    body = {"oldPassword": WRONG_PASSWORD, "newPassword": FRESH}
    async with guess.client(EVIL) as client:
        return await client.post("/users/changepwd", json=body, headers=api.headers(ann))


async def _as_current(guess: Guesser, api: Api, _: Person, root: Person) -> httpx.Response:
    body = {"currentPassword": WRONG_PASSWORD, "newPassword": FRESH}
    async with guess.client(EVIL) as client:
        return await client.put("/users/ann/changepwd", json=body, headers=api.headers(root))


async def test_bad_tokens_at_the_renewal_wait_too_and_keep_nobody_from_signing_in(
    guess: Guesser, api: Api, make: Make, clock: Clock, looks: Verifications
) -> None:
    ann = await make.user("ann")
    bad, good = {"authorization": "Bearer a.b.c"}, api.headers(ann)

    async with guess.client(EVIL) as client:
        replies = [await client.post(f"{LOGIN}/refresh", headers=bad) for _ in range(FREE_ELSEWHERE + 1)]
        mutation = await guess.ask(EVIL, "mutation { refreshToken { session { token } } }", api.token(ann))
        early = await client.post(f"{LOGIN}/refresh", headers=good)
        clock.wait(1)
        late = await client.post(f"{LOGIN}/refresh", headers=good)

    assert outcomes(replies) == [(401, None)] * FREE_ELSEWHERE + [(429, "1")]
    assert codes(mutation.json()) == ["RATE_LIMITED"]
    assert (early.status_code, late.status_code) == (429, 200)
    assert (await guess.rest(EVIL, "ann", PASSWORD)).status_code == 200


@OFF
async def test_it_can_be_switched_off(
    guess: Guesser, make: Make, looks: Verifications, database: db.Database, overrides: dict[str, Any]
) -> None:
    await make.user("ann")

    replies = [await guess.rest(EVIL, "ann") for _ in range(FREE_ELSEWHERE * 2)]

    assert outcomes(replies) == [(401, None)] * FREE_ELSEWHERE * 2
    assert await rows_of(database, Guess) == 0


async def test_unknown_incorrect_and_deactivated_take_the_same_work(api: Api, make: Make, looks: Verifications) -> None:
    await make.user("ann")
    await make.users(["gone", "left"], ["deactivated", "admin"])

    spent = []
    for name, password in (("ann", "wrong"), ("ghost", PASSWORD), ("gone", PASSWORD), ("left", WRONG_PASSWORD)):
        query = f'mutation {{ login(input: {{userName: "{name}", password: "{password}"}}) {{ errors {{ code }} }} }}'
        before, reply = len(looks.at), (await api.post_with_stats(query)).json()
        spent.append((reply["extensions"]["stats"]["statements"], len(looks.at) - before, reply["errors"]))

    assert spent.count(spent[0]) == 4


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "192.0.2.1", False),
        ("a socket", "a socket", True),
    ],
)
def test_a_household_is_one_address(one: str, other: str, is_same: bool) -> None:
    def seen(text: str) -> str:
        before = current_origin.set(RequestOrigin("REST", text or None))
        try:
            return login_throttle.address()
        finally:
            current_origin.reset(before)

    assert (seen(one) == seen(other)) is is_same


async def _signs_in(guess: Guesser, clock: Clock, address: str) -> int:
    """Return the number of seconds that the owner waits until the correct password is checked."""
    waited = 0
    while (reply := await guess.rest(address, "ann", PASSWORD)).status_code == 429:
        waited += (seconds := int(reply.headers["retry-after"]))
        clock.wait(seconds)
    assert reply.status_code == 200
    return waited
