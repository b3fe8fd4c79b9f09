"""Commands for operators: signing keys, the end of all sessions, and password resets."""

import argparse
import importlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.cli import help_texts
from app.domain.errors import SettingsError

if TYPE_CHECKING:
    from app.config import Settings
    from app.services.signing_keys import KeyInfo

APP = "app.main"
"""The composition root, loaded by name and only when a command needs it."""

Subparsers = Any
"""The subparsers of a command; argparse has no public type for them."""


@dataclass(frozen=True, slots=True)
class Common:
    """Functions that all commands use: add the `--settings` option, read the settings, explain database errors."""

    add_settings: Callable[[argparse.ArgumentParser], None]
    start: Callable[[argparse.Namespace], "Settings"]
    explain_database_errors: Callable[["Settings"], AbstractContextManager[None]]


def add_keys(commands: Subparsers, common: Common) -> None:
    """Add `ostiary keys list` and `ostiary keys rotate`."""
    keys = commands.add_parser("keys", help="list the keys that sign tokens, or rotate them")
    keys.description, keys.epilog = help_texts.KEYS, help_texts.KEYS_EPILOG
    acts = keys.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = acts.add_parser("list", help="show every key and its state")
    listing.set_defaults(run=lambda arguments: _list_keys(arguments, common))
    rotate = acts.add_parser("rotate", help="create a new signing key")
    rotate.add_argument("--revoke", action="store_true", help="delete the previous keys, which ends their tokens")
    rotate.description = help_texts.ROTATE
    rotate.set_defaults(run=lambda arguments: _rotate_keys(arguments, common))
    for command in (listing, rotate):
        common.add_settings(command)
    for command in (keys, rotate):
        command.formatter_class = argparse.RawDescriptionHelpFormatter


def add_sessions(commands: Subparsers, common: Common) -> None:
    """Add `ostiary sessions end`."""
    sessions = commands.add_parser("sessions", help="end every session, as after the restore of a backup")
    sessions.description = help_texts.SESSIONS
    acts = sessions.add_subparsers(title="commands", metavar="COMMAND", required=True)
    end = acts.add_parser("end", help="end every session and every ticket")
    end.add_argument("--api-tokens", action="store_true", help="also delete every API token")
    end.set_defaults(run=lambda arguments: _end_sessions(arguments, common))
    common.add_settings(end)
    sessions.formatter_class = argparse.RawDescriptionHelpFormatter


def add_admin(commands: Subparsers, common: Common) -> None:
    """Add `ostiary admin reset-password`."""
    admin = commands.add_parser("admin", help="reset the password of a user")
    admin.description, admin.epilog = help_texts.ADMIN, help_texts.ADMIN_EPILOG
    acts = admin.add_subparsers(title="commands", metavar="COMMAND", required=True)
    reset = acts.add_parser("reset-password", help="set a new password for a user and print it once")
    reset.add_argument("user_name", metavar="NAME", help="user name, in any letter case")
    reset.add_argument("--stdin", action="store_true", help="read the new password from standard input")
    reset.set_defaults(run=lambda arguments: _reset_password(arguments, common))
    common.add_settings(reset)
    admin.formatter_class = argparse.RawDescriptionHelpFormatter


def _end_sessions(arguments: argparse.Namespace, common: Common) -> None:
    settings = common.start(arguments)
    with common.explain_database_errors(settings):
        ended = importlib.import_module(APP).end_sessions(settings, api_tokens=arguments.api_tokens)
    print(f"ended the sessions of {ended.users:,} users and {ended.tickets:,} tickets")
    if arguments.api_tokens:
        print(f"deleted {ended.api_tokens:,} API tokens")


def _reset_password(arguments: argparse.Namespace, common: Common) -> None:
    settings = common.start(arguments)
    if settings.external_auth_url:
        raise SettingsError("ExternalAuthUrl is set: the authentication provider manages the passwords; reset it there")
    password = sys.stdin.readline().rstrip("\r\n") if arguments.stdin else None
    with common.explain_database_errors(settings):
        generated = importlib.import_module(APP).reset_password(settings, arguments.user_name, password)
    text = f"{arguments.user_name} has a new password and must sign in again on every device"
    print(f"{text}: {generated}" if generated else text)


def _list_keys(arguments: argparse.Namespace, common: Common) -> None:
    settings = common.start(arguments)
    with common.explain_database_errors(settings):
        keys = importlib.import_module(APP).signing_keys(settings)
    print("\n".join(f"{key.kid}  {_format_key(key)}" for key in keys) or "there are no keys")
    if not settings.signs_with_keys:
        print("TokenAlgorithm is HS256: tokens are signed with the secret")


def _format_key(key: "KeyInfo") -> str:
    created = f"created {key.created_at:%Y-%m-%d %H:%M} UTC"
    if not key.is_readable:
        return f"{created}, unusable: it was encrypted with another secret"
    return f"{created}, signs" if key.ends_at is None else f"{created}, verifies until {key.ends_at:%Y-%m-%d %H:%M} UTC"


def _rotate_keys(arguments: argparse.Namespace, common: Common) -> None:
    settings = common.start(arguments)
    if not settings.signs_with_keys:
        raise SettingsError("TokenAlgorithm is HS256: tokens are signed with the secret; set it to EdDSA first")
    with common.explain_database_errors(settings):
        kid = importlib.import_module(APP).rotate_keys(settings, revoke=arguments.revoke)
    print(f"{kid} is now the signing key; workers load it within 30 seconds")
