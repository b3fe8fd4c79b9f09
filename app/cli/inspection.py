"""Commands that show the state of an installation and of access, and change nothing."""

import argparse
import json
import textwrap
from functools import partial
from typing import Any

from app.cli.common import (
    CommandFailed,
    Progress,
    Subparsers,
    add_command,
    explain_database_errors,
    parse_integer,
    parse_name,
    start,
    tasks,
)

WIDTH = 100


def add_all(commands: Subparsers) -> None:
    """Add `doctor` and `explain`."""
    doctor = add_command(commands, "doctor", "check the installation, without a change", _doctor)
    doctor.add_argument(
        "--workers",
        type=partial(parse_integer, minimum=1, maximum=100_000),
        default=1,
        help="workers of all hosts, for connections (%(default)s)",
    )
    doctor.add_argument("--json", action="store_true", help="print the checks as a JSON list")
    explain = add_command(commands, "explain", "say what a user may do with a resource, and why", _explain)
    explain.add_argument("user", type=parse_name, metavar="USER", help="user name in any letter case, or id")
    explain.add_argument("resource", type=parse_name, metavar="RESOURCE", help="ORG/SLUG, or id")
    explain.add_argument("--json", action="store_true", help="print the explanation as one JSON object")


def _explain(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    with explain_database_errors(settings):
        explanation = tasks().explain(settings, arguments.user, arguments.resource)
    if arguments.json:
        roles = [{"role": each.role, "isHeld": each.is_held, "reasons": each.reasons} for each in explanation.roles]
        print(json.dumps({"user": explanation.user, "resource": explanation.resource, "roles": roles}, indent=2))
        return
    print(f"{explanation.user} on {explanation.resource}:")
    for role in explanation.roles:
        print(f"  {role.role:<18} {'yes' if role.is_held else 'no':<3}  {role.reasons[0]}")
        for reason in role.reasons[1:]:
            print(f"{'':<26}{reason}")


def _doctor(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    checks = tasks().inspect(settings, arguments.workers, Progress())
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
