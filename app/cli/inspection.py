"""Commands that show the state of an installation and of access, and change nothing."""

import argparse
import json
import textwrap
from typing import Any

from app.cli.common import CommandFailed, Progress, Subparsers, add_command, server, start

WIDTH = 100


def add_all(commands: Subparsers) -> None:
    """Add `doctor`."""
    doctor = add_command(commands, "doctor", "check the installation, without a change", _doctor)
    doctor.add_argument("--workers", type=int, default=1, help="workers of all hosts, for connections (%(default)s)")
    doctor.add_argument("--json", action="store_true", help="print the checks as a JSON list")


def _doctor(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    checks = server().inspect(settings, arguments.workers, Progress())
    if arguments.json:
        names = ("name", "state", "text", "action")
        print(json.dumps([{name: getattr(check, name) for name in names} for check in checks], indent=2))
    else:
        for check in checks:
            _print_check(check)
    problems = sum(check.state == "problem" for check in checks)
    if problems:
        raise CommandFailed(f"{problems} of {len(checks)} checks found a problem")


def _print_check(check: Any) -> None:
    print(f"{check.state:<8} {check.name}: {check.text}")
    if check.action:
        print(textwrap.indent(textwrap.fill(f"do: {check.action}", WIDTH), " " * 9))
