"""Start a server with the sample registry, run all checks against it, and print a table."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import httpx

from scripts.client_checks.checks import CHECKS, TOOLS, Check, Place
from tests.support.server import UNUSED_TLS, Server

ROOT = Path(__file__).parents[2]
SOURCES = Path(__file__).parent
LAST_LINES = 12
"""Lines of a failed check's output that are printed."""


def main(names: list[str]) -> int:
    """Run the checks of these names, all without a name; return 1 if one fails."""
    unknown = set(names) - {check.name for check in CHECKS}
    if unknown:
        print(f"clients: no check named {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder), "--demo") as server:
        server.ready()
        place = _prepare(server.address)
        failures = [check.name for check in CHECKS if check.name in (names or [check.name]) and not _run(check, place)]
    print(f"\n{len(failures)} failed: {', '.join(failures)}" if failures else "\nall passed")
    return bool(failures)


def _prepare(address: str) -> Place:
    """Copy the sources beside the tools, and fetch both descriptions of the API from the server."""
    for name in ("js", "python"):
        target = ROOT / TOOLS / name
        for each in (SOURCES / name).iterdir():
            if each.is_dir():
                shutil.rmtree(target / each.name, ignore_errors=True)
                shutil.copytree(each, target / each.name)
            else:
                target.mkdir(exist_ok=True)
                shutil.copy(each, target / each.name)
        shutil.rmtree(target / "out", ignore_errors=True)
        (target / "out").mkdir()
        for path in ("schema.graphql", "openapi.json"):
            answer = httpx.get(f"{address}/{path}", trust_env=False, verify=UNUSED_TLS).raise_for_status()
            (target / path).write_text(answer.text)
    return Place(ROOT / TOOLS, address)


def _run(check: Check, place: Place) -> bool:
    """Run the commands of a check until one fails, and print a line; return whether all succeeded."""
    began, output = perf_counter(), ""
    for command in check.commands(place):
        done = subprocess.run(  # noqa: S603 - commands of this package
            command,
            cwd=place.tools / check.folder,
            env=place.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode:
            output = f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
            break
    print(f"{'failed' if output else 'ok':8}{check.name:28}{perf_counter() - began:6.1f} s  {check.shows}", flush=True)
    if output:
        print("\n".join(f"    {line}" for line in output.strip().splitlines()[-LAST_LINES:]), flush=True)
    return not output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
