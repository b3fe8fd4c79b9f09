"""The commands `import dronedb` and `import provena`, which move the content of another registry in."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli import state
from app.cli.common import (
    CommandFailed,
    CommitCount,
    Progress,
    Subparsers,
    add_command,
    add_group,
    explain_database_errors,
    start,
    tasks,
)
from app.cli.output import output_file

if TYPE_CHECKING:
    from app.config import Settings
    from app.services.imports.fitting import Fit
    from app.services.imports.translation import Misfit, Translation

LEFT_OUT = 4
"""The exit code if something of the source does not fit."""

MAX_MISFITS = 20
"""Misfits that are printed; `--json` has all."""


def add_all(commands: Subparsers) -> None:
    """Add `import` with a command for each kind of source."""
    sources = add_group(commands, "import", "move in from another registry")
    dronedb = add_command(sources, "dronedb", "users, orgs and datasets of DroneDB Registry", _dronedb)
    dronedb.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="folder with identity and registry as .db or .sql, or one file with all tables",
    )
    dronedb.add_argument(
        "--datasets", type=Path, metavar="FOLDER", help="folder of the datasets' files (datasets in SOURCE)"
    )
    dronedb.add_argument(
        "--accounts-only", action="store_true", help="only users and roles: the registry's tables are not read"
    )
    dronedb.add_argument(
        "--rename-org",
        type=_rename,
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="new slug of an org, such as public=open: `public` is reserved here; repeat it for more",
    )
    provena = add_command(sources, "provena", "groups, members, items, access and locks of Provena", _provena)
    provena.add_argument(
        "source", type=Path, metavar="FOLDER_OR_FILE", help="the JSON of the exports, or a folder with their files"
    )
    provena.add_argument(
        "--org", type=_slug, default="provena", metavar="SLUG", help="org of all items, new or not (%(default)s)"
    )
    for command in (dronedb, provena):
        command.add_argument("--plain-names", action="store_true", help="make ann.lee@example.org the user name annlee")
        command.add_argument("--json", action="store_true", help="print the result as JSON")
        instead = command.add_mutually_exclusive_group()
        instead.add_argument(
            "--dry-run", action="store_true", help="show the plan and what does not fit, change nothing"
        )
        instead.add_argument("--output", metavar="FILE", help="write what fits as a document for `ostiary apply`")


def _dronedb(arguments: argparse.Namespace) -> int:
    from app.services.imports import dronedb

    settings = _start(arguments)
    files = dronedb.find_files(arguments.source, arguments.datasets, accounts_only=arguments.accounts_only)
    source = dronedb.translate(
        files,
        datetime.now(UTC),
        Progress(),
        plain_names=arguments.plain_names,
        org_slugs=dict(arguments.rename_org),
        accounts_only=arguments.accounts_only,
        warn=lambda text: print(f"ostiary: {text}", file=sys.stderr),
    )
    return _import(arguments, settings, source)


def _provena(arguments: argparse.Namespace) -> int:
    from app.services.imports import provena

    settings = _start(arguments)
    source = provena.translate(arguments.source, org=arguments.org, plain_names=arguments.plain_names)
    return _import(arguments, settings, source)


def _start(arguments: argparse.Namespace) -> "Settings":
    """Read the settings. Raises CommandFailed for an output that cannot be, before anything is read."""
    from app.services.state.files import format_of

    if arguments.output == "-" and arguments.json:
        raise CommandFailed("--json and --output - would both write to standard output")
    if arguments.output not in {None, "-"} and format_of(Path(arguments.output)) is None:
        raise CommandFailed(f"{arguments.output}: name the file .yaml or .jsonl")
    return start(arguments)


def _rename(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("must have the form OLD=NEW")
    return old, _slug(new)


def _slug(text: str) -> str:
    from app.services import orgs

    for problem in orgs.slug_problems(text):
        raise argparse.ArgumentTypeError(problem.message)
    return text


def _import(arguments: argparse.Namespace, settings: "Settings", source: "Translation") -> int:
    """Apply, plan or write what fits, and return the exit code."""
    with explain_database_errors(settings):
        if arguments.dry_run or arguments.output is not None:
            fitted, applied = tasks().fit_import(settings, source, Progress()), None
        else:
            with CommitCount() as commits:
                fitted, applied = tasks().apply_import(settings, source, Progress(), commits)
    if arguments.output is not None:
        _write(arguments.output, fitted)
    if arguments.json:
        _print_json(arguments, fitted, applied)
    else:
        _print(arguments, fitted)
        _print_misfits(fitted.misfits)
    return LEFT_OUT if fitted.misfits else 0


def _write(name: str, fitted: "Fit") -> None:
    from app.services.state.file_writer import Writer
    from app.services.state.files import Format, format_of
    from app.services.state.model import SECTIONS

    with output_file(name) as file:
        writer = Writer(file, format_of(Path(name)) or Format.YAML)
        for section, kind in SECTIONS.items():
            writer.write(kind, fitted.sections.get(section, ()))
        writer.end()


def _print(arguments: argparse.Namespace, fitted: "Fit") -> None:
    if arguments.output is None:
        lines = state.plan_lines(fitted.plan) if arguments.dry_run else state.summary(fitted.plan, "")
        print("\n".join([*lines, *_notes(fitted)]), flush=True)
    elif arguments.output != "-":
        numbers = state.count_objects({section: len(objects) for section, objects in fitted.sections.items()})
        print("\n".join([f"wrote {arguments.output}: {numbers or 'nothing'}", *_notes(fitted)]), flush=True)


def _notes(fitted: "Fit") -> Iterator[str]:
    if number := fitted.unchanged_passwords:
        yield f"{number:,} user{'s keep the passwords that they have' if number > 1 else ' keeps the password'} here"


def _print_misfits(misfits: Sequence["Misfit"]) -> None:
    """Print what is left out on standard error."""
    for misfit in misfits[:MAX_MISFITS]:
        print(f"ostiary: left out: {misfit}", file=sys.stderr)
    if len(misfits) > MAX_MISFITS:
        print(f"ostiary: and {len(misfits) - MAX_MISFITS:,} more; --json lists all", file=sys.stderr)


def _print_json(arguments: argparse.Namespace, fitted: "Fit", applied: Any) -> None:
    from app.services.state import wording

    if applied is not None:
        result = state.applied_as_json(fitted.plan, applied.transactions)
    elif arguments.dry_run:
        result = wording.as_json(fitted.plan)
    else:
        result = {"counts": {section: len(objects) for section, objects in fitted.sections.items()}}
    result["unchangedPasswords"] = fitted.unchanged_passwords
    result["leftOut"] = [misfit._asdict() for misfit in fitted.misfits]
    state.print_json(result)
