"""Processes of the command line, forked from one that has imported the application (`tests/support/prepared.py`)."""

import atexit
import os
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO

from tests.support import prepared, prepared_client

ROOT = Path(__file__).parents[2]
START_SECONDS = 300.0


class Program:
    """A process `python -m app.cli ARGUMENTS…`, with those methods of `subprocess.Popen` that the tests need."""

    def __init__(
        self,
        *arguments: str,
        folder: Path,
        environment: Mapping[str, str],
        out: IO[bytes],
        err: IO[bytes],
    ) -> None:
        with Path(os.devnull).open("rb") as nothing:
            streams = nothing.fileno(), out.fileno(), err.fileno()
            self._connection = prepared_client.request(_socket(), arguments, str(folder), environment, streams)
        self.pid = prepared_client.number(self._connection)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, negative after a signal, or None while the process runs."""
        return self._code(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code. Raises TimeoutExpired after these seconds."""
        code = self._code(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(["ostiary"], timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def _code(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._connection], [], [], timeout)[0]:
            self.returncode = prepared_client.number(self._connection)
            self._connection.close()
        return self.returncode


def run(
    *arguments: str, folder: Path, environment: Mapping[str, str], timeout: float = 120, starts: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; return its exit code and its output. Raises TimeoutExpired after these seconds.

    With `starts` a started process runs it, which imports the modules of this command in its own order.
    """
    if starts:
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        program = Program(*arguments, folder=folder, environment=environment, out=out, err=err)
        try:
            code = program.wait(timeout)
        finally:
            program.send_signal(signal.SIGKILL)
        texts = [os.pread(each.fileno(), 1 << 24, 0).decode() for each in (out, err)]
    return subprocess.CompletedProcess(["ostiary", *arguments], code, *texts)


def script() -> str:
    """Return a shell script that runs the command line, as the installed program `ostiary` does."""
    words = [sys.executable, "-I", "-S", prepared_client.__file__, _socket()]
    return f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n'


@cache
def _socket() -> str:
    """Start the process that forks, once in each process of the tests, and return the path of its socket."""
    folder = tempfile.TemporaryDirectory(prefix="ostiary-tests-")
    path = Path(folder.name) / "socket"
    environment = {name: text for name, text in os.environ.items() if not name.upper().startswith("OSTIARY_")}
    process = subprocess.Popen(
        [sys.executable, "-m", prepared.__name__, str(path)],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        start_new_session=True,
    )

    def end() -> None:
        process.communicate()
        folder.cleanup()

    atexit.register(end)
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        assert process.poll() is None, "the process that forks has ended"
        assert time.monotonic() < deadline, "the process that forks has not started"
        time.sleep(0.01)
    return str(path)
