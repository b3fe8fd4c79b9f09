"""Commands for operators: signing keys, the end of all sessions, and password resets."""

import argparse
import json
from typing import TYPE_CHECKING, Any

from app.cli.common import (
    Subparsers,
    add_command,
    add_group,
    explain_database_errors,
    parse_name,
    read_password,
    start,
    tasks,
)
from app.domain.errors import SettingsError
from app.domain.quantities import format_count

if TYPE_CHECKING:
    from app.services.signing_keys import KeyInfo


def add_all(commands: Subparsers) -> None:
    """Add the commands for keys, sessions and administrators."""
    keys = add_group(commands, "keys", "list the keys that sign, or rotate those of tokens")
    listing = add_command(keys, "list", "show every key, its use and its state", _list_keys)
    listing.add_argument("--json", action="store_true", help="print the keys as a JSON list")
    rotate = add_command(keys, "rotate", "create a new signing key", _rotate_keys)
    rotate.add_argument("--revoke", action="store_true", help="delete the previous keys, which ends their tokens")
    sessions = add_group(commands, "sessions", "end every session, as after the restore of a backup")
    end = add_command(sessions, "end", "end every session and every ticket", _end_sessions)
    end.add_argument("--api-tokens", action="store_true", help="also delete every API token")
    admin = add_group(commands, "admin", "reset the password of a user")
    reset = add_command(admin, "reset-password", "set a new password for a user and print it once", _reset_password)
    reset.add_argument("user", type=parse_name, metavar="USER", help="user name in any letter case, or id")
    reset.add_argument("--stdin", action="store_true", help="read the new password from standard input")


def _end_sessions(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    with explain_database_errors(settings):
        ended = tasks().end_sessions(settings, api_tokens=arguments.api_tokens)
    print(describe_ended(ended, api_tokens=arguments.api_tokens))


def describe_ended(ended: Any, *, api_tokens: bool) -> str:
    """Return what ended with all sessions, with `api_tokens` the deleted tokens, and what the role lacks, by lines."""
    lines = [f"ended all sessions ({format_count(ended.users, 'user')}) and all tickets ({ended.tickets:,})"]
    if api_tokens:
        lines.append(f"deleted {format_count(ended.api_tokens, 'API token')}")
    if ended.can_miss_events:
        lines.append(
            "after a restore, readers of the audit feed would miss events, since the role may not set their number: "
            "GRANT UPDATE ON SEQUENCE audit_events_id_seq TO the role, then run this again"
        )
    return "\n".join(lines)


def _reset_password(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    if settings.external_auth_url:
        raise SettingsError("ExternalAuthUrl is set: the identity provider manages the passwords; reset it there")
    password = read_password() if arguments.stdin else None
    with explain_database_errors(settings):
        name, generated = tasks().reset_password(settings, arguments.user, password)
    arguments.output_failure = f"the password of {name} was changed, but the output was not written: run this again"
    print(f"all sessions of {name} have ended")
    if generated:
        print(f"the new password of {name}, shown once: {generated}")


def _list_keys(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    with explain_database_errors(settings):
        keys, ticket_key = tasks().signing_keys(settings)
    if arguments.json:
        listed = [_describe_key(key) for key in keys]
        derived = {"id": ticket_key, "use": "tickets", "source": "derived from the secret", "state": "signs"}
        print(json.dumps([*listed, derived], indent=2))
        return
    for key in keys:
        print(f"{key.kid}  session tokens, {_format_key(key)}")
    print(f"{ticket_key}  tickets, derived from the secret: it changes only with the secret")
    if not settings.signs_with_keys:
        print("TokenAlgorithm is HS256: session tokens are signed with the secret")


def _describe_key(key: "KeyInfo") -> dict[str, str | None]:
    state = "unusable" if not key.is_readable else "signs" if key.ends_at is None else "verifies"
    moments = {"createdAt": key.created_at, "endsAt": key.ends_at}
    times = {name: None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}" for name, at in moments.items()}
    return {"id": key.kid, "use": "session tokens", "source": "the database", "state": state, **times}


def _format_key(key: "KeyInfo") -> str:
    created = f"created {key.created_at:%Y-%m-%d %H:%M} UTC"
    if not key.is_readable:
        return f"{created}, unusable: it was encrypted with another secret"
    return f"{created}, signs" if key.ends_at is None else f"{created}, verifies until {key.ends_at:%Y-%m-%d %H:%M} UTC"


def _rotate_keys(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    if not settings.signs_with_keys:
        raise SettingsError("TokenAlgorithm is HS256: tokens are signed with the secret; set it to EdDSA first")
    with explain_database_errors(settings):
        kid = tasks().rotate_keys(settings, revoke=arguments.revoke)
    print(f"{kid} is now the signing key; workers load it within 30 seconds")
