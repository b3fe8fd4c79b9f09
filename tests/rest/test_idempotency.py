"""Claims about the header `Idempotency-Key` of REST: a repeated call gets the first response and changes nothing."""

import asyncio
from typing import Any

import httpx
import pytest

from app import db
from app.config import Settings
from app.db.tables import MutationKey
from app.rest import TABLE, idempotency
from tests.services.test_audit_walk import ROUTES, Step, _world
from tests.services.test_no_changes import ROUTES_AGAIN
from tests.support.changes import another, unchanged
from tests.support.client import Api
from tests.support.factories import PASSWORD, Make, Person, everything, rows_of

pytestmark = pytest.mark.parametrize("overrides", [{"OSTIARY_ENABLE_ORGANIZATION_MEMBER_MANAGEMENT": "true"}])

REJECTED = {"POST /sys/move-datasets"}
"""Routes that tell of a rejected change with status 200."""

KEYED = sorted(f"{route.method} {route.path}" for route in TABLE if route.takes_key)


async def _call(api: Api, route: str, step: Step, as_: Person | None, *keys: str) -> httpx.Response:
    headers = [*api.headers(as_).items(), *((idempotency.HEADER, key) for key in keys)]
    api.client.cookies.clear()
    return await api.client.request(route.partition(" ")[0], step.path, json=step.body, headers=headers)


def _parts(response: httpx.Response) -> tuple[Any, ...]:
    return (response.status_code, response.content, *(response.headers.get(n) for n in ("location", "content-type")))


@pytest.mark.parametrize("route", KEYED)
async def test_a_repeated_call_gets_the_first_response(api: Api, make: Make, database: db.Database, route: str) -> None:
    root, _ = await _world(make)
    first = await _call(api, route, ROUTES[route], root, "k")
    assert first.status_code < 300
    async with unchanged(database):
        assert _parts(await _call(api, route, ROUTES[route], root, "k")) == _parts(first)
    other = Step(ROUTES[route].path, {**ROUTES[route].body, "x": 1}, "", "")
    if route.endswith("/meta"):  # the other routes ignore unknown fields
        assert (await _call(api, route, other, root, "k")).status_code == 409


@pytest.mark.parametrize("route", sorted({*KEYED} - ROUTES_AGAIN))
async def test_a_call_without_effect_stores_its_response_alone(
    api: Api, make: Make, database: db.Database, route: str
) -> None:
    root, _ = await _world(make)
    await _call(api, route, ROUTES[route], root)
    before = await everything(database)
    again = await _call(api, route, ROUTES[route], root, "k")
    after = await everything(database)
    changed = {table for table in after if after[table] != before[table]}
    assert changed == ({"mutation_keys"} if again.is_success and route not in REJECTED else set()), again.text
    async with unchanged(database):
        assert _parts(await _call(api, route, ROUTES[route], root, "k")) == _parts(again)


@pytest.mark.parametrize("route", sorted({*ROUTES} - {*KEYED}))
async def test_a_response_with_a_token_is_not_stored(api: Api, make: Make, route: str) -> None:
    root, _ = await _world(make)
    assert (await _call(api, route, ROUTES[route], root, "k")).status_code == 400


@pytest.mark.parametrize("keys", [[""], ["a", "b"], ["x" * 129]])
async def test_invalid_keys_are_refused(api: Api, make: Make, database: db.Database, keys: list[str]) -> None:
    root, _ = await _world(make)
    async with unchanged(database):
        assert (await _call(api, "POST /orgs", ROUTES["POST /orgs"], root, *keys)).status_code == 400


async def test_another_call_with_the_key_is_a_conflict(api: Api, make: Make, database: db.Database) -> None:
    root, _ = await _world(make)
    await _call(api, "POST /orgs", ROUTES["POST /orgs"], root, "k")
    async with unchanged(database):
        assert (await _call(api, "POST /users", ROUTES["POST /users"], root, "k")).status_code == 409
        given = Step("/orgs", {"slug": "tide", "name": "Other"}, "", "")
        assert (await _call(api, "POST /orgs", given, root, "k")).status_code == 409


async def test_a_rejected_call_can_be_repeated(api: Api, make: Make, database: db.Database) -> None:
    root, _ = await _world(make)
    taken = Step("/orgs", {"slug": "reef", "name": "Reef"}, "", "")
    for _ in range(2):
        assert (await _call(api, "POST /orgs", taken, root, "k")).status_code == 409
    assert await rows_of(database, MutationKey) == 0


async def test_a_lost_response_is_told(
    api: Api, make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(idempotency, "MAX_BODY_BYTES", 1)
    root, _ = await _world(make)
    assert (await _call(api, "POST /orgs", ROUTES["POST /orgs"], root, "k")).status_code == 201
    async with unchanged(database):
        again = await _call(api, "POST /orgs", ROUTES["POST /orgs"], root, "k")
    assert (again.status_code, "change was made" in again.json()["error"]) == (500, True)


async def test_concurrent_calls_make_one_change(api: Api, make: Make, settings: Settings) -> None:
    root, _ = await _world(make)
    async with another(settings) as elsewhere:
        step = Step("/users", {"userName": "eve", "password": PASSWORD}, "", "")
        calls = (_call(each, "POST /users", step, root, "k") for each in (api, elsewhere) * 2)
        responses = [_parts(each) for each in await asyncio.gather(*calls)]
    assert responses == [responses[0]] * 4
    assert responses[0][0] == 200
