"""Install the packages of the console, build its pages, and compress them."""

import fcntl
import gzip
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from scripts import node
from scripts.console.sources import Console

NPM_CI = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
PATIENCE = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000")
"""Without a network, npm gives up within seconds."""

COMPRESSED = {".css", ".ico", ".js", ".json", ".svg", ".ttf", ".txt", ".webmanifest"}
"""Endings of files that gzip makes smaller."""

DEFECTS = ("EUSAGE", "EJSONPARSE", "EINTEGRITY")
"""Codes of npm for a lock that is no good. All other failures are those of a network or a registry."""

LATER = "Run scripts/setup again to build it, or use --no-console."


class BuildError(Exception):
    """A tool failed on the sources. The message is its output."""


class UnreachableError(Exception):
    """The packages cannot be installed, as without a network."""


def update(console: Console) -> int:
    """Build the console if its sources changed, and return the exit code.

    Packages that cannot be fetched are a warning: the server runs without a console.
    """
    if console.is_current():
        return 0
    with _lock(console.root):
        if console.is_current():
            return 0
        try:
            build(console)
        except (UnreachableError, node.MissingNodeError) as error:
            _say(f"WARNING: the web console is not built, since its packages could not be installed: {error}. {LATER}")
        except BuildError as error:
            print(error, file=sys.stderr)
            _say(f"the build of the web console failed; its output is above. {LATER}")
            return 1
    return 0


def install(console: Console) -> dict[str, str]:
    """Install the packages of the lock if they changed, and return the environment of their programs."""
    environment = node.environment()
    if not console.has_packages():
        _say("installing the packages of the web console from npm")
        done = _run([*NPM_CI, *PATIENCE], console.folder, environment)
        if done.returncode and any(f"code {code}" in done.stderr for code in DEFECTS):
            raise BuildError(done.stderr.partition("\nnpm error Clean install")[0])
        if done.returncode:
            raise UnreachableError(_reason(done.stderr))
        console.packages_stamp.write_text(console.lock_digest())
    return environment


def build(console: Console) -> None:
    """Replace the build. If it fails, the one before stays."""
    environment, digest = install(console), console.digest()
    _say("building the web console")
    began, before = perf_counter(), console.folder / "dist.before"
    shutil.rmtree(before, ignore_errors=True)
    if console.dist.exists():
        console.dist.rename(before)
    done = _run(["npm", "run", "--silent", "build"], console.folder, environment)
    if done.returncode:
        shutil.rmtree(console.dist, ignore_errors=True)
        if before.exists():
            before.rename(console.dist)
        raise BuildError(done.stdout + done.stderr)
    compress(console.dist)
    console.stamp.write_text(digest)
    shutil.rmtree(before, ignore_errors=True)
    _say(f"built the web console in {perf_counter() - began:.0f} s")


def compress(dist: Path) -> None:
    """Write every file that gzip makes smaller in that form too. Equal files have equal results."""
    for file in sorted(dist.rglob("*")):
        if file.is_file() and file.suffix in COMPRESSED:
            content = file.read_bytes()
            packed = gzip.compress(content, 9, mtime=0)
            if len(packed) < len(content):
                file.with_name(f"{file.name}.gz").write_bytes(packed)


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the commands of this module
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    """Wait for another setup of this checkout. The kernel gives the lock back, even after a kill."""
    with (root / ".venv.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _reason(errors: str) -> str:
    """Return the first line of npm's errors that says something."""
    lines = (line.removeprefix("npm error").strip() for line in errors.splitlines())
    said = [line for line in lines if line and not line.startswith(("code ", "errno ", "syscall "))]
    return said[0].rstrip(".") if said else "npm failed"


def _say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)
