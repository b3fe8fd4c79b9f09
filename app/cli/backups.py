"""Commands that make and restore backups."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from app.cli.commands import describe_ended
from app.cli.common import (
    Progress,
    Subparsers,
    add_command,
    explain_database_errors,
    start,
    tasks,
)
from app.domain.quantities import format_count

if TYPE_CHECKING:
    from app.config import Settings

MEGABYTE = 1_000_000


def add_all(commands: Subparsers) -> None:
    """Add `backup` and `restore`."""
    backup = add_command(commands, "backup", "write a backup of the database and its secret", _backup)
    backup.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="folder (the one of BackupFolder)")
    backup.add_argument("--json", action="store_true", help="print the result as one JSON object")
    restore = add_command(commands, "restore", "put a backup in place of the database", _restore)
    restore.add_argument("file", type=Path, metavar="FILE", help="the .db or .dump file of a backup")
    restore.add_argument("--replace", action="store_true", help="replace a database that exists, and keep it aside")
    restore.add_argument("--api-tokens", action="store_true", help="also delete every API token")


def _backup(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    with explain_database_errors(settings):
        created = tasks().backup(settings, arguments.folder or settings.backup_path, Progress())
    secret = created.backup.secret
    if arguments.json:
        print(json.dumps(created.describe()))
        return
    print(f"wrote {created.backup.file}: {_format_size(created.size)} in {created.seconds:.1f} s, checked")
    if secret is None:
        print(f"without a secret: {_explain_missing_secret(settings)}")
    else:
        print(f"wrote {secret}: it belongs to the backup")


def _explain_missing_secret(settings: "Settings") -> str:
    if settings.secret is None:
        return (
            f"{settings.secret_path} does not exist; without the secret of the servers, all sessions end at a restore"
        )
    return "it is the setting Secret; keep it apart, for it is needed with the backup"


def _format_size(size: int) -> str:
    return f"{size / MEGABYTE:,.1f} MB" if size >= MEGABYTE else f"{size / 1_000:,.1f} kB"


def _restore(arguments: argparse.Namespace) -> None:
    settings = start(arguments)
    with explain_database_errors(settings):
        plan, finished, migrated = tasks().restore(
            settings, arguments.file, Progress(), replace=arguments.replace, api_tokens=arguments.api_tokens
        )
    print(f"restored {arguments.file} (migration {plan.revision}) into {settings.redacted_database_url}")
    for line in [*(f"migrated {name}" for name in migrated), *plan.notes]:
        print(line)
    ended, index = finished.ended, finished.index
    print(describe_ended(ended, api_tokens=arguments.api_tokens))
    if index.missing or index.surplus:
        missing, surplus = format_count(index.missing, "missing row"), format_count(index.surplus, "surplus row")
        print(f"rebuilt the access index: {missing}, {surplus}")
    else:
        print(f"the access index is correct: {format_count(index.rows, 'row')}")
    for kid in finished.unreadable_keys:
        print(f"the secret cannot decrypt the signing key {kid}: its tokens have ended; run: ostiary keys rotate")
