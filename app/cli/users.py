"""Commands for users: list, show, create, deactivate, activate, delete, and their roles."""

import argparse
import getpass
import json
import sys
from functools import partial
from typing import Any

from app.cli.common import (
    CommandFailed,
    Subparsers,
    add_command,
    add_group,
    explain_database_errors,
    parse_integer,
    parse_name,
    read_password,
    start,
    tasks,
)
from app.domain.errors import SettingsError
from app.domain.quantities import format_count

JSON_HELP = "print the user as one JSON object"

_COUNTS = {
    "ownedOrgs": "orgs owned",
    "ownedResources": "resources owned",
    "orgMemberships": "memberships of orgs",
    "groupMemberships": "memberships of groups",
    "apiTokens": "API tokens",
}


def add_all(commands: Subparsers) -> None:
    """Add the commands below `user`."""
    user = add_group(commands, "user", "list, create, deactivate and delete users, and change their roles")
    listing = add_command(user, "list", "show users by name", _list)
    listing.add_argument("--role", type=parse_name, metavar="NAME", help="only users with this role")
    listing.add_argument("--deactivated", action="store_true", help="only deactivated users")
    listing.add_argument(
        "--limit",
        type=partial(parse_integer, minimum=1, maximum=1_000_000),
        default=1_000,
        metavar="N",
        help="print at most N users (%(default)s)",
    )
    listing.add_argument("--json", action="store_true", help="print the users as a JSON list")
    _add_user(add_command(user, "show", "show a user, and how much they own", _show))
    _add_create(user)
    _add_user(add_command(user, "deactivate", "end all access of a user, who keeps everything else", _deactivate))
    _add_user(add_command(user, "activate", "give a deactivated user their access again", _activate))
    delete = add_command(user, "delete", "delete a user", _delete)
    delete.add_argument("--successor", type=parse_name, metavar="USER", help="receives what the user owns")
    _add_user(delete)
    roles = add_group(user, "roles", "add roles to a user, or remove them")
    for name, summary, run in (
        ("add", "add roles to a user", _add_roles),
        ("remove", "remove roles of a user", _remove_roles),
    ):
        change = add_command(roles, name, summary, run)
        _add_user(change)
        change.add_argument(
            "roles", type=parse_name, nargs="+", metavar="ROLE", help="name of a role, in any letter case"
        )


def _add_user(command: argparse.ArgumentParser) -> None:
    command.add_argument("user", type=parse_name, metavar="USER", help="user name in any letter case, or id")
    command.add_argument("--json", action="store_true", help=JSON_HELP)


def _add_create(user: Subparsers) -> None:
    create = add_command(user, "create", "create a user, with a password that is printed once", _create)
    create.add_argument("user_name", type=parse_name, metavar="NAME", help="1 to 127 letters and digits")
    create.add_argument("--email", type=parse_name, metavar="ADDRESS", help="e-mail address")
    create.add_argument("--display-name", type=parse_name, metavar="NAME", help="the name to show")
    create.add_argument(
        "--role", type=parse_name, action="append", metavar="NAME", help="a role, instead of `user`; may be repeated"
    )
    password = create.add_mutually_exclusive_group()
    password.add_argument("--prompt", action="store_true", help="ask for the password on the terminal")
    password.add_argument("--stdin", action="store_true", help="read the password from standard input")
    password.add_argument("--no-password", action="store_true", help="no sign-in until a password is set")
    password.add_argument("--service-account", action="store_true", help="a program, which uses API tokens only")
    create.add_argument("--json", action="store_true", help=JSON_HELP)


def _list(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    conditions = {"role": arguments.role, "is_deactivated": arguments.deactivated}
    with explain_database_errors(settings):
        users = tasks().list_users(settings, **conditions, limit=arguments.limit + 1)
    if len(users) > arguments.limit:
        users.pop()
        maximum = format_count(arguments.limit, "user")
        print(f"ostiary: there are more than {maximum}; set --limit", file=sys.stderr)
    if arguments.json:
        _print_json(users)
        return
    for user in users:
        signed_in = (user["lastLoginAt"] or "never signed in")[:16].replace("T", " ")
        print(f"{user['userName']:<20}  {', '.join(user['roles']) or '-':<20}  {signed_in:<16}  {user['email'] or '-'}")
    if not users:
        print("no user matches" if any(conditions.values()) else "there are no users")


def _show(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    with explain_database_errors(settings):
        user = tasks().show_user(settings, arguments.user)
    if arguments.json:
        _print_json(user)
        return
    kind = "service account" if user["isServiceAccount"] else "user"
    has_password = "set" if user["hasPassword"] else "none"
    lines = {
        kind: f"{user['userName']}{', deactivated' if user['isDeactivated'] else ''}",
        "id": user["id"],
        "display name": user["displayName"] or "-",
        "e-mail": user["email"] or "-",
        "roles": ", ".join(user["roles"]) or "-",
        "password": has_password,
        "created": _moment(user["createdAt"]),
        "last sign-in": _moment(user["lastLoginAt"]) if user["lastLoginAt"] else "never",
        **{label: f"{user[name]:,}" for name, label in _COUNTS.items()},
    }
    for label, value in lines.items():
        print(f"{label:<21} {value}")


def _moment(text: str) -> str:
    return f"{text[:16].replace('T', ' ')} UTC"


def _create(arguments: argparse.Namespace) -> None:
    settings = _start_change(arguments)
    password = _ask_password() if arguments.prompt else read_password() if arguments.stdin else None
    generates = not (arguments.no_password or arguments.service_account or password is not None)
    with explain_database_errors(settings):
        root = tasks()
        new = root.NewUser(
            arguments.user_name,
            arguments.email,
            arguments.display_name,
            arguments.role,
            password,
            arguments.service_account,
        )
        user, generated = root.create_user(settings, new, generates=generates)
    advice = "" if generated is None else ": set a password with `ostiary admin reset-password`"
    arguments.output_failure = f"{user['userName']} was created, but the output was not written{advice}"
    if arguments.json:
        _print_json(user if generated is None else {**user, "password": generated})
        return
    text = f"created {user['userName']} with {_roles(user)}"
    print(text if generated is None else f"{text} and this password, which is shown once: {generated}")


def _ask_password() -> str:
    """Read a password twice from the terminal. Raises CommandFailed if they differ, or without a terminal."""
    if not sys.stdin.isatty():
        raise CommandFailed("--prompt needs a terminal: use --stdin")
    try:
        first, second = getpass.getpass("Password: "), getpass.getpass("Again: ")
    except (EOFError, UnicodeDecodeError):
        raise CommandFailed("no password was given") from None
    if first != second:
        raise CommandFailed("the two passwords differ; nothing was changed")
    return first


def _deactivate(arguments: argparse.Namespace) -> None:
    _set_active(arguments, is_active=False)


def _activate(arguments: argparse.Namespace) -> None:
    _set_active(arguments, is_active=True)


def _set_active(arguments: argparse.Namespace, *, is_active: bool) -> None:
    settings = _start_change(arguments)
    with explain_database_errors(settings):
        user = tasks().set_user_active(settings, arguments.user, is_active=is_active)
    _report(arguments, user, f"{user['userName']} is {'active' if is_active else 'deactivated'}")


def _add_roles(arguments: argparse.Namespace) -> None:
    _change_roles(arguments, removes=False)


def _remove_roles(arguments: argparse.Namespace) -> None:
    _change_roles(arguments, removes=True)


def _change_roles(arguments: argparse.Namespace, *, removes: bool) -> None:
    settings = _start_change(arguments)
    with explain_database_errors(settings):
        user = tasks().change_user_roles(settings, arguments.user, arguments.roles, removes=removes)
    _report(arguments, user, f"{user['userName']} has {_roles(user)}")


def _delete(arguments: argparse.Namespace) -> None:
    settings = _start_change(arguments)
    with explain_database_errors(settings):
        deleted = tasks().delete_user(settings, arguments.user, arguments.successor)
    names = {"userName": "user_name", "successor": "successor", "orgsTransferred": "orgs"}
    names |= {"resourcesTransferred": "resources", "orgsWithoutOwner": "ownerless_orgs"}
    names |= {"resourcesWithoutOwner": "ownerless_resources"}
    described = {name: getattr(deleted, attribute) for name, attribute in names.items()}
    _report(arguments, described, f"deleted {deleted.user_name}{_describe_owned(deleted)}")


def _describe_owned(deleted: Any) -> str:
    """Return what became of the orgs and resources of a deleted user; an empty text if they owned none."""
    if deleted.successor is not None:
        owned = f"{format_count(deleted.orgs, 'org')} and {format_count(deleted.resources, 'resource')}"
        return f"; {deleted.successor} received {owned}"
    numbers = {"org": deleted.ownerless_orgs, "resource": deleted.ownerless_resources}
    owned = " and ".join(format_count(number, noun) for noun, number in numbers.items() if number)
    verb = "has" if sum(numbers.values()) == 1 else "have"
    hint = "next time, name a new owner with --successor"
    return f"; {owned} {verb} no owner now: an administrator can transfer them ({hint})" if owned else ""


def _start_change(arguments: argparse.Namespace) -> Any:
    """Read the settings. Raises SettingsError if an identity provider manages the accounts."""
    settings = start(arguments)
    if settings.external_auth_url:
        raise SettingsError("ExternalAuthUrl is set: the identity provider manages the users; change them there")
    return settings


def _report(arguments: argparse.Namespace, described: dict[str, Any], text: str) -> None:
    if arguments.json:
        _print_json(described)
    else:
        print(text)


def _roles(user: dict[str, Any]) -> str:
    roles = user["roles"]
    return f"the role{'' if len(roles) == 1 else 's'} {', '.join(roles)}" if roles else "no role"


def _print_json(described: Any) -> None:
    print(json.dumps(described, indent=2, ensure_ascii=False))
