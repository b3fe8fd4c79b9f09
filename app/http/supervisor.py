"""The start of one worker, or of several on one socket by uvicorn's supervisor, which also counts replaced workers."""

import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from socket import socket
from typing import Any

import uvicorn
from uvicorn import Config, Server
from uvicorn.supervisors import ChangeReload, Multiprocess

from app.observability.worker_metrics import FOLDER_VARIABLE, MetricsDirectory

LOG = logging.getLogger(__name__)

STARTUP_FAILURE = 3
"""The exit code of a server that did not start, as of uvicorn."""

RESTARTS = "ostiary_worker_restarts_total"


def run(app: str, sockets: Sequence[socket], *, workers: int, reload: bool, **options: Any) -> None:
    """Run an application as `uvicorn.run` does, on these sockets if there are any, with this module's `Supervisor`."""
    config = Config(app, workers=workers, reload=reload, **options)
    if workers > 1:
        Supervisor(config, sockets=[*sockets] or [config.bind_socket()]).run()
    elif not sockets:
        uvicorn.run(app, workers=workers, reload=reload, **options)
    elif reload:
        ChangeReload(config, target=Server(config).run, sockets=[*sockets]).run()
    else:
        _run_one(Server(config), [*sockets])


def _run_one(server: Server, sockets: list[socket]) -> None:
    with suppress(KeyboardInterrupt):  # uvicorn raises the signal again after the stop
        server.run(sockets=sockets)
    if not server.started:
        sys.exit(STARTUP_FAILURE)


class Supervisor(Multiprocess):
    """Starts the workers, replaces ended ones, and restarts all of them one by one on SIGHUP.

    A closed terminal sends SIGHUP to the workers too, so they inherit a mask that blocks it.
    """

    def __init__(self, config: Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        self._restarts = 0
        self._directory: MetricsDirectory | None = None

    def handle_signals(self) -> None:
        """Let a pending SIGHUP through, which is blocked at all other times, and handle the received signals."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        super().handle_signals()

    def keep_subprocess_alive(self) -> None:
        """Replace workers that ended or do not answer, and log a warning for each."""
        before = list(self.processes)
        super().keep_subprocess_alive()
        for old, new in zip(before, self.processes, strict=False):
            if old is not new:
                LOG.warning("worker %s ended (%s) and was replaced by %s", old.pid, _reason(old.exitcode), new.pid)
                self._count_restart()

    def _count_restart(self) -> None:
        """Publish the number of restarts to the workers, which serve /metrics; this process serves nothing."""
        self._restarts += 1
        if folder := os.environ.get(FOLDER_VARIABLE):
            self._directory = self._directory or MetricsDirectory(Path(folder))
            self._directory.publish({RESTARTS: self._restarts}, ended=True)


def _reason(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
