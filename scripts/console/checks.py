"""The checks of the console's sources."""

import subprocess
from typing import NamedTuple

from scripts import node
from scripts.console import build
from scripts.console.sources import Console


class Check(NamedTuple):
    """Commands in app/console. `problem` says what is wrong if one fails, `repair` what to do."""

    subject: str
    commands: tuple[str, ...]
    problem: str
    repair: str


CHECKS = (
    Check(
        "Types of the console (tsc)",
        ("npm run --silent types", "npm exec -- tsc"),
        "the types above do not fit the code or schema.graphql.",
        "Correct the code by hand. After a change of the API, run scripts/schema first.",
    ),
    Check(
        "Lint of the console (eslint)",
        ("npm run --silent lint -- --max-warnings 0",),
        "the lines above break a rule of app/console/eslint.config.js.",
        "Run scripts/lint; it repairs what it can.",
    ),
    Check(
        "Format of the console (prettier)",
        ("npm run --silent format:check",),
        "the layout of the files above differs from that of the formatter.",
        "Run scripts/lint; it formats every file.",
    ),
    Check(
        "Logic of the console (vitest)",
        ("npm run --silent test",),
        "the tests above fail.",
        "Correct the code, then run scripts/check again.",
    ),
)
REPAIRS = ("npm run --silent lint -- --fix", "npm run --silent format")


def check(console: Console) -> int:
    """Run all checks, print the output of those that fail, and return the exit code."""
    try:
        environment = build.install(console)
    except (build.UnreachableError, node.MissingNodeError) as error:
        print(f"check: WARNING: the web console is not checked, since its packages could not be installed: {error}.")
        return 0
    failed = 0
    for each in CHECKS:
        if output := _first_failure(console, each, environment):
            failed += 1
            print(f"{output}\ncheck: {each.subject}: {each.problem}\ncheck: {each.repair}\n")
    return int(failed > 0)


def repair(console: Console) -> int:
    """Repair what eslint and prettier can repair."""
    environment = build.install(console)
    for command in REPAIRS:
        _run(console, command, environment)
    return 0


def _first_failure(console: Console, each: Check, environment: dict[str, str]) -> str:
    """Return the output of the first command that fails; empty if all succeed."""
    for command in each.commands:
        done = _run(console, command, environment)
        if done.returncode:
            return f"{done.stdout}{done.stderr}" or f"{command} failed"
    return ""


def _run(console: Console, command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    print(f"+ {command}", flush=True)
    return subprocess.run(  # noqa: S603 - the commands of this module
        command.split(), cwd=console.folder, env=environment, capture_output=True, text=True, check=False
    )
