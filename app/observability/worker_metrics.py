"""How several workers answer as one: each lays its numbers down in a folder, and whoever is asked adds them up.

Prometheus asks one address and reaches any of the workers. Were each to answer for itself, every counter would jump
up and down.
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

from app.observability.metrics import Samples, counters

FOLDER_VARIABLE = "_OSTIARY_WORKERS"
"""Tells the workers their folder; not a setting."""

log = logging.getLogger(__name__)


@contextmanager
def shared(number: int) -> Iterator[None]:
    """A folder for as long as several workers run; without one, each answers for itself."""
    os.environ.pop(FOLDER_VARIABLE, None)
    if number == 1:
        yield
        return
    folder = None
    try:
        folder = os.environ[FOLDER_VARIABLE] = tempfile.mkdtemp(prefix="ostiary-")  # for its owner alone
    except OSError as error:
        log.warning("there is no place for temporary files (%s): /metrics will tell of one worker alone", error)
    try:
        yield
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


class MetricsDirectory:
    """A worker's own file, and those of the others. A file is written beside its place, so that it is read whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"

    def publish(self, samples: Samples, *, ended: bool = False) -> None:
        """Lay down what this worker has counted; once it has `ended`, what stays true of it."""
        kept = {"pid": None if ended else os.getpid(), "samples": counters(samples) if ended else samples}
        draft = self._folder / f"{self._name}.new"
        with suppress(OSError):  # the folder may be gone, or full: what is asked for goes before what is counted
            draft.write_text(json.dumps(kept))
            draft.replace(self._folder / f"{self._name}.json")

    def others(self) -> Iterator[Samples]:
        """What the other workers have counted; of one that was killed, what stays true."""
        for path in sorted(self._folder.glob("*.json")):
            if path.stem == self._name:
                continue
            with suppress(OSError):
                kept = json.loads(path.read_text())
                yield kept["samples"] if _lives(kept["pid"]) else counters(kept["samples"])


def _lives(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
