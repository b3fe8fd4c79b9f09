"""Start PostgreSQL, PgBouncer in each mode and a server behind it, run all trials, and print the results as a table."""

import asyncio
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template
from time import monotonic, sleep
from urllib.parse import urlsplit

import asyncpg

from scripts.pooling import trials
from scripts.pooling.trials import Trial
from tests.support.postgres import Postgres, free_port
from tests.support.server import Server

MODES = {"session": 40, "transaction": 3}
"""The modes, and the connections to PostgreSQL for each: in transaction mode fewer than the server has clients."""

PGBOUNCER = Template("""
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

WAIT_SECONDS = 10.0


def main() -> int:
    """Run all trials; return 1 if one fails."""
    with ExitStack() as stack:
        postgres = Postgres()
        stack.callback(postgres.stop)
        postgres.start()
        tried: list[Trial] = []
        for mode in MODES:
            tried += _try(mode, postgres)
    return _tell(tried)


def _try(mode: str, postgres: Postgres) -> Iterator[Trial]:
    postgres.create(mode)
    with tempfile.TemporaryDirectory() as name, _pooled(mode, postgres.url(mode), Path(name)) as url:
        yield from asyncio.run(trials.of_clients(mode, url))
        home = Path(name) / "home"
        home.mkdir()
        environment = {"OSTIARY_DATABASE_URL": url, "OSTIARY_SECRET": "a secret of the trials that is long enough"}
        with Server(home, "--workers", "2", **environment) as server:
            server.ready()
            yield from asyncio.run(trials.of_server(mode, server, postgres.url(mode)))
            yield from trials.of_commands(mode, home, environment, postgres.url(mode))
            yield from asyncio.run(trials.after_commands(mode, server))
            ended = asyncio.run(server.stopped())
            yield Trial(mode, "exit code of the server", ended.code, 0)
            yield Trial(
                mode, "workers that say in the log that there is a pooler", ended.err.count("a connection pooler"), 3
            )
            yield Trial(mode, "errors in the log", [line for line in ended.err.splitlines() if "ERROR" in line], [])


@contextmanager
def _pooled(mode: str, url: str, folder: Path) -> Iterator[str]:
    """Run PgBouncer in front of a database, and yield the URL that leads through it."""
    parts, port = urlsplit(url), free_port()
    (folder / "users").write_text(f'"{parts.username}" "{parts.password}"\n')
    file = folder / "pgbouncer.ini"
    values = {"server": parts.port, "port": port, "folder": folder, "mode": mode, "size": MODES[mode]}
    file.write_text(PGBOUNCER.substitute(values))
    process = subprocess.Popen(  # noqa: S603 - ours
        ["pgbouncer", *_as_others(folder), str(file)],  # noqa: S607 - the operator's
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        through = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()
        _wait_for(through, process)
        yield through
    finally:
        process.terminate()
        process.wait()


def _as_others(folder: Path) -> list[str]:
    """Return the option of another user: PgBouncer does not run as root."""
    if os.getuid():
        return []
    account = pwd.getpwnam("nobody")
    for each in (folder, *folder.iterdir()):
        os.chown(each, account.pw_uid, account.pw_gid)
    return ["-u", account.pw_name]


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    async def connect() -> None:
        await (await asyncpg.connect(url, statement_cache_size=0)).close()

    give_up = monotonic() + WAIT_SECONDS
    while monotonic() < give_up and process.poll() is None:
        try:
            return asyncio.run(connect())
        except OSError:
            sleep(0.05)
    raise SystemExit("poolers: PgBouncer does not answer")


def _tell(tried: list[Trial]) -> int:
    for each in tried:
        mark = "ok   " if each.is_right else "WRONG"
        wrong = "" if each.is_right else f" not {each.expected}"
        print(f"{mark} {each.mode:<12} {each.what:<66} {each.seen}{wrong}")
    failed = sum(not each.is_right for each in tried)
    print(f"{len(tried) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
