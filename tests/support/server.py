"""The real server in its own process, as an operator starts it; it always ends with its `with`."""

import asyncio
import os
import re
import signal
import socket
import ssl
import struct
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import IO, Any, ClassVar, Self

import httpx

from app import cli
from tests.support.postgres import Postgres
from tests.support.programs import Program

READY_SECONDS = 300.0
STOP_SECONDS = 120.0
ADDRESS = re.compile(r"^  address     (http://\S+)", re.MULTILINE)
METRICS = "a-token-for-metrics"
UNHURRIED = {"OSTIARY_SLOW_REQUEST_MILLISECONDS": "0", "OSTIARY_METRICS_TOKEN": METRICS}
"""Settings without a log of slow requests, which depend on the machine, and with a token for the metrics."""

UNUSED_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""An empty context: no request uses TLS, and httpx would load all certificates of the system for every client."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The exit code and the output of a process."""

    code: int
    out: str
    err: str


class Server:
    """`ostiary serve --port 0` in a folder; `environment` are OSTIARY_ variables, and none of ours go along."""

    settings: ClassVar[dict[str, str]] = UNHURRIED

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self._out, self._err = (tempfile.TemporaryFile("ab+") for _ in range(2))  # noqa: SIM115 - `__exit__` closes them
        self._began = time.monotonic()
        self._process = self._start(
            ["serve", "--port", "0", *options], folder, clean_environment() | self.settings | environment
        )
        self.address = ""

    def _start(self, arguments: list[str], folder: Path, environment: dict[str, str]) -> Program | Popen[bytes]:
        return Program(*arguments, folder=folder, environment=environment, out=self._out, err=self._err)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill()
        self._out.close()
        self._err.close()

    @property
    def out(self) -> str:
        """Return its standard output until now."""
        return _text(self._out)

    @property
    def err(self) -> str:
        """Return its standard error until now."""
        return _text(self._err)

    def ready(self) -> float:
        """Wait until it answers, and return the seconds since its start."""
        deadline = self._began + READY_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return time.monotonic() - self._began
            time.sleep(0.01)
        raise AssertionError(f"it does not serve; code {self._process.poll()}\n{self.out}{self.err}")

    def _answers(self) -> bool:
        match = ADDRESS.search(self.out)
        if match is None:
            return False
        self.address = match[1]
        try:
            return httpx.get(f"{self.address}/health/live", trust_env=False, verify=UNUSED_TLS).is_success
        except httpx.TransportError:
            return False

    @property
    def pid(self) -> int:
        """Return the id of its first process."""
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, and wait for nothing."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it with its workers, at once, as a loss of power does."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def ended(self) -> Ended:
        """Wait for its end."""
        return Ended(self._process.wait(STOP_SECONDS), self.out, self.err)

    async def stopped(self) -> Ended:
        """Ask it to end, as an operator does, and wait; what it still answers is received meanwhile."""
        self.signal(signal.SIGTERM)
        return await asyncio.to_thread(self.ended)

    def client(self, token: str | None = None) -> httpx.AsyncClient:
        """A client with connections of its own."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return httpx.AsyncClient(base_url=self.address, headers=headers, timeout=30, trust_env=False, verify=UNUSED_TLS)

    async def token(self, user_name: str, password: str) -> str:
        """Sign in as the documented clients do, with a form."""
        async with self.client() as client:
            form = {"username": user_name, "password": password}
            response = await client.post("/users/authenticate", data=form)
        assert response.status_code == 200, response.text
        token: str = response.json()["token"]
        return token


class UnixServer(Server):
    """The server on a unix socket in its folder."""

    def _start(self, arguments: list[str], folder: Path, environment: dict[str, str]) -> Program:
        self.path = folder / "http.sock"
        unix = ["serve", *arguments[3:], "--unix-socket", str(self.path)]
        return Program(*unix, folder=folder, environment=environment, out=self._out, err=self._err)


class StartedServer(Server):
    """A server that imports the application itself, for tests of a start."""

    def _start(self, arguments: list[str], folder: Path, environment: dict[str, str]) -> Program | Popen[bytes]:
        return Popen(
            [sys.executable, "-m", "app.cli", *arguments],
            cwd=folder,
            env=environment,
            stdin=DEVNULL,
            stdout=self._out,
            stderr=self._err,
            start_new_session=True,  # its workers are its group, and end with it
        )


async def graphql(client: httpx.AsyncClient, query: str, **variables: Any) -> dict[str, Any]:
    """Send a query, and return the complete reply."""
    response = await client.post("/graphql", json={"query": query, "variables": variables})
    reply: dict[str, Any] = response.json()
    return reply


async def hang_up(request: httpx.Request, after: float) -> None:
    """Send a request, and reset the connection before the reply."""
    _, writer = await asyncio.open_connection(request.url.host, request.url.port)
    headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    writer.write(f"POST {request.url.path} HTTP/1.1\r\n{headers}\r\n".encode() + request.content)
    await writer.drain()
    await asyncio.sleep(after)
    # To linger for no time at all is to reset.
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


class Restartable(Postgres):
    """A PostgreSQL that is away for a while."""

    def halt(self) -> None:
        """Stop the server as its operator does; the data stays."""
        assert self._server is not None
        self._server.send_signal(signal.SIGINT)
        self._server.wait()

    def resume(self) -> None:
        """Start it again where it was."""
        assert self._folder is not None
        self._server = self._spawn(self._folder)
        assert self._ready(self._server, self._folder)


def clean_environment() -> dict[str, str]:
    """Return an environment with the package and without settings."""
    environment = {name: text for name, text in os.environ.items() if not name.upper().startswith("OSTIARY_")}
    return environment | {"PYTHONPATH": str(Path(cli.__file__).parents[2])}


def _text(file: IO[bytes]) -> str:
    """Return the content of the file, without a change of its position, which the writer uses."""
    return os.pread(file.fileno(), 1 << 24, 0).decode()
