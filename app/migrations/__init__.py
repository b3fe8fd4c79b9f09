"""Bringing a database to the shape that the code expects."""

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import asyncpg

HEAD = max(path.name[:4] for path in (Path(__file__).parent / "versions").glob("0*.py"))
"""The last step: the number at the head of its file's name."""

_DONE = "SELECT version_num FROM alembic_version"


def upgrade(url: str) -> list[str]:
    """Run what is missing, in one transaction; answers the steps that were run, oldest first."""
    if is_current(url):
        return []
    from app.migrations import running  # noqa: PLC0415 - alembic is a tenth of a start, and most starts need no step

    return running.upgrade(url)


def is_current(url: str) -> bool:
    """Whether nothing is missing; False too when that cannot be told, since alembic will tell why."""
    if url.startswith("sqlite:///"):
        return _is_current_file(Path(url.removeprefix("sqlite:///")))
    return asyncio.run(_is_current_server(url))


def _is_current_file(path: Path) -> bool:
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection,
    ):
        return bool(connection.execute(_DONE).fetchall() == [(HEAD,)])
    return False


async def _is_current_server(url: str) -> bool:
    with suppress(asyncpg.PostgresError):
        connection = await asyncpg.connect(url)
        try:
            return bool([row[0] for row in await connection.fetch(_DONE)] == [HEAD])
        finally:
            await connection.close()
    return False
