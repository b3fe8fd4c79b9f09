"""A process that has imported the application, and forks a process of the command line for each request.

To import it takes most of the time of a short command and of the start of a server. A forked process is as real as
one that was started: it has its own memory, streams, folder, environment and signals, and it runs `app.cli` as
`python -m` does. The workers of a forked server are forked too, where `multiprocessing` would start a new interpreter.
What an import itself does can only be seen in a process that was started; `tests/cli/test_cli.py` and
`tests/http/test_serving.py` start them, also a server with two workers.
"""

import contextlib
import gc
import importlib
import io
import multiprocessing.util
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Never

import app
from tests.support import prepared_client

BESIDE = ("uvicorn.logging", "uvicorn.loops.auto", "uvicorn.protocols.http.auto", "uvicorn.lifespan.on")
"""Modules that uvicorn imports by name when it serves."""

APART = ("app.db.migrations.versions", "app.db.migrations.env")
"""Modules that are loaded by their paths."""


def _import_all() -> None:
    importlib.import_module("app.main")  # first, as a server does: the order of imports matters to the schema
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.startswith(APART) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in BESIDE:
        importlib.import_module(name)


class Forking:
    """The loop that accepts requests, forks, and tells each client the id and the exit code of its process."""

    def __init__(self, path: str) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(f"{path}.new")
        self._listening.listen(64)
        Path(f"{path}.new").rename(path)  # a client that sees the socket can connect
        self._ended, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        self._ended.setblocking(False)
        self._clients: dict[int, socket.socket] = {}

    def run(self) -> dict[str, Any] | None:
        """Return a job in each forked process, and None in this one when its standard input is closed."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno())
        waiting = select.poll()
        for each in (self._listening, self._ended, sys.stdin):
            waiting.register(each, select.POLLIN | select.POLLHUP)
        while True:
            ready = {number for number, _ in waiting.poll()}
            if self._ended.fileno() in ready:
                self._ended.recv(4096)
                self._tell()
            if self._listening.fileno() in ready and (job := self._fork()) is not None:
                return job
            if sys.stdin.fileno() in ready:
                self._end()
                return None

    def _end(self) -> None:
        """End what still runs when the tests have ended, even if they were killed."""
        for pid in self._clients:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def _fork(self) -> dict[str, Any] | None:
        client, _ = self._listening.accept()
        job, streams = prepared_client.receive(client)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            client.sendall(b"%d\n" % os.getpid())  # from here on the client may end its group
            self._leave(client, streams)
            return job  # type: ignore[no-any-return]  # from JSON
        for each in streams:
            os.close(each)
        self._clients[pid] = client
        return None

    def _tell(self) -> None:
        for pid in [*self._clients]:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                with self._clients.pop(pid) as client, contextlib.suppress(BrokenPipeError):
                    client.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))

    def _leave(self, client: socket.socket, streams: list[int]) -> None:
        """Give up in the forked process all that belongs to this one, and take the streams of the client."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (self._listening, self._ended, self._wake, *self._clients.values(), client):
            os.close(each.detach())
        for at, stream in enumerate(streams):
            os.dup2(stream, at)
            os.close(stream)


def _become(job: dict[str, Any]) -> None:
    """Take over the folder, the environment and the arguments of a job."""
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    time.tzset()
    sys.path[0] = job["folder"]
    sys.argv[1:] = job["arguments"]
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        old = getattr(sys, name)
        raw = open(number, f"{mode}b", closefd=False)  # noqa: SIM115 - it is open until the process ends
        new = io.TextIOWrapper(raw, old.encoding, old.errors, line_buffering=name == "stderr" or raw.isatty())
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)


SPAWNING = "--multiprocessing-fork"
"""The argument of the interpreter that `multiprocessing` starts for a process of its kind `spawn`."""


def _forking_spawned(start: Callable[..., int]) -> Callable[..., int]:
    """Return the function that starts a program with these open files, which forks instead for a process of `spawn`.

    Such a process takes all it needs from a pipe, as a started one does. It keeps the imported modules alone.
    """

    def start_or_fork(path: bytes, arguments: Sequence[str], files: Sequence[int]) -> int:
        if arguments[-1] != SPAWNING:
            return start(path, arguments, files)
        pid = os.fork()
        if pid == 0:
            _run_spawned(arguments[arguments.index("-c") + 1], files)
        return pid

    return start_or_fork


def _run_spawned(code: str, files: Sequence[int]) -> Never:
    """Run the code that the interpreter would get, with the files and the signals that it would have."""
    status = 1
    try:
        for number in signal.valid_signals():
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        before = 3
        for file in (*sorted(files), os.sysconf("SC_OPEN_MAX")):
            os.closerange(before, file)
            before = file + 1
        sys.argv[:] = ["-c", SPAWNING]
        exec(code, {"__name__": "__main__"})  # noqa: S102 - the text is that of `multiprocessing`
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _import_all()
    gc.collect()
    gc.freeze()
    received = Forking(sys.argv.pop()).run()
    if received is not None:
        _become(received)
        gc.unfreeze()
        util: Any = multiprocessing.util
        util.spawnv_passfds = _forking_spawned(util.spawnv_passfds)
        runpy.run_module("app.cli", run_name="__main__", alter_sys=True)
