"""Claims about signals: SIGHUP restarts the workers or stops the server, and an ended worker is replaced and logged."""

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from tests.support.server import METRICS, Server
from tests.support.wire import Wire, close_all, exchange, head

CLOSE = "Connection: close"


def workers_of(server: Server) -> set[int]:
    """Return the ids of the processes that serve: all children but the tracker that `multiprocessing` starts."""
    workers = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            is_worker = b"resource_tracker" not in (entry / "cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
        if parent == server.pid and is_worker:
            workers.add(int(entry.name))
    return workers


async def until_replaced(server: Server, before: set[int], number: int) -> set[int]:
    """Wait until this number of other processes serves."""
    async with asyncio.timeout(60):
        while len((now := workers_of(server)) - before) < number or len(now) != len(before):  # noqa: ASYNC110 - other processes give no event
            await asyncio.sleep(0.1)
    return now


async def _served(server: Server, token: str) -> str:
    """Return the name of the user of a token."""
    async with server.client(token) as client:
        reply = await client.post("/graphql", json={"query": "{ viewer { user { userName } } }"})
    name: str = reply.json()["data"]["viewer"]["user"]["userName"]
    return name


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
async def test_one_worker_stops_well(tmp_path: Path, number: signal.Signals) -> None:
    with Server(tmp_path) as server:
        server.ready()
        busy = await Wire.opened(server.address)
        idle = await Wire.opened(server.address)
        await busy.send(head("GET /health/live"))
        replies = [await busy.reply()]
        server.signal(number)
        while replies[-1] is not None and replies[-1].headers.get("connection") != "close":
            await asyncio.sleep(0.01)
            await busy.send(head("GET /health/live"))
            replies.append(await busy.reply())
        left = [await busy.rest(), await idle.rest()]
        ended = await asyncio.to_thread(server.ended)
        close_all()

    assert ended.code == 0
    assert ended.err == ""
    assert None not in replies
    assert left == [b"", b""]


@pytest.mark.parametrize("pause", [0.0, 0.02, 0.3])
async def test_a_second_signal_ends_it_without_a_trace(tmp_path: Path, pause: float) -> None:
    with Server(tmp_path) as server:
        server.ready()
        server.signal(signal.SIGINT)
        await asyncio.sleep(pause)
        server.signal(signal.SIGINT)
        ended = await asyncio.to_thread(server.ended)

    lines = [json.loads(line) for line in ended.err.splitlines() if line.startswith("{")]
    assert "Traceback" not in ended.err
    assert [line["level"] for line in lines] in ([], ["warning"])
    assert ended.code in {0, 130, -signal.SIGINT}, "the last one if the server had just ended"


async def test_several_workers_are_loaded_again_one_by_one(tmp_path: Path) -> None:
    with Server(tmp_path, "--workers", "2") as server:
        server.ready()
        token = await server.token("admin", "password")
        before = workers_of(server)
        server.signal(signal.SIGHUP)
        replacing = asyncio.create_task(until_replaced(server, before, 2))
        names = set()
        while not replacing.done():
            names.add(await _served(server, token))
        names.add(await _served(server, token))
        ended = await server.stopped()

    assert len(before) == 2
    assert replacing.result().isdisjoint(before)
    assert names == {"admin"}
    assert (ended.code, ended.err) == (0, "")


async def test_a_killed_worker_is_replaced_and_logged(tmp_path: Path) -> None:
    with Server(tmp_path, "--workers", "2") as server:
        server.ready()
        before = workers_of(server)
        killed = min(before)
        os.kill(killed, signal.SIGKILL)
        (new,) = await until_replaced(server, before, 1) - before
        async with asyncio.timeout(20):
            while (await exchange(server.address, head("GET /health/ready", CLOSE))).status != 200:  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.1)
        async with server.client() as client:
            numbers = (await client.get("/metrics", headers={"authorization": f"Bearer {METRICS}"})).text
        ended = await server.stopped()
        close_all()

    (line,) = [json.loads(line) for line in ended.err.splitlines()]
    assert line["level"] == "warning"
    assert line["message"] == f"worker {killed} ended (SIGKILL) and was replaced by {new}"
    assert "ostiary_worker_restarts_total 1\n" in numbers
    assert ended.code == 0


async def test_a_worker_leaves_a_hangup_to_its_supervisor(tmp_path: Path) -> None:
    """A closed terminal sends the signal to all processes."""
    with Server(tmp_path, "--workers", "2") as server:
        server.ready()
        before = workers_of(server)
        for worker in before:
            os.kill(worker, signal.SIGHUP)
        await asyncio.sleep(1.5)
        after = workers_of(server)
        ended = await server.stopped()

    assert after == before
    assert (ended.code, ended.err) == (0, "")
