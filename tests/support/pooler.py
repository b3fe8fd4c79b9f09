"""PgBouncer in front of a PostgreSQL, with its defaults: no settings of sessions, no prepared statements."""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from string import Template
from time import monotonic, sleep
from typing import Self
from urllib.parse import urlsplit

import asyncpg

from tests.support.postgres import free_port

CONFIGURATION = Template("""
[databases]
* = host=127.0.0.1 port=$server
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $folder/users
pool_mode = $mode
default_pool_size = $size
logfile = $folder/log
""")
"""A configuration that leaves everything else at its default."""

POOLED, POOLED_CONNECTIONS = "POOLED_TESTS", 4
"""The variable with the mode of a PgBouncer for the tests on PostgreSQL, and its connections to a database."""

WAIT_SECONDS = 60.0


class Pooler:
    """PgBouncer with as many connections as `size` for each database of the server of `url`, until the block ends."""

    def __init__(self, url: str, mode: str, size: int) -> None:
        self._parts, self._mode, self._size = urlsplit(url), mode, size
        self._port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="pgbouncer-")

    def __enter__(self) -> Self:
        folder = Path(self._folder.name)
        (folder / "users").write_text(f'"{self._parts.username}" "{self._parts.password}"\n')
        values = {"server": self._parts.port, "port": self._port, "folder": folder, "mode": self._mode}
        file = folder / "pgbouncer.ini"
        file.write_text(CONFIGURATION.substitute(values, size=self._size))
        self._process = subprocess.Popen(
            [_program(), *_as_others(folder), str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()

    def url(self, direct: str) -> str:
        """Return the URL that leads to the database of another URL, through the pooler."""
        credentials = f"{self._parts.username}:{self._parts.password}"
        return urlsplit(direct)._replace(netloc=f"{credentials}@127.0.0.1:{self._port}").geturl()

    def _wait(self) -> None:
        async def connect() -> None:
            await (await asyncpg.connect(self.url(self._parts.geturl()), statement_cache_size=0)).close()

        give_up = monotonic() + WAIT_SECONDS
        while monotonic() < give_up and self._process.poll() is None:
            try:
                return asyncio.run(connect())
            except OSError:
                sleep(0.05)
        raise RuntimeError("PgBouncer does not answer")


def _program() -> str:
    """Return PgBouncer, which Debian installs where only root looks."""
    found = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        raise RuntimeError("pgbouncer is missing; apt install pgbouncer")
    return found


def _as_others(folder: Path) -> list[str]:
    """Return the option of another user: PgBouncer does not run as root."""
    if os.getuid():
        return []
    account = pwd.getpwnam("nobody")
    for each in (folder, *folder.iterdir()):
        os.chown(each, account.pw_uid, account.pw_gid)
    return ["-u", account.pw_name]
