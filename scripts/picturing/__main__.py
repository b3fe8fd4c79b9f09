"""Start a server with the demo world and a browser, take the pictures, and check their sizes."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app.services.demo.names import PASSWORD
from scripts import node
from scripts.console import browser as browsers
from scripts.console.sources import ROOT, Console
from tests.support.server import Server

PICTURES = ROOT / "docs" / "pictures"
PREFIX = "console-"
CONFIG = "tests/pictures/vitest.config.ts"
MAX_TOTAL = 1_500_000
"""Bytes of all pictures together: they are in the repository, and change with the pages."""


def main(names: Sequence[str]) -> int:
    """Take these pictures, or all of them, and return the exit code."""
    console = Console()
    browser = browsers.find()
    if not browser:
        return _fail("no Chromium was found: apt install chromium, or name it in CHROMIUM")
    if not console.has_packages() or not console.is_current():
        return _fail("the web console is not built from these sources: run scripts/setup")
    with tempfile.TemporaryDirectory() as folder:
        if code := _take(console, browser, Path(folder), names):
            return code
        taken = sorted(Path(folder).glob(f"{PREFIX}*.png"))
        if not taken:
            return _fail(f"no picture has such a name: {' '.join(names)}")
        for path in taken:
            shutil.copyfile(path, PICTURES / path.name)
            print(f"{(PICTURES / path.name).stat().st_size:9,}  docs/pictures/{path.name}")
    total = sum(path.stat().st_size for path in PICTURES.glob(f"{PREFIX}*.png"))
    print(f"{total:9,}  all pictures of the console")
    return _fail(f"they are larger than {MAX_TOTAL:,} bytes") if total > MAX_TOTAL else 0


def _take(console: Console, browser: str, folder: Path, names: Sequence[str]) -> int:
    """Run the steps of the pictures against a new server; the pictures are then in the folder."""
    chosen = ["-t", f"^({'|'.join(map(re.escape, names))})$"] if names else []
    with tempfile.TemporaryDirectory() as home, Server(Path(home), "--demo") as server:
        server.ready()
        own = {"ADDRESS": server.address, "CHROMIUM": browser, "DEMO_PASSWORD": PASSWORD, "PICTURES": str(folder)}
        program = str(console.packages / ".bin" / "vitest")
        command = [program, "run", "--config", CONFIG, *chosen]
        done = subprocess.run(command, cwd=console.folder, env=node.environment() | own, check=False)  # noqa: S603 - ours
    return done.returncode


def _fail(problem: str) -> int:
    print(f"pictures: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
