"""Copying a registry into another database, with the secret that its tokens and keys need."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from app import db
from app.config import Settings
from app.db.backups import Report, sqlite
from app.db.copying import CopyFailed
from app.db.copying.endpoints import CopyEndpoint
from app.db.copying.postgresql import PostgresEndpoint
from app.db.copying.sqlite import SqliteEndpoint
from app.db.copying.work import CopiedRows, copy
from app.services import access_index_rebuild
from app.services.backups.folder import draft


@dataclass(frozen=True, slots=True)
class CopyResult:
    """A complete copy: its rows, the state of its access index, its secret, and the seconds it took.

    `secret` is the file of the secret of TARGET, and None if the secret is a setting or SOURCE has no file.
    """

    copied: CopiedRows
    index: access_index_rebuild.RebuildResult
    secret: Path | None
    notes: list[str]
    seconds: float

    def describe(self) -> dict[str, object]:
        """Return the numbers, the secret and the notes by the names of the JSON output."""
        return {
            "rows": self.copied.rows,
            "resumedAt": self.copied.resumed_at,
            "secret": None if self.secret is None else str(self.secret),
            "rebuiltIndexRows": self.index.missing + self.index.surplus,
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
        }


def run(source: Settings, target: Settings, report: Report) -> CopyResult:
    """Copy the database and the secret of SOURCE to those of TARGET. The settings differ only in the database.

    Raises CopyFailed; then TARGET is unfinished, or as it was.
    """
    began = perf_counter()
    if source.database_url == target.database_url:
        raise CopyFailed("SOURCE and TARGET are the same database: name an empty one as TARGET")
    path, notes = _check_secret(source, target)
    copied, index = asyncio.run(_copy(source, target, report))
    return CopyResult(copied, index, path, notes, perf_counter() - began)


async def _copy(
    source: Settings, target: Settings, report: Report
) -> tuple[CopiedRows, access_index_rebuild.RebuildResult]:
    copied = await copy(_endpoint(source), _endpoint(target), report, lambda: _place_secret(source, target))
    database = await db.open_database(target.database_url, size=2)
    try:
        # SOURCE may have had wrong rows. Each row was compared already, so this is done to a finished copy.
        index = await access_index_rebuild.check(database, lambda done, total: report("access index", done, total))
        if index.missing or index.surplus:
            await access_index_rebuild.reindex(database, lambda done, total: report("access index", done, total))
    finally:
        await database.close()
    return copied, index


def _endpoint(settings: Settings) -> CopyEndpoint:
    kind = SqliteEndpoint if settings.is_sqlite else PostgresEndpoint
    return kind(settings.database_url, settings.redacted_database_url)


def _check_secret(source: Settings, target: Settings) -> tuple[Path | None, list[str]]:
    """Return the file of the secret of TARGET, and notes. Raises CopyFailed if that file has another secret."""
    if source.secret is not None:
        return None, ["the secret is the setting Secret: the servers of TARGET need the same"]
    old, new = source.secret_path, target.secret_path
    if not old.exists():
        return None, [f"no secret of SOURCE is at {old}: put it at {new}, or all sessions and signing keys end"]
    if new.exists() and new.read_text().strip() != old.read_text().strip():
        raise CopyFailed(
            f"{new} has another secret than SOURCE, with which its tokens would end: move that file away, or set Secret"
        )
    return new, []


def _place_secret(source: Settings, target: Settings) -> None:
    """Copy the file of the secret, with mode 600, unless it is a setting or is there."""
    old, new = source.secret_path, target.secret_path
    if source.secret is not None or not old.exists() or new.exists():
        return
    new.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with draft(new.parent) as written:
        written.write_bytes(old.read_bytes())
        sqlite.sync(written)
        os.replace(written, new)
        sqlite.sync(new)
