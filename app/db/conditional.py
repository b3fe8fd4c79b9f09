"""Reads under a condition, which the database checks in the round trip of the first read."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from app.db.access_changes import AccessChanges
from app.db.interface import BoundStatement, Database, Freshness, Read
from app.db.statements import Row
from app.db.wrapped import WrappedDatabase


class ConditionalDatabase(WrappedDatabase):
    """A database for the reads of one request. The first one raises ConditionFailed, or none does.

    The condition is a statement with the mark `statements.CONDITION`, for a database that `checks_conditions`.
    `on_confirmed` is called once, after it has been checked.
    """

    def __init__(self, inner: Database, condition: BoundStatement, on_confirmed: Callable[[], None]) -> None:
        super().__init__(inner)
        self._unchecked: Sequence[BoundStatement] = (condition,)
        self._on_confirmed = on_confirmed

    async def confirm(self) -> None:
        """Check the condition, unless a read has done that."""
        if self._unchecked:
            await self.read((), freshness=Freshness.PRIMARY)

    async def read(self, statements: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        conditions = self._unchecked
        rows = await self._inner.read([*statements, *conditions], freshness=freshness)
        return self._confirmed(rows, statements, conditions)

    async def read_joined(
        self,
        statements: Sequence[BoundStatement],
        below: Sequence[tuple[BoundStatement, tuple[int, ...]]],
        *,
        freshness: Freshness,
    ) -> list[list[Row]]:
        conditions = self._unchecked
        rows = await self._inner.read_joined([*statements, *conditions], below, freshness=freshness)
        return self._confirmed(rows, statements, conditions)

    async def read_with_changes(
        self, since: Any, statements: Sequence[BoundStatement] = ()
    ) -> tuple[AccessChanges, list[list[Row]]]:
        conditions = self._unchecked
        changes, rows = await self._inner.read_with_changes(since, [*statements, *conditions])
        return changes, self._confirmed(rows, statements, conditions)

    @asynccontextmanager
    async def snapshot(self, *, freshness: Freshness) -> AsyncIterator[Read]:
        async with self._inner.snapshot(freshness=freshness) as read_inner:

            async def read(statements: Sequence[BoundStatement]) -> list[list[Row]]:
                conditions = self._unchecked
                return self._confirmed(await read_inner([*statements, *conditions]), statements, conditions)

            yield read

    def _confirmed(
        self, rows: list[list[Row]], statements: Sequence[BoundStatement], conditions: Sequence[BoundStatement]
    ) -> list[list[Row]]:
        """Return the rows without those of the condition, which come after the rows of the statements."""
        if conditions:
            del rows[len(statements)]
            if self._unchecked:
                self._unchecked = ()
                self._on_confirmed()
        return rows
