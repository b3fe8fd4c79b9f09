"""Asks a process that has imported the application to fork, and runs as the command `ostiary` of a shell.

`python -I -S prepared_client.py SOCKET ARGUMENTS…` takes a fortieth of the time of `python -m app.cli ARGUMENTS…`.
It imports nothing but a few modules of the standard library, since a shell starts it once for each command.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from typing import Any

STREAMS = 3


def request(
    path: str, arguments: Sequence[str], folder: str, environment: Mapping[str, str], streams: Sequence[int]
) -> socket.socket:
    """Start the command line in a forked process, with these three streams; return the connection that tells of it."""
    job = {"arguments": [*arguments], "folder": folder, "environment": dict(environment)}
    sent = json.dumps(job).encode()
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    socket.send_fds(connection, [len(sent).to_bytes(4, "big")], [*streams])
    connection.sendall(sent)
    return connection


def receive(connection: socket.socket) -> tuple[Any, list[int]]:
    """Return the job that a client sent, and its three streams."""
    head, streams, _, _ = socket.recv_fds(connection, 4, STREAMS)
    left, parts = int.from_bytes(head, "big"), []
    while left:
        parts.append(connection.recv(left))
        left -= len(parts[-1])
    return json.loads(b"".join(parts)), streams


def number(connection: socket.socket) -> int:
    """Return the next line: the id of the process, or later its exit code, negative after a signal.

    Raises ConnectionError if the forking process has ended.
    """
    line = b""
    while not line.endswith(b"\n"):
        read = connection.recv(1)
        if not read:
            raise ConnectionError("the process that forks has ended")
        line += read
    return int(line)


def _run() -> int:
    path, *arguments = sys.argv[1:]
    connection = request(path, arguments, os.getcwd(), os.environ, range(STREAMS))
    pid = number(connection)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda received, _: os.kill(pid, received))
    code = number(connection)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(_run())
