"""Caches of query results that are valid until the next commit of any process."""

from typing import Any, Generic, TypeVar

from app.db.interface import Database

K = TypeVar("K")
V = TypeVar("V")


class CommitScopedCache(Generic[K, V]):
    """A cache of at most `maximum` values per database; each commit empties it."""

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum

    async def get(self, database: Database) -> dict[K, V]:
        """Return the current values. The caller may add values that it reads after this call."""
        return self._at(database, await database.commit_version())

    def get_cached(self, database: Database) -> dict[K, V] | None:
        """Return the current values if the commit version is known without waiting, else None."""
        version = database.cached_commit_version()
        return None if version is None else self._at(database, version)

    def _at(self, database: Database, version: Any) -> dict[K, V]:
        entry: tuple[Any, dict[K, V]] | None = database.caches.get(self)
        if entry is not None and entry[0] == version and len(entry[1]) <= self.maximum:
            return entry[1]
        database.caches[self] = version, (values := dict[K, V]())
        return values
