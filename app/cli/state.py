"""Commands for declarative state: export the registry, and plan and apply a document."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.common import (
    CommandFailed,
    Progress,
    Subparsers,
    add_command,
    explain_database_errors,
    start,
    tasks,
)
from app.cli.output import output_file

if TYPE_CHECKING:
    from app.services.state.changes import Plan
    from app.services.state.files import Format
    from app.services.state.model import Doc, Fault, State

HAS_CHANGES = 3
"""The exit code of `plan --exit-code` for a plan with changes."""

MAX_FAULTS = 20
"""Faults of a document that are printed."""


def add_all(commands: Subparsers) -> None:
    """Add `export`, `plan` and `apply`."""
    export = add_command(commands, "export", "write the registry as one document", _export)
    export.add_argument("file", nargs="?", metavar="FILE", help="file to write (standard output)")
    export.add_argument("--password-hashes", action="store_true", help="include the password hashes of users")
    plan = add_command(commands, "plan", "show what a document would change", _plan)
    plan.add_argument("--json", action="store_true", help="print the plan as JSON")
    plan.add_argument("--exit-code", action="store_true", help=f"exit with {HAS_CHANGES} if there are changes")
    apply = add_command(commands, "apply", "make the registry equal to a document", _apply)
    apply.add_argument("--json", action="store_true", help="print the result as JSON")
    for command in (plan, apply):
        command.add_argument("file", metavar="FILE", help="document to read, - for standard input")
        command.add_argument("--prune", action="store_true", help="remove what the document does not list")
    for command in (export, plan, apply):
        command.add_argument("--format", choices=("yaml", "jsonl"), help="form of the document (by the file's name)")


def _format(arguments: argparse.Namespace) -> "Format":
    from app.services.state.files import Format, format_of

    if arguments.format is not None:
        return Format(arguments.format)
    if arguments.file in {None, "-"}:
        return Format.YAML
    if (form := format_of(Path(arguments.file))) is None:
        raise CommandFailed(f"{arguments.file}: name the file .yaml or .jsonl, or set --format")
    return form


def _export(arguments: argparse.Namespace) -> None:
    settings, form = start(arguments), _format(arguments)
    with output_file(arguments.file) as file, explain_database_errors(settings):
        counts = tasks().export_state(settings, file, form, arguments.password_hashes, Progress())
    if arguments.file not in {None, "-"}:
        print(f"wrote {arguments.file}: {', '.join(f'{number:,} {kind}s' for kind, number in counts.items())}")


def _read(arguments: argparse.Namespace) -> "State":
    """Read a document. Raises CommandFailed with its faults."""
    from app.services.state import files

    form = _format(arguments)
    try:
        if arguments.file == "-":
            reader = files.read(sys.stdin.buffer, form)
        else:
            with Path(arguments.file).open("rb") as file:
                reader = files.read(file, form)
    except OSError as error:
        raise CommandFailed(f"{arguments.file} cannot be read: {error.strerror}") from None
    _require_no_faults(arguments.file, reader.faults)
    return reader.state


def _require_no_faults(name: str, faults: "list[Fault]") -> None:
    if faults:
        more = [f"and {len(faults) - MAX_FAULTS:,} more"] if len(faults) > MAX_FAULTS else []
        lines = [f"{name}: {fault}" for fault in faults[:MAX_FAULTS]]
        raise CommandFailed("\n".join([*lines, *more, "nothing was changed"]))


def _plan(arguments: argparse.Namespace) -> int:
    from app.services.state import wording

    settings = start(arguments)
    document = _read(arguments)
    with explain_database_errors(settings):
        plan = tasks().plan_state(settings, document, prune=arguments.prune)
    _require_no_faults(arguments.file, plan.faults)
    if arguments.json:
        print_json(wording.as_json(plan))
    else:
        print("\n".join(plan_lines(plan)))
    return HAS_CHANGES if arguments.exit_code and plan.changes else 0


def _apply(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    document = _read(arguments)
    with explain_database_errors(settings):
        plan, applied = tasks().apply_state(settings, document, Progress(), prune=arguments.prune)
    _require_no_faults(arguments.file, plan.faults)
    if arguments.json:
        print_json(applied_as_json(plan, applied.transactions))
    else:
        print("\n".join(summary(plan, "")))


def plan_lines(plan: "Plan") -> Iterator[str]:
    """Yield the changes of a plan, and their numbers."""
    from app.services.state import wording

    yield from wording.lines(plan)
    yield from [""] if plan.changes else []
    yield from summary(plan, "to ")


def applied_as_json(plan: "Plan", transactions: int) -> "Doc":
    """Return the numbers of what was made, for programs."""
    from app.services.state import wording

    counts = {name: wording.count(plan)[name] for name in wording.SIGNS}
    left = {kind.value: number for kind, number in plan.left.items()}
    return {"counts": counts, "transactions": transactions, "leftAlone": left}


def summary(plan: "Plan", prefix: str) -> Iterator[str]:
    """Yield the numbers of changes, and of the objects that only the registry has."""
    from app.services.state import wording

    counts = wording.count(plan)
    words = {"add": "add", "change": "change", "remove": "remove"}
    past = {"add": "added", "change": "changed", "remove": "removed"}
    names = words if prefix else past
    if plan.changes:
        yield ", ".join(f"{counts[each]:,} {prefix}{name}" for each, name in names.items())
    else:
        yield "no changes: the registry is as the document says"
    if left := wording.left_in_words(plan):
        yield f"left alone, since the document does not list them: {left}"


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    import orjson

    print(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
