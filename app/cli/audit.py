"""Commands for the audit log: list, export, verify, prune, and the erasure of a user."""

import argparse
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from app.cli.common import (
    CommandFailed,
    Progress,
    Subparsers,
    add_command,
    add_group,
    explain_database_errors,
    parse_integer,
    parse_name,
    start,
    tasks,
)
from app.cli.output import output_file
from app.domain import refs
from app.domain.errors import SettingsError
from app.domain.quantities import format_count

NAMED_OBJECTS = 3
"""Changed objects of an event that `list` names."""


def add_all(commands: Subparsers) -> None:
    """Add the commands below `audit`."""
    audit = add_group(commands, "audit", "list, export, verify and prune the audit log")
    listing = add_command(audit, "list", "show the newest events", _list)
    _add_conditions(listing)
    listing.add_argument(
        "--limit",
        type=partial(parse_integer, minimum=1, maximum=100_000),
        default=20,
        metavar="N",
        help="print at most N events (%(default)s)",
    )
    listing.add_argument("--json", action="store_true", help="print the events with all changes as a JSON list")
    export = add_command(audit, "export", "write events as JSON Lines, the oldest first", _export)
    export.add_argument("file", nargs="?", metavar="FILE", help="file, readable by its owner alone (standard output)")
    _add_conditions(export)
    verify = add_command(audit, "verify", "compare the log with its seals", _verify)
    verify.add_argument(
        "--head", type=parse_head, metavar="HASH", help="head of an earlier verification, which must be a seal"
    )
    verify.add_argument("--json", action="store_true", help="print the result as one JSON object")
    prune = add_command(audit, "prune", "remove old events", _prune)
    prune.add_argument(
        "--before",
        type=parse_moment,
        required=True,
        metavar="MOMENT",
        help="remove the events before this moment, such as 2025-01-01",
    )
    prune.add_argument("--json", action="store_true", help="print the result as one JSON object")
    forget = add_command(audit, "forget", "erase a deleted user from the log", _forget)
    forget.add_argument(
        "user", type=parse_name, metavar="USER", help="last user name of the deleted user, or global id"
    )
    forget.add_argument("--json", action="store_true", help="print the result as one JSON object")


def _add_conditions(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--since", type=parse_moment, metavar="MOMENT", help="events from this moment on, such as 2026-01-31"
    )
    command.add_argument(
        "--until", type=parse_moment, metavar="MOMENT", help="events before this moment, such as 2026-01-31T12:00Z"
    )
    command.add_argument("--actor", type=parse_name, metavar="NAME", help="events by this user, in any letter case")
    command.add_argument(
        "--action", type=parse_name, metavar="NAME", help="events of this mutation, such as createUser"
    )
    command.add_argument(
        "--object", type=parse_id, metavar="ID", dest="object_id", help="events that changed the object of this id"
    )


def parse_moment(text: str) -> datetime:
    """Return a time in UTC. A date is its first moment; a time without a zone is UTC."""
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("must be a date or a time, such as 2026-01-31 or 2026-01-31T12:00Z") from None


def parse_id(text: str) -> str:
    """Return a global id. Raises ArgumentTypeError for another text, such as a name, which matches no event."""
    if refs.decode(text) is None:
        raise argparse.ArgumentTypeError(
            f"must be an id, such as {refs.encode('User', 1)}: `ostiary user show` prints that of a user, "
            "`ostiary audit list --json` that of every changed object"
        )
    return text


def parse_head(text: str) -> str:
    """Return the hash of a seal. Raises ArgumentTypeError for another text, which is no sign of tampering."""
    if not _HEAD.fullmatch(text):
        raise argparse.ArgumentTypeError("must be the 64 hexadecimal digits that `ostiary audit verify` has printed")
    return text.lower()


_HEAD = re.compile(r"[0-9a-fA-F]{64}")


def _conditions(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in ("since", "until", "actor", "action", "object_id")}


def _list(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    with explain_database_errors(settings):
        events = tasks().list_audit(settings, _conditions(arguments), arguments.limit)
    if arguments.json:
        print(json.dumps(events, indent=2, ensure_ascii=False))
        return
    for event in events:
        at = event["createdAt"][:19].replace("T", " ")
        actor = event["actorName"] or "-"
        print(
            f"{event['event']:>8}  {at}  {event['channel']:<7}  {actor:<16}  {event['action']:<20}  {_objects(event)}"
        )
    if not events:
        print(
            "no event matches"
            if any(each is not None for each in _conditions(arguments).values())
            else "there are no events"
        )


def _objects(event: dict[str, Any]) -> str:
    names = [f"{each['objectType']} {each['objectName']}" for each in event["changes"]]
    more = [f"and {len(names) - NAMED_OBJECTS:,} more"] if len(names) > NAMED_OBJECTS else []
    return ", ".join([*names[:NAMED_OBJECTS], *more])


def _export(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    with output_file(arguments.file) as file, explain_database_errors(settings):
        number = tasks().export_audit(settings, file, _conditions(arguments), Progress())
    if arguments.file not in {None, "-"}:
        print(f"wrote {Path(arguments.file)}: {format_count(number, 'event')}")


def _verify(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    with explain_database_errors(settings):
        result = tasks().verify_audit(settings, Progress(), arguments.head)
    if arguments.json:
        print(json.dumps(_describe(result), indent=2))
    else:
        print("".join(f"{line}\n" for line in _verified_lines(result)), end="")
    if result.problem is not None:
        raise CommandFailed(f"{'' if result.is_head_unknown else 'the audit log was tampered with: '}{result.problem}")


def _verified_lines(result: Any) -> Iterator[str]:
    """Yield what was verified. Of a log with a problem only the note on other secrets is certain."""
    numbers = {
        "removed by `ostiary audit prune` or AuditKeep": (result.removed, "event"),
        "with users who were erased": (result.forgotten, "seal"),
        "newer and not sealed yet": (result.unsealed, "event"),
    }
    if result.problem is None:
        sealed = f"{format_count(result.events, 'event')} in {format_count(result.seals, 'seal')}"
        yield f"the audit log is as it was sealed: {sealed}"
        yield from (f"{what}: {format_count(number, noun)}" for what, (number, noun) in numbers.items() if number)
        yield f"head: {result.head}" if result.seals else "nothing is sealed yet: there is no head to keep"
    if result.foreign:
        seals = format_count(result.foreign, "seal")
        yield f"signed with another secret, so that only their hashes are checked: {seals}"


def _describe(result: Any) -> dict[str, Any]:
    names = ("seals", "events", "removed", "forgotten", "foreign", "unsealed", "head", "problem", "event")
    return {"isValid": result.problem is None, **{name: getattr(result, name) for name in names}}


def _prune(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    if arguments.before > datetime.now(UTC):
        raise SettingsError(f"--before {arguments.before:%Y-%m-%d %H:%M} UTC is in the future: every event is older")
    with explain_database_errors(settings):
        pruned = tasks().prune_audit(settings, arguments.before, Progress())
    at = f"{arguments.before:%Y-%m-%d %H:%M} UTC"
    if arguments.json:
        print(json.dumps({"before": f"{arguments.before:%Y-%m-%dT%H:%M:%SZ}", "removed": pruned.events}))
    elif pruned.events:
        events = format_count(pruned.rounds, "new event")
        records = "records it" if pruned.rounds == 1 else "record it"
        print(f"removed {format_count(pruned.events, 'event')} older than {at}; {events} `pruneAuditLog` {records}")
    else:
        print(f"no event is older than {at}")


def _forget(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    with explain_database_errors(settings):
        forgotten = tasks().forget_user(settings, arguments.user, Progress())
    if arguments.json:
        print(json.dumps({"user": arguments.user, "name": forgotten.pseudonym, "events": forgotten.events}))
        return
    events = format_count(forgotten.events, "event")
    print(f"erased {arguments.user} from {events}: the log now calls this user {forgotten.pseudonym!r}")
    print("older backups and exports still have the data")
