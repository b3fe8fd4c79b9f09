"""Claims about a stop: an accepted request is answered or refused, no change is incomplete, and the exit code is 0."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.server import METRICS, Server, graphql

PASSWORD = "a password for these tests"
CREATE_MANY = """mutation ($users: [NewUserInput!]!) {
    createUsers(input: {users: $users}) { results { user { userName } } }
}"""
MANY = [{"userName": f"many{number}", "password": f"{PASSWORD} {number}"} for number in range(1000)]
"""Users whose creation takes more than the remaining second: each password is hashed in some thirty milliseconds."""

LOGINS = 12


@pytest.mark.direct  # the log warns of a pooler
async def test_a_stop_lets_a_slow_request_finish_and_ends_well(tmp_path: Path, url: str) -> None:
    own = {"OSTIARY_DATABASE_URL": url, "OSTIARY_DEFAULT_ADMIN__PASSWORD": PASSWORD}
    with Server(tmp_path, **own, OSTIARY_SHUTDOWN_SECONDS="300") as server:
        server.ready()
        async with server.client(await server.token("admin", PASSWORD)) as client:
            slow = asyncio.create_task(graphql(client, CREATE_MANY, users=MANY[:40]))
            await _until(server, lambda numbers: numbers["ostiary_hashing_jobs"] > 0)
            ended = await server.stopped()
            reply = await slow

    assert [each["user"]["userName"] for each in reply["data"]["createUsers"]["results"]] == [
        each["userName"] for each in MANY[:40]
    ]
    assert (ended.code, [line for line in ended.err.splitlines() if "generated a secret" not in line]) == (0, [])


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_stop_answers_or_refuses_all_that_it_took_on(tmp_path: Path, url: str, workers: int) -> None:
    own = {
        "OSTIARY_DATABASE_URL": url,
        "OSTIARY_DEFAULT_ADMIN__PASSWORD": PASSWORD,
        "OSTIARY_SHUTDOWN_SECONDS": "1",
        "OSTIARY_HASHING_THREADS": "1",
        "OSTIARY_LOG_REQUESTS": "true",
    }
    with Server(tmp_path, "--workers", str(workers), **own) as server:
        server.ready()
        token = await server.token("admin", PASSWORD)
        asking = [asyncio.create_task(_create_many(server, token))]
        asking += [asyncio.create_task(_log_in(server)) for _ in range(LOGINS)]
        await _until(server, _has_taken_on_all)
        ended = await server.stopped()
        many, *logins = await asyncio.gather(*asking)
    with Server(tmp_path, **own) as server:
        server.ready()
        async with server.client(token) as client:
            left = await graphql(client, "{ users { totalCount nodes { userName } } }")

    assert ended.code == 0
    assert (many.status_code, many.json()["errors"][0]["extensions"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert {login.status_code for login in logins} <= {200, 429, 503}
    assert all(login.status_code == 200 or login.json()["error"] for login in logins)
    assert left == {"data": {"users": {"totalCount": 1, "nodes": [{"userName": "admin"}]}}}
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert [line for line in lines if "exception" in line] == []
    logged = [line for line in lines if line["logger"] == "ostiary.requests" and line["kind"] == "mutation"]
    assert len(logged) == 1 + 1 + LOGINS


async def _create_many(server: Server, token: str) -> httpx.Response:
    async with server.client(token) as client:
        return await client.post("/graphql", json={"query": CREATE_MANY, "variables": {"users": MANY}})


async def _log_in(server: Server) -> httpx.Response:
    async with server.client() as client:
        form: dict[str, Any] = {"username": "admin", "password": PASSWORD}
        return await client.post("/users/authenticate", data=form)


def _has_taken_on_all(numbers: dict[str, float]) -> bool:
    """Return True if the long request is running, and every login is running or answered."""
    done = sum(numbers.get(_LOGINS.format(status), 0) for status in ("2xx", "4xx"))
    # The total includes the request for these numbers, and the first login.
    return numbers["ostiary_requests_in_progress"] + done >= 2 + 1 + LOGINS


_LOGINS = 'ostiary_requests_total{{api="rest",kind="mutation",status="{}"}}'


async def _until(server: Server, is_so: Callable[[dict[str, float]], bool]) -> None:
    """Wait until the numbers of the server meet a condition."""
    async with asyncio.timeout(30):
        while not is_so(await _numbers(server)):  # noqa: ASYNC110 - another process gives no event
            await asyncio.sleep(0.02)


async def _numbers(server: Server) -> dict[str, float]:
    async with server.client() as client:
        text = (await client.get("/metrics", headers={"authorization": f"Bearer {METRICS}"})).text
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(number) for name, _, number in lines}
