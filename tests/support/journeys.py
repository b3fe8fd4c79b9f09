"""Runs journeys of the console in one process of vitest and one browser (`app/console/tests/resident.js`)."""

import json
import os
import select
import signal
import subprocess
import tempfile
from contextlib import suppress

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
        try:
            line = self._ask({"journey": journey, "address": address}, longest)
            answer = json.loads(line)
            assert answer["journey"] == journey, line
        except BaseException as error:
            self._end()  # its next answer would be that of this journey
            if not isinstance(error, Exception):
                raise
            return f"{error!r}\n{self._said()}"
        failures: list[str] = answer["failures"]
        return "\n\n".join([*failures, self._said()]) if failures else None

    def _ask(self, question: dict[str, str], longest: float) -> str:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        assert select.select([process.stdout], [], [], longest)[0], "the journey has no end"
        line = process.stdout.readline()
        assert line, "vitest has ended"
        return line

    def close(self) -> None:
        """End the process with its browser."""
        self._end()
        self._errors.close()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is not None and self._process.poll() is not None:
            self._end()
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
            with suppress(BrokenPipeError):
                process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def _said(self) -> str:
        """Return what it wrote to its standard error until now."""
        return os.pread(self._errors.fileno(), 1 << 24, 0).decode()
