"""Listening sockets beside those of an address and a port: a unix socket, and those that systemd opened.

Clients of a unix socket have no address. `TrustedProxies` names them as `unix`.
"""

import fcntl
import logging
import os
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from app.domain.errors import SettingsError

log = logging.getLogger(__name__)

FIRST_DESCRIPTOR = 3
"""The descriptor of the first socket that systemd passes (sd_listen_fds)."""

MODE = 0o660
"""The mode of a unix socket: its user and group may connect."""

PROBE_SECONDS = 1.0
"""Seconds to wait for a server that already listens on a unix socket."""

BACKLOG = 2048
"""Connections that wait to be accepted, as uvicorn has it."""


def inherited(environment: Mapping[str, str] = os.environ) -> list[socket.socket]:
    """Return the listening sockets that systemd passed to this process; raise SettingsError for other descriptors.

    The variables are those of sd_listen_fds: LISTEN_PID and LISTEN_FDS.
    """
    number = environment.get("LISTEN_FDS", "0")
    if environment.get("LISTEN_PID") != str(os.getpid()) or not number.isdecimal():
        if number != "0":
            log.warning("LISTEN_FDS is ignored: LISTEN_PID is not this process; start it without a shell in between")
        return []
    sockets = []
    for descriptor in range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + int(number)):
        try:
            os.set_inheritable(descriptor, False)
            sockets.append(_listening(socket.socket(fileno=descriptor)))
        except OSError:
            raise SettingsError(f"LISTEN_FDS: descriptor {descriptor} is not a listening stream socket") from None
    return sockets


def _listening(opened: socket.socket) -> socket.socket:
    if opened.type != socket.SOCK_STREAM or not opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        opened.close()
        raise OSError
    return opened


def name(opened: socket.socket) -> str:
    """Return the address of a socket, such as `http://127.0.0.1:5000` or `unix:/run/ostiary/http.sock`."""
    address = opened.getsockname()
    if opened.family == socket.AF_UNIX:
        return f"unix:{os.fsdecode(address)}"
    return http_address(*address[:2])


def http_address(host: str, port: int) -> str:
    """Return the URL of an address, with an IPv6 address in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def unix_socket(path: Path) -> Iterator[socket.socket]:
    """Listen on a unix socket while the block runs; raise SettingsError if that is not possible.

    A socket that a killed server left is replaced. One that somebody listens on is not, nor is any other file.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with listener:
        try:
            with _lock_folder(path.parent):  # of two servers that start at once, the second one finds the first
                _remove_stale(path)
                _bind(listener, path)
        except OSError as error:
            raise SettingsError(f"--unix-socket {path}: cannot listen there: {error.strerror or error}") from None
        own = os.stat(path)
        try:
            yield listener
        finally:
            with suppress(OSError):
                if os.path.samestat(os.stat(path), own):  # another server may have replaced it
                    path.unlink()


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _bind(listener: socket.socket, path: Path) -> None:
    before = os.umask(0o777 & ~MODE)  # from its first moment on, others may not connect
    try:
        listener.bind(os.fspath(path))
    finally:
        os.umask(before)
    listener.listen(BACKLOG)  # from now on clients wait until the server accepts, and the path is in use


def _remove_stale(path: Path) -> None:
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise SettingsError(f"--unix-socket {path}: there is a file that is not a socket")
        if _is_in_use(path):
            raise SettingsError(f"--unix-socket {path}: another server listens there")
        path.unlink()


def _is_in_use(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_SECONDS)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            return False
        except (TimeoutError, BlockingIOError):  # its queue is full
            return True
    return True
