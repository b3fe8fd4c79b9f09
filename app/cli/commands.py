"""Commands for operators: signing keys, the end of all sessions, and password resets."""

import argparse
import sys
from typing import TYPE_CHECKING

from app.cli.common import Subparsers, add_command, add_group, explain_database_errors, server, start
from app.domain.errors import SettingsError

if TYPE_CHECKING:
    from app.services.signing_keys import KeyInfo


def add_all(commands: Subparsers) -> None:
    """Add the commands for keys, sessions and administrators."""
    keys = add_group(commands, "keys", "list the keys that sign tokens, or rotate them")
    add_command(keys, "list", "show every key and its state", _list_keys)
    rotate = add_command(keys, "rotate", "create a new signing key", _rotate_keys)
    rotate.add_argument("--revoke", action="store_true", help="delete the previous keys, which ends their tokens")
    sessions = add_group(commands, "sessions", "end every session, as after the restore of a backup")
    end = add_command(sessions, "end", "end every session and every ticket", _end_sessions)
    end.add_argument("--api-tokens", action="store_true", help="also delete every API token")
    admin = add_group(commands, "admin", "reset the password of a user")
    reset = add_command(admin, "reset-password", "set a new password for a user and print it once", _reset_password)
    reset.add_argument("user_name", metavar="NAME", help="user name, in any letter case")
    reset.add_argument("--stdin", action="store_true", help="read the new password from standard input")


def _end_sessions(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    with explain_database_errors(settings):
        ended = server().end_sessions(settings, api_tokens=arguments.api_tokens)
    print(f"ended the sessions of {ended.users:,} users and {ended.tickets:,} tickets")
    if arguments.api_tokens:
        print(f"deleted {ended.api_tokens:,} API tokens")


def _reset_password(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    if settings.external_auth_url:
        raise SettingsError("ExternalAuthUrl is set: the identity provider manages the passwords; reset it there")
    password = sys.stdin.readline().rstrip("\r\n") if arguments.stdin else None
    with explain_database_errors(settings):
        generated = server().reset_password(settings, arguments.user_name, password)
    text = f"{arguments.user_name} has a new password and must sign in again on every device"
    print(f"{text}: {generated}" if generated else text)


def _list_keys(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    with explain_database_errors(settings):
        keys = server().signing_keys(settings)
    print("\n".join(f"{key.kid}  {_format_key(key)}" for key in keys) or "there are no keys")
    if not settings.signs_with_keys:
        print("TokenAlgorithm is HS256: tokens are signed with the secret")


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
        kid = server().rotate_keys(settings, revoke=arguments.revoke)
    print(f"{kid} is now the signing key; workers load it within 30 seconds")
