"""The address of `ostiary serve`: a host and a port, a unix socket, or sockets that systemd opened."""

import argparse
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from app.cli.common import CommandFailed
from app.config import is_loopback
from app.domain.errors import SettingsError
from app.http import sockets


@dataclass(frozen=True, slots=True)
class Listener:
    """The address of the server. Without `sockets`, it opens them itself at `host` and `port`."""

    option: str
    """The option that decided it, for messages."""
    addresses: Sequence[str]
    is_exposed: bool
    """True unless only processes of this machine can connect. A unix socket is for a proxy, which others reach."""
    host: str = ""
    port: int = 0
    sockets: Sequence[socket.socket] = ()


@contextmanager
def listen(arguments: argparse.Namespace) -> Iterator[Listener]:
    """Yield where the server listens; raises SettingsError or CommandFailed if that is not possible."""
    passed = sockets.inherited()
    if arguments.unix_socket is not None:
        if passed:
            raise SettingsError("--unix-socket: systemd passed a socket already; remove the option")
        with sockets.unix_socket(arguments.unix_socket) as opened:
            yield _of_sockets(f"--unix-socket {arguments.unix_socket}", [opened])
    elif passed:
        yield _of_sockets("the socket of systemd", passed)
    else:
        yield _of_host(arguments.host, free_port(arguments.host, arguments.port))


def _of_sockets(option: str, opened: Sequence[socket.socket]) -> Listener:
    exposed = any(each.family == socket.AF_UNIX or not is_loopback(each.getsockname()[0]) for each in opened)
    return Listener(option, [sockets.name(each) for each in opened], exposed, sockets=opened)


def _of_host(host: str, port: int) -> Listener:
    local = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - a text, not a bind
    others = "" if local == host else " (and every other address of this machine)"
    address = sockets.http_address(local, port) + others
    return Listener(f"--host {host or '(all addresses)'}", [address], not is_loopback(host), host, port)


def free_port(host: str, port: int) -> int:
    """Return the port to listen on, before the database is changed. Raises CommandFailed if it is not available."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such host"
        raise CommandFailed(f"cannot listen on {host} port {port}: {reason}; set --host and --port") from None
