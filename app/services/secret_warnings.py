"""Warnings about a secret file and a database that do not belong together, since one of them is new."""

import logging
from pathlib import Path

from sqlalchemy import select

from app.config import Settings
from app.db import Database, Freshness
from app.db.tables import User, col

log = logging.getLogger(__name__)

_ANY_USER = select(col(User.id)).limit(1)


def lacks_secret(settings: Settings) -> bool:
    """Return whether this process is about to generate the secret."""
    return settings.secret is None and not settings.secret_path.exists()


async def warn_of_new_secret(database: Database, path: Path) -> None:
    """Log a warning if a database that is in use gets a new secret: nothing signed with the old one is valid."""
    if await database.ask(_ANY_USER, freshness=Freshness.PRIMARY):
        log.warning(
            "new secret beside an old database path=%s: all sessions and tickets end, and stored signing keys and the"
            " seals of the audit log cannot be read; if the old file exists, stop, put it back and start again",
            path,
        )


def warn_of_new_database(path: Path) -> None:
    """Log a warning that the database is new, and was perhaps lost."""
    log.warning("new database beside an old secret path=%s: if the database was lost, stop and restore it", path)
