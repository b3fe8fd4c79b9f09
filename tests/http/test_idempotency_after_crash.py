"""Claims about idempotency keys on a server of two workers that is killed while it makes changes."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.support.server import Server, graphql

CHANGE = """mutation($a: CreateGroupInput!) {
    createGroup(input: $a) { group { id slug } errors { code path } }
}"""
COUNT = '{ groups { totalCount } auditEvents(filter: {action: {eq: "createGroup"}}) { totalCount } }'
NUMBER = 60
COMMON = {
    "OSTIARY_SECRET": "a secret that is long enough for tests alone",
    "OSTIARY_DEFAULT_ADMIN__PASSWORD": "tide and reef 42",
}


def _given(number: int) -> dict[str, Any]:
    return {"slug": f"crew-{number}", "displayName": "Crew", "clientMutationKey": f"key {number}"}


async def _send(server: Server, token: str, number: int) -> dict[str, Any] | None:
    """Return the reply, or None if the server was killed."""
    with suppress(httpx.TransportError):
        async with server.client(token) as client:
            return await graphql(client, CHANGE, a=_given(number))
    return None


async def _killed_in_the_middle(server: Server, token: str) -> list[dict[str, Any] | None]:
    sending = [asyncio.create_task(_send(server, token, number)) for number in range(NUMBER)]
    await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
    server.kill()
    return list(await asyncio.gather(*sending))


async def test_after_a_crash_a_repeated_request_gives_the_one_right_answer(
    url: str, tmp_path: Path, backend: str
) -> None:
    environment = {**COMMON, "OSTIARY_DATABASE_URL": url}
    with Server(tmp_path, "--workers", "2", **environment) as server:
        server.ready()
        token = await server.token("admin", COMMON["OSTIARY_DEFAULT_ADMIN__PASSWORD"])
        before = await _killed_in_the_middle(server, token)
    with Server(tmp_path, "--workers", "2", **environment) as server:
        server.ready()
        twice = [await asyncio.gather(*(_send(server, token, number) for number in range(NUMBER))) for _ in range(2)]
        async with server.client(token) as client:
            counts = (await graphql(client, COUNT))["data"]
    assert twice[0] == twice[1]
    for number, (first, second) in enumerate(zip(before, twice[0], strict=True)):
        assert second is not None
        assert second["data"]["createGroup"]["errors"] == []
        assert second["data"]["createGroup"]["group"]["slug"] == f"crew-{number}"
        assert first in (None, second)
    assert counts == {"groups": {"totalCount": NUMBER}, "auditEvents": {"totalCount": NUMBER}}


async def test_two_processes_make_one_change(url: str, tmp_path: Path) -> None:
    environment = {**COMMON, "OSTIARY_DATABASE_URL": url}
    with Server(tmp_path, "--workers", "2", **environment) as server:
        server.ready()
        token = await server.token("admin", COMMON["OSTIARY_DEFAULT_ADMIN__PASSWORD"])
        for number in range(10):
            replies = await asyncio.gather(*(_send(server, token, number) for _ in range(6)))
            assert replies == [replies[0]] * 6
            assert replies[0] is not None
            assert replies[0]["data"]["createGroup"]["errors"] == []
