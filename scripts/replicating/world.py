"""A server with several workers on a primary and a replica: its requests, its metrics, and what PostgreSQL computes."""

import asyncio
import json
import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.support.replication import Pair
from tests.support.server import METRICS, Server

WORKERS = 4
ADMIN = {"username": "admin", "password": "password"}
RESULTS = ("replica", "behind", "failed", "none")
"""Where a read was answered that a replica may answer: all but the first mean the primary, and why."""

READS = "ostiary_replica_reads_total"
USABLE = "ostiary_replica_usable"
TICKS = os.sysconf("SC_CLK_TCK")


class World:
    """Both servers of PostgreSQL, the server that uses them, and one that has only the primary."""

    def __init__(self, folder: Path) -> None:
        self._stack = ExitStack()
        self._folder = folder

    def __enter__(self) -> Self:
        self.pair = Pair()
        self._stack.callback(self.pair.stop)
        primary, standby = self.pair.urls
        self.server = self._serve("replicated", primary, OSTIARY_DATABASE_REPLICAS=json.dumps([standby]))
        self.alone = self._serve("alone", primary)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _serve(self, name: str, url: str, **settings: str) -> Server:
        home = self._folder / name
        home.mkdir()
        environment = {"OSTIARY_SECRET": "a secret of the trials that is long enough", "OSTIARY_DATABASE_URL": url}
        server = self._stack.enter_context(Server(home, "--workers", str(WORKERS), **environment, **settings))
        server.ready()
        return server


def client(server: Server, token: str = "") -> httpx.AsyncClient:
    """Return a client; each request of it has a connection of its own, so that all workers answer in turn."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(base_url=server.address, headers=headers, limits=limits, trust_env=False, timeout=60)


async def sign_in(server: Server, **form: str) -> str:
    """Return a session token."""
    async with client(server) as http:
        token: str = (await http.post("/users/authenticate", data=form or ADMIN)).json()["token"]
    return token


async def ask(http: httpx.AsyncClient, query: str, **variables: Any) -> dict[str, Any]:
    """Send an operation and return its data. Raises AssertionError for an answer with errors."""
    reply = await http.post("/graphql", json={"query": query, "variables": variables})
    answer = reply.json()
    assert reply.is_success, answer
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    problems = [each for payload in data.values() if isinstance(payload, dict) for each in payload.get("errors") or ()]
    assert not problems, problems
    return data


async def metrics(server: Server) -> dict[str, float]:
    """Return the sums of the samples about replicas over all workers, by result or by name."""
    async with client(server, METRICS) as http:
        text = (await http.get("/metrics")).text
    sums = dict.fromkeys((*RESULTS, USABLE), 0.0)
    for line in text.splitlines():
        for result in RESULTS:
            if line.startswith(f'{READS}{{result="{result}"}}'):
                sums[result] += float(line.rpartition(" ")[2])
        if line.startswith(f"{USABLE}{{"):
            sums[USABLE] += float(line.rpartition(" ")[2])
    return sums


async def until_usable(server: Server, workers: int) -> bool:
    """Wait until so many workers use the replica; False after half a minute."""
    for _ in range(300):
        if (await metrics(server))[USABLE] == workers:
            return True
        await asyncio.sleep(0.1)
    return False


def computed(process: int) -> float:
    """Return the seconds of processor time of a PostgreSQL and of its processes, those that have ended included."""
    seconds = _ticks(process, ended=True)
    for path in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        seconds += _ticks(int(path), ended=False)
    return seconds / TICKS


def _ticks(process: int, *, ended: bool) -> int:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(map(int, fields[11:15] if ended else fields[11:13]))
