"""A database whose first read ends with statements of its own, at the moment of that read."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from app.db.access_changes import AccessChanges
from app.db.interface import Below, BoundStatement, Database, Freshness, Read
from app.db.statements import Row
from app.db.wrapped import WrappedDatabase


class AppendingDatabase(WrappedDatabase):
    """A database for the reads of one request. Each read appends the statements `appended` until one has succeeded.

    A later read of a snapshot that begins a new one, since it reads the audit feed, ends with `on_new_snapshot`.
    """

    def __init__(
        self, inner: Database, appended: Sequence[BoundStatement], *, on_new_snapshot: Sequence[BoundStatement] = ()
    ) -> None:
        super().__init__(inner)
        self._appended, self._on_new_snapshot = appended, on_new_snapshot

    @abstractmethod
    def _check(self, results: list[list[Row]]) -> None:
        """Raise an exception in place of the answer of a read, if the results of the appended statements require it."""

    async def read(self, statements: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        appended = self._appended
        return self._split(await self._inner.read([*statements, *appended], freshness=freshness), statements, appended)

    async def read_joined(
        self,
        statements: Sequence[BoundStatement],
        below: Below,
        *,
        freshness: Freshness,
    ) -> list[list[Row]]:
        appended = self._appended
        rows = await self._inner.read_joined([*statements, *appended], below, freshness=freshness)
        return self._split(rows, statements, appended)

    async def read_with_changes(
        self, since: Any, statements: Sequence[BoundStatement] = ()
    ) -> tuple[AccessChanges, list[list[Row]]]:
        appended = self._appended
        changes, rows = await self._inner.read_with_changes(since, [*statements, *appended])
        return changes, self._split(rows, statements, appended)

    @asynccontextmanager
    async def snapshot(self, *, freshness: Freshness) -> AsyncIterator[Read]:
        async with self._inner.snapshot(freshness=freshness) as read_inner:

            async def read(statements: Sequence[BoundStatement]) -> list[list[Row]]:
                appended = self._appended
                if not appended and any(compiled.reads_feed for compiled, _ in statements):
                    appended = self._on_new_snapshot
                return self._split(await read_inner([*statements, *appended]), statements, appended)

            yield read

    def _split(
        self, rows: list[list[Row]], statements: Sequence[BoundStatement], appended: Sequence[BoundStatement]
    ) -> list[list[Row]]:
        """Return the rows without those of the appended statements, which come after the rows of the others."""
        if appended:
            own = slice(len(statements), len(statements) + len(appended))
            self._check(rows[own])
            del rows[own]
            self._appended = ()
        return rows
