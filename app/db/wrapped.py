"""A database around another one, to which it passes every call. Its subclasses change some of them."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from app.db.access_changes import AccessChanges
from app.db.interface import Below, BoundStatement, Database, Freshness, Read, ReplicaState, Transaction
from app.db.statements import Row


class WrappedDatabase(Database):
    """A database around `inner`, with the same caches and the same clock."""

    def __init__(self, inner: Database) -> None:
        super().__init__(inner.prepare)
        self._inner = inner
        self.clock, self.caches, self.failures = inner.clock, inner.caches, inner.failures
        self.waits, self.joins_levels, self.checks_conditions = inner.waits, inner.joins_levels, inner.checks_conditions
        self.logs_changes = inner.logs_changes

    async def read(self, statements: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        return await self._inner.read(statements, freshness=freshness)

    async def read_joined(
        self,
        statements: Sequence[BoundStatement],
        below: Below,
        *,
        freshness: Freshness,
    ) -> list[list[Row]]:
        return await self._inner.read_joined(statements, below, freshness=freshness)

    async def commit_version(self) -> Any:
        return await self._inner.commit_version()

    def cached_commit_version(self) -> Any:
        return self._inner.cached_commit_version()

    async def read_with_changes(
        self, since: Any, statements: Sequence[BoundStatement] = ()
    ) -> tuple[AccessChanges, list[list[Row]]]:
        return await self._inner.read_with_changes(since, statements)

    def changes_since(self, state: Any) -> BoundStatement:
        return self._inner.changes_since(state)

    def changes_of(self, state: Any, rows: Sequence[Row]) -> AccessChanges:
        return self._inner.changes_of(state, rows)

    def snapshot(self, *, freshness: Freshness) -> AbstractAsyncContextManager[Read]:
        return self._inner.snapshot(freshness=freshness)

    def write(self, *, dry_run: bool = False, is_large: bool = False) -> AbstractAsyncContextManager[Transaction]:
        return self._inner.write(dry_run=dry_run, is_large=is_large)

    async def confirm(self) -> None:
        await self._inner.confirm()

    def connections(self) -> tuple[int, int] | None:
        return self._inner.connections()

    def replicas(self) -> Sequence[ReplicaState]:
        return self._inner.replicas()

    async def size_bytes(self) -> Mapping[str, int]:
        return await self._inner.size_bytes()

    async def close(self) -> None:
        await self._inner.close()
