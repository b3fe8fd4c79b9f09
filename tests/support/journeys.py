"""Runs journeys of the console in one process of vitest and one browser (`app/console/tests/resident.js`)."""

import json
import os
import select
import signal
import subprocess
import tempfile

from scripts import node
from scripts.console.sources import Console

STOP_SECONDS = 60.0
"""Seconds to end in; then it is killed."""


class Journeys:
    """The process that runs journeys one after the other; it starts with the first one, and again after its end."""

    def __init__(self, console: Console, **environment: str) -> None:
        self._console = console
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - `close` closes it

    def run(self, journey: str, address: str, longest: float) -> str | None:
        """Run a journey against the server at this address; return None, or what failed.

        A journey that takes longer than these seconds fails.
        """
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"journey": journey, "address": address}) + "\n")
        process.stdin.flush()
        answered = select.select([process.stdout], [], [], longest)[0]
        line = process.stdout.readline() if answered else ""
        if not line:
            self._end()
            return f"{'vitest has ended' if answered else 'no end'}\n{self._said()}"
        failures: list[str] = json.loads(line)
        return "\n\n".join([*failures, self._said()]) if failures else None

    def close(self) -> None:
        """End the process with its browser."""
        self._end()
        self._errors.close()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                ["node", "tests/resident.js"],
                cwd=self._console.folder,
                env=node.environment() | self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                start_new_session=True,  # its browser is in its group, and ends with it
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def _said(self) -> str:
        """Return what it wrote to its standard error until now."""
        return os.pread(self._errors.fileno(), 1 << 24, 0).decode()
