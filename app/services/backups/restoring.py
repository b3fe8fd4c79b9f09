"""Restoring a backup: prepared apart and put in place complete, with what it replaces kept under another name."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from app.config import Settings, secret
from app.config.values import SECRET_BYTES
from app.db import migrations
from app.db.backups import BackupFailed, Report, explain, postgresql, sqlite
from app.services import access_index_rebuild, session_revocation
from app.services.app_context import AppContext
from app.services.backups.folder import draft, lock, secret_beside
from app.services.signing_keys import list_keys


@dataclass(slots=True)
class Plan:
    """A restore in progress: the settings that reach the prepared database, and what was said about it so far."""

    settings: Settings
    revision: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Finished:
    """The changes of the restored data: ended sessions, the check of the access index, keys without their secret."""

    ended: session_revocation.EndedSessions
    index: access_index_rebuild.RebuildResult
    unreadable_keys: list[str]


@contextmanager
def staged(settings: Settings, file: Path, *, replace: bool, report: Report) -> Iterator[Plan]:
    """Prepare the data of a backup; the end of the block puts them in place, an exception leaves all as it was.

    Raises BackupFailed if the file is no whole backup for this database, if a database exists and `replace` is false,
    or if a server uses it.
    """
    _require_kind(settings, file)
    new_secret = _read_secret(file)
    stage = _staged_sqlite if settings.is_sqlite else _staged_postgresql
    with explain(f"{file} was not restored"), ExitStack() as failed:
        with stage(settings, file, replace, report) as plan:
            text = _choose_secret(settings, new_secret, plan)
            plan.settings = plan.settings.model_copy(update={"secret": SecretStr(text)})
            yield plan
            if settings.secret is None and new_secret is not None:
                failed.callback(_place_secret(settings.secret_path, new_secret, plan))
        failed.pop_all()  # the data are in place, and so the secret stays


async def finish(app: AppContext, report: Report, *, api_tokens: bool) -> Finished:
    """End all sessions of the restored data, and rebuild the access index if it is wrong."""
    ended = await session_revocation.end_all(app.database, api_tokens=api_tokens)
    index = await access_index_rebuild.check(app.database, lambda done, total: report("access index", done, total))
    if index.missing or index.surplus:
        await access_index_rebuild.reindex(app.database, lambda done, total: report("access index", done, total))
    return Finished(ended, index, [key.kid for key in await list_keys(app.key_store) if not key.is_readable])


def _require_kind(settings: Settings, file: Path) -> None:
    if not file.is_file():
        raise BackupFailed(f"there is no backup {file}: name a file that `ostiary backup` has made")
    with file.open("rb") as opened:
        begin = opened.read(16)
    kinds = {"SQLite": begin == sqlite.MAGIC, "PostgreSQL": begin.startswith(postgresql.MAGIC)}
    wanted = "SQLite" if settings.is_sqlite else "PostgreSQL"
    if not any(kinds.values()):
        raise BackupFailed(f"{file} is no backup of Ostiary: name the .db or .dump file that `ostiary backup` has made")
    if not kinds[wanted]:
        raise BackupFailed(
            f"{file} is a backup of the other kind of database: DatabaseUrl is {settings.redacted_database_url}"
        )


@contextmanager
def _staged_sqlite(settings: Settings, file: Path, replace: bool, report: Report) -> Iterator[Plan]:
    path = _resolve_link(settings.sqlite_path)
    if path.exists() and not replace:
        raise BackupFailed(f"{path} exists: with --replace it is kept under another name and replaced")
    _require_unused(path)
    with _only_restore(path.parent), draft(path.parent) as new:
        sqlite.copy(file, new, report)
        revision = sqlite.revision(new)
        if revision is None:
            raise BackupFailed(f"{file} is no backup of Ostiary: it has no migrations")
        plan = Plan(settings.model_copy(update={"database_url": f"sqlite:///{new}"}), revision)
        yield plan
        sqlite.settle(new)
        sqlite.sync(new)
        if not path.exists():
            sqlite.replace(path, new, None)
            return
        _require_unused(path)
        aside = _kept_name(path)
        sqlite.replace(path, new, aside)
        plan.notes.append(f"the old database is kept as {aside}")


@contextmanager
def _only_restore(folder: Path) -> Iterator[None]:
    """Hold the lock of the folder of the database, whose holder deletes what a killed restore has left there."""
    with lock(folder, waits=False) as is_locked:
        if not is_locked:
            raise BackupFailed(f"another process restores or makes a backup in {folder}: wait for its end")
        yield


def _require_unused(path: Path) -> None:
    if path.exists() and sqlite.is_used(path):
        raise BackupFailed(f"a server or another program uses {path}: stop it first; nothing was changed")


@contextmanager
def _staged_postgresql(settings: Settings, file: Path, replace: bool, report: Report) -> Iterator[Plan]:
    """Load the dump in one transaction. A failure, or an exception in the block, brings the old tables back.

    A process that is killed leaves a mark, for which everything but the next restore refuses the database.
    """
    url = settings.database_url
    postgresql.check(file, report)
    if others := asyncio.run(postgresql.count_others(url)):
        raise BackupFailed(f"{others} other clients are connected to the database: stop the servers first")
    notes = _undo_interrupted(url)
    if not replace and asyncio.run(postgresql.has_objects(url)):
        raise BackupFailed("the database is not empty: with --replace its tables are kept in another schema")
    aside = asyncio.run(postgresql.start(url, datetime.now(UTC)))
    try:
        postgresql.load(url, file, report)
        revision = asyncio.run(postgresql.revision(url, restored=True))
        if revision is None:
            raise BackupFailed(f"{file} is no backup of Ostiary: it has no migrations")
        plan = Plan(settings, revision, notes)
        yield plan
    except BaseException:
        asyncio.run(postgresql.undo(url))
        raise
    asyncio.run(postgresql.finish(url))
    if aside is not None:
        plan.notes.append(f"the old tables are kept in the schema {aside}; delete it when you no longer need it")


def _undo_interrupted(url: str) -> list[str]:
    """Bring the tables back that a restore had moved before it was killed; return what to say about it."""
    if not asyncio.run(postgresql.is_unfinished(url)):
        return []
    asyncio.run(postgresql.undo(url))
    return ["an interrupted restore was undone first"]


def _read_secret(file: Path) -> str | None:
    path = secret_beside(file)
    if not path.exists():
        return None
    text = path.read_text().strip()
    if len(text.encode()) < SECRET_BYTES:
        raise BackupFailed(f"{path} is no secret: it is shorter than {SECRET_BYTES} bytes")
    return text


def _choose_secret(settings: Settings, new: str | None, plan: Plan) -> str:
    """Return the secret that the restored server will have, and note where it is not the one of the backup."""
    if settings.secret is None and new is not None:
        return new
    if settings.secret is None:
        plan.notes.append(f"no secret is beside the backup: {settings.secret_path} is used")
        return secret(settings).decode()
    own = settings.secret.get_secret_value()
    if new is not None and new != own:
        plan.notes.append("the setting Secret differs from the secret of the backup, and is used")
    return own


def _place_secret(path: Path, text: str, plan: Plan) -> Callable[[], object]:
    """Put the secret of the backup in place, with mode 600; another one is kept under another name.

    Return a function that brings the old one back.
    """
    path = _resolve_link(path)
    if path.exists() and path.read_text().strip() == text:
        return lambda: None
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    undo: Callable[[], object] = partial(path.unlink, missing_ok=True)
    with draft(path.parent) as new:
        new.write_text(text)
        sqlite.sync(new)
        if path.exists():
            aside = _kept_name(path)
            os.link(path, aside)
            undo = partial(aside.replace, path)
            plan.notes.append(f"the old secret is kept as {aside}")
        new.replace(path)
        sqlite.sync(path)
    return undo


def _resolve_link(path: Path) -> Path:
    """Return the file that a symbolic link leads to: it is replaced, and the link stays."""
    return path.resolve() if path.is_symlink() else path


def _kept_name(path: Path) -> Path:
    """Return a name beside a file that no other file has."""
    name = path.with_name(f"{path.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    number = 1
    while name.exists():
        number += 1
        name = path.with_name(f"{path.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{number}")
    return name


def migrate(plan: Plan) -> list[str]:
    """Run the migrations that the restored data miss. Raises NewerSchema for data of a newer version."""
    return migrations.upgrade(plan.settings.database_url, restores=True)
