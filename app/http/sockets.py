"""Listening sockets beside those of an address and a port: a unix socket, and those that systemd opened.

Clients of a unix socket have no address. `TrustedProxies` names them as `unix`.
"""

import os
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from app.domain.errors import SettingsError

FIRST_DESCRIPTOR = 3
"""The descriptor of the first socket that systemd passes (sd_listen_fds)."""

MODE = 0o660
"""The mode of a unix socket: its user and group may connect."""

BACKLOG = 2048
"""Connections that wait to be accepted, as uvicorn has it."""


def inherited(environment: Mapping[str, str] = os.environ) -> list[socket.socket]:
    """Return the listening sockets that systemd passed to this process; raise SettingsError for other descriptors.

    The variables are those of sd_listen_fds: LISTEN_PID and LISTEN_FDS.
    """
    if environment.get("LISTEN_PID") != str(os.getpid()):
        return []
    sockets = []
    for descriptor in range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + int(environment.get("LISTEN_FDS", "0"))):
        os.set_inheritable(descriptor, False)
        try:
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
    host, port, *_ = address
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def unix_socket(path: Path) -> Iterator[socket.socket]:
    """Listen on a unix socket while the block runs; raise SettingsError if that is not possible.

    A socket that a killed server left is replaced. One that somebody listens on is not, nor is any other file.
    """
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with listener:
        try:
            before = os.umask(0o777 & ~MODE)  # from its first moment on, others may not connect
            try:
                listener.bind(os.fspath(path))
            finally:
                os.umask(before)
            listener.listen(BACKLOG)  # from now on clients wait until the server accepts, and the path is in use
        except OSError as error:
            raise SettingsError(f"--unix-socket {path}: cannot listen there: {error.strerror or error}") from None
        own = os.stat(path)
        try:
            yield listener
        finally:
            with suppress(OSError):
                if os.path.samestat(os.stat(path), own):  # another server may have replaced it
                    path.unlink()


def _remove_stale(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise SettingsError(f"--unix-socket {path}: there is a file that is not a socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(os.fspath(path))
    except FileNotFoundError:
        return
    except ConnectionRefusedError:
        path.unlink()
    except OSError as error:
        raise SettingsError(f"--unix-socket {path}: cannot listen there: {error.strerror or error}") from None
    else:
        raise SettingsError(f"--unix-socket {path}: another server listens there")
