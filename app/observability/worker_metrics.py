"""Metrics of several workers: each writes its samples to a common folder, and each can add up the samples of all.

Prometheus reads one address and reaches any of the workers. If each returned only its own counters, every counter
would jump up and down.
"""

import json
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.observability.metrics import Samples, without_gauges

FOLDER_VARIABLE = "_OSTIARY_WORKERS"
"""Environment variable with the folder of the samples, for the worker processes. It is no setting."""

log = logging.getLogger(__name__)


@contextmanager
def shared_folder(workers: int) -> Iterator[None]:
    """Create the folder of the samples while several workers run. Without it, each worker reports only itself."""
    os.environ.pop(FOLDER_VARIABLE, None)
    if workers == 1:
        yield
        return
    folder = None
    try:
        folder = os.environ[FOLDER_VARIABLE] = tempfile.mkdtemp(prefix="ostiary-")  # mode 0700
    except OSError as error:
        log.warning("no temporary directory (%s): /metrics covers one worker only", error)
    try:
        yield
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


class MetricsDirectory:
    """The folder of the samples: one file for each worker, replaced atomically so that readers see complete files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"

    def publish(self, samples: Samples, *, ended: bool = False) -> None:
        """Write the samples of this worker; without its gauges once it has `ended`."""
        data = {"pid": None if ended else os.getpid(), "samples": without_gauges(samples) if ended else samples}
        draft = self._folder / f"{self._name}.new"
        with suppress(OSError):  # a missing folder or a full disk must not fail the request
            draft.write_text(json.dumps(data))
            draft.replace(self._folder / f"{self._name}.json")

    def others(self) -> Iterator[Samples]:
        """Yield the samples of the other workers; of ended ones, without their gauges."""
        for path in sorted(self._folder.glob("*.json")):
            if path.stem == self._name:
                continue
            with suppress(OSError):
                data = json.loads(path.read_text())
                yield data["samples"] if _is_alive(data["pid"]) else without_gauges(data["samples"])


def _is_alive(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
