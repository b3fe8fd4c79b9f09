"""The command that copies a registry into another database."""

import argparse
import json

from app.cli.common import (
    Progress,
    Subparsers,
    add_command,
    explain_database_errors,
    start,
    tasks,
)
from app.domain.quantities import format_count


def add_all(commands: Subparsers) -> None:
    """Add `copy`."""
    copy = add_command(commands, "copy", "copy the registry into another database, with all ids", _copy)
    copy.add_argument("source", type=_url, metavar="SOURCE", help="URL of the database, as in DatabaseUrl")
    copy.add_argument("target", type=_url, metavar="TARGET", help="URL of an empty database, or of an unfinished copy")
    copy.add_argument("--json", action="store_true", help="print the result as one JSON object")


def _url(text: str) -> str:
    from app.config.values import database_url

    try:
        return database_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _copy(arguments: argparse.Namespace) -> None:
    target = start(arguments, database_url=arguments.target, database_replicas=())
    source = target.model_copy(update={"database_url": arguments.source})
    with explain_database_errors(target):
        result = tasks().copy(source, target, Progress())
    if arguments.json:
        names = {"source": source.redacted_database_url, "target": target.redacted_database_url}
        print(json.dumps({**names, **result.describe()}))
        return
    rows = sum(result.copied.rows.values())
    if result.copied.resumed_at:
        print(f"went on after {format_count(result.copied.resumed_at, 'row')} of an interrupted copy")
    copied = f"{format_count(rows, 'row')} of {len(result.copied.rows)} tables"
    print(f"copied {copied} in {result.seconds:.1f} s, and compared each")
    if result.index.missing or result.index.surplus:
        missing, surplus = (
            format_count(number, f"{what} row")
            for number, what in ((result.index.missing, "missing"), (result.index.surplus, "surplus"))
        )
        print(f"rebuilt the access index, which was wrong in SOURCE: {missing}, {surplus}")
    if result.secret is not None:
        print(f"the secret is {result.secret}")
    for note in result.notes:
        print(note)
    print(f"{target.redacted_database_url} is complete: set DatabaseUrl to it, and start the servers")
