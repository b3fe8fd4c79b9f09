"""One moment of a database, read with the methods of the database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.sql.base import Executable

from app.db.interface import BoundStatement, Database, Freshness, Read
from app.db.statements import Row


class SnapshotReader:
    """Reads as of the moment of the first read. It has no commit version, so no cache serves it."""

    def __init__(self, database: Database, read: Read) -> None:
        self.clock, self.prepare, self.dialect = database.clock, database.prepare, database.dialect
        self._read = read

    async def ask(self, statement: Executable, *, freshness: Freshness, **values: Any) -> list[Row]:
        """Read the rows of one statement."""
        return (await self.read([(self.prepare(statement), values)], freshness=freshness))[0]

    async def read(self, questions: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        """Read the rows of several statements, in their order; `freshness` was chosen when the snapshot was opened."""
        del freshness
        return await self._read(questions)


@asynccontextmanager
async def at_one_moment(database: Database) -> AsyncIterator[SnapshotReader]:
    """Open a snapshot of the primary; do not open a second one inside."""
    async with database.snapshot(freshness=Freshness.PRIMARY) as read:
        yield SnapshotReader(database, read)
