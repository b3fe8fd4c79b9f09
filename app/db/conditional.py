"""Reads under a condition, which the database checks in the round trip of the first read."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from app.db.access_changes import AccessChanges
from app.db.interface import BoundStatement, Database, Freshness, Read
from app.db.statements import Row
from app.db.wrapped import WrappedDatabase


class ConditionalDatabase(WrappedDatabase):
    """A database for the reads of one request, one after the other. The first one raises ConditionFailed, or none does.

    The condition is a statement with the mark `statements.CONDITION`, for a database that `checks_conditions`.
    """

    def __init__(self, inner: Database, condition: BoundStatement) -> None:
        super().__init__(inner)
        self._conditions: Sequence[BoundStatement] = (condition,)
        """The condition, until it has been checked."""

    async def confirm(self) -> None:
        """Check the condition, unless a read has done that."""
        if self._conditions:
            await self.read((), freshness=Freshness.PRIMARY)

    async def read(self, statements: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        return self._confirmed(
            await self._inner.read([*statements, *self._conditions], freshness=freshness), statements
        )

    async def read_joined(
        self,
        statements: Sequence[BoundStatement],
        below: Sequence[tuple[BoundStatement, tuple[int, ...]]],
        *,
        freshness: Freshness,
    ) -> list[list[Row]]:
        rows = await self._inner.read_joined([*statements, *self._conditions], below, freshness=freshness)
        return self._confirmed(rows, statements)

    async def read_with_changes(
        self, since: Any, statements: Sequence[BoundStatement] = ()
    ) -> tuple[AccessChanges, list[list[Row]]]:
        changes, rows = await self._inner.read_with_changes(since, [*statements, *self._conditions])
        return changes, self._confirmed(rows, statements)

    @asynccontextmanager
    async def snapshot(self, *, freshness: Freshness) -> AsyncIterator[Read]:
        async with self._inner.snapshot(freshness=freshness) as read_inner:

            async def read(statements: Sequence[BoundStatement]) -> list[list[Row]]:
                return self._confirmed(await read_inner([*statements, *self._conditions]), statements)

            yield read

    def _confirmed(self, rows: list[list[Row]], statements: Sequence[BoundStatement]) -> list[list[Row]]:
        """Return the rows without those of the condition, which come after the rows of the statements."""
        if self._conditions:
            del rows[len(statements)]
            self._conditions = ()
        return rows
