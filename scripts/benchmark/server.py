"""The real server in a process of its own: one worker on a free port of this machine alone."""

import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import IO

from scripts.benchmark.filling import ROOT

START_SECONDS = 60.0
STOP_SECONDS = 35.0

SERVE = ("-c", "import sys; from app.cli import main; sys.exit(main())", "serve", "--port", "0")
"""The command `ostiary` of this very checkout."""

NOTHING: Mapping[str, str] = MappingProxyType({})

BASELINE = ("-m", "scripts.benchmark.baseline")
"""The command of the baseline: a server that does as little as possible."""


class Server:
    """A server of a database, while the block runs."""

    port: int

    def __init__(
        self, url: str, folder: Path, environment: Mapping[str, str] = NOTHING, *, command: Sequence[str] = SERVE
    ) -> None:
        self._folder = folder
        self._command = command
        self._log = folder / f"server-{secrets.token_hex(4)}.log"
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("OSTIARY_")} | {
            "OSTIARY_DATABASE_URL": url,
            "OSTIARY_SECRET": secrets.token_urlsafe(48),
            "PYTHONPATH": str(ROOT),
            **environment,
        }

    def __enter__(self) -> "Server":
        with self._log.open("wb") as log:
            self._process = start(self._command, self._folder, self._environment, log)
        try:
            self._wait()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def busy(self) -> float:
        """Return the processor seconds of the server until now, which other processes do not affect."""
        return processor_seconds(self._process.pid)

    def memory(self) -> int:
        """Return the bytes of memory of the server."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _wait(self) -> None:
        """Read the port from the log of the server, and wait until it answers."""
        give_up = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up and self._process.poll() is None:
            _, marker, rest = self._log.read_text().partition("http://127.0.0.1:")
            if marker and "\n" in rest:
                self.port = int(rest.partition("\n")[0])
                if _answers(self.port):
                    return
            time.sleep(0.02)
        raise RuntimeError(f"the server does not start:\n{self._log.read_text()}")

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def processor_seconds(process_id: int) -> float:
    """Return the processor seconds of the threads of a process until now."""
    threads = Path(f"/proc/{process_id}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in threads) / 1e9


def start(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start Python with these arguments; all that it writes goes to the log."""
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, *command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=folder,
        env=environment,
    )


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=5) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False
