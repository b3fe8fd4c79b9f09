"""A database whose first read ends with statements of its own, at the moment of that read."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from app.db.access_changes import AccessChanges
from app.db.interface import BoundStatement, Database, Freshness, Read
from app.db.statements import Row
from app.db.wrapped import WrappedDatabase


class FirstReadDatabase(WrappedDatabase):
    """A database for the reads of one request. Reads end with the statements `last` until one of them has answered.

    A later read of a snapshot that begins a new one, since it reads the audit feed, ends with `on_new_snapshot`.
    """

    def __init__(
        self, inner: Database, last: Sequence[BoundStatement], *, on_new_snapshot: Sequence[BoundStatement] = ()
    ) -> None:
        super().__init__(inner)
        self._last, self._on_new_snapshot = last, on_new_snapshot

    @abstractmethod
    def _check(self, results: list[list[Row]]) -> None:
        """Raise an exception in place of the answer of a read, if the results of the last statements require it."""

    async def read(self, statements: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        last = self._last
        return self._split(await self._inner.read([*statements, *last], freshness=freshness), statements, last)

    async def read_joined(
        self,
        statements: Sequence[BoundStatement],
        below: Sequence[tuple[BoundStatement, tuple[int, ...]]],
        *,
        freshness: Freshness,
    ) -> list[list[Row]]:
        last = self._last
        rows = await self._inner.read_joined([*statements, *last], below, freshness=freshness)
        return self._split(rows, statements, last)

    async def read_with_changes(
        self, since: Any, statements: Sequence[BoundStatement] = ()
    ) -> tuple[AccessChanges, list[list[Row]]]:
        last = self._last
        changes, rows = await self._inner.read_with_changes(since, [*statements, *last])
        return changes, self._split(rows, statements, last)

    @asynccontextmanager
    async def snapshot(self, *, freshness: Freshness) -> AsyncIterator[Read]:
        async with self._inner.snapshot(freshness=freshness) as read_inner:

            async def read(statements: Sequence[BoundStatement]) -> list[list[Row]]:
                last = self._last
                if not last and any(compiled.reads_feed for compiled, _ in statements):
                    last = self._on_new_snapshot
                return self._split(await read_inner([*statements, *last]), statements, last)

            yield read

    def _split(
        self, rows: list[list[Row]], statements: Sequence[BoundStatement], last: Sequence[BoundStatement]
    ) -> list[list[Row]]:
        """Return the rows without those of the last statements, which come after the rows of the others."""
        if last:
            own = slice(len(statements), len(statements) + len(last))
            self._check(rows[own])
            del rows[own]
            self._last = ()
        return rows
