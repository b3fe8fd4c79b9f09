"""Commands for declarative state: export the registry, and plan and apply documents, tables and folders."""

import argparse
import os
import stat
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli.common import (
    CommandFailed,
    CommitCount,
    Progress,
    Subparsers,
    add_command,
    explain_database_errors,
    start,
    tasks,
)
from app.cli.output import output_file, output_folder
from app.domain.quantities import format_count

if TYPE_CHECKING:
    from app.services.state.changes import Plan
    from app.services.state.file_writer import ObjectWriter
    from app.services.state.files import Format
    from app.services.state.model import Doc, Fault, Reader, State

HAS_CHANGES = 3
"""The exit code of `plan --exit-code` for a plan with changes."""

TABLE_NAMES = ("users", "orgs", "orgMembers", "groups", "groupMembers")
"""The tables that a CSV file can have."""

MAX_FAULTS = 20
"""Faults of a document that are printed."""


def add_all(commands: Subparsers) -> None:
    """Add `export`, `plan` and `apply`."""
    export = add_command(commands, "export", "write the registry as a document, a folder or CSV", _export)
    export.add_argument("file", nargs="?", metavar="FILE", help="file to write, or folder (standard output)")
    export.add_argument("--password-hashes", action="store_true", help="include the password hashes of users")
    plan = add_command(commands, "plan", "show what a document would change", _plan)
    plan.add_argument("--json", action="store_true", help="print the plan as JSON")
    plan.add_argument("--exit-code", action="store_true", help=f"exit with {HAS_CHANGES} if there are changes")
    apply = add_command(commands, "apply", "make the registry equal to a document", _apply)
    apply.add_argument("--json", action="store_true", help="print the result as JSON")
    for command in (plan, apply):
        command.add_argument("file", metavar="FILE", help="file or folder to read, - for standard input")
        command.add_argument("--prune", action="store_true", help="remove what the document does not list")
    for command in (export, plan, apply):
        command.add_argument("--format", choices=("yaml", "jsonl", "csv"), help="form of a file (by its name)")
        command.add_argument("--table", choices=TABLE_NAMES, help="what a CSV file lists (by its name)")


def _format(arguments: argparse.Namespace) -> "Format":
    from app.services.state.files import Format, format_of

    if arguments.format is not None:
        return Format(arguments.format)
    if arguments.file in {None, "-"} or _is_folder(arguments):
        return Format.YAML
    if (form := format_of(Path(arguments.file))) is None:
        raise CommandFailed(f"{arguments.file}: name the file .yaml, .jsonl or .csv, or set --format")
    return form


def _is_folder(arguments: argparse.Namespace) -> bool:
    """Return whether the argument is a folder, or ends like one that is to be created."""
    name = arguments.file
    try:
        return name not in {None, "-"} and (name.endswith(os.sep) or Path(name).is_dir())
    except OSError:  # a name that is too long: opening it says so
        return False


def _table(arguments: argparse.Namespace) -> str | None:
    """Return the table that a CSV file has, None for another form. Raises CommandFailed for a table without a name."""
    from app.services.state.tables import TABLES, is_table, table_of

    path = Path(arguments.file or "-")
    if arguments.table is not None and arguments.format not in {None, "csv"}:
        raise CommandFailed(f"--table is for CSV, and --format says {arguments.format}")
    if arguments.format not in {None, "csv"} or not (arguments.format or arguments.table or is_table(path)):
        return None
    if (name := arguments.table or table_of(path)) is None:
        names = ", ".join(f"{name}.csv" for name in TABLES)
        raise CommandFailed(f"{path}: name the table after what it lists ({names}), or set --table")
    return str(name)


def _export(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    with _writer(arguments) as (writer, count), explain_database_errors(settings):
        counts = tasks().export_state(settings, writer, arguments.password_hashes, Progress())
    if arguments.file not in {None, "-"}:
        print(f"wrote {arguments.file}: {count(counts)}")


@contextmanager
def _writer(arguments: argparse.Namespace) -> "Iterator[tuple[ObjectWriter, Callable[[dict[str, int]], str]]]":
    """Open the file or the folder, and yield its writer and a function that says what was written."""
    from app.services.state import file_writer, files, folders, tables
    from app.services.state.model import SECTIONS

    hashes = arguments.password_hashes
    if not _is_folder(arguments):
        table = _table(arguments)
        form = files.Format.YAML if table else _format(arguments)
        with output_file(arguments.file) as file:
            if table is None:
                yield file_writer.Writer(file, form), count_kinds
            else:
                rows = tables.TableWriter(file, table, with_hashes=hashes)
                yield rows, lambda _: format_count(rows.rows, "row")
        return
    if arguments.table is not None:
        raise CommandFailed("--table is for one file; a folder has all tables with --format csv")
    ending = arguments.format or "yaml"
    names = {name: f"{name}.{ending}" for name in (TABLE_NAMES if ending == "csv" else SECTIONS)}
    folder = Path(arguments.file)
    _require_no_others(folder, names.values())
    with output_folder(folder, names.values()) as opened:
        by_name = {name: opened[file_name] for name, file_name in names.items()}
        if ending == "csv":
            all_tables = folders.TablesWriter(by_name, with_hashes=hashes)
            yield (
                all_tables,
                lambda _: count_objects({name: each.rows for name, each in all_tables.tables.items()}),
            )
        else:
            yield folders.FolderWriter(by_name, files.Format(ending)), count_kinds


def count_kinds(counts: "dict[str, int]") -> str:
    """Return the numbers of objects by their kinds in words."""
    return ", ".join(format_count(number, kind) for kind, number in counts.items())


def count_objects(counts: "dict[str, int]") -> str:
    """Return the numbers of objects by the names of sections or tables, which are plurals, in words."""
    return count_kinds({name.removesuffix("s"): number for name, number in counts.items()})


def _require_no_others(folder: Path, names: "Collection[str]") -> None:
    """Require that a folder has no document that would be read together with those that are written."""
    from app.services.state import folders

    try:
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CommandFailed(f"{folder} cannot be written: {error.strerror}") from None
    for path in entries:
        if folders.is_document(path) and not folders.is_hidden(path) and path.name not in names:
            raise CommandFailed(f"{path} is there and would be read too. Remove it, or export to an empty folder")


def _read(arguments: argparse.Namespace) -> "State":
    """Read a document, a table or a folder. Raises CommandFailed with the faults."""
    from app.services.state import folders
    from app.services.state.model import Reader

    progress, reader = Progress(), Reader()
    try:
        if _is_folder(arguments):
            if arguments.format is not None or arguments.table is not None:
                raise CommandFailed(
                    "--format and --table are for one file; the names say the forms of those of a folder"
                )
            reader, others = folders.read(Path(arguments.file), progress, prune=arguments.prune)
            for path in others:
                reason = "it is a folder" if path.is_dir() else "its name has no ending of a document or a table"
                print(f"ostiary: {path} is left out: {reason}", file=sys.stderr)
        else:
            _read_file(arguments, reader, progress)
    except OSError as error:
        raise CommandFailed(f"{error.filename or arguments.file} cannot be read: {error.strerror}") from None
    _require_no_faults(arguments.file, reader.faults)
    return reader.state


def _read_file(arguments: argparse.Namespace, reader: "Reader", progress: Progress) -> None:
    """Read a document or a table. With --prune, one that may have been cut off in a pipe is refused."""
    from app.services.state import files, tables

    table = _table(arguments)
    form = files.Format.YAML if table else _format(arguments)
    with nullcontext(sys.stdin.buffer) if arguments.file == "-" else Path(arguments.file).open("rb") as file:
        may_be_cut = arguments.prune and not stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        if table is None:
            files.read(file, form, reader, progress, must_have_end=may_be_cut)
        elif may_be_cut:
            raise CommandFailed("with --prune, a table must be a file: what is cut off in a pipe would be removed")
        else:
            tables.read(reader, file, table, progress)


def _require_no_faults(name: str, faults: "list[Fault]") -> None:
    if faults:
        more = [f"and {len(faults) - MAX_FAULTS:,} more"] if len(faults) > MAX_FAULTS else []
        lines = [f"{fault.location.file or name}: {fault}" for fault in faults[:MAX_FAULTS]]
        raise CommandFailed("\n".join([*lines, *more, "nothing was changed"]))


def _plan(arguments: argparse.Namespace) -> int:
    from app.services.state import wording

    settings = start(arguments)
    document = _read(arguments)
    with explain_database_errors(settings):
        plan = tasks().plan_state(settings, document, Progress(), prune=arguments.prune)
    _require_no_faults(arguments.file, plan.faults)
    if arguments.json:
        print_json(wording.as_json(plan))
    else:
        print("\n".join(plan_lines(plan)))
    return HAS_CHANGES if arguments.exit_code and plan.changes else 0


def _apply(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    document = _read(arguments)
    with explain_database_errors(settings), CommitCount() as commits:
        plan, applied = tasks().apply_state(settings, document, Progress(), commits, prune=arguments.prune)
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
