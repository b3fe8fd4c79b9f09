"""Commands for operators: the keys that sign tokens, ending all sessions, and a new password for who lost one."""

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
"""argparse's own type for the commands below a command."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What every command shares: its options about settings, reading them, and telling database errors in a line."""

    add_settings: Callable[[argparse.ArgumentParser], None]
    read: Callable[[argparse.Namespace], "Settings"]
    in_words: Callable[["Settings"], AbstractContextManager[None]]


def add_keys(commands: Subparsers, frame: Frame) -> None:
    """Add `ostiary keys list` and `ostiary keys rotate`."""
    keys = commands.add_parser("keys", help="list the keys that sign tokens, or rotate them")
    keys.description, keys.epilog = help_texts.KEYS, help_texts.KEYS_EPILOG
    acts = keys.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = acts.add_parser("list", help="show every key, and what it is good for")
    listing.set_defaults(run=lambda arguments: _list_keys(arguments, frame))
    rotate = acts.add_parser("rotate", help="make a key that signs from now on")
    rotate.add_argument("--revoke", action="store_true", help="end the keys before it, and all their tokens, at once")
    rotate.description = help_texts.ROTATE
    rotate.set_defaults(run=lambda arguments: _rotate_keys(arguments, frame))
    for command in (listing, rotate):
        frame.add_settings(command)
    for command in (keys, rotate):
        command.formatter_class = argparse.RawDescriptionHelpFormatter


def add_sessions(commands: Subparsers, frame: Frame) -> None:
    """Add `ostiary sessions end`."""
    sessions = commands.add_parser("sessions", help="end every session, as after a backup was put back")
    sessions.description = help_texts.SESSIONS
    acts = sessions.add_subparsers(title="commands", metavar="COMMAND", required=True)
    end = acts.add_parser("end", help="end every session and every ticket")
    end.add_argument("--api-tokens", action="store_true", help="delete every API token, too")
    end.set_defaults(run=lambda arguments: _end_sessions(arguments, frame))
    frame.add_settings(end)
    sessions.formatter_class = argparse.RawDescriptionHelpFormatter


def add_admin(commands: Subparsers, frame: Frame) -> None:
    """Add `ostiary admin reset-password`."""
    admin = commands.add_parser("admin", help="let somebody in again who has lost a password")
    admin.description, admin.epilog = help_texts.ADMIN, help_texts.ADMIN_EPILOG
    acts = admin.add_subparsers(title="commands", metavar="COMMAND", required=True)
    reset = acts.add_parser("reset-password", help="give a user a new password and print it once")
    reset.add_argument("user_name", metavar="NAME", help="the user name, without regard to letter case")
    reset.add_argument("--stdin", action="store_true", help="read the new password from standard input")
    reset.set_defaults(run=lambda arguments: _reset_password(arguments, frame))
    frame.add_settings(reset)
    admin.formatter_class = argparse.RawDescriptionHelpFormatter


def _end_sessions(arguments: argparse.Namespace, frame: Frame) -> None:
    settings = frame.read(arguments)
    with frame.in_words(settings):
        ended = importlib.import_module(APP).end_sessions(settings, api_tokens=arguments.api_tokens)
    print(f"ended the sessions of {ended.users:,} users and {ended.tickets:,} tickets")
    if arguments.api_tokens:
        print(f"deleted {ended.api_tokens:,} API tokens")


def _reset_password(arguments: argparse.Namespace, frame: Frame) -> None:
    settings = frame.read(arguments)
    if settings.external_auth_url:
        raise SettingsError("ExternalAuthUrl: the accounts are kept by the external provider; no password here is good")
    given = sys.stdin.readline().rstrip("\r\n") if arguments.stdin else None
    with frame.in_words(settings):
        made = importlib.import_module(APP).reset_password(settings, arguments.user_name, given)
    print(
        f"{arguments.user_name} has a new password, and must sign in again everywhere" + (f": {made}" if made else "")
    )


def _list_keys(arguments: argparse.Namespace, frame: Frame) -> None:
    settings = frame.read(arguments)
    with frame.in_words(settings):
        listed = importlib.import_module(APP).signing_keys(settings)
    print("\n".join(f"{each.kid}  {_key_line(each)}" for each in listed) or "there are none")
    if not settings.signs_with_keys:
        print("TokenAlgorithm is HS256: tokens are signed with the secret")


def _key_line(key: "KeyInfo") -> str:
    made = f"made {key.created_at:%Y-%m-%d %H:%M} UTC"
    if not key.is_readable:
        return f"{made}, of no use: it was sealed under another secret"
    return f"{made}, signs" if key.ends_at is None else f"{made}, verifies until {key.ends_at:%Y-%m-%d %H:%M} UTC"


def _rotate_keys(arguments: argparse.Namespace, frame: Frame) -> None:
    settings = frame.read(arguments)
    if not settings.signs_with_keys:
        raise SettingsError("TokenAlgorithm is HS256: tokens are signed with the secret; set it to EdDSA first")
    with frame.in_words(settings):
        kid = importlib.import_module(APP).rotate_keys(settings, revoke=arguments.revoke)
    print(f"{kid} signs from now on; every worker knows it within half a minute")
