"""Reads under a condition, which the database checks in the round trip of the first read."""

from collections.abc import Callable

from app.db.first_read import AppendingDatabase
from app.db.interface import BoundStatement, Database, Freshness
from app.db.statements import Row


class ConditionalDatabase(AppendingDatabase):
    """A database for the reads of one request. The first one raises ConditionFailed, or none does.

    The condition is a statement with the mark `statements.CONDITION`, for a database that `checks_conditions`.
    `on_confirmed` is called once, after it has been checked.
    """

    def __init__(self, inner: Database, condition: BoundStatement, on_confirmed: Callable[[], None]) -> None:
        super().__init__(inner, (condition,))
        self._on_confirmed = on_confirmed

    async def confirm(self) -> None:
        """Check the condition, unless a read has done that."""
        if self._appended:
            await self.read((), freshness=Freshness.PRIMARY)

    def _check(self, results: list[list[Row]]) -> None:
        """Note that the condition holds: one that fails is an error of the read."""
        if self._appended:
            self._on_confirmed()
