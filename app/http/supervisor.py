"""Several workers on one port: uvicorn's supervisor, which also says when it has replaced a worker."""

import logging
import os
import signal
from pathlib import Path
from socket import socket
from typing import Any

from uvicorn import Config
from uvicorn.supervisors import Multiprocess

from app.observability.worker_metrics import FOLDER_VARIABLE, MetricsDirectory

LOG = logging.getLogger(__name__)

RESTARTS = "ostiary_worker_restarts_total"


def run(app: str, **options: Any) -> None:
    """Do what `uvicorn.run` does for several workers, with our supervisor."""
    config = Config(app, **options)
    Supervisor(config, sockets=[config.bind_socket()]).run()


class Supervisor(Multiprocess):
    """Starts the workers, replaces those that end, and starts all of them again one by one on SIGHUP.

    A terminal that is closed sends SIGHUP to the workers too. They inherit that it is blocked, from their very start.
    """

    def __init__(self, config: Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        self._restarts = 0
        self._board: MetricsDirectory | None = None

    def handle_signals(self) -> None:
        """Act on the signals that have come; a SIGHUP has waited until now."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        super().handle_signals()

    def keep_subprocess_alive(self) -> None:
        """Replace workers that ended or do not answer, with a warning for each."""
        before = list(self.processes)
        super().keep_subprocess_alive()
        for old, new in zip(before, self.processes, strict=False):
            if old is not new:
                LOG.warning("worker %s ended (%s) and was replaced by %s", old.pid, _reason(old.exitcode), new.pid)
                self._count()

    def _count(self) -> None:
        """Let the workers tell at /metrics how many were replaced: nobody asks this process."""
        self._restarts += 1
        if folder := os.environ.get(FOLDER_VARIABLE):
            self._board = self._board or MetricsDirectory(Path(folder))
            self._board.publish({RESTARTS: self._restarts}, ended=True)


def _reason(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
